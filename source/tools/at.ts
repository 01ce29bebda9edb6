/**
 * Jobs at a time, kept by a host itself. Each has a folder `~/.virtu/scheduled/ID` there: what it is (`job`, JSON on one
 * line), the script, who carries it, and later when it began, how each of its lines ended, and when it was over. So they
 * are found again from anywhere, and what came of them stays to be read.
 *
 * `at` carries them where its daemon runs: its spool outlives a reboot, and what was missed is run at the next start. It
 * knows minutes only. Where there is none, a systemd timer does (systemd-timer.ts).
 */
import { type Command, sh } from "../ssh/command.ts";
import { timerParts } from "./systemd-timer.ts";

export interface JobLine {
  /** Whom it is about. */
  name: string;
  line: Command;
}

/** No line may hold up those after it for longer, in seconds. */
const lineLimit = 600;
/** Days for which the record of a job that is over is kept. */
const keptDays = 30;

const folder = sh`"$HOME"/.virtu/scheduled`;

/** Runs the lines one after the other; how each ended goes to `results`, what they printed to `output`. */
export function jobScript(id: string, lines: readonly JobLine[]): string {
  const one = ({ name, line }: JobLine) => sh`one ${name} ${line.line}`.line;
  return `#!/bin/sh
# virtu: scheduled job ${id}
unset TZ
cd "$(dirname "$0")" || exit 1
exec >>output 2>&1 </dev/null
date +%s >started
worst=0
one() {
  printf '== %s\\n' "$1"
  timeout ${lineLimit} sh -c "$2"
  ended=$?
  printf '%s %s\\n' "$ended" "$1" >>results
  [ "$ended" = 0 ] || worst=1
}
${lines.map(one).join("\n")}
printf '%s %s\\n' "$worst" "$(date +%s)" >status
[ ! -f after ] || sh after
`;
}

/** `at -t` takes `CCYYMMDDhhmm`, here in UTC. */
export function atStamp(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString().slice(0, 16).replace(/\D/g, "");
}

/** atd's own pid file is there on Debian and Fedora; a user may not signal it, and may see its process. */
const atRuns = sh`command -v at >/dev/null 2>&1 && pid=$(cat /run/atd.pid /var/run/atd.pid 2>/dev/null | head -n 1) && [ -n "$pid" ] && [ -e "/proc/$pid/status" ]`;

/**
 * Keeps a job on the host; its script comes by standard input. Prints `@@kept CARRIER`, or `@@none` when nothing there can
 * carry it and `@@refused` with what at said; always `@@host` with the host's clock and zone.
 */
export function keepCommand(id: string, epochSeconds: number, marker: string): Command {
  const { keep } = timerParts(id, epochSeconds);
  return sh`umask 077
d=${folder}/${id}
mkdir -p "$d" && cat >"$d/script" && printf '%s\n' ${marker} >"$d/job" || exit 1
printf '@@host %s %s %s\n' "$(date +%s)" "$(date +%z)" "$(date +%Z)"
said=
if ${atRuns}; then
  if said=$(printf 'exec sh %s\n' "'$d/script'" | TZ=UTC0 LC_ALL=C at -t ${atStamp(epochSeconds)} 2>&1); then
    number=$(printf '%s\n' "$said" | grep '^job ' | cut -d ' ' -f 2)
    [ -z "$number" ] || printf 'at %s\n' "$number" >"$d/carrier"
  fi
fi
${keep}
if [ -s "$d/carrier" ]; then printf '@@kept %s\n' "$(cat "$d/carrier")"
else
  rm -r "$d"
  if [ -n "$said" ]; then printf '@@refused\n%s\n' "$said"; else echo @@none; fi
fi`;
}

/** Prints `@@carrier at`, `@@carrier systemd` or `@@carrier none`: what `keepCommand` would find. */
export function carrierCommand(): Command {
  const { able } = timerParts("", 0);
  return sh`if ${atRuns}; then echo '@@carrier at'; elif ${able}; then echo '@@carrier systemd'; else echo '@@carrier none'; fi`;
}

/** Null: the host did not say it. */
export function parseCarrier(text: string): "at" | "systemd" | "none" | null {
  const found = /^@@carrier (at|systemd|none)$/m.exec(text)?.[1];
  return found === "at" || found === "systemd" || found === "none" ? found : null;
}

/** Prints every job that the host keeps, and forgets the records of old ones. */
export function listCommand(): Command {
  return sh`printf '@@host %s %s %s\n' "$(date +%s)" "$(date +%z)" "$(date +%Z)"
cd ${folder} 2>/dev/null || exit 0
find . -mindepth 2 -maxdepth 2 -name status -mtime +${keptDays} 2>/dev/null | while read -r old; do rm -r "$(dirname "$old")"; done
queue=" $(atq 2>/dev/null | cut -f 1 | tr '\n' ' ')"
for job in */job; do
  [ -f "$job" ] || continue
  id=$(dirname "$job")
  printf '@@job %s\n' "$id"
  cat "$job"
  read -r kind number 2>/dev/null <"$id/carrier" || kind=none
  waits=no
  case $kind in
    at) case $queue in *" $number "*) waits=yes ;; esac ;;
    systemd) if systemctl is-active --quiet "$number.timer"; then waits=yes; fi ;;
  esac
  printf '@@carrier %s %s\n' "$kind" "$waits"
  [ ! -f "$id/started" ] || printf '@@started %s\n' "$(cat "$id/started")"
  [ ! -f "$id/status" ] || printf '@@status %s\n' "$(cat "$id/status")"
  if [ -f "$id/results" ]; then while read -r line; do printf '@@result %s\n' "$line"; done <"$id/results"; fi
done`;
}

/** Takes a job back. Prints `@@gone`; `@@begun` when it is too late; `@@over` when only its record was left. */
export function dropCommand(id: string): Command {
  const { drop } = timerParts(id, 0);
  return sh`d=${folder}/${id}
[ -f "$d/job" ] || { echo @@missing; exit 0; }
if [ -f "$d/status" ]; then rm -r "$d"; echo @@over; exit 0; fi
if [ -f "$d/started" ]; then echo @@begun; exit 0; fi
read -r kind number 2>/dev/null <"$d/carrier" || kind=none
case $kind in
  at) atrm "$number" 2>&1 ;;
  systemd) ${drop} ;;
esac
rm -r "$d"
echo @@gone`;
}

/** What a host says of a job, as it stands in its folder. */
export interface KeptJob {
  id: string;
  /** The line that `keepCommand` was given. */
  marker: string;
  carrier: string;
  /** Its carrier still has it. */
  waits: boolean;
  /** Epoch seconds. */
  startedAt: number | null;
  endedAt: number | null;
  /** Exit status of each line that was run; 124: it was cut off. */
  results: { name: string; status: number }[];
}

export interface HostClock {
  /** Epoch seconds by the host's clock. */
  now: number;
  /** Minutes that its zone is before UTC. */
  offsetMinutes: number;
  /** What it calls its zone. */
  zone: string;
}

/** `@@host 1795700000 +0100 CET`, or null. */
export function parseClock(text: string): HostClock | null {
  const match = /^@@host (\d+) ([+-])(\d\d)(\d\d) ?(.*)$/m.exec(text);
  if (!match) return null;
  const [, now, sign, hours, minutes, zone = ""] = match;
  const offset = Number(hours) * 60 + Number(minutes);
  return { now: Number(now), offsetMinutes: sign === "-" ? -offset : offset, zone: zone.trim() };
}

export function parseKept(text: string): KeptJob[] {
  const jobs: KeptJob[] = [];
  for (const line of text.split("\n")) {
    const [word = "", ...rest] = line.split(" ");
    const job = jobs.at(-1);
    if (word === "@@job") {
      const fresh = { marker: "", carrier: "none", waits: false, startedAt: null, endedAt: null, results: [] };
      jobs.push({ id: rest.join(" "), ...fresh });
    } else if (!job) continue;
    else if (word === "@@carrier") Object.assign(job, { carrier: rest[0] ?? "none", waits: rest[1] === "yes" });
    else if (word === "@@started") job.startedAt = Number(rest[0]) || null;
    else if (word === "@@status") job.endedAt = Number(rest[1]) || null;
    else if (word === "@@result") job.results.push({ status: Number(rest[0]), name: rest.slice(1).join(" ") });
    else if (job.marker === "") job.marker = line;
  }
  return jobs;
}

/** What came of `keepCommand`. */
export function parseKeep(text: string): { carrier: string } | { refused: string } | null {
  const kept = /^@@kept (at \d+|systemd \S+)$/m.exec(text);
  if (kept?.[1]) return { carrier: kept[1].split(" ")[0] ?? "" };
  const at = text.indexOf("@@refused\n");
  if (at >= 0) return { refused: text.slice(at + 10).trim() };
  return /^@@none$/m.test(text) ? { refused: "" } : null;
}
