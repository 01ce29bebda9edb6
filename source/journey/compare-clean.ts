/** Takes away what a comparison has made, wherever it is by now, and says exactly what it could not take away and why. */
import { reasonOf, toVirtuError } from "../errors.ts";
import { ask } from "../instances/exec.ts";
import type { Instance, Provider } from "../instances/types.ts";
import type { Command } from "../ssh/command.ts";
import { makingName } from "../tools/xe-create.ts";
import { configPath } from "../tools/xl-create.ts";
import { isPassing, pause } from "../waiting.ts";
import type { Reach } from "./compare-places.ts";
import type { Left, MadeNow } from "./compare-types.ts";

export interface TakeOptions {
  onText: (text: string) => void;
  /** First pause between two tries, milliseconds (default 1000); doubles each time. */
  waitMs?: number;
}

const tries = 5;
/** A copy that is under way when virtu was killed may take so long to end. */
const jobLimitMs = 10 * 60_000;

/**
 * Its own by the id that it was to have where the provider takes one; else by its name, which is like no other (XenServer
 * installs it under a first name that holds its id).
 */
export function isOwn({ name, request }: Pick<MadeNow, "name" | "request">, instance: Instance): boolean {
  if (request.provider === "libvirt") return instance.id === request.uuid;
  return instance.name === name || (request.provider === "xenserver" && instance.name === makingName(request));
}

/** What is still there afterwards; empty: all of it is gone. Never rejects for what a host says. */
export async function takeAway(made: MadeNow, reach: Reach, options: TakeOptions): Promise<Left[]> {
  const home = reach.homes.get(made.place);
  const [host = ""] = made.place.split(/:(?=[^:]*$)/);
  if (!home) {
    const why = reach.silent.get(host)?.message ?? "its provider was not found there";
    return [
      { what: `${made.name} on ${host}, if it was made`, why, how: "once the host answers: virtu compare --clean" },
    ];
  }
  const others = made.moved ? reach.all.filter((one) => one.name === home.name && one.place !== home.place) : [];
  const left: Left[] = [];
  for (const provider of [home, ...others]) {
    await settle(made, provider, options);
    const why = await removeFrom(made, provider, options);
    if (why !== null) left.push(instanceLeft(made, provider, why));
    // While the instance is there its disks are in use.
    else left.push(...(await tidy(made, provider, reach, options)));
  }
  return left;
}

function instanceLeft({ name }: MadeNow, provider: Provider, why: string): Left {
  const host = provider.target.name;
  const how: Readonly<Partial<Record<Provider["name"], string>>> = {
    ganeti: `gnt-instance remove ${name}`,
    xen: `xl destroy ${name}; rm ${configPath(name)} and its disks`,
    xenserver: `xe vm-uninstall vm=${name} force=true`,
    libvirt: `virsh -c ${provider.attachment.label} destroy ${name}; virsh -c ${provider.attachment.label} undefine ${name} --nvram --remove-all-storage`,
  };
  return { what: `instance ${name} on ${host}`, why, how: `${host}: ${how[provider.name] ?? `remove ${name}`}` };
}

/** Waits for the provider's own jobs on it: one that makes it would make it after its removal. */
async function settle({ name }: MadeNow, provider: Provider, { onText, waitMs = 1000 }: TakeOptions): Promise<void> {
  const began = performance.now();
  while (provider.jobs && performance.now() - began < jobLimitMs) {
    const jobs = await provider.jobs.list({ priority: "user" }).catch(() => []);
    const underWay = jobs.find(
      ({ summary, state }) => summary.includes(`(${name})`) && /^(queued|waiting|canceling|running)$/.test(state),
    );
    if (!underWay) return;
    onText(`waiting for job ${underWay.id}`);
    await pause(waitMs);
  }
}

/** Null: it is not there, or not any more. Else why it still is. */
async function removeFrom(
  made: MadeNow,
  provider: Provider,
  { onText, waitMs = 1000 }: TakeOptions,
): Promise<string | null> {
  let why: string | null = null;
  for (let n = 0, wait = waitMs; n < tries; n += 1, wait *= 2) {
    try {
      const find = async () => {
        const { instances } = await provider.list({ priority: "user" });
        return instances.find((one) => isOwn(made, one)) ?? null;
      };
      let instance = await find();
      if (instance === null) return null;
      if (instance.status !== "stopped") {
        onText(`${made.name}: forcing it off`);
        const off = await provider.act({ do: "force-off" }, instance, { priority: "user" });
        if (!off.ok) why = off.error;
        instance = await find();
        if (instance === null) return null;
      }
      onText(`${made.name}: removing it`);
      const outcome = await provider.act({ do: "remove", keepDisks: false }, instance, { priority: "user" });
      if (outcome.ok && (await find()) === null) return null;
      why = outcome.error ?? why;
    } catch (thrown) {
      const error = toVirtuError(thrown);
      why = [error.what, error.why].filter(Boolean).join(": ");
      if (!isPassing(error)) return why;
    }
    if (n < tries - 1) await pause(wait);
  }
  return why ?? "it is still there, nobody says why";
}

async function tidy(made: MadeNow, provider: Provider, reach: Reach, { onText }: TakeOptions): Promise<Left[]> {
  const host = provider.target;
  const left: Left[] = [];
  const run = async (command: Command): Promise<{ status: number | null; text: string }> => {
    try {
      const question = { priority: "user", timeoutMs: 60_000 } as const;
      const { status, stderr } = await ask(reach.pool, host, command, "taking away what is left", question);
      return { status, text: stderr.trim() };
    } catch (thrown) {
      return { status: null, text: reasonOf(thrown) };
    }
  };
  const maker = await provider.maker?.();
  for (const { what, find, remove, nothing, named } of maker?.traces(made.request, made.image) ?? []) {
    const found = find === null ? { status: 0, text: "" } : await run(find);
    // Nothing of ours was made where there is no such thing.
    if (found.status !== null && found.status !== 0) continue;
    const label = `${what} on ${host.name}`;
    const how = `${host.name}: ${remove.line}`;
    if (named) {
      left.push({ what: label, why: "its name is not virtu's own: look whether it is this one's", how });
      continue;
    }
    if (find !== null) onText(`taking away the ${label}`);
    const gone = found.status === null ? found : await run(remove);
    if (gone.status !== 0 && (gone.status === null || gone.status !== nothing)) {
      left.push({ what: label, why: gone.text, how });
    }
  }
  return left;
}
