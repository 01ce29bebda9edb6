/** How the gnt-* programs hand a job in and wait for it. */
import type { Call } from "../machine/machine.ts";
import { asctime } from "../utilities/about.ts";
import type { Ganeti, GanetiWork } from "../world/ganeti.ts";
import { isOver } from "./ganeti-jobs.ts";

/** With `--submit` the number alone is printed, on stderr; without, the job's log, and its failure. */
export async function submitWork(call: Call, ganeti: Ganeti, work: GanetiWork, isSubmitted: boolean): Promise<number> {
  const job = ganeti.submitWork(work, [call.name, call.args[0] ?? ""]);
  if (isSubmitted) {
    await call.err(`JobID: ${job.id}\n`);
    return 0;
  }
  let told = 0;
  await isOver(call, ganeti, job, async () => {
    for (; told < job.log.length; told += 1) {
      const entry = job.log[told];
      if (entry) await call.out(`${asctime(entry.at)} ${entry.text}\n`);
    }
  });
  if (job.status === "success") return 0;
  await call.err(`${job.failure ?? ""}\n`);
  return 1;
}
