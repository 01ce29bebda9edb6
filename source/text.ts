/** Text that comes from hosts, and times, as people read them. Pure. */

// Built from code points so that no control character stands in this file.
const esc = String.fromCharCode(0x1b);
const bell = String.fromCharCode(0x07);
const csi = new RegExp(`(?:${esc}\\[|\\u009b)[0-?]*[ -/]*[@-~]`, "g");
const stringSequence = new RegExp(
  `(?:${esc}[P\\]X^_]|[\\u0090\\u0098\\u009d-\\u009f])[\\s\\S]*?(?:${bell}|${esc}\\\\|\\u009c|$)`,
  "g",
);
const otherEscape = new RegExp(`${esc}[ -/]*[0-~]?`, "g");
// Bidirectional overrides can make a line read as something else than it is.
const invisible = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff]/g;

/** What `plain` may have to take out or change: without any of it a text stays as it is. */
const unsafe = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff]/;

/**
 * Makes a text from a host safe to show: escape sequences, control characters (tab becomes a blank, newlines stay) and
 * bidirectional overrides are removed. The only place that decides this; everything a host sends passes here before a
 * screen or a headless text output. JSON output escapes by itself and keeps the bytes.
 */
export function plain(text: string): string {
  // Nearly every text is plain, and a table of thousands asks for each.
  if (!unsafe.test(text)) return text;
  return text
    .replace(/\r\n/g, "\n")
    .replace(stringSequence, "")
    .replace(csi, "")
    .replace(otherEscape, "")
    .replace(/\t/g, " ")
    .replace(invisible, "");
}

/** `plain`, on one line. */
export function plainLine(text: string): string {
  const safe = plain(text);
  return safe.includes("\n") ? safe.replace(/\n/g, " ") : safe;
}

let collator: Intl.Collator | null = null;

/**
 * Orders names as people do: `vm-9` before `vm-10`. One collator for all, because a localeCompare with options makes its own
 * each time; made when it is first needed, because its data takes milliseconds of every start.
 */
export function natural(one: string, other: string): number {
  collator ??= new Intl.Collator("en", { numeric: true });
  return collator.compare(one, other);
}

/** Seconds as `1:02:03` or `2:03`; negative counts as 0. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const rest = String(whole % 60).padStart(2, "0");
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/** Seconds as an age of a few columns: `4 s`, `12 min`, `3 h`, `2 d`. */
export function age(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h`;
  return `${Math.floor(whole / 86_400)} d`;
}

/** A count with its noun: `1 node`, `4 nodes`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

/** Epoch seconds as ISO 8601 in UTC without milliseconds, or null. */
export function iso(epochSeconds: number | null): string | null {
  return epochSeconds === null ? null : new Date(epochSeconds * 1000).toISOString().replace(".000Z", "Z");
}

/** A moment on the user's clock; with its date when it is far from now. Both in epoch seconds. */
export function momentText(epoch: number, now: number): string {
  const date = new Date(epoch * 1000);
  const two = (n: number) => String(n).padStart(2, "0");
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
  const far = Math.abs(epoch - now) > 18 * 3600;
  return far ? `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${time}` : time;
}
