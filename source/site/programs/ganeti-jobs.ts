/** gnt-job: the queue, what its jobs say, and taking one back. */
import type { Call } from "../machine/machine.ts";
import { asctime, dateTime } from "../utilities/about.ts";
import { options } from "../utilities/input.ts";
import type { Clusters } from "../world/clusters.ts";
import type { Ganeti, GanetiJob } from "../world/ganeti.ts";
import { jobFields, operationOf, usualJobFields } from "./ganeti-fields.ts";
import { filterOf, printTable } from "./ganeti-table.ts";

export type Verb = (call: Call, ganeti: Ganeti, clusters: Clusters) => Promise<number>;
export type Verbs = Readonly<Record<string, Verb>>;

const valued = "o output F filter separator units";

/** Calls back at every change until the job is over. */
export async function isOver(call: Call, ganeti: Ganeti, job: GanetiJob, onChange: () => Promise<void>): Promise<void> {
  let wake = () => {};
  const off = ganeti.watch(() => wake());
  try {
    for (;;) {
      await onChange();
      if (["success", "error", "canceled"].includes(job.status)) return;
      await call.process.guard(
        new Promise<void>((resolve) => {
          wake = resolve;
        }),
      );
    }
  } finally {
    off();
  }
}

async function watch(call: Call, ganeti: Ganeti, silent: boolean): Promise<number> {
  const [id = ""] = options(call.args.slice(1), valued).words;
  const title = `Output from job ${id} follows`;
  if (!silent) await call.out(`${title}\n${"-".repeat(title.length)}\n`);
  const job = ganeti.jobs.get(Number(id));
  if (!job) {
    await call.err(`Job ${id} failed: Error checking job status: Can't load job file\n`);
    return 1;
  }
  let told = 0;
  await isOver(call, ganeti, job, async () => {
    for (; !silent && told < job.log.length; told += 1) {
      const entry = job.log[told];
      if (entry) await call.out(`${asctime(entry.at)} ${entry.text}\n`);
    }
  });
  if (job.status === "success") return 0;
  await call.err(`Job ${id} failed: ${job.failure}\n`);
  return 1;
}

function jobInfo(job: GanetiJob): string {
  const moment = (ms: number) => `${dateTime(ms / 1000)}.${String((ms % 1000) * 1000).padStart(6, "0")}`;
  const lines = [`- Job ID: ${job.id}`, `  Status: ${job.status}`, `  Received:         ${moment(job.received)}`];
  if (job.started)
    lines.push(
      `  Processing start: ${moment(job.started)} (delta ${((job.started - job.received) / 1000).toFixed(6)}s)`,
    );
  if (job.ended) {
    lines.push(`  Processing end:   ${moment(job.ended)} (delta ${((job.ended - job.started) / 1000).toFixed(6)}s)`);
    lines.push(`  Total processing time: ${((job.ended - job.received) / 1000).toFixed(6)} seconds`);
  }
  const { OP_ID, reason: _, ...input } = operationOf(job);
  lines.push("  Opcodes: ", `    - Opcode: ${OP_ID}`, `      Status: ${job.status}`, "      Input fields: ");
  for (const [name, value] of Object.entries(input)) lines.push(`        ${name}: ${value}`);
  lines.push("      Result: None");
  return `${lines.join("\n")}\n`;
}

async function jobs(call: Call, ganeti: Ganeti): Promise<number> {
  const { given, words } = options(call.args.slice(1), valued);
  const filter = filterOf(call, jobFields);
  const states: Readonly<Record<string, readonly string[]>> = {
    running: ["running"],
    pending: ["queued", "waiting"],
    queued: ["queued"],
    waiting: ["waiting"],
    error: ["error"],
    finished: ["success", "error", "canceled"],
  };
  // Of several such flags the last one wins.
  const flag = [...given.keys()].filter((key) => key in states).at(-1);
  const rows = [...ganeti.jobs.values()].filter(
    (job) =>
      (words.length === 0 || words.includes(String(job.id))) &&
      (flag === undefined || states[flag]?.includes(job.status)) &&
      (!filter || filter(job)),
  );
  return printTable(call, jobFields, usualJobFields, rows);
}

async function cancel(call: Call, ganeti: Ganeti): Promise<number> {
  let status = 0;
  for (const id of options(call.args.slice(1)).words) {
    const job = ganeti.jobs.get(Number(id));
    const over = !job || ["success", "error", "canceled"].includes(job.status);
    const text = over
      ? `Job ${id} not found in queue`
      : ganeti.cancel(job)
        ? "Job successfully cancelled"
        : "Job no longer waiting, can't cancel (informed it anyway)";
    await call.out(`${text}\n`);
    if (!text.startsWith("Job successfully")) status = 1;
  }
  return status;
}

async function info(call: Call, ganeti: Ganeti): Promise<number> {
  for (const id of options(call.args.slice(1)).words) {
    const job = ganeti.jobs.get(Number(id));
    await call.out(job ? jobInfo(job) : `- Job ID ${id} not found\n`);
  }
  return 0;
}

export const jobVerbs: Verbs = {
  list: jobs,
  watch: (call, ganeti) => watch(call, ganeti, false),
  wait: (call, ganeti) => watch(call, ganeti, true),
  info,
  cancel,
};
