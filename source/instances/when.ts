/** Times as people type and read them, theirs and a host's beside it. Pure but for the user's own time zone. */
import { VirtuError } from "../errors.ts";

/** Where a host's clock stands. */
export interface Zone {
  offsetMinutes: number;
  zone: string;
}

const day = 86_400;

/**
 * Epoch seconds, on the full minute, of `19:00` (the next time that it is so), `tomorrow 7:30`, `2026-11-26 19:00`,
 * `+30m`, `+2h` or `+1d`; in the user's own time zone. Throws a usage error for anything else, and for what is past.
 */
export function parseWhen(text: string, nowSeconds: number): number {
  const typed = text.trim().replace(/\s+/g, " ");
  const relative = /^(?:now ?)?\+ ?(\d{1,5}) ?(m|min|minutes?|h|hours?|d|days?)$/i.exec(typed);
  if (relative) {
    const unit = { m: 60, h: 3600, d: day }[relative[2]?.charAt(0).toLowerCase() ?? "m"] ?? 60;
    return Math.ceil((nowSeconds + Number(relative[1]) * unit) / 60) * 60;
  }
  const match = /^(?:(today|tomorrow|\d{4}-\d\d-\d\d)[ T])?(\d{1,2}):(\d\d)$/i.exec(typed);
  if (!match) throw wrong(text, "it is no time that virtu can read");
  const [, date, hours, minutes] = match;
  if (Number(hours) > 23 || Number(minutes) > 59) throw wrong(text, "there is no such time of day");
  const at = new Date(nowSeconds * 1000);
  if (date && /^\d/.test(date)) {
    const [year = 0, month = 1, monthDay = 1] = date.split("-").map(Number);
    at.setFullYear(year, month - 1, monthDay);
    if (at.getMonth() !== month - 1) throw wrong(text, "there is no such day");
  } else if (date?.toLowerCase() === "tomorrow") at.setDate(at.getDate() + 1);
  at.setHours(Number(hours), Number(minutes), 0, 0);
  if (date === undefined && at.getTime() <= nowSeconds * 1000) at.setDate(at.getDate() + 1);
  if (at.getTime() <= nowSeconds * 1000) throw wrong(text, "that is past");
  return at.getTime() / 1000;
}

function wrong(text: string, why: string): VirtuError {
  return new VirtuError({
    kind: "usage",
    what: "The time can't be taken",
    where: text,
    why,
    hint: "Write 19:00, tomorrow 7:30, 2026-11-26 19:00, +30m or +2h, as your own clock says it.",
  });
}

const two = (value: number) => String(value).padStart(2, "0");

function stamp(date: Date, now: Date): string {
  const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
  const sameDay = date.toISOString().slice(0, 10) === now.toISOString().slice(0, 10);
  return sameDay ? time : `${date.toISOString().slice(0, 10)} ${time}`;
}

/** The user's own zone at that time. */
export function ownZone(epochSeconds: number): Zone {
  const date = new Date(epochSeconds * 1000);
  const zone = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" })
    .formatToParts(date)
    .find(({ type }) => type === "timeZoneName");
  return { offsetMinutes: -date.getTimezoneOffset(), zone: zone?.value ?? "" };
}

function inZone(epochSeconds: number, nowSeconds: number, { offsetMinutes, zone }: Zone): string {
  const shifted = (seconds: number) => new Date((seconds + offsetMinutes * 60) * 1000);
  return `${stamp(shifted(epochSeconds), shifted(nowSeconds))} ${zone}`.trim();
}

/** `19:00 CET`, with the date when it is not today; of another zone's host also what its clock says then. */
export function whenText(epochSeconds: number, nowSeconds: number, host: Zone | null = null): string {
  const own = ownZone(epochSeconds);
  const mine = inZone(epochSeconds, nowSeconds, own);
  if (!host || host.offsetMinutes === own.offsetMinutes) return mine;
  return `${mine} (there ${inZone(epochSeconds, nowSeconds, host)})`;
}
