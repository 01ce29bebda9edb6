/**
 * Ganeti's `gnt-*` commands (2.16 to 3.1): how they are built and what they print. Success is known by the job's outcome
 * (`gnt-job watch`), never by the status of a `--submit`. Measured on 3.0.2 and 3.1.0~rc2.
 */
import { type Command, sh } from "../ssh/command.ts";

/** How the commands of one cluster are called. */
export interface GanetiAccess {
  /** Directory of the gnt-* programs with its slash; empty: they are found by PATH. A user's PATH over ssh lacks /usr/sbin. */
  directory: string;
  /** Not root, and `sudo -n` works. */
  sudo: boolean;
}

const plain = sh`LC_ALL=C`;
const inUtc = sh`LC_ALL=C TZ=UTC0`;

/** One gnt-* command line in the C locale. */
export function gnt(access: GanetiAccess, program: string, words: readonly string[], environment = plain): Command {
  const call = sh`${environment} ${access.directory + program} ${words}`;
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

export type InstanceField = (typeof instanceFields)[number];

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

export type NodeField = (typeof nodeFields)[number];

/** One table, for `parseTable`; `chosen`: names, or a filter. Moments are printed in UTC, as the host's own zone is not known. */
export function tableCommand(
  access: GanetiAccess,
  program: "gnt-instance" | "gnt-node",
  fields: readonly string[],
  chosen: readonly string[] = [],
): Command {
  const words = ["list", "--no-headers", "--separator=|", "--units=m", "-o", fields.join(",")];
  return gnt(access, program, [...words, ...chosen], inUtc);
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

/** The tables of a command that frames each; null when its frame is not there. `status` is the exit status of its program. */
export function parseList<T extends string>(
  stdout: string,
  names: readonly T[],
): Record<T, { text: string; status: number } | null> {
  const table = (name: string) => {
    const found = new RegExp(`^@@virtu ${name}\\n([\\s\\S]*?)^@@virtu end (\\d+)$`, "m").exec(stdout);
    return found ? { text: found[1] ?? "", status: Number(found[2]) } : null;
  };
  return Object.fromEntries(names.map((name) => [name, table(name)])) as ReturnType<typeof parseList<T>>;
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

/** Every job with the time it came, and the host's clock: finds a job whose number was lost with the connection. */
export function recentJobsCommand(access: GanetiAccess): Command {
  const jobs = gnt(access, "gnt-job", ["list", "--no-headers", "--separator=|", "-o", "id,summary,received_ts,ops"]);
  return sh`date +%s; ${jobs}`;
}

/**
 * The newest job that came in the last `withinSeconds`, by the host's own clock, and that `fits`. received_ts is printed as
 * `[SECONDS, MICROSECONDS]`, the operations as Python prints them.
 */
function newestJob(
  stdout: string,
  withinSeconds: number,
  fits: (summary: string, operations: string) => boolean,
): string | null {
  const [clock, ...rows] = stdout.split("\n");
  const now = Number(clock);
  const found = rows
    .map((row) => row.split("|"))
    .filter(([, , received]) => {
      const seconds = Number(/^\[(\d+), \d+\]$/.exec(received ?? "")?.[1]);
      return now - seconds <= withinSeconds;
    })
    .filter(([, summary = "", , ...operations]) => fits(summary, operations.join("|")));
  return found.at(-1)?.[0] ?? null;
}

/** By its summary: `INSTANCE_CREATE(web1)`. */
export function findJobOf(stdout: string, summary: string, withinSeconds: number): string | null {
  return newestJob(stdout, withinSeconds, (other) => other === summary);
}

/** By its class and the full name of what it is done to: the summary of a job on tags, or of a renaming, has no name in it. */
export function findJob(
  stdout: string,
  { opcode, subject }: { opcode: string; subject: string },
  withinSeconds: number,
): string | null {
  return newestJob(
    stdout,
    withinSeconds,
    (_, operations) => operations.includes(`'${opcode}'`) && operations.includes(`'${subject}'`),
  );
}
