/** What can be deployed: recorded environments and the user's image files. */
import { VirtuError } from "../errors.ts";
import type { Context, Environment, Site } from "./types.ts";

export interface EnvironmentList {
  environments: Environment[];
  /** Why a part is missing (kaenv3 failed, but image files were found); null when all could be read. */
  problem: VirtuError | null;
}

/** Newest versions of the recorded environments, and the images of `~/image` and the site's (or the given) folder. One round trip. */
export async function listEnvironments(
  context: Context,
  site: Site,
  options: { folder?: string; signal?: AbortSignal } = {},
): Promise<EnvironmentList> {
  throw unwritten(context, site, options);
}

/** Every version of one environment, newest first. */
export async function environmentVersions(
  context: Context,
  site: Site,
  environment: Pick<Environment, "name" | "user" | "arch">,
  options: { signal?: AbortSignal } = {},
): Promise<Environment[]> {
  throw unwritten(context, site, environment, options);
}

function unwritten(...given: unknown[]): VirtuError {
  return new VirtuError({ kind: "failed", what: `Not there yet (${given.length})` });
}
