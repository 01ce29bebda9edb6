/**
 * Ganeti's `gnt-*` commands (2.16 to 3.1): how they are built and what they print. Success is known by the job's outcome
 * (`gnt-job watch`), never by the status of a `--submit`. Measured on 3.0.2 and 3.1.0~rc2.
 */
import type { BasicActionName } from "../instances/types.ts";
import { type Command, sh } from "../ssh/command.ts";

/** How the commands of one cluster are called. */
export interface GanetiAccess {
  /** Directory of the gnt-* programs with its slash; empty: they are found by PATH. A user's PATH over ssh lacks /usr/sbin. */
  directory: string;
  /** Not root, and `sudo -n` works. */
  sudo: boolean;
}

/** One gnt-* command line in the C locale. */
export function gnt(access: GanetiAccess, program: string, words: readonly string[]): Command {
  const call = sh`LC_ALL=C ${access.directory + program} ${words}`;
  return access.sudo ? sh`sudo -n env ${call}` : call;
}

export const instanceFields = [
  "name",
  "uuid",
  "status",
  "pnode",
  "snodes",
  "be/vcpus",
  "oper_vcpus",
  "be/maxmem",
  "oper_ram",
  "hypervisor",
  "os",
  "disk_template",
  "disk.sizes",
  "nic.ips",
  "nic.macs",
  "nic.links",
  "network_port",
  "tags",
  "admin_state",
  "ctime",
] as const;

export const nodeFields = [
  "name",
  "role",
  "dtotal",
  "dfree",
  "mtotal",
  "mnode",
  "mfree",
  "pinst_cnt",
  "sinst_cnt",
  "group",
] as const;

const tableWords = (fields: readonly string[]) => [
  "--no-headers",
  "--separator=|",
  "--units=m",
  "-o",
  fields.join(","),
];

/** Instances and nodes in one go. Each table is framed by `@@virtu NAME` and `@@virtu end STATUS`. */
export function listCommand(access: GanetiAccess): Command {
  const instances = gnt(access, "gnt-instance", ["list", ...tableWords(instanceFields)]);
  const nodes = gnt(access, "gnt-node", ["list", ...tableWords(nodeFields)]);
  return sh`echo '@@virtu instances'; ${instances}; echo "@@virtu end $?"; echo '@@virtu nodes'; ${nodes}; echo "@@virtu end $?"`;
}

export type Cells<F extends string> = Record<F, string | null>;

/**
 * Rows of a list with `--separator=|`. A value that Ganeti has not is null: `-` (makes no sense now), `?` (no answer
 * from the node), `*` (node offline), `??` (field unknown to this version). A row of another width is null.
 */
export function parseTable<F extends string>(text: string, fields: readonly F[]): (Cells<F> | null)[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const values = line.split("|");
      if (values.length !== fields.length) return null;
      return Object.fromEntries(
        fields.map((field, index) => [field, present(values[index] ?? "")]),
      ) as unknown as Cells<F>;
    });
}

function present(value: string): string | null {
  return ["-", "?", "*", "??"].includes(value) ? null : value;
}

/** A whole number of a cell, or null. */
export function numberOf(cell: string | null): number | null {
  return cell !== null && /^\d+$/.test(cell) ? Number(cell) : null;
}

/** The two tables of `listCommand`; null when its frame is not there. `status` is the exit status of that command. */
export function parseList(stdout: string): Record<"instances" | "nodes", { text: string; status: number } | null> {
  const table = (name: string) => {
    const found = new RegExp(`^@@virtu ${name}\\n([\\s\\S]*?)^@@virtu end (\\d+)$`, "m").exec(stdout);
    return found ? { text: found[1] ?? "", status: Number(found[2]) } : null;
  };
  return { instances: table("instances"), nodes: table("nodes") };
}

const verbs: Record<BasicActionName, readonly string[]> = {
  start: ["startup"],
  shutdown: ["shutdown"],
  reboot: ["reboot"],
  // No time to shut down cleanly: the node ends the instance at once.
  "force-off": ["shutdown", "--timeout=0"],
};

/**
 * Submits an action as a job; prints `JOB: NAME` on stdout. The name must be the full one: Ganeti takes a short name for
 * whatever instance begins so. `limitSeconds`: Ganeti ends an instance by force that has not shut down by then
 * (its own default is 120; the help of 3.0 says minutes and means seconds).
 */
export function submitCommand(
  access: GanetiAccess,
  action: BasicActionName,
  instance: string,
  limitSeconds?: number,
): Command {
  const limit = action === "shutdown" && limitSeconds !== undefined ? [`--timeout=${Math.round(limitSeconds)}`] : [];
  return gnt(access, "gnt-instance", [...verbs[action], ...limit, "--submit", instance]);
}

/** The job number of a `--submit`, or null. startup, shutdown and reboot print it on stdout, all others on stderr. */
export function parseSubmitted(stdout: string, stderr: string): string | null {
  return /^(\d+): /m.exec(stdout)?.[1] ?? /^JobID: (\d+)$/m.exec(stderr)?.[1] ?? null;
}

/** Follows a job to its end: status 0 success; 1 failed, cancelled or unknown, with the reason on stderr. */
export function watchCommand(access: GanetiAccess, job: string): Command {
  return gnt(access, "gnt-job", ["watch", job]);
}

/** What one line of `gnt-job watch` says, without its date; null for the two header lines. */
export function parseWatchLine(line: string): string | null {
  if (/^Output from job \d+ follows$/.test(line) || /^-+$/.test(line) || line.trim() === "") return null;
  // asctime: the day is padded with a blank, and a leveled message follows after two blanks and a dash.
  const dated = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}\s+(?:- )?(.*)$/.exec(line);
  return dated?.[1] ?? line;
}

const opcodes: Record<BasicActionName, string> = {
  start: "INSTANCE_STARTUP",
  shutdown: "INSTANCE_SHUTDOWN",
  reboot: "INSTANCE_REBOOT",
  "force-off": "INSTANCE_SHUTDOWN",
};

/** Every job with the time it came, and the host's clock: finds a job whose number was lost with the connection. */
export function recentJobsCommand(access: GanetiAccess): Command {
  const jobs = gnt(access, "gnt-job", ["list", "--no-headers", "--separator=|", "-o", "id,summary,received_ts"]);
  return sh`date +%s; ${jobs}`;
}

/**
 * The newest job of this action on this instance that came in the last `withinSeconds`, by the host's own clock.
 * received_ts is printed as `[SECONDS, MICROSECONDS]`.
 */
export function findJob(
  stdout: string,
  action: BasicActionName,
  instance: string,
  withinSeconds: number,
): string | null {
  return findJobOf(stdout, `${opcodes[action]}(${instance})`, withinSeconds);
}

/** The same for any job, by its summary: `INSTANCE_CREATE(web1)`. */
export function findJobOf(stdout: string, summary: string, withinSeconds: number): string | null {
  const [clock, ...rows] = stdout.split("\n");
  const now = Number(clock);
  const found = rows
    .map((row) => row.split("|"))
    .filter(([, what]) => what === summary)
    .filter(([, , received]) => {
      const seconds = Number(/^\[(\d+), \d+\]$/.exec(received ?? "")?.[1]);
      return now - seconds <= withinSeconds;
    });
  return found.at(-1)?.[0] ?? null;
}
