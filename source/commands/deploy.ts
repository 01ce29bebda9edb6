/** `virtu deploy`: puts an environment or an image on a job's nodes, follows it, and tells who is up. */
import type { Command } from "commander";
import { toVirtuError, VirtuError } from "../errors.ts";
import {
  cancelDeployment,
  deployCommandPreview,
  findDeployments,
  followDeployment,
  newDeploymentId,
  readPublicKey,
  startDeployment,
} from "../journey/deploy.ts";
import { deployNews } from "../journey/deploy-news.ts";
import { getJob, listJobs } from "../journey/jobs.ts";
import type { Deployment, DeployRequest, DeployResult, Job, Site } from "../journey/types.ts";
import { clock, count, plainLine } from "../text.ts";
import { jobNumber } from "./release.ts";
import { confirm, type ExitStatus, exit, run, type Session, withChange, withSite } from "./run.ts";

interface DeployOptions {
  site: string;
  job?: string;
  environment?: string;
  image?: string;
  key?: string;
  min?: string;
  retries?: string;
  resume?: string;
  cancel?: string;
}

const usage = (what: string, where: string, hint: string) => new VirtuError({ kind: "usage", what, where, hint });

/** `4` or `80%` of so many nodes, rounded up; all of them without a word. */
export function readMinimum(text: string | undefined, nodes: number): number {
  if (text === undefined) return nodes;
  const [, digits = "", percent] = /^(\d{1,6}(?:\.\d+)?)(%?)$/.exec(text.trim()) ?? [];
  const minimum = percent ? Math.ceil((Number(digits) * nodes) / 100) : Number(digits);
  if (Number.isInteger(minimum) && minimum >= 1 && minimum <= nodes) return minimum;
  throw usage(`A minimum is 1 to ${nodes} of these nodes, or 1% to 100%`, `--min ${text}`, "Leave it out to have all.");
}

function readRetries(text: string | undefined): number {
  const retries = text === undefined ? 2 : /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  if (retries <= 20) return retries;
  throw usage("Retries are a number from 0 to 20", `--retries ${text}`, "0 never tries a failed node again.");
}

function readEnvironment(options: DeployOptions): DeployRequest["environment"] {
  const { environment, image } = options;
  if ((environment === undefined) === (image === undefined)) {
    throw usage(
      "Name one thing to deploy",
      "virtu deploy",
      'Either --environment NAME[:VERSION] or --image FILE; "virtu environments" lists both.',
    );
  }
  if (image !== undefined) return { kind: "image", file: image };
  const [, name = "", version] = /^([^\s:]+)(?::(\d+))?$/.exec(environment ?? "") ?? [];
  if (name === "") {
    throw usage(
      "An environment is NAME or NAME:VERSION",
      `--environment ${environment}`,
      "A version is a whole number.",
    );
  }
  return { kind: "environment", name, version };
}

/** One's own running job. OAR tells more than Kadeploy would. */
async function runningJob({ app, signal }: Session, site: Site, text: string | undefined): Promise<Job> {
  if (text === undefined) throw usage("Name the job", "--job", '"virtu jobs" shows the numbers of yours.');
  const jobId = jobNumber(text);
  const own = (await listJobs(app, site, { signal, priority: "user" })).find((job) => job.jobId === jobId);
  if (own?.state === "Running" && own.nodes.length > 0) return own;
  const job = own ?? (await getJob(app, site, jobId, { signal, priority: "user" }));
  throw new VirtuError({
    kind: "refused",
    what: `Nothing can be deployed on job ${jobId}`,
    where: site.name,
    why:
      own === undefined && job.end === null
        ? `it is ${plainLine(job.owner)}'s`
        : job.end
          ? `it has ended: ${plainLine(job.end.text)}`
          : job.state === "Running"
            ? "it has no nodes"
            : `it is ${job.state}`,
    hint: job.end || own === undefined ? "Reserve nodes, then deploy on that job." : "Wait until it runs.",
  });
}

/** Done when the minimum is up, else how much is missing. */
function statusOf({ deployed }: DeployResult, minimum: number): ExitStatus {
  if (deployed.length >= minimum) return exit.done;
  return deployed.length > 0 ? exit.some : exit.failed;
}

function resultLines({ deployed, failed, missing, attempts }: DeployResult, view: Deployment | null): string[] {
  const reasons = new Map(view?.progress.map(({ node, reason }) => [node, reason]));
  const nodes = deployed.length + failed.length + missing.length;
  return [
    `${deployed.length} of ${count(nodes, "node")} deployed in ${count(attempts, "attempt")}`,
    ...deployed.map((node) => `  ${plainLine(node)}  deployed`),
    ...failed.map(({ node, step, reason }) =>
      plainLine(`  ${node}  failed${step ? ` in ${step}` : ""}: ${reason || "no reason given"}`),
    ),
    ...missing.map((node) => plainLine(`  ${node}  missing: ${reasons.get(node) ?? "neither deployed nor failed"}`)),
  ];
}

async function follow(session: Session, site: Site, id: string): Promise<ExitStatus> {
  const { app, globals, signal, out } = session;
  let view: Deployment | null = null;
  const news = deployNews();
  try {
    const result = await followDeployment(app, site, id, {
      signal,
      onNotice: (text) => out.note(text),
      onUpdate: (deployment) => {
        view = deployment;
        const since = clock(Date.now() / 1000 - deployment.startedAt);
        for (const text of news(deployment)) out.note(`${since}  ${text}`);
      },
    });
    const last = view as Deployment | null;
    out.result(result, resultLines(result, last));
    if (last?.problem) out.note(`virtu: ${plainLine(last.problem.why)}`);
    return statusOf(result, last?.minimum ?? result.deployed.length);
  } catch (thrown) {
    if (signal.aborted && !globals.json) {
      out.note(`It goes on by itself. Look again with: virtu deploy --site ${site.name} --resume ${id}`);
    }
    throw toVirtuError(thrown);
  }
}

async function start(session: Session, site: Site, options: DeployOptions): Promise<ExitStatus> {
  const { app, globals, signal, out } = session;
  const environment = readEnvironment(options);
  const retries = readRetries(options.retries);
  if (options.key !== undefined) await readPublicKey(options.key);
  const job = await runningJob(session, site, options.job);
  const request: DeployRequest = {
    jobId: job.jobId,
    nodes: job.nodes,
    environment,
    keyFile: options.key,
    minimum: readMinimum(options.min, job.nodes.length),
    retries,
  };
  const id = newDeploymentId(job.jobId);
  const commands = deployCommandPreview(request, id);
  if (globals.dryRun) {
    out.result({ id, nodes: request.nodes, commands }, commands);
    return exit.done;
  }
  const title = environment.kind === "image" ? environment.file : environment.name;
  await confirm(session, `Deploy ${plainLine(title)} on ${count(job.nodes.length, "node")}?`, [
    "All that is on their disks is lost:",
    ...job.nodes.map((node) => `  ${plainLine(node)}`),
  ]);
  await startDeployment(app, site, request, { id, signal });
  out.note(`Deployment ${id} runs on ${site.name}; it does not stop when virtu does.`);
  return follow(session, site, id);
}

async function cancel(session: Session, site: Site, id: string): Promise<ExitStatus> {
  const { app, globals, signal, out } = session;
  const [known] = await findDeployments(app, site, { id, signal });
  if (!known) throw usage(`There is no deployment ${id}`, site.name, '"virtu deployments" shows those that are known.');
  const lines = [`interrupt kadeploy3 of ${id} on ${site.name}`];
  if (globals.dryRun) {
    out.result({ id, commands: lines }, lines);
    return exit.done;
  }
  if (known.state === "running") {
    await confirm(session, `Cancel the deployment ${id}?`, [
      `${plainLine(known.title)} is left half written on ${count(known.nodes.length, "node")}:`,
      ...known.nodes.map((node) => `  ${plainLine(node)}`),
    ]);
  }
  await cancelDeployment(app, site, id, { signal });
  const [after] = await findDeployments(app, site, { id, signal });
  out.result({ id, state: after?.state ?? known.state }, [`deployment ${id}: ${after?.state ?? known.state}`]);
  return exit.done;
}

export function declare(program: Command): void {
  withChange(withSite(program.command("deploy")))
    .description("Deploys an environment or an image on the nodes of a running job, and tells which nodes are up.")
    .option("--job <id>", "the job whose nodes are deployed on")
    .option("--environment <name[:version]>", "a recorded environment; the newest version without one")
    .option("--image <file>", "an image file on the frontend")
    .option("--key <file>", "public key for root, here; without it the frontend's ~/.ssh/authorized_keys")
    .option("--min <n|p%>", "so many nodes must be up at the end (default: all)")
    .option("--retries <k>", "try failed nodes again so often (default: 2)")
    .option("--resume <id>", "follow a deployment that was started before")
    .option("--cancel <id>", "cancel a running deployment; its nodes are left half written")
    .addHelpText(
      "after",
      `
With --json: {deployed: [node], failed: [{node, step, reason}], missing: [node], attempts}. A node is missing when it is
neither deployed nor failed, as one that is in another deployment, or when SSH does not let root in at the end.
Exit status: 0 when at least the minimum is up, 3 when fewer are, 1 when none is.
Ctrl-C only stops looking: the deployment goes on, and --resume finds it again.`,
    )
    .action((options: DeployOptions, command: Command) =>
      run(async (session) => {
        const site = session.app.site(options.site);
        if (options.cancel !== undefined) return cancel(session, site, options.cancel);
        if (options.resume !== undefined) return follow(session, site, options.resume);
        return start(session, site, options);
      })(options, command),
    );
}
