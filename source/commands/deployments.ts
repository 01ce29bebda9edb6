/** `virtu deployments`: those that a site's frontend knows, running and ended. */
import type { Command } from "commander";
import { findDeployments } from "../journey/deploy.ts";
import type { Deployment } from "../journey/types.ts";
import { clock, count, iso, plainLine } from "../text.ts";
import { jobNumber } from "./release.ts";
import { exit, run, withJson, withSite } from "./run.ts";

/** A deployment as `--json` gives it; these keys stay. Times are ISO 8601 in UTC or null. */
function record(deployment: Deployment): Record<string, unknown> {
  const { id, jobId, title, state, nodes, minimum, retries, attempt, startedAt, expectedEnd, result, problem } =
    deployment;
  const times = { startedAt: iso(startedAt), expectedEnd: iso(expectedEnd) };
  return { id, jobId, title, state, nodes, minimum, retries, attempt, ...times, result, problem };
}

function line(deployment: Deployment, now: number): string {
  const { id, title, state, nodes, progress, expectedEnd, problem } = deployment;
  const up = progress.filter((node) => node.state === "deployed").length;
  const left = expectedEnd === null ? "" : `, about ${clock(expectedEnd - now)} left`;
  const why = problem && state !== "cancelled" ? `: ${problem.why}` : "";
  return plainLine(`${id}  ${state}${left}${why}  ${title}, ${up} of ${count(nodes.length, "node")} up`);
}

export function declare(program: Command): void {
  withJson(withSite(program.command("deployments")))
    .description("Lists the deployments of this program that a site's frontend knows, newest first.")
    .option("--job <id>", "only those of this job")
    .addHelpText(
      "after",
      `
With --json: a list of {id, jobId, title, state, nodes, minimum, retries, attempt, startedAt, expectedEnd, result, problem};
state is running, done, cancelled or failed (as a whole, problem says why). Follow one with: virtu deploy --resume ID`,
    )
    .action((options: { site: string; job?: string }, command: Command) =>
      run(async ({ app, signal, out }) => {
        const jobId = options.job === undefined ? undefined : jobNumber(options.job);
        const found = await findDeployments(app, app.site(options.site), { jobId, signal });
        const now = Date.now() / 1000;
        const lines = found.map((deployment) => line(deployment, now));
        out.result(found.map(record), lines.length > 0 ? lines : ["no deployments"]);
        return exit.done;
      })(options, command),
    );
}
