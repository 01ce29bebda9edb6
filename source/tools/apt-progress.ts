/**
 * apt's machine-readable progress (`-o APT::Status-Fd=N`): lines `dlstatus:COUNT:PERCENT:TEXT` while it fetches packages and
 * `pmstatus:PACKAGE:PERCENT:TEXT` while it installs them. A package's name may hold its architecture after a colon of its own
 * (`libc6:amd64`). Pure.
 */

/** The part of the whole that fetching is taken for. */
const fetching = 0.3;

/** How far apt is, from 0 to 1, or null for any other line. */
export function aptShare(line: string): number | null {
  const [, word, percent] = /^(dl|pm)status:.*?:(\d{1,3}(?:\.\d+)?):/.exec(line) ?? [];
  if (percent === undefined) return null;
  const share = Math.min(1, Number(percent) / 100);
  return word === "dl" ? share * fetching : fetching + share * (1 - fetching);
}

export function isAptStatus(line: string): boolean {
  return /^(?:dl|pm)status:/.test(line);
}
