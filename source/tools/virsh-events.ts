/** `virsh event`: what anybody changes on a host, as it happens. */
import { type Command, sh } from "../ssh/command.ts";

/**
 * Prints every domain's UUID and name, `@@virtu ready`, then a line for each event until it is ended. The connection is there
 * when `ready` is printed, and the registration follows at once, within milliseconds.
 */
export function eventCommand(uri: string): Command {
  return sh`LC_ALL=C.UTF-8 exec virsh -c ${uri} ${"list --all --uuid --name; echo @@virtu ready; event --all --loop --timestamp"}`;
}

export interface DomainEvent {
  /** Epoch milliseconds, or null without a time stamp. */
  at: number | null;
  /** libvirt's kind: `lifecycle`. */
  kind: string;
  domain: string;
  /** What follows the colon: `Started Booted`; empty when there is none. */
  text: string;
}

/** `2026-11-22 10:37:27.967+0000: event 'lifecycle' for domain 'web1': Shutdown Finished …`; a name may hold quotes. */
export function parseEvent(line: string): DomainEvent | null {
  const found =
    /^(?:(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d+)\+0000: )?event '([\w-]+)' for domain '(.*?)'(?:: (.*))?$/.exec(line);
  if (!found) return null;
  const [, date, time, kind = "", domain = "", text = ""] = found;
  return { at: date === undefined ? null : Date.parse(`${date}T${time?.slice(0, 12)}Z`), kind, domain, text };
}

/** Too many or too small to be news: a balloon that breathes, the clock of a guest, the rounds of a migration. */
const noise: ReadonlySet<string> = new Set([
  "balloon-change",
  "rtc-change",
  "migration-iteration",
  "block-threshold",
  "memory-device-size-change",
]);

export function isNoise({ kind }: DomainEvent): boolean {
  return noise.has(kind);
}
