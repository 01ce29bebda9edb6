/**
 * Hints from Grid'5000's usage policy: on working days between 9:00 and 19:00 in France the nodes are for short jobs.
 * Hints only: the site's own rules decide, and this knows neither the size of its clusters nor what the user has used.
 */
import type { ReserveRequest, Site } from "./types.ts";

/** Whether a site follows that policy, as far as its hosts' names tell. */
export function hasUsagePolicy(site: Site): boolean {
  return /grid5000|g5k/i.test(`${site.frontend} ${site.gateway ?? ""}`);
}

const zone = "Europe/Paris";
const day = 86_400;

interface Local {
  year: number;
  month: number;
  day: number;
  /** Seconds since midnight. */
  seconds: number;
}

const numeric = {
  year: "numeric",
  month: "numeric",
  day: "numeric",
  hour: "numeric",
  minute: "numeric",
  second: "numeric",
} as const;
/** Made when a time is first asked for: its data takes milliseconds. */
let parts: Intl.DateTimeFormat | null = null;

function local(epoch: number): Local {
  parts ??= new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", ...numeric });
  const found = new Map(parts.formatToParts(new Date(epoch * 1000)).map(({ type, value }) => [type, Number(value)]));
  const at = (name: Intl.DateTimeFormatPartTypes) => found.get(name) ?? 0;
  const seconds = at("hour") * 3600 + at("minute") * 60 + at("second");
  return { year: at("year"), month: at("month"), day: at("day"), seconds };
}

/** Epoch seconds of a French wall clock time. */
function epochOf(year: number, month: number, dayOfMonth: number, seconds: number): number {
  const asUtc = Date.UTC(year, month - 1, dayOfMonth) / 1000 + seconds;
  const shift = (epoch: number) => {
    const there = local(epoch);
    return Date.UTC(there.year, there.month - 1, there.day) / 1000 + there.seconds - epoch;
  };
  const guess = asUtc - shift(asUtc);
  return asUtc - shift(guess);
}

/** Easter Sunday as days since the epoch (the Gregorian computus). */
function easter(year: number): number {
  const golden = year % 19;
  const century = Math.floor(year / 100);
  const rest = year % 100;
  const epact =
    (19 * golden +
      century -
      Math.floor(century / 4) -
      Math.floor((century - Math.floor((century + 8) / 25) + 1) / 3) +
      15) %
    30;
  const weekday = (32 + 2 * (century % 4) + 2 * Math.floor(rest / 4) - epact - (rest % 4)) % 7;
  const correction = Math.floor((golden + 11 * epact + 22 * weekday) / 451);
  const sum = epact + weekday - 7 * correction + 114;
  return Date.UTC(year, Math.floor(sum / 31) - 1, (sum % 31) + 1) / (day * 1000);
}

const fixedHolidays = new Set(["1-1", "5-1", "5-8", "7-14", "8-15", "11-1", "11-11", "12-25"]);

function isWorkingDay(year: number, month: number, dayOfMonth: number): boolean {
  const days = Date.UTC(year, month - 1, dayOfMonth) / (day * 1000);
  const weekday = (days + 4) % 7;
  const fromEaster = days - easter(year);
  // Easter Monday, Ascension Day, Whit Monday.
  const movable = fromEaster === 1 || fromEaster === 39 || fromEaster === 50;
  return weekday !== 0 && weekday !== 6 && !movable && !fixedHolidays.has(`${month}-${dayOfMonth}`);
}

/**
 * Sentences to show beside the form, none when the policy has nothing to say. `now` in epoch seconds; a request without a
 * start is taken to begin now.
 */
export function policyWarnings(request: ReserveRequest, now: number): string[] {
  const start = request.start ? startOf(request.start) : now;
  if (start === null) return [];
  const end = start + request.walltimeSeconds;
  const soonAndShort = request.walltimeSeconds <= 3600 && start - now < 600;
  const first = local(start);
  const warnings: string[] = [];
  // Longer than a few days: one crossing says it all.
  for (let offset = 0; offset <= Math.min(4, Math.ceil(request.walltimeSeconds / day)); offset += 1) {
    const date = new Date(Date.UTC(first.year, first.month - 1, first.day + offset));
    const [year, month, dayOfMonth] = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()];
    if (!isWorkingDay(year, month, dayOfMonth)) continue;
    const [morning, evening] = [9, 19].map((hour) => epochOf(year, month, dayOfMonth, hour * 3600)) as [number, number];
    const crosses = (limit: number) => start < limit && limit < end;
    // Crossing 19:00 is allowed to who submits after 17:00.
    const lateEnough = now >= evening - 7200 && now < evening;
    if (crosses(morning) && !soonAndShort)
      warnings.push(`This job would cross 9:00 on ${spoken(date)}, a working day.`);
    if (crosses(evening) && !soonAndShort && !lateEnough) {
      warnings.push(
        `This job would cross 19:00 on ${spoken(date)}, a working day; that is for jobs submitted after 17:00 that day.`,
      );
    }
    const byDay = Math.min(end, evening) - Math.max(start, morning);
    if (byDay > 7200 && warnings.length === 0) {
      warnings.push("More than 2 h by day: on a working day all of your jobs may take 2 h of a whole cluster at most.");
    }
    if (warnings.length > 0) break;
  }
  if (warnings.length > 0)
    warnings.push("Grid'5000 asks that long or large jobs run by night (19:00 to 9:00) or at the week-end.");
  return warnings;
}

const weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

function spoken(date: Date): string {
  return weekdays[date.getUTCDay()] ?? "";
}

function startOf(text: string): number | null {
  const found = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)$/.exec(text)?.slice(1).map(Number);
  if (!found) return null;
  const [year = 0, month = 0, dayOfMonth = 0, hours = 0, minutes = 0, seconds = 0] = found;
  return epochOf(year, month, dayOfMonth, hours * 3600 + minutes * 60 + seconds);
}
