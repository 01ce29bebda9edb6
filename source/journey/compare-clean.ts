/** Takes away what a comparison has made, wherever it is by now, and says exactly what it could not take away and why. */
import { toVirtuError } from "../errors.ts";
import { libvirtSteps } from "../instances/create-libvirt-steps.ts";
import { ask, isPassing, pause } from "../instances/exec.ts";
import type { Instance, Provider } from "../instances/types.ts";
import type { Command } from "../ssh/command.ts";
import { deleteVolume, findVolume, type Volume } from "../tools/virt-install.ts";
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

/** Its own by the id that it was to have; where the provider gives the ids, by its name, which is like no other. */
export function isOwn({ name, request }: Pick<MadeNow, "name" | "request">, instance: Instance): boolean {
  return request.provider === "libvirt" ? instance.id === request.uuid : instance.name === name;
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
    else if (made.request.provider === "libvirt") left.push(...(await tidyLibvirt(made, provider, reach, options)));
  }
  return left;
}

function instanceLeft({ name }: MadeNow, provider: Provider, why: string): Left {
  const host = provider.target.name;
  const how: Readonly<Partial<Record<Provider["name"], string>>> = {
    ganeti: `gnt-instance remove ${name}`,
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

/** What a making that was killed, or a migration that copied disks, leaves beside the instance. */
export function traces({ request, image }: Pick<MadeNow, "request" | "image">, uri: string) {
  if (request.provider !== "libvirt") return { volumes: [], tidy: [] };
  const steps = libvirtSteps(uri, request, image);
  return {
    volumes: steps.flatMap((step): Volume[] => (step.kind === "run" && step.makes !== null ? [step.makes] : [])),
    tidy: steps.flatMap((step): Command[] => (step.kind === "tidy" ? [step.command] : [])),
  };
}

async function tidyLibvirt(made: MadeNow, provider: Provider, reach: Reach, { onText }: TakeOptions): Promise<Left[]> {
  const { host, label: uri } = provider.attachment;
  const { volumes, tidy } = traces(made, uri);
  const left: Left[] = [];
  const run = async (command: Command, what: string): Promise<{ status: number | null; text: string }> => {
    try {
      const { status, stderr } = await ask(reach.pool, host, command, what, { priority: "user", timeoutMs: 60_000 });
      return { status, text: stderr.trim() };
    } catch (thrown) {
      return { status: null, text: toVirtuError(thrown).message };
    }
  };
  for (const volume of volumes) {
    const found = await run(findVolume(uri, volume), "looking for its volumes");
    // Nothing of ours was made where there is no such volume or pool.
    if (found.status !== null && found.status !== 0) continue;
    const what = `volume ${volume.pool}/${volume.volume} on ${host.name}`;
    onText(`taking away the ${what}`);
    const gone = found.status === null ? found : await run(deleteVolume(uri, volume), "deleting its volume");
    if (gone.status !== 0) left.push({ what, why: gone.text, how: `${host.name}: ${deleteVolume(uri, volume).line}` });
  }
  // Mostly gone with the making; what holds its keys must not stay.
  for (const command of tidy) await run(command, "removing cloud-init's files");
  return left;
}
