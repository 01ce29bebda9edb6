/** `virtu configure`: makes nodes ready, whoever deployed them. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import type { Command } from "commander";
import { reasonOf, VirtuError } from "../errors.ts";
import { planConfigure } from "../journey/configure.ts";
import {
  generatedMark,
  jobKeyPair,
  type KeyPair,
  keptSecret,
  makePassword,
  ownPrivateKey,
  passwordMark,
} from "../journey/configure-keys.ts";
import { passwordSecret, userKeySecret } from "../journey/configure-types.ts";
import { publicKeyLines, readPublicKey } from "../journey/deploy-key.ts";
import { localPath } from "../local-file.ts";
import { passwordError } from "../store/passwords.ts";
import { askSecret, firstLineOfInput } from "./ask-secret.ts";
import { askedNodes, type TargetOptions, withNodes } from "./asked-nodes.ts";
import { carry } from "./carry.ts";
import { collect, type ExitStatus, run, type Session } from "./run.ts";

interface ConfigureOptions extends TargetOptions {
  key?: string[];
  pair: boolean;
  copyKey?: string;
  upgrade: boolean;
  passwordStdin?: boolean;
  generatePassword?: boolean;
  askPassword?: boolean;
  timezone?: string;
  locale?: string;
  run?: string[];
  script?: string[];
}

const usage = (what: string, where: string, hint: string) => new VirtuError({ kind: "usage", what, where, hint });

async function scriptOf(file: string): Promise<{ title: string; script: string }> {
  try {
    const text = await readFile(localPath(file), "utf8");
    return { title: `Run ${path.basename(file)}`, script: text };
  } catch (thrown) {
    throw new VirtuError({
      kind: "usage",
      what: "This script can't be read",
      where: file,
      why: reasonOf(thrown),
    });
  }
}

/** The password and how it is known again; null: left as it is. */
async function passwordOf(
  session: Session,
  options: ConfigureOptions,
): Promise<{ password: string; mark: string; made: boolean } | null> {
  const ways = [options.passwordStdin, options.generatePassword, options.askPassword].filter(Boolean);
  if (ways.length > 1) {
    throw usage("The password comes one way only", "--password-stdin", "Choose one of the three options.");
  }
  if (options.generatePassword) return { password: makePassword(), mark: generatedMark, made: true };
  if (ways.length === 0) return null;
  const where = options.passwordStdin ? "--password-stdin" : "--ask-password";
  const typed = options.passwordStdin
    ? await firstLineOfInput()
    : await askSecret("root's new password", session.signal);
  const again = options.passwordStdin ? typed : await askSecret("once more", session.signal);
  const error = typed === null ? "there is no terminal to ask on" : passwordError(typed, again ?? "");
  if (typed === null || error !== null) {
    throw new VirtuError({ kind: "usage", what: "This can't be root's password", where, why: error ?? undefined });
  }
  return { password: typed, mark: await passwordMark(session.app, typed), made: false };
}

async function configure(session: Session, options: ConfigureOptions): Promise<ExitStatus> {
  const { app, out } = session;
  // What is wrong here is told before any node is asked.
  const publicKeys = (await Promise.all((options.key ?? []).map(readPublicKey))).flatMap(publicKeyLines);
  const scripts = await Promise.all((options.script ?? []).map(scriptOf));
  const own: (KeyPair & { fileName: string }) | null = options.copyKey ? await ownPrivateKey(options.copyKey) : null;
  const password = await passwordOf(session, options);
  const asked = await askedNodes(session, options);
  const { site, jobId, nodes } = asked.targets;
  const pair = options.pair ? await jobKeyPair(app, site, jobId) : null;
  const plan = planConfigure(
    {
      site,
      jobId,
      nodes,
      minimum: Math.min(asked.minimum, asked.answers.states.size),
      publicKeys,
      pair,
      copyKey: own,
      upgrade: options.upgrade,
      password: password && { mark: password.mark },
      timezone: options.timezone ?? null,
      locale: options.locale ?? null,
      extras: [...(options.run ?? []).map((script) => ({ title: `Run ${script}`, script })), ...scripts],
    },
    asked.answers.states,
  );
  let isSet = false;
  try {
    return await carry(session, plan, {
      ...asked.carry,
      secrets: async (name) => {
        if (name === passwordSecret && password) {
          isSet = true;
          return password.password;
        }
        return name === userKeySecret && own ? own.privateKey : keptSecret(app, { site, jobId }, name);
      },
    });
  } finally {
    // Shown once, and only if it may be in force on some node by now.
    if (isSet && password?.made)
      out.record({ rootPassword: password.password }, `Root's password is ${password.password}`);
  }
}

export function declare(program: Command): void {
  withNodes(program.command("configure"))
    .description("Makes nodes ready: keys, known hosts, packages, root's password, names, time, and steps of your own.")
    .option("--key <file>", "public key that is let in as root; repeatable", collect)
    .option("--no-pair", "no key pair for the nodes among themselves")
    .option("--copy-key <file>", "copy this private key of yours: whoever is root on a node can then use it")
    .option("--no-upgrade", "leave the packages as they are")
    .option("--password-stdin", "root's password is the first line of standard input")
    .option("--ask-password", "ask for root's password, twice")
    .option("--generate-password", "make root's password and show it once")
    .option("--timezone <zone>", "like Europe/Paris")
    .option("--locale <locale>", "like C.UTF-8 or fr_FR.UTF-8")
    .option("--run <command>", "a command of yours, run as root after all else; repeatable", collect)
    .option(
      "--script <file>",
      "a script of yours, the same; its first line may name its interpreter; repeatable",
      collect,
    )
    .addHelpText(
      "after",
      `
What is done already is left alone: a second run changes nothing. With --json: a line an event {time, step, node, state, …},
then {run, ok, changed, steps: [{step, node, state, seconds, error}]}; state is done, already, failed, skipped or cancelled.
A made password comes as a line {rootPassword} after that.`,
    )
    .action((options: ConfigureOptions, command: Command) =>
      run((session) => configure(session, options))(options, command),
    );
}
