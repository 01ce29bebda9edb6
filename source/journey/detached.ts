/**
 * Runs that outlive virtu: a script started on a host in a session of its own, with its input, output and end in files
 * below `~/.virtu/KIND/ID/`. A hang-up, a lost link or virtu's own end change nothing for it, and it is found again.
 *
 * The script appends to `output` by itself. What `startDetached` adds are `host`, `pid` (also its process group) and, at the end,
 * a line `#virtu end TIME` in `output` and the file `end`.
 */
import { VirtuError } from "../errors.ts";
import { Command, sh } from "../ssh/command.ts";
import type { HostRef, Pool } from "../ssh/types.ts";
import { pause } from "../waiting.ts";
import { answered } from "./detached-exec.ts";

export interface Place {
  host: HostRef;
  /** How messages name the host. */
  where: string;
  /** Folder below `~/.virtu`. */
  kind: string;
  /** So many runs that have ended are kept there (default 40); older ones go when a new one starts. */
  kept?: number;
}

/** All that starting takes of the pool, so that a broadcast may stand in for it. */
export type Starter = Pick<Pool, "exec">;

/** Ids begin with the time, so that their order is that of their start, and name what they are for. */
export function newRunId(subject: string | number, now = new Date()): string {
  const time = now.toISOString().replace(/[-:]/g, "").replace("T", "-").slice(0, 15);
  return `${time}-${subject}-${Math.random().toString(36).slice(2, 6).padEnd(4, "0")}`;
}

const folderOf = (place: Place): Command => sh`"$HOME"/.virtu/${place.kind}`;

/** Refuses an id that is a path: it becomes one on the host. */
export function checkRunId(id: string): string {
  if (/^[\w.-]+$/.test(id) && !id.startsWith(".")) return id;
  throw new VirtuError({ kind: "usage", what: `"${id}" is no id of a run` });
}

/** The whole script as it runs on the host. Ctrl-C is for the program that it runs, never for the script. */
function wholeScript(script: Command): string {
  return `hostname > host
trap 'true' INT
echo $$ > pid
${script.line}
printf '\\n#virtu end %s\\n' "$(date +%s)" >> output
echo ended > end
`;
}

/**
 * Starts a script with these files beside it. One round trip; all content goes through standard input, and nothing
 * starts unless it came whole.
 */
export async function startDetached(
  pool: Starter,
  place: Place,
  run: { id: string; files: Readonly<Record<string, string>>; script: Command; program: string },
  options: { signal?: AbortSignal } = {},
): Promise<void> {
  const parts = Object.entries({ ...run.files, script: wholeScript(run.script) }).map(([name, content]) => ({
    name,
    lines: content.replace(/\n*$/, "\n"),
  }));
  const bundle = parts.map(({ lines }) => lines).join("");
  let line = 1;
  const unpack = parts.map(({ name, lines }) => {
    const from = line;
    line += lines.split("\n").length - 1;
    return sh`sed -n ${`${from},${line - 1}p`} bundle > ${name}`.line;
  });
  const command = sh`if ! command -v ${run.program} > /dev/null; then exit 93; fi
mkdir -p ${folderOf(place)} && cd ${folderOf(place)} || exit 90
count=$(ls | wc -l)
for old in *; do
  if [ $count -gt ${place.kept ?? 40} ] && [ -f "$old/end" ]; then rm -rf "$old"; count=$((count - 1)); fi
done
mkdir ${run.id} && chmod 700 ${run.id} && cd ${run.id} && cat > bundle || exit 91
if [ "$(stat -c %s bundle)" != ${Buffer.byteLength(bundle)} ]; then exit 92; fi
${new Command(unpack.join("\n"))}
rm bundle
touch output
setsid -f sh -c "$(cat script)" > /dev/null 2>&1 < /dev/null || exit 94
tries=0
while [ ! -s pid ] && [ $tries -lt 50 ]; do sleep 0.1; tries=$((tries + 1)); done
[ -s pid ] || exit 94`;
  const result = await pool.exec(place.host, command, { stdin: bundle, signal: options.signal, timeoutMs: 60_000 });
  if (result.outcome === "lost" && (await hasStarted(pool, place, run.id, options.signal))) return;
  const what = "The run can't be started";
  answered(result, { what, where: place.where });
  if (result.status === 0) return;
  throw new VirtuError({
    kind: "refused",
    what,
    where: place.where,
    ...reasons(result.status, run.program),
    detail: result.stderr || undefined,
  });
}

function reasons(status: number | null, program: string): { why: string; hint?: string } {
  switch (status) {
    case 90:
    case 91:
      return {
        why: "its folder below ~/.virtu can't be written",
        hint: "Look at the free space and your quota in the home directory there.",
      };
    case 92:
      return { why: "its files did not arrive whole", hint: "Try again; look at the free space and your quota there." };
    case 93:
      return {
        why: `there is no ${program} on this host`,
        hint: "Is it the right host? It should be the site's frontend.",
      };
    case 94:
      return { why: "it does not run in the background there" };
    default:
      return { why: `its start ended with status ${status}` };
  }
}

/** After a link lost in the middle of a start: it has begun, or it never will, as its input was cut off. */
async function hasStarted(pool: Starter, place: Place, id: string, signal?: AbortSignal): Promise<boolean> {
  const command = sh`tries=0
while [ ! -s ${folderOf(place)}/${id}/pid ] && [ $tries -lt 20 ]; do sleep 0.1; tries=$((tries + 1)); done
[ -s ${folderOf(place)}/${id}/pid ]`;
  for (let failures = 0; ; failures += 1) {
    try {
      const result = await pool.exec(place.host, command, { signal, timeoutMs: 30_000 });
      if (result.outcome === "exited") return result.status === 0;
    } catch (thrown) {
      if (failures >= 4 || signal?.aborted) {
        throw new VirtuError(
          {
            kind: "connection",
            what: "Nobody knows whether the run has started",
            where: place.where,
            why: "the connection broke while it was started, and does not come back",
            hint: `Look for ${id} when the host answers again, before you start another.`,
          },
          { cause: thrown },
        );
      }
    }
    await pause(1000 * 2 ** failures, signal);
  }
}

export interface RunSnapshot {
  id: string;
  /** Content of the named files; null for one that is not there. */
  files: Record<string, string | null>;
  /** All of `output` so far; its last line may be unfinished. */
  output: string;
  /** Whether the script runs; null when it was started on another host that shares the home directory. */
  alive: boolean | null;
  /** The host it was started on. */
  host: string;
  ended: boolean;
  /** The host's clock, epoch seconds, when the snapshot was taken. */
  hostNow: number;
}

/** The runs whose id matches a pattern, oldest first, whole. One round trip. */
export async function lookAtRuns(
  pool: Pool,
  place: Place,
  pattern: { id: string } | { subject: string | number } | null,
  files: readonly string[],
  options: { signal?: AbortSignal } = {},
): Promise<RunSnapshot[]> {
  const glob = pattern === null ? sh`*` : "id" in pattern ? sh`${checkRunId(pattern.id)}` : sh`*-${pattern.subject}-*`;
  // A line of a file can't pass for one of these.
  const mark = `#virtu ${crypto.randomUUID()}`;
  const show = new Command(
    files
      .map(
        (name) =>
          sh`if [ -f "$run"/${name} ]; then printf '\\n%s file %s\\n' ${mark} ${name}; cat "$run"/${name}; fi`.line,
      )
      .join("\n"),
  );
  const command = sh`cd ${folderOf(place)} 2> /dev/null || exit 0
echo ${mark} now "$(date +%s)" "$(hostname)"
for run in ${glob}; do
  if [ -f "$run/script" ]; then
    alive=no
    if [ -s "$run/pid" ]; then if kill -0 "$(cat "$run/pid")" 2> /dev/null; then alive=yes; fi; fi
    ended=no
    if [ -f "$run/end" ]; then ended=yes; fi
    printf '\n%s run %s %s %s %s\n' ${mark} "$run" $alive $ended "$(cat "$run/host" 2> /dev/null)"
    ${show}
    printf '\n%s output\n' ${mark}
    cat "$run/output" 2> /dev/null
  fi
done
printf '\n%s done\n' ${mark}`;
  const what = "The runs there can't be read";
  const result = answered(
    await pool.exec(place.host, command, { signal: options.signal, timeoutMs: 60_000, maxBytes: 64 << 20 }),
    {
      what,
      where: place.where,
    },
  );
  return parseSnapshots(result.stdout, mark);
}

function parseSnapshots(text: string, mark: string): RunSnapshot[] {
  const runs: RunSnapshot[] = [];
  let here = "";
  let hostNow = 0;
  for (const part of text.split(`${mark} `).slice(1)) {
    const end = part.indexOf("\n");
    const [word, ...rest] = part.slice(0, end).split(" ");
    // A newline is printed before every mark.
    const body = part.slice(end + 1).replace(/\n$/, "");
    const run = runs.at(-1);
    if (word === "now") [hostNow, here] = [Number(rest[0]), rest[1] ?? ""];
    else if (word === "run") {
      const [id = "", alive, ended, host = ""] = rest;
      const elsewhere = host !== "" && host !== here;
      runs.push({
        id,
        files: {},
        output: "",
        alive: elsewhere ? null : alive === "yes",
        host,
        ended: ended === "yes",
        hostNow,
      });
    } else if (word === "file" && run) run.files[rest[0] ?? ""] = body;
    else if (word === "output" && run) run.output = body;
  }
  return runs;
}

/** Writes a file beside a run, whole or not at all. */
export async function writeBeside(
  pool: Pool,
  place: Place,
  id: string,
  file: { name: string; content: string },
  options: { signal?: AbortSignal } = {},
): Promise<void> {
  const command = sh`cd ${folderOf(place)}/${checkRunId(id)} && cat > ${`${file.name}.new`} && mv ${`${file.name}.new`} ${file.name}`;
  const result = await pool.exec(place.host, command, { ...options, stdin: file.content, timeoutMs: 30_000 });
  answered(result, { what: "The outcome can't be noted", where: place.where });
}

/** The command that shows the output after so many lines and goes on as it grows. */
export function followCommand(place: Place, id: string, lines: number): Command {
  return sh`tail -n +${lines + 1} -f ${folderOf(place)}/${checkRunId(id)}/output`;
}

/** Presses Ctrl-C for the run's program, then waits for its end (half a minute at the most). */
export function interruptCommand(place: Place, id: string): Command {
  return sh`cd ${folderOf(place)}/${checkRunId(id)} || exit 90
if [ -f end ]; then exit 0; fi
if [ "$(hostname)" != "$(cat host)" ]; then cat host; exit 91; fi
touch cancel
kill -INT -"$(cat pid)" || exit 92
tries=0
while [ ! -f end ] && [ $tries -lt 150 ]; do sleep 0.2; tries=$((tries + 1)); done
[ -f end ] || exit 93`;
}

/** Interrupts a run as Ctrl-C would. Resolves once it has ended. */
export async function interruptRun(
  pool: Pool,
  place: Place,
  id: string,
  options: { signal?: AbortSignal } = {},
): Promise<void> {
  const what = "The run can't be cancelled";
  const result = answered(await pool.exec(place.host, interruptCommand(place, id), { ...options, timeoutMs: 60_000 }), {
    what,
    where: place.where,
  });
  if (result.status === 0) return;
  const other = result.stdout.trim();
  const why =
    result.status === 90
      ? "there is no such run"
      : result.status === 91
        ? `it was started on ${other}`
        : result.status === 92
          ? "its process is gone"
          : "it does not end";
  const hint = result.status === 91 ? `Log in to ${other} and cancel it there.` : undefined;
  throw new VirtuError({ kind: "failed", what, where: place.where, why, hint, detail: result.stderr || undefined });
}
