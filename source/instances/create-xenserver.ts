/** Makes one guest on a pool of XenServer or XCP-ng from a template; takes away what a failure leaves. */
import { VirtuError } from "../errors.ts";
import { type XeAccess, xeLongLimit, xePollLimit } from "../tools/xe.ts";
import {
  findMaking,
  installVm,
  lineFor,
  makingName,
  parseInstalled,
  parseMaking,
  uninstallVm,
  xeMakeLines,
} from "../tools/xe-create.ts";
import { explainXe } from "../tools/xe-errors.ts";
import { pause } from "../waiting.ts";
import type { Made, MakeOptions } from "./create-maker.ts";
import { isCancelled, isUnknown, Making, type MakingPlace, StepFailed } from "./create-making.ts";
import type { XenServerRequest } from "./create-types.ts";

export interface XeMakingPlace extends MakingPlace {
  access: XeAccess;
}

/** The lines that make it, as one would type them. */
export function xeCreateLines(access: XeAccess, request: XenServerRequest): string[] {
  const made = xeMakeLines(access, request).map(({ command }) => command.line);
  return [`vm=$(${installVm(access, request).line})`, ...made];
}

export async function makeOnXenServer(
  place: XeMakingPlace,
  request: XenServerRequest,
  options: MakeOptions,
): Promise<Made> {
  const making = new Making(place, options, ({ stdout, stderr, status }) => {
    const detail = `${stderr}${stdout}`;
    return { ...explainXe(detail, status), detail };
  });
  const { access } = place;
  return making.carry(async () => {
    options.onStep("disk", `installing the template ${request.template}`);
    const vm = await install(making, request);
    making.remember({ label: `guest ${request.name}`, command: uninstallVm(access, vm), knowsItsOwn: false });
    for (const line of xeMakeLines(access, request)) {
      options.onStep("create", line.text);
      // A line that was lost on the way is an end too: what it did is taken away with the guest.
      await making.step(lineFor(vm, line), { timeoutMs: (line.seconds + 15) * 1000 });
    }
  });
}

/** The guest's UUID. When the answer is lost, its first name, which nobody else has, tells whether it is there. */
async function install(making: Making<XeMakingPlace>, request: XenServerRequest): Promise<string> {
  const { access } = making.place;
  try {
    const timeoutMs = (xeLongLimit + 15) * 1000;
    const { stdout } = await making.step(installVm(access, request), { timeoutMs });
    const vm = parseInstalled(stdout);
    if (vm === null) throw new StepFailed("vm-install named no guest that it made", "");
    return vm;
  } catch (thrown) {
    const cancelled = isCancelled(thrown);
    if (!isUnknown(thrown) && !cancelled) throw thrown;
    making.options.onStep("create", "no answer from xe: looking for the guest");
    const vm = await find(making, request);
    if (vm === null) {
      // xapi carries a task on without its client: a large template may still be on its way.
      const label = `guest ${makingName(request)}`;
      making.remember({ label, command: findMaking(access, request), knowsItsOwn: false }, false);
      throw thrown;
    }
    if (!cancelled) return vm;
    making.remember({ label: `guest ${request.name}`, command: uninstallVm(access, vm), knowsItsOwn: false });
    throw thrown;
  }
}

async function find(making: Making<XeMakingPlace>, request: XenServerRequest): Promise<string | null> {
  const { pool, host, access, retryMs = 1000 } = making.place;
  for (let tries = 0, wait = retryMs; tries < 6; tries += 1, wait = Math.min(wait * 2, 15_000)) {
    try {
      const timeoutMs = (xePollLimit + 10) * 1000;
      const answer = await pool.exec(host, findMaking(access, request), { priority: "user", timeoutMs });
      const vm = answer.outcome === "exited" && answer.status === 0 ? parseMaking(answer.stdout) : null;
      if (vm !== null) return vm;
    } catch (thrown) {
      if (!(thrown instanceof VirtuError)) throw thrown;
    }
    await pause(wait);
  }
  return null;
}
