/** `virtu nodes`: a job's nodes, with what they say of themselves. */
import type { Command } from "commander";
import { getJob } from "../journey/jobs.ts";
import { nodeFacts } from "../journey/nodes.ts";
import type { NodeFacts } from "../journey/types.ts";
import { age, count, plainLine } from "../text.ts";
import { jobNumber } from "./release.ts";
import { exit, run, withJson, withSite } from "./run.ts";

function line(node: NodeFacts): string {
  const { name, state, reason, address, kernel, os, cpus, memoryMiB, disks, uptimeSeconds } = node;
  const facts = [
    address,
    os,
    kernel,
    cpus === null ? null : count(cpus, "CPU"),
    memoryMiB === null ? null : `${Math.round(memoryMiB / 1024)} GiB`,
    disks.length === 0 ? null : disks.map((disk) => `${disk.name} ${disk.sizeGiB} GiB`).join(" "),
    uptimeSeconds === null ? null : `up ${age(uptimeSeconds)}`,
    reason,
  ];
  return plainLine(`${name}  ${state}  ${facts.filter((fact) => fact !== null).join(", ")}`.trimEnd());
}

export function declare(program: Command): void {
  withJson(withSite(program.command("nodes")))
    .description("Lists the nodes of a job, each with its state and what it says of itself.")
    .requiredOption("--job <id>", "the job")
    .addHelpText(
      "after",
      `
With --json: a list of {name, state, reason, address, kernel, os, cpus, memoryMiB, disks: [{name, sizeGiB}], uptimeSeconds}.
state is reserved (nothing deployed yet), deploying, failed (its last deployment, reason says why), reachable (root gets in)
or unreachable; what is not known is null.`,
    )
    .action((options: { site: string; job: string }, command: Command) =>
      run(async ({ app, signal, out }) => {
        const site = app.site(options.site);
        const job = await getJob(app, site, jobNumber(options.job), { signal, priority: "user" });
        const nodes = await nodeFacts(app, site, job, { signal });
        out.result(nodes, nodes.length > 0 ? nodes.map(line) : [`job ${job.jobId} has no nodes (${job.state})`]);
        return exit.done;
      })(options, command),
    );
}
