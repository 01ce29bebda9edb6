/** The way's third stage: the nodes made ready. */
import { randomBytes } from "node:crypto";
import { VirtuError } from "../errors.ts";
import { type ConfigureChoice, makeConfigurePlan, type Secrets } from "./configure-choice.ts";
import { keptSecret, makePassword, ownPrivateKey, passwordMark } from "./configure-keys.ts";
import { passwordSecret, userKeySecret } from "./configure-types.ts";
import type { RunView } from "./plan.ts";
import { lookAtRun } from "./run.ts";
import type { StageEnd } from "./up-model.ts";
import { carryStage } from "./up-run.ts";
import { ended, type Stage, type Walk } from "./up-stage.ts";
import type { UpConfigure } from "./up-types.ts";

export const configureStage: Stage = {
  id: "configure",
  title: "Configure the nodes",
  isIn: ({ configure }) => configure !== null,
  carry: configureNodes,
};

/** Whether root's password is set wherever it is to be. */
const passwordIsSet = (view: RunView) =>
  Object.entries(view.cells["password"] ?? {}).every(
    ([node, { state }]) => view.out.includes(node) || state === "done" || state === "already" || state === "skipped",
  );

async function configureNodes(walk: Walk): Promise<StageEnd> {
  const { configure } = walk.plan;
  if (!configure) return ended("already", "");
  const of = { site: walk.plan.nodes.kind === "hosts" ? null : walk.plan.nodes.site, jobId: walk.job?.jobId ?? null };
  let given: Secrets = {};
  let made: string | null = null;
  let isUsed = false;
  const secrets = async (name: string, signal: AbortSignal): Promise<string | null> => {
    isUsed ||= name === passwordSecret;
    const value = given[name] ?? (await keptSecret(walk.context, of, name));
    if (value !== null) return value;
    if (name === userKeySecret && configure.copyKey) return (await ownPrivateKey(configure.copyKey)).privateKey;
    if (name !== passwordSecret) return null;
    if (configure.password !== "generate") return askAgain(walk, configure, signal);
    // Somebody has changed the one that virtu made, on some node.
    made ??= makePassword();
    return made;
  };
  const { end } = await carryStage(walk, {
    stage: "configure",
    kind: "configure",
    secrets,
    // A password that virtu made is gone with the virtu that made it: another is made, for all nodes.
    isUsable: (view) => configure.password !== "generate" || passwordIsSet(view),
    plan: async ({ states }, nodes, minimum) => {
      const password = await passwordChoice(walk, configure.password);
      const prepared = await makeConfigurePlan(
        walk.context,
        { ...of, nodes },
        {
          publicKeyFiles: configure.keys,
          pair: configure.pair,
          copyKeyFile: configure.copyKey,
          upgrade: configure.upgrade,
          password,
          timezone: configure.timezone,
          locale: configure.locale,
          commands: configure.run,
          scriptFiles: configure.scripts,
          minimum,
        },
        states,
      );
      given = prepared.secrets;
      made = prepared.generated;
      return prepared.plan;
    },
  }).finally(() => {
    if (made !== null && isUsed) walk.options.onPassword?.(made);
  });
  return end;
}

/** The password for a new plan, with the mark that it is known by from now on. */
async function passwordChoice(walk: Walk, from: UpConfigure["password"]): Promise<ConfigureChoice["password"]> {
  const { learned, context } = walk;
  if (from === null) return { kind: "leave" };
  if (from === "generate") {
    // A mark of its own for each: nodes that have an earlier one get this one too.
    const last = learned.passwordMark;
    if (last !== null && (await isInForce(walk))) return { kind: "known", mark: last };
    const mark = `made-${randomBytes(4).toString("hex")}`;
    await walk.learn({ passwordMark: mark });
    return { kind: "generated", mark };
  }
  if (learned.passwordMark !== null && from === "ask") return { kind: "known", mark: learned.passwordMark };
  const value = await ask(walk, from, walk.signal);
  await walk.learn({ passwordMark: await passwordMark(context, value) });
  return { kind: "typed", value };
}

/** The last run of this stage has set the password everywhere. */
async function isInForce({ context, learned }: Walk): Promise<boolean> {
  const id = learned.runs.configure;
  const view = id === undefined ? null : await lookAtRun(context, id).catch(() => null);
  const hasStep = view?.plan.steps.some((step) => step.id === "password") ?? false;
  return hasStep && view !== null && passwordIsSet(view);
}

async function ask({ options }: Walk, from: "stdin" | "ask", signal: AbortSignal): Promise<string> {
  const value = await options.password?.(from, signal);
  if (value) return value;
  throw new VirtuError({
    kind: "usage",
    what: "Root's password is missing",
    where: `configure.password: ${from}`,
    why: from === "stdin" ? "nothing came by standard input" : "there is no terminal to ask on, or nothing was typed",
    hint: from === "stdin" ? "Pipe it in: virtu up FILE < password." : "Run it in a terminal, or write generate.",
  });
}

/** For a run that was begun with it: it has to be the same one. */
async function askAgain(walk: Walk, { password }: UpConfigure, signal: AbortSignal): Promise<string | null> {
  if (password === null || password === "generate") return null;
  const value = await ask(walk, password, signal);
  if ((await passwordMark(walk.context, value)) === walk.learned.passwordMark) return value;
  throw new VirtuError({
    kind: "usage",
    what: "This is not the password that the nodes were begun with",
    where: "configure.password",
    hint: "Give the same one again; another can be set by virtu configure afterwards.",
  });
}
