/**
 * What a run leaves on a node, and the commands that go with it. Each start of a step is a detached run below
 * `~/.virtu/runs/RUN/STEP.TRY/`:
 *
 * - `go` is a directory that whoever comes first makes: the script, before it does anything, or virtu, to be sure that a
 *   start whose answer was lost will never begin. So a start runs once or not at all;
 * - `boot` names the boot it belongs to, as process numbers mean nothing after the next one;
 * - `worker` is the process number of the `timeout` that holds the step's limit;
 * - the output's last line of its own is `#virtu RUN/STEP.TRY STATUS SECONDS`.
 */
import { type Command, quote, sh } from "../ssh/command.ts";
import type { Place } from "./detached.ts";
import type { PlanNode } from "./plan.ts";

const bootId = sh`cat /proc/sys/kernel/random/boot_id 2> /dev/null`;
/** Seconds between the signal that ends a step past its limit and the one that it can't catch. */
const killAfter = 10;
/** So many runs are kept on a node. */
const runsKept = 20;

export function placeFor(run: string, node: PlanNode): Place {
  // Every start of a run stays until the run is over: its outcome may not have been read.
  return { host: node.host, where: node.name, kind: `runs/${run}`, kept: 100_000 };
}

export const remoteName = (step: string, start: number) => `${step}.${start}`;

const folder = (run: string, remote: string) => sh`"$HOME"/.virtu/runs/${run}/${remote}`;

/** A script of a plan with what goes before it: values that earlier steps gave, and where root's programs are. */
export function wholeText(script: string, values: ReadonlyMap<string, string>): string {
  const exported = [...values].map(([name, value]) => `export ${name}=${quote(value)}\n`).join("");
  return `PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin\n${exported}${script.replace(/\n*$/, "\n")}`;
}

/** The file that holds the step's script, and the script of the detached run around it. */
export const bodyFile = "body";

export function stepScript(run: string, remote: string, limitSeconds: number): Command {
  return sh`mkdir go 2> /dev/null || exit 0
${bootId} > boot
started=$(date +%s)
timeout -k ${killAfter} ${limitSeconds} sh ${bodyFile} >> output 2>&1 < /dev/null &
echo $! > worker
wait $!
status=$?
if [ -n "$(tail -c 1 output)" ]; then echo >> output; fi
printf '#virtu %s %s %s\\n' ${`${run}/${remote}`} $status $(($(date +%s) - started)) >> output`;
}

export interface StepEnd {
  status: number;
  seconds: number;
}

/** The end of a step, if the line tells it. */
export function readEnd(run: string, remote: string, line: string): StepEnd | null {
  const prefix = `#virtu ${run}/${remote} `;
  if (!line.startsWith(prefix)) return null;
  const [, status, seconds] = /^(\d+) (-?\d+)$/.exec(line.slice(prefix.length)) ?? [];
  return status === undefined ? null : { status: Number(status), seconds: Math.max(0, Number(seconds)) };
}

/**
 * Prints `started` if a start has begun; else makes sure that it never will, and prints `never`. Asked again, it says the
 * same: a script writes `pid` before it makes `go` and `boot` after it, and only then does what it is for.
 */
export function claimCommand(run: string, remote: string): Command {
  return sh`mkdir -p "$HOME"/.virtu/runs/${run} || exit 90
if mkdir ${folder(run, remote)} 2> /dev/null; then mkdir ${folder(run, remote)}/go && echo never; exit; fi
cd ${folder(run, remote)} || exit 90
if mkdir go 2> /dev/null; then echo never; exit; fi
tries=0
while [ ! -f boot ] && [ -s pid ] && kill -0 "$(cat pid)" 2> /dev/null && [ $tries -lt 50 ]; do
  sleep 0.1
  tries=$((tries + 1))
done
if [ -f boot ]; then echo started; else echo never; fi`;
}

/**
 * In a start's folder: waits until it has told its boot and its worker, which it does a moment after its number, or until it is
 * gone. Whoever looked sooner would take it for one of an earlier boot, and for ended.
 */
const settled = sh`tries=0
while [ ! -s worker ] && [ -s pid ] && kill -0 "$(cat pid)" 2> /dev/null && [ $tries -lt 100 ]; do
  sleep 0.1
  tries=$((tries + 1))
done`;

/** The first line of what follows an output: the node has answered, though the step may say nothing for long. */
export const followMark = "#virtu follow";

/** That mark, then the output after so many lines; goes on as it grows, and ends with the step. */
export function followStep(run: string, remote: string, lines: number): Command {
  return sh`cd ${folder(run, remote)} || exit 90
echo ${followMark}
${settled}
if [ -s pid ] && [ "$(cat boot 2> /dev/null)" = "$(${bootId})" ] && kill -0 "$(cat pid)" 2> /dev/null; then
  exec tail -n +${lines + 1} --pid="$(cat pid)" -f output
fi
exec tail -n +${lines + 1} output`;
}

/** The mark, then the output after so many lines, as it is now. */
export function restOfStep(run: string, remote: string, lines: number): Command {
  return sh`echo ${followMark}
exec tail -n +${lines + 1} ${folder(run, remote)}/output`;
}

/** Ends a step that runs: its limit's process passes the signal on to all that the step has started. */
export function stopStep(run: string, remote: string): Command {
  return sh`cd ${folder(run, remote)} || exit 0
${settled}
if [ "$(cat boot 2> /dev/null)" = "$(${bootId})" ]; then kill -TERM "$(cat worker)" 2> /dev/null; fi; true`;
}

/** A check, or the script of a step that is not detached. */
export function runHere(text: string, limitSeconds: number): Command {
  return sh`exec timeout -k ${killAfter} ${limitSeconds} sh -c ${text}`;
}

/** Bytes of a request that every server takes; ssh2's ends the connection above 35 000, sshd above 256 KiB. */
export const longestRequest = 24_000;

/** As `runHere`, for a text that comes by standard input. */
export function runInput(limitSeconds: number): Command {
  return sh`exec timeout -k ${killAfter} ${limitSeconds} sh -c "$(cat)"`;
}

export interface Owner {
  run: string;
  /** `user@host` of the virtu that took it. */
  who: string;
  /** Epoch seconds on that machine. */
  since: number;
}

/**
 * Marks the node as this run's. Ends 0 when it is; 91 with the other owner's lines on standard output. `from`: an owner
 * whose mark may be taken over; a third one that came in between keeps it.
 */
export function lockCommand(owner: Owner, from: string | null): Command {
  const lines = [owner.run, owner.who, String(owner.since)];
  const runs = sh`"$HOME"/.virtu/runs`;
  return sh`umask 077
mkdir -p ${runs}/${owner.run} && cd "$HOME"/.virtu || exit 90
if mkdir lock 2> /dev/null; then
  printf '%s\\n' ${lines} > lock/owner || exit 90
else
  tries=0
  while [ ! -s lock/owner ] && [ $tries -lt 10 ]; do sleep 0.1; tries=$((tries + 1)); done
  held=$(head -n 1 lock/owner 2> /dev/null)
  if [ "$held" != ${owner.run} ]; then
    if [ ${from === null ? "no" : "yes"} = no ] || [ "$held" != ${from ?? ""} ]; then cat lock/owner; exit 91; fi
    printf '%s\\n' ${lines} > lock/owner.new && mv lock/owner.new lock/owner || exit 90
  fi
fi
cd ${runs} || exit 90
count=$(ls | wc -l)
for old in *; do
  if [ $count -gt ${runsKept} ] && [ -f "$old/over" ]; then rm -rf "$old"; count=$((count - 1)); fi
done
true`;
}

export function readOwner(text: string): Owner | null {
  const [run = "", who = "", since = ""] = text.trim().split("\n");
  return run === "" ? null : { run, who, since: Number(since) || 0 };
}

/** Takes this run's mark away, if it is its own, and says that nothing of the run is needed any more. */
export function unlockCommand(run: string): Command {
  return sh`cd "$HOME"/.virtu || exit 0
if [ "$(head -n 1 lock/owner 2> /dev/null)" = ${run} ]; then rm -rf lock; fi
touch runs/${run}/over`;
}
