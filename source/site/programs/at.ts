/** at, atq and atrm of Debian, with the daemon that runs their jobs when it is time: jobs of the whole minute, in UTC. */
import type { Machine, Program } from "../machine/machine.ts";
import { NullFile } from "../machine/open-file.ts";
import { asctime } from "../utilities/about.ts";

interface Job {
  number: number;
  /** Epoch milliseconds. */
  at: number;
  user: string;
  callOff: () => void;
}

/** `CCYYMMDDhhmm` as epoch milliseconds. */
function timeOf(stamp: string): number | null {
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(stamp);
  if (!match) return null;
  const [year = 0, month = 1, day = 1, hours = 0, minutes = 0] = match.slice(1).map(Number);
  return Date.UTC(year, month - 1, day, hours, minutes);
}

/** Gives a host its atd. */
export function installAt(machine: Machine): void {
  const jobs = new Map<number, Job>();
  let next = 1;
  const begin = (job: Job, text: string) => {
    jobs.delete(job.number);
    const shell = machine.lookUp("/bin/sh", undefined);
    if (!shell) return;
    const files = new Map([0, 1, 2].map((number) => [number, new NullFile()]));
    const process = machine.create({ user: job.user, title: `at ${job.number}`, files, newSession: true });
    void machine.run(process, () => shell.program(machine.call(process, "sh", ["-c", text])));
  };
  const at: Program = async (call) => {
    const [option, stamp = ""] = call.args;
    const when = option === "-t" ? timeOf(stamp) : null;
    const text = await call.process.readAll();
    if (when === null) {
      await call.err("syntax error. Last token seen: t\nGarbled time\n");
      return 1;
    }
    if (when < machine.clock.now() - 60_000) {
      await call.err("at: refusing to create job destined in the past\n");
      return 1;
    }
    const job: Job = { number: next++, at: when, user: call.process.user, callOff: () => {} };
    job.callOff = machine.clock.afterReal(Math.max(0, when - machine.clock.now()), () => begin(job, text));
    jobs.set(job.number, job);
    await call.err(`warning: commands will be executed using /bin/sh\njob ${job.number} at ${asctime(when)}\n`);
    return 0;
  };
  const atq: Program = async ({ out }) => {
    for (const { number, at: when, user } of jobs.values()) await out(`${number}\t${asctime(when)} a ${user}\n`);
    return 0;
  };
  const atrm: Program = async ({ args, err }) => {
    for (const word of args) {
      const job = jobs.get(Number(word));
      if (!job) {
        await err(`Cannot find jobid ${word}\n`);
        return 1;
      }
      job.callOff();
      jobs.delete(job.number);
    }
    return 0;
  };
  machine.install({ at, atq, atrm });
  machine.files.makeDirectory("/run", "root", { mode: 0o755 });
  machine.files.writeText("/run/atd.pid", "612\n");
  machine.files.addMade("/proc/612/status", () => "Name:\tatd\n");
}
