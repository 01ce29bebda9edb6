/**
 * The kadeploy3 command. Only the options that every version from 3.1 (2012) to 4 takes are used. Its exit status says
 * nothing about the nodes: it is 0 when all of them failed; the `-o` and `-n` files tell.
 */
import type { DeployRequest } from "../journey/types.ts";
import { type Command, sh } from "../ssh/command.ts";

export interface KadeployFiles {
  /**
   * Folder of this run, below the working directory: `nodes` lists what to deploy, `ok` and `ko` get the nodes that are up
   * and that are not, `wid` the workflow's id as soon as the server has taken it.
   */
  folder: string | Command;
  /** File of public keys for root, or null for the frontend's `~/.ssh/authorized_keys`. */
  key: string | null;
  /**
   * Ruby file that switches off the buffering of standard output, or null. Kadeploy's client since 3.2 never flushes:
   * into a file its lines come 8 KiB at a time, and Ctrl-C loses what was not written.
   */
  unbuffer: string | null;
}

/** A path on the frontend: `~/x` and relative ones are taken from the home directory there. */
export function frontendPath(path: string): Command {
  if (path.startsWith("/")) return sh`${path}`;
  if (path === "~") return sh`"$HOME"`;
  return sh`"$HOME"/${path.replace(/^(\.\/|~\/)+/, "")}`;
}

function environmentOptions(environment: DeployRequest["environment"]): Command {
  if (environment.kind === "image") return sh`-a ${frontendPath(environment.file)}`;
  const words = ["-e", environment.name];
  if (environment.version) words.push("--env-version", environment.version);
  if (environment.user) words.push("-u", environment.user);
  return sh`${words}`;
}

/** One run of kadeploy3; it lasts as long as the deployment. */
export function kadeploy(environment: DeployRequest["environment"], files: KadeployFiles): Command {
  const live = files.unbuffer === null ? sh`` : sh`RUBYOPT=-r${sh`"$PWD"`}/${files.unbuffer} `;
  // A bare -k takes no argument as long as an option follows it.
  const key = files.key === null ? sh`-k` : sh`-k ${files.key}`;
  const { folder } = files;
  return sh`${live}kadeploy3 -f ${folder}/nodes ${environmentOptions(environment)} ${key} -o ${folder}/ok -n ${folder}/ko --write-workflow-id ${folder}/wid`;
}
