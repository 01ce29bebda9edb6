/** Deployments: started detached on the frontend, followed, found again, cancelled. */
import { VirtuError } from "../errors.ts";
import type { Context, Deployment, DeployRequest, DeployResult, Site } from "./types.ts";

export interface FollowOptions {
  /** Stops following; the deployment itself goes on. */
  signal?: AbortSignal;
  onUpdate?: (deployment: Deployment) => void;
}

/** A new name for a deployment's directory, so that a summary can show the command that will run, to the letter. */
export function newDeploymentId(jobId: number): string {
  throw unwritten(jobId);
}

/** The kadeploy3 lines that `startDeployment` with this id would run: the first attempt, then the retry of failed nodes if any. */
export function deployCommandPreview(request: DeployRequest, id?: string): string[] {
  throw unwritten(request, id);
}

/** Starts a deployment on the site's frontend and gives its id once it runs there; nothing of it depends on virtu any more. */
export async function startDeployment(
  context: Context,
  site: Site,
  request: DeployRequest,
  options: { id?: string; signal?: AbortSignal } = {},
): Promise<string> {
  throw unwritten(context, site, request, options);
}

/** Follows a deployment to its end, over losses of the link, then tries each node by SSH. An ended one gives its result at once. */
export async function followDeployment(
  context: Context,
  site: Site,
  id: string,
  options: FollowOptions = {},
): Promise<DeployResult> {
  throw unwritten(context, site, id, options);
}

/** `startDeployment`, then `followDeployment`. `onStart` is told the id, to find it again. */
export async function deploy(
  context: Context,
  site: Site,
  request: DeployRequest,
  options: FollowOptions & { id?: string; onStart?: (id: string) => void } = {},
): Promise<DeployResult> {
  throw unwritten(context, site, request, options);
}

/** The deployments that the frontend knows, newest first, running and ended; of one job if asked. One round trip. */
export async function findDeployments(
  context: Context,
  site: Site,
  options: { jobId?: number; id?: string; signal?: AbortSignal } = {},
): Promise<Deployment[]> {
  throw unwritten(context, site, options);
}

/** Cancels a running deployment as Ctrl-C at kadeploy3 does: its nodes are left half written. Only on the user's demand. */
export async function cancelDeployment(
  context: Context,
  site: Site,
  id: string,
  options: { signal?: AbortSignal } = {},
): Promise<void> {
  throw unwritten(context, site, id, options);
}

function unwritten(...given: unknown[]): VirtuError {
  return new VirtuError({ kind: "failed", what: `Not there yet (${given.length})` });
}
