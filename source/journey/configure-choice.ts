/** From what was chosen in the form to a plan and its secrets: reads keys and scripts of this machine. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { reasonOf, VirtuError } from "../errors.ts";
import { localPath } from "../local-file.ts";
import { planConfigure } from "./configure.ts";
import { generatedMark, jobKeyPair, makePassword, ownPrivateKey, passwordMark } from "./configure-keys.ts";
import {
  type ConfigureRequest,
  keyPairSecret,
  type NodeStates,
  passwordSecret,
  userKeySecret,
} from "./configure-types.ts";
import { publicKeyLines, readPublicKey } from "./deploy-key.ts";
import type { Plan, PlanNode } from "./plan.ts";
import type { Context } from "./types.ts";

/** Secrets by name, as the user gave them. Held while a run is open, written nowhere. */
export type Secrets = Readonly<Record<string, string>>;

export interface ConfigureChoice {
  /** Files of public keys of this machine that are let in. */
  publicKeyFiles: readonly string[];
  /** A key pair among the nodes. */
  pair: boolean;
  /** A private key of this machine that is copied onto the nodes, or null. */
  copyKeyFile: string | null;
  upgrade: boolean;
  password:
    | { kind: "leave" }
    /** Its mark is that of any that virtu made, unless one of its own is given. */
    | { kind: "generated"; mark?: string }
    | { kind: "typed"; value: string }
    /** One that is in force by this mark already; who set it is asked only if it is not. */
    | { kind: "known"; mark: string };
  timezone: string | null;
  locale: string | null;
  /** Lines of shell, each a step of its own. */
  commands: readonly string[];
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
  const local = localPath(file);
  try {
    return await readFile(local, "utf8");
  } catch (thrown) {
    throw new VirtuError({
      kind: "usage",
      what: `${what} can't be read`,
      where: file,
      why: reasonOf(thrown),
    });
  }
}

async function markOf(context: Context, password: ConfigureChoice["password"]): Promise<string | null> {
  switch (password.kind) {
    case "leave":
      return null;
    case "generated":
      return password.mark ?? generatedMark;
    case "known":
      return password.mark;
    case "typed":
      return passwordMark(context, password.value);
  }
}

/** Rejects with a `VirtuError` when a file can't be read or is not what it should be. */
export async function makeConfigurePlan(
  context: Context,
  targets: { site: string | null; jobId: number | null; nodes: readonly PlanNode[] },
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
  const mark = await markOf(context, choice.password);
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
    extras: [...choice.commands.map((line) => ({ title: line, script: line })), ...scripts],
  };
  const secrets: Record<string, string> = {
    ...(pair ? { [keyPairSecret]: pair.privateKey } : {}),
    ...(own ? { [userKeySecret]: own.privateKey } : {}),
    ...(password !== null ? { [passwordSecret]: password } : {}),
  };
  return { plan: planConfigure(request, states), secrets, generated };
}
