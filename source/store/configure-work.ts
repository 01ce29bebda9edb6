/** From what was chosen in the form to a plan and its secrets: reads keys and scripts of this machine. */
import { readFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { toVirtuError, VirtuError } from "../errors.ts";
import { planConfigure } from "../journey/configure.ts";
import { generatedMark, jobKeyPair, makePassword, ownPrivateKey, passwordMark } from "../journey/configure-keys.ts";
import {
  type ConfigureRequest,
  keyPairSecret,
  type NodeStates,
  passwordSecret,
  userKeySecret,
} from "../journey/configure-types.ts";
import { publicKeyLines, readPublicKey } from "../journey/deploy-key.ts";
import type { Plan } from "../journey/plan.ts";
import type { Context } from "../journey/types.ts";
import type { Secrets } from "./run-work.ts";
import type { Targets } from "./targets.ts";

export interface ConfigureChoice {
  /** Files of public keys of this machine that are let in. */
  publicKeyFiles: readonly string[];
  /** A key pair among the nodes. */
  pair: boolean;
  /** A private key of this machine that is copied onto the nodes, or null. */
  copyKeyFile: string | null;
  upgrade: boolean;
  password: { kind: "leave" } | { kind: "generated" } | { kind: "typed"; value: string };
  timezone: string | null;
  locale: string | null;
  /** A line of shell, or null. */
  command: string | null;
  /** Scripts of this machine. */
  scriptFiles: readonly string[];
  minimum: number;
}

export interface ConfigurePlan {
  plan: Plan;
  secrets: Secrets;
  /** The password that was made, to be shown once; or null. */
  generated: string | null;
}

async function textOf(file: string, what: string): Promise<string> {
  const local = path.resolve(file.replace(/^~(?=\/|$)/, os.homedir()));
  try {
    return await readFile(local, "utf8");
  } catch (thrown) {
    throw new VirtuError({
      kind: "usage",
      what: `${what} can't be read`,
      where: file,
      why: toVirtuError(thrown).message,
    });
  }
}

/** Rejects with a `VirtuError` when a file can't be read or is not what it should be. */
export async function makeConfigurePlan(
  context: Context,
  targets: Targets,
  choice: ConfigureChoice,
  states: NodeStates,
): Promise<ConfigurePlan> {
  const { site, jobId } = targets;
  const nodes = targets.nodes.filter(({ name }) => states.has(name));
  const keyFiles = await Promise.all(choice.publicKeyFiles.map(readPublicKey));
  const pair = choice.pair ? await jobKeyPair(context, site, jobId) : null;
  const own = choice.copyKeyFile ? await ownPrivateKey(choice.copyKeyFile) : null;
  const scripts = await Promise.all(
    choice.scriptFiles.map(async (file) => ({ title: path.basename(file), script: await textOf(file, "The script") })),
  );
  const generated = choice.password.kind === "generated" ? makePassword() : null;
  const password = choice.password.kind === "typed" ? choice.password.value : generated;
  const mark = generated !== null ? generatedMark : password !== null ? await passwordMark(context, password) : null;
  const request: ConfigureRequest = {
    site,
    jobId,
    nodes,
    minimum: choice.minimum,
    publicKeys: keyFiles.flatMap(publicKeyLines),
    pair: pair && { publicKey: pair.publicKey },
    copyKey: own && { fileName: own.fileName, publicKey: own.publicKey },
    upgrade: choice.upgrade,
    password: mark === null ? null : { mark },
    timezone: choice.timezone,
    locale: choice.locale,
    extras: [...(choice.command ? [{ title: choice.command, script: choice.command }] : []), ...scripts],
  };
  const secrets: Record<string, string> = {
    ...(pair ? { [keyPairSecret]: pair.privateKey } : {}),
    ...(own ? { [userKeySecret]: own.privateKey } : {}),
    ...(password !== null ? { [passwordSecret]: password } : {}),
  };
  return { plan: planConfigure(request, states), secrets, generated };
}
