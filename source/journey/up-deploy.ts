/** The way's second stage: an environment on the job's nodes; those that failed are tried again alone the next time. */

import { toVirtuError, VirtuError } from "../errors.ts";
import { count } from "../text.ts";
import { findDeployments, followDeployment, newDeploymentId, startDeployment } from "./deploy.ts";
import type { DeployRequest, DeployResult, Site } from "./types.ts";
import type { StageEnd } from "./up-model.ts";
import { ended, enough, type Stage, type Walk } from "./up-stage.ts";
import type { UpDeploy } from "./up-types.ts";

export const deployStage: Stage = {
  id: "deploy",
  title: "Deploy the system",
  isIn: ({ deploy }) => deploy !== null,
  carry: deployNodes,
};

/** By what an environment is known again: the same words ask for the same one. */
const keyOf = (one: DeployRequest["environment"]) =>
  one.kind === "image" ? `image ${one.file}` : `${one.name}:${one.version ?? ""}:${one.user ?? ""}`;

export function environmentText(environment: DeployRequest["environment"]): string {
  if (environment.kind === "image") return environment.file;
  return environment.version ? `${environment.name} ${environment.version}` : environment.name;
}

async function deployNodes(walk: Walk): Promise<StageEnd> {
  const { job, plan, options, learned } = walk;
  const { deploy, nodes } = plan;
  if (!deploy || !job || nodes.kind === "hosts") return ended("already", "");
  const site = options.site(nodes.site);
  const minimum = enough(plan.minimum, job.nodes.length);
  const title = environmentText(deploy.environment);
  const { deployment } = learned;
  // Once what was made on it is taken back, another one may take its place.
  const isBare = learned.installed.length === 0 && learned.begun.length === 0;
  const isOther = deployment !== null && keyOf(deployment.environment) !== keyOf(deploy.environment);
  if (isOther && isBare) {
    await walk.learn({ deployment: null, deployed: [] });
    return deployNodes(walk);
  }
  if (deployment && isOther) {
    throw new VirtuError({
      kind: "refused",
      what: `The nodes have ${environmentText(deployment.environment)}, and the plan now says ${title}`,
      why: "a deployment erases all that is on them",
      hint: "virtu down --keep-job takes back what is there; then virtu up deploys anew.",
    });
  }
  const up = (names: readonly string[]) => `${names.length} of ${count(job.nodes.length, "node")} up with ${title}`;
  const before = learned.deployed.filter((name) => job.nodes.includes(name));
  if (before.length >= minimum) return ended("already", up(before));
  const missing = job.nodes.filter((name) => !before.includes(name));
  const found = await findOpen(walk, site);
  if (found === null) await start(walk, site, deploy, { missing, minimum: Math.max(1, minimum - before.length) });
  const result = await follow(walk, site);
  const deployed = job.nodes.filter((name) => before.includes(name) || result.deployed.includes(name));
  await takeOver(walk, { deployed });
  const why = [
    ...result.failed.map(({ node, reason }) => `${node}: ${reason}`),
    ...result.missing.map((node) => `${node}: no answer by SSH`),
  ].join("; ");
  if (deployed.length >= minimum) return ended("done", `${up(deployed)}${why === "" ? "" : ` (${why})`}`);
  // What came to its end while no virtu was there is tried again at once: that is what this one was called for.
  if (found !== null) return deployNodes(walk);
  return ended(
    "failed",
    `only ${up(deployed)}, ${minimum} are wanted: ${why}`,
    "Go on to try the failed ones again, or lower the minimum in the plan.",
  );
}

/** A deployment that an earlier virtu has started and of whose outcome nothing was noted; null: none. */
async function findOpen({ context, learned, signal, say }: Walk, site: Site): Promise<string | null> {
  const { deployment } = learned;
  if (!deployment || deployment.over) return null;
  const [known] = await findDeployments(context, site, { id: deployment.id, signal });
  if (!known) return null;
  say(`deployment ${known.id} goes on`);
  return known.id;
}

async function start(
  walk: Walk,
  site: Site,
  { environment, key, retries }: UpDeploy,
  { missing, minimum }: { missing: readonly string[]; minimum: number },
): Promise<void> {
  const { context, signal, job } = walk;
  const jobId = job?.jobId ?? 0;
  const id = newDeploymentId(jobId);
  // A fresh system has no password of ours.
  await walk.learn({ deployment: { id, nodes: missing, environment, over: false }, passwordMark: null });
  walk.say(`${environmentText(environment)} on ${count(missing.length, "node")}`);
  const request = { jobId, nodes: [...missing], environment, keyFile: key ?? undefined, minimum, retries };
  await startDeployment(context, site, request, { id, signal });
}

async function follow(walk: Walk, site: Site): Promise<DeployResult> {
  const { context, signal, options, learned } = walk;
  try {
    return await followDeployment(context, site, learned.deployment?.id ?? "", {
      signal,
      link: options.link,
      check: options.check,
      onUpdate: options.onDeployment,
      onNotice: (text) => walk.say(text),
    });
  } catch (thrown) {
    // It came to nothing: the next time another one is started.
    if (toVirtuError(thrown).kind === "refused") await takeOver(walk, {});
    throw thrown;
  }
}

async function takeOver({ learned, learn }: Walk, more: { deployed?: readonly string[] }): Promise<void> {
  const { deployment } = learned;
  await learn({ ...more, ...(deployment ? { deployment: { ...deployment, over: true } } : {}) });
}
