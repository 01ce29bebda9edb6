/**
 * Deployments: started detached on the frontend, followed, found again, cancelled. Each lives in `~/.virtu/deployments/ID/`
 * there, with the script that runs kadeploy3 and tries failed nodes again; virtu only looks on.
 */
import { VirtuError } from "../errors.ts";
import { sh } from "../ssh/command.ts";
import { type PhaseSeconds, phasesTaken } from "../tools/kadeploy-estimate.ts";
import { type CheckOptions, checkNodes } from "./deploy-check.ts";
import { rememberSeconds, usualSeconds } from "./deploy-durations.ts";
import { readPublicKey } from "./deploy-key.ts";
import { type DeployMeta, outcomeOf, progressIn, settle } from "./deploy-log.ts";
import { deployScript, fileNames, kadeployLine, liveRuby } from "./deploy-script.ts";
import { type Known, knownReader, type Noted, startKnown, viewOf } from "./deploy-view.ts";
import { checkRunId, interruptRun, lookAtRuns, newRunId, type Place, startDetached, writeBeside } from "./detached.ts";
import { type FollowRunOptions, followRun, replay } from "./detached-follow.ts";
import type { Context, Deployment, DeployRequest, DeployResult, Site } from "./types.ts";
import { frontendOf } from "./types.ts";

export { readPublicKey };

export interface FollowOptions {
  /** Stops following; the deployment itself goes on. */
  signal?: AbortSignal;
  onUpdate?: (deployment: Deployment) => void;
  /** What happens to the link meanwhile, a sentence at a time. */
  onNotice?: (text: string) => void;
  /** Pauses of the link's retries and of the SSH tries; for tests. */
  link?: Pick<FollowRunOptions<unknown>, "pauseMs" | "quietMs">;
  check?: Pick<CheckOptions, "tries" | "pauseMs">;
}

const placeOf = (site: Site): Place => ({ host: frontendOf(site), where: site.name, kind: "deployments" });
const besides = [fileNames.request, fileNames.result];

/** A new name for a deployment's directory, so that a summary can show the command that will run, to the letter. */
export function newDeploymentId(jobId: number): string {
  return newRunId(jobId);
}

/** What is deployed, in a word or two. */
function titleOf({ environment }: Pick<DeployRequest, "environment">): string {
  if (environment.kind === "image") return environment.file.split("/").pop() ?? environment.file;
  return environment.version ? `${environment.name} ${environment.version}` : environment.name;
}

/** The kadeploy3 lines that `startDeployment` with this id would run: the first attempt, then the retry of failed nodes if any. */
export function deployCommandPreview(request: DeployRequest, id = "ID"): string[] {
  const folder = sh`"$HOME"/.virtu/${placeOf({ name: "", frontend: "" }).kind}/${id}`;
  const attempts = request.retries > 0 ? ["1", "2"] : ["1"];
  return attempts.map((attempt) => sh`cd ${folder} && ${kadeployLine(request, attempt)}`.line);
}

function check(request: DeployRequest): void {
  const wrong = (what: string, why: string, hint?: string) => new VirtuError({ kind: "usage", what, why, hint });
  const what = "This deployment can't be started";
  const { nodes, minimum, retries } = request;
  if (nodes.length === 0) throw wrong(what, "it names no node", "Choose a running job with nodes.");
  const strange = nodes.find((node) => !/^[A-Za-z0-9][\w.-]*$/.test(node));
  if (strange !== undefined) throw wrong(what, `"${strange}" is no host name`);
  if (!Number.isInteger(minimum) || minimum < 1 || minimum > new Set(nodes).size) {
    throw wrong(what, `a minimum of ${minimum} does not fit ${nodes.length} nodes`);
  }
  if (!Number.isInteger(retries) || retries < 0 || retries > 20) throw wrong(what, "retries are a number from 0 to 20");
}

/** Starts a deployment on the site's frontend and gives its id once it runs there; nothing of it depends on virtu any more. */
export async function startDeployment(
  context: Context,
  site: Site,
  request: DeployRequest,
  options: { id?: string; signal?: AbortSignal } = {},
): Promise<string> {
  check(request);
  const id = checkRunId(options.id ?? newDeploymentId(request.jobId));
  const nodes = [...new Set(request.nodes)];
  const { jobId, environment, minimum, retries, keyFile } = request;
  const key: Record<string, string> = keyFile === undefined ? {} : { [fileNames.key]: await readPublicKey(keyFile) };
  const startedAt = Math.round(Date.now() / 1000);
  const meta: DeployMeta = {
    site: site.name,
    jobId,
    title: titleOf(request),
    nodes,
    environment,
    minimum,
    retries,
    startedAt,
  };
  const files: Record<string, string> = {
    [fileNames.nodes]: nodes.join("\n"),
    [fileNames.request]: JSON.stringify(meta),
    [fileNames.live]: liveRuby,
    ...key,
  };
  const run = { id, files, script: deployScript(request), program: "kadeploy3" };
  await startDetached(context.pool, placeOf(site), run, { signal: options.signal });
  return id;
}

/**
 * Follows a deployment to its end, over losses of the link, then tries each node by SSH. An ended one gives its result at
 * once. Rejects when it came to nothing as a whole (refused, cancelled), and as `cancelled` when the signal stops it.
 */
export async function followDeployment(
  context: Context,
  site: Site,
  id: string,
  options: FollowOptions = {},
): Promise<DeployResult> {
  const { signal, onUpdate, onNotice } = options;
  const { pool } = context;
  const place = placeOf(site);
  let usual: PhaseSeconds | null | undefined;
  let latest: Known | null = null;
  const tell = (known: Known, more: { vanished?: boolean; checking?: boolean } = {}) =>
    onUpdate?.(viewOf(known, { id, site: site.name, usual: usual ?? null, ...more }));
  const learn = async (title: string) => {
    usual = null;
    usual = await usualSeconds(context, { site: site.name, title });
    // No line may come for minutes: the better estimate is told now.
    if (latest) tell(latest);
  };
  const { state, vanished } = await followRun(pool, place, id, knownReader, besides, {
    signal,
    onNotice,
    ...options.link,
    onUpdate: (known) => {
      // The last update comes from below, once the SSH tries are done.
      latest = knownReader.ended(known) ? null : known;
      if (usual === undefined) void learn(known.log.meta.title);
      if (latest) tell(latest);
    },
  });
  latest = null;
  if (state.noted) {
    tell(state);
    return resultOf(viewOf(state, { id, site: site.name, usual: null }), state.noted);
  }
  const known = { ...state, log: settle(state.log) };
  const { log } = known;
  const said = outcomeOf(log);
  tell(known, { vanished, checking: said.deployed.length > 0 });
  const dead = await checkNodes(
    context,
    site,
    log.meta.jobId,
    { deployed: said.deployed, touched: [...log.touched] },
    { signal, ...options.check },
  );
  const noted: Noted = {
    result: {
      deployed: said.deployed.filter((node) => !dead.has(node)),
      failed: said.failed,
      missing: log.meta.nodes.filter((node) => dead.has(node) || said.missing.includes(node)),
      attempts: log.attempt,
    },
    reasons: Object.fromEntries(dead),
  };
  const view = viewOf({ ...known, noted }, { id, site: site.name, usual: usual ?? null, vanished });
  await remember(context, site, id, known, noted, vanished);
  onUpdate?.(view);
  return resultOf(view, noted);
}

/** The result, unless it all came to nothing for one reason. */
function resultOf(view: Deployment, { result }: Noted): DeployResult {
  if (view.problem && result.deployed.length === 0 && result.failed.length === 0) throw nothingDone(view);
  return result;
}

/** Notes the outcome on the frontend and the durations here. Both only help later: a failure of either loses nothing now. */
async function remember(
  context: Context,
  site: Site,
  id: string,
  { log }: Known,
  noted: Noted,
  vanished: boolean,
): Promise<void> {
  const seconds = phasesTaken(progressIn(log));
  const about = { site: site.name, title: log.meta.title, at: Math.round(Date.now() / 1000) };
  await Promise.allSettled([
    vanished
      ? null
      : writeBeside(context.pool, placeOf(site), id, { name: fileNames.result, content: JSON.stringify(noted) }),
    seconds && rememberSeconds(context, { ...about, seconds }),
  ]);
}

function nothingDone(view: Deployment): VirtuError {
  return new VirtuError({
    kind: "refused",
    what:
      view.state === "cancelled" ? `The deployment of ${view.title} was cancelled` : `${view.title} was not deployed`,
    where: view.site,
    why: view.state === "cancelled" ? undefined : view.problem?.why,
    hint: view.problem?.hint ?? undefined,
    detail: view.problem?.detail ?? undefined,
  });
}

/** `startDeployment`, then `followDeployment`. `onStart` is told the id, to find it again. */
export async function deploy(
  context: Context,
  site: Site,
  request: DeployRequest,
  options: FollowOptions & { id?: string; onStart?: (id: string) => void } = {},
): Promise<DeployResult> {
  const id = await startDeployment(context, site, request, options);
  options.onStart?.(id);
  return followDeployment(context, site, id, options);
}

/** The deployments that the frontend knows, newest first, running and ended; of one job if asked. One round trip. */
export async function findDeployments(
  context: Context,
  site: Site,
  options: { jobId?: number; id?: string; signal?: AbortSignal } = {},
): Promise<Deployment[]> {
  const { jobId, id, signal } = options;
  const pattern = id !== undefined ? { id } : jobId !== undefined ? { subject: jobId } : null;
  const snapshots = await lookAtRuns(context.pool, placeOf(site), pattern, besides, { signal });
  const found: Deployment[] = [];
  for (const snapshot of snapshots) {
    // A directory that can't be read is somebody else's.
    if (startKnown(snapshot) === null) continue;
    const known = replay(knownReader, snapshot).state;
    if (jobId !== undefined && known.log.meta.jobId !== jobId) continue;
    const usual = await usualSeconds(context, { site: site.name, title: known.log.meta.title });
    const vanished = !snapshot.ended && snapshot.alive === false;
    found.push(viewOf(known, { id: snapshot.id, site: site.name, usual, vanished }));
  }
  return found.reverse();
}

/** Cancels a running deployment as Ctrl-C at kadeploy3 does: its nodes are left half written. Only on the user's demand. */
export async function cancelDeployment(
  context: Context,
  site: Site,
  id: string,
  options: { signal?: AbortSignal } = {},
): Promise<void> {
  await interruptRun(context.pool, placeOf(site), id, options);
}
