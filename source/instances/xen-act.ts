/** Carries an action on a Xen domain out, and looks at the domain where xl's own answer does not tell what became of it. */
import { VirtuError } from "../errors.ts";
import type { ExecResult, HostRef, Pool } from "../ssh/types.ts";
import { type XlAccess, xlList, xlPollLimit } from "../tools/xl.ts";
import { readFileCommand, wordCommand, writeFileCommand } from "../tools/xl-actions.ts";
import { explainXl, saveProgress } from "../tools/xl-errors.ts";
import { parseXlList, statusOfXl, type XlDomain } from "../tools/xl-parse.ts";
import { isPassing, pause } from "../waiting.ts";
import { ask } from "./exec.ts";
import { failure, success } from "./outcomes.ts";
import type { Action, ActionEvent, ActionLimits, ActionOutcome, Instance, ProviderOptions } from "./types.ts";
import { planXen, type XenStep } from "./xen-plan.ts";
import { subjectOf } from "./xen-rows.ts";

export interface XenActing {
  pool: Pool;
  host: HostRef;
  access: XlAccess;
  /** Milliseconds between two looks at a domain. */
  lookMs: number;
}

export type XenActOptions = ProviderOptions & ActionLimits & { onEvent?: (event: ActionEvent) => void };

const defaultShutdownSeconds = 120;

export async function actOnXen(
  around: XenActing,
  action: Action,
  instance: Instance,
  options: XenActOptions,
): Promise<ActionOutcome> {
  if (action.do === "reboot" && action.how !== "hard" && instance.status === "error") {
    return failure("it has crashed and can't hear that: reboot it hard, or force it off");
  }
  const plan = planXen(around.access, action, subjectOf(instance));
  if ("refusal" in plan) return failure(plan.refusal);
  for (const [index, step] of plan.steps.entries()) {
    const ended = step.kind === "run" ? await carry(around, step, options) : await edit(around, step, options);
    if (ended.outcome === "exited" && ended.status === 0) continue;
    if (ended.outcome !== "exited") return lookAfterLoss(around, action, instance, options);
    if (action.do === "force-off" && /invalid domain identifier/.test(ended.stderr)) {
      return destroyByNumber(around, instance, options);
    }
    const { why, hint } = explainXl(ended.stderr, ended.status);
    const before = index > 0 ? "; what came before it is done" : "";
    return failure(`${hint ? `${why}. ${hint}` : why}${before}`, ended.stderr);
  }
  return afterwards(around, action, instance, options);
}

type Ended = Pick<ExecResult, "outcome" | "status" | "stderr">;

async function carry(
  { pool, host }: XenActing,
  step: Extract<XenStep, { kind: "run" }>,
  options: XenActOptions,
): Promise<Ended> {
  options.onEvent?.({ text: step.text });
  return pool.exec(host, step.command, {
    signal: options.signal,
    priority: "user",
    timeoutMs: step.seconds * 1000,
    onLine: (_stream, line) => {
      const percent = saveProgress(line);
      if (percent !== null) options.onEvent?.({ text: `${step.text}: ${percent} %` });
    },
  });
}

async function edit(
  { pool, host, access }: XenActing,
  step: Extract<XenStep, { kind: "edit" }>,
  options: XenActOptions,
): Promise<Ended> {
  options.onEvent?.({ text: `changing ${step.file}` });
  const request = { signal: options.signal, priority: "user", timeoutMs: 60_000 } as const;
  const read = await pool.exec(host, readFileCommand(access, step.file), request);
  if (read.outcome !== "exited" || read.status !== 0) return read;
  const stdin = step.change(read.stdout);
  return pool.exec(host, writeFileCommand(access, step.file, step.check), { ...request, stdin });
}

async function afterwards(
  around: XenActing,
  action: Action,
  instance: Instance,
  options: XenActOptions,
): Promise<ActionOutcome> {
  switch (action.do) {
    case "shutdown":
      return awaitOff(around, instance, options);
    case "reboot":
      return success(action.how === "hard" ? null : "the guest was asked to reboot");
    case "set-memory":
      return success(instance.facts["domainId"] === null ? "from its next start on" : null);
    case "autostart":
      return success("by the service xendomains, when the host comes up");
    case "define":
      return success(instance.facts["domainId"] === null ? null : "from its next start on");
    case "remove": {
      const others = instance.facts["otherDisks"];
      return success(
        typeof others === "string" && !action.keepDisks
          ? `kept, being neither files nor volumes of its own: ${others}`
          : null,
      );
    }
    default:
      return success();
  }
}

type Look = XlDomain | "gone" | null;

/** The domain of this name now, `gone` when there is none, null when nobody answers. */
async function lookAt({ pool, host, access }: XenActing, name: string, signal?: AbortSignal): Promise<Look> {
  try {
    const answer = await ask(pool, host, xlList(access), "looking at the domain", {
      signal,
      priority: "user",
      timeoutMs: (xlPollLimit + 10) * 1000,
    });
    const domains = answer.status === 0 ? parseXlList(answer.stdout) : null;
    if (!domains) return null;
    return domains.find((domain) => domain.name === name) ?? "gone";
  } catch (thrown) {
    if (isPassing(thrown)) return null;
    throw thrown;
  }
}

/** In a reboot loop the name is gone for moments: the number of a fresh list meets it. */
async function destroyByNumber(around: XenActing, instance: Instance, options: XenActOptions): Promise<ActionOutcome> {
  for (let tries = 0; tries < 5; tries += 1) {
    const found = await lookAt(around, instance.name, options.signal);
    // Twice, because between two lives it is not there either.
    if (found === "gone") {
      await pause(around.lookMs, options.signal);
      if ((await lookAt(around, instance.name, options.signal)) === "gone") return success();
    } else if (found !== null) {
      const command = wordCommand(around.access, "destroy", {
        ...subjectOf(instance),
        name: "(null)",
        domainId: found.id,
      });
      const ended = await carry(
        around,
        { kind: "run", command, seconds: 60, text: `ending domain ${found.id}` },
        options,
      );
      if (ended.outcome === "exited" && ended.status === 0) return success();
    }
  }
  return failure("it comes back faster than it can be ended: set on_reboot and on_crash to destroy in its file");
}

/** After a loss or a time-out nobody knows what xl did; for most actions the domain's state tells. */
async function lookAfterLoss(
  around: XenActing,
  action: Action,
  instance: Instance,
  options: XenActOptions,
): Promise<ActionOutcome> {
  options.onEvent?.({ text: "no answer from xl: looking at the domain" });
  if (action.do === "shutdown") return awaitOff(around, instance, options);
  const wanted = wantedAfter(action);
  for (let n = 0, wait = around.lookMs; wanted && n < 8; n += 1, wait = Math.min(wait * 2, 15_000)) {
    const found = await lookAt(around, instance.name, options.signal);
    if (found !== null) {
      const now = found === "gone" ? "off" : statusOfXl(found).detail;
      return now === wanted ? success() : failure(`xl gave no answer, and the domain is ${now}`);
    }
    await pause(wait, options.signal);
  }
  throw new VirtuError({
    kind: "connection",
    what: `Nobody knows what became of ${instance.name}`,
    where: around.host.name,
    why: "the answer of xl was lost",
    hint: "Look at the domain before you try again.",
  });
}

function wantedAfter(action: Action): string | null {
  switch (action.do) {
    case "start":
    case "resume":
    case "restore":
      return "running";
    case "force-off":
    case "save":
      return "off";
    case "pause":
      return "paused";
    default:
      return null;
  }
}

/** xl only asks. The guest may take its time, or not listen at all; then its request stays with it. */
async function awaitOff(around: XenActing, instance: Instance, options: XenActOptions): Promise<ActionOutcome> {
  const limit = options.limitSeconds ?? defaultShutdownSeconds;
  const began = performance.now();
  let kept = 0;
  for (;;) {
    const found = await lookAt(around, instance.name, options.signal);
    if (found === "gone") return success();
    const now = found === null ? null : statusOfXl(found);
    if (now?.detail === "crashed") return failure("it crashed on its way down: force it off");
    // An ordinary domain stands so for a moment before it goes.
    kept = now?.detail === "shut down" ? kept + 1 : 0;
    if (kept >= 4) return success("it is off and keeps its memory (on_poweroff = preserve): force off gives that back");
    if (found !== null && found.id !== instance.facts["domainId"] && now?.status === "running") {
      return failure(`it started again as domain ${found.id} (on_poweroff = restart, or somebody started it)`);
    }
    const seconds = (performance.now() - began) / 1000;
    if (seconds >= limit) {
      const state = now === null ? "Xen does not answer" : `the guest is still ${now.detail}`;
      const error = `${state} after ${limit} s; the request stays with it. Force off ends it without asking`;
      return { ...failure(error), ...(now === null ? {} : { unheard: true }) };
    }
    options.onEvent?.({ text: `shutting down: ${Math.floor(seconds)} s of ${limit} s` });
    await pause(around.lookMs, options.signal);
  }
}
