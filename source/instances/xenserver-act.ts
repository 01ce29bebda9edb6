/** Carries an action out through `xe`, and looks at the guest where its answer was lost. */
import { VirtuError } from "../errors.ts";
import type { HostRef, Pool } from "../ssh/types.ts";
import { type XeAccess, xe, xePollLimit } from "../tools/xe.ts";
import { explainXe } from "../tools/xe-errors.ts";
import { isPassing, pause } from "../waiting.ts";
import { ask } from "./exec.ts";
import { failure, success } from "./outcomes.ts";
import type { Action, ActionEvent, ActionLimits, ActionOutcome, Instance, ProviderOptions } from "./types.ts";
import type { XePlan } from "./xenserver-plan.ts";

export interface XeActing {
  pool: Pool;
  host: HostRef;
  access: XeAccess;
  /** Milliseconds between two looks at a guest. */
  lookMs: number;
}

export type XeActOptions = ProviderOptions & ActionLimits & { onEvent?: (event: ActionEvent) => void };

const listLimitMs = (xePollLimit + 10) * 1000;

export async function actOnXe(
  around: XeActing,
  plan: XePlan,
  action: Action,
  instance: Instance,
  options: XeActOptions,
): Promise<ActionOutcome> {
  const { pool, host } = around;
  if ("refusal" in plan) return failure(plan.refusal);
  options.onEvent?.({ text: plan.text });
  const result = await pool.exec(host, plan.command, {
    signal: options.signal,
    priority: "user",
    timeoutMs: (plan.seconds + 15) * 1000,
  });
  const late = result.outcome === "exited" && result.status === 124;
  if (result.outcome === "exited" && !late) {
    if (result.status === 0) return success(action.do === "reboot" ? "the guest was rebooted" : null);
    // `--multiple` is never used, and yet some versions print what failed on standard output.
    const text = `${result.stderr}${result.stdout}`;
    const { why, hint } = explainXe(text, result.status);
    return failure(hint ? `${why}. ${hint}` : why, text);
  }
  return lookAfter(around, action, instance, options, late ? plan.seconds : null);
}

/** After a loss, or when the client was cut off: xapi carries the task on, and the guest's state tells. */
async function lookAfter(
  around: XeActing,
  action: Action,
  instance: Instance,
  options: XeActOptions,
  limit: number | null,
): Promise<ActionOutcome> {
  const { pool, host, lookMs } = around;
  const wanted = wantedAfter(action);
  const command = xe(around.access, ["vm-param-get", `uuid=${instance.id}`, "param-name=power-state"], xePollLimit);
  for (let tries = 0; wanted !== null && tries < 6; tries += 1) {
    try {
      const answer = await ask(pool, host, command, "looking at the guest", {
        signal: options.signal,
        priority: "user",
        timeoutMs: listLimitMs,
      });
      const state = answer.stdout.trim();
      if (answer.status === 0) {
        if (state === wanted) return success();
        const after = limit === null ? "xe gave no answer, and the guest is" : `after ${limit} s the guest is still`;
        if (action.do !== "shutdown") return failure(`${after} ${state}`);
        const error = `${after} ${state}: it may not listen. Force off ends it without asking`;
        return { ...failure(error), ...(limit === null ? {} : { unheard: true }) };
      }
    } catch (thrown) {
      if (!isPassing(thrown)) throw thrown;
    }
    await pause(lookMs, options.signal);
  }
  throw new VirtuError({
    kind: limit === null ? "connection" : "timeout",
    what: `Nobody knows what became of ${instance.name}`,
    where: host.name,
    why: limit === null ? "the answer of xe was lost" : `xe did not end within ${limit} s; xapi goes on with the task`,
    hint: "Look at the guest before you try again.",
  });
}

function wantedAfter(action: Action): string | null {
  switch (action.do) {
    case "start":
    case "resume":
    case "restore":
      return "running";
    case "shutdown":
    case "force-off":
    case "discard-save":
      return "halted";
    case "save":
      return "suspended";
    case "pause":
      return "paused";
    default:
      return null;
  }
}
