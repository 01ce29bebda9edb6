/** Whether a domain fits another libvirt host, by what it needs and what that offers. Pure. */
import { plainLine } from "../text.ts";
import type { DomainNeeds, HostOffer, NeededCpu } from "../tools/virsh-targets.ts";
import type { Instance } from "./types.ts";

export interface Fit {
  /** What stands against it, or null. */
  refusal: string | null;
  /** What was looked at and is worth a word, one each. */
  notes: readonly string[];
}

const fits = (...notes: string[]): Fit => ({ refusal: null, notes: notes.filter((note) => note !== "") });
const against = (refusal: string): Fit => ({ refusal, notes: [] });

/** The first that stands against it, or the notes of all. */
export function fitOf(
  needs: DomainNeeds,
  offer: HostOffer,
  instance: Pick<Instance, "name" | "memoryMiB" | "status">,
): Fit {
  const all = [
    roomOf(offer, instance),
    networksOf(needs, offer),
    disksOf(needs, offer, instance.status !== "stopped"),
    cpuFit(needs.cpu, offer.cpu),
  ];
  return all.find(({ refusal }) => refusal !== null) ?? fits(...all.flatMap(({ notes }) => notes));
}

function roomOf(
  { domains, memoryFreeMiB }: HostOffer,
  { name, memoryMiB, status }: Pick<Instance, "name" | "memoryMiB" | "status">,
): Fit {
  if (domains.includes(name)) return against(`it has a domain ${name} already`);
  const room = memoryMiB ?? 0;
  if (memoryFreeMiB !== null && status !== "stopped" && memoryFreeMiB < room) {
    return against(`only ${memoryFreeMiB} MiB of memory are free there, ${room} are needed`);
  }
  return fits();
}

function networksOf(needs: DomainNeeds, offer: HostOffer): Fit {
  const missing = (wanted: readonly string[], there: readonly string[]) =>
    wanted.filter((name) => !there.includes(name)).join(", ");
  const networks = missing(needs.networks, offer.networks);
  if (networks !== "") return against(`it has no active network ${networks}`);
  const devices = missing(needs.devices, offer.devices);
  if (devices !== "") return against(`it has no bridge or interface ${devices}`);
  return fits(needs.networks.length + needs.devices.length > 0 ? "networks are there" : "");
}

/** A running domain takes its disks along where they are not shared; of one that is off only the definition goes. */
function disksOf({ disks }: DomainNeeds, { files, pools }: HostOffer, running: boolean): Fit {
  const shared = (path: string, identity: string) => identity !== "" && files.get(path) === identity;
  let copied = 0;
  for (const { kind, medium, target, path, identity } of disks) {
    const there = files.has(path);
    if (medium) {
      if (!there) return against(`it has not the medium in ${target}, ${path}: eject it first`);
      continue;
    }
    if (kind === "block") {
      if (!there) return against(`it has no block device ${path} (${target})`);
      continue;
    }
    if (shared(path, identity)) continue;
    if (!running) {
      if (!there) return against(`it has not the disk ${path}: of a domain that is off only the definition moves`);
      continue;
    }
    if (there) return against(`it has another file ${path}, which copying would overwrite`);
    const directory = path.slice(0, path.lastIndexOf("/"));
    if (!pools.includes(directory)) {
      return against(`no active pool is at ${directory} there: ${target} can't be copied`);
    }
    copied += 1;
  }
  if (copied > 0) return fits(copied === 1 ? "its disk is copied" : `its ${copied} disks are copied`);
  return fits(running && disks.some(({ medium }) => !medium) ? "disks are shared" : "");
}

function cpuFit(wanted: NeededCpu | null, said: string | null): Fit {
  if (wanted === null || said === null) return fits();
  const features = plainLine(/required features: (.+)$/m.exec(said)?.[1] ?? "").split(", ");
  const more = features.length > 4 ? ` and ${features.length - 4} more` : "";
  const lacks = features[0] === "" ? "" : `: it lacks ${features.slice(0, 4).join(", ")}${more}`;
  if (/incompatible/i.test(said)) {
    return wanted.kind === "passthrough"
      ? against(`the guest has the whole CPU of its host, and the one there is another${lacks}`)
      : against(`the CPU there can't be a ${plainLine(wanted.name)}${lacks}`);
  }
  if (/identical/.test(said)) return fits("same CPU");
  if (/superset/.test(said)) return fits(wanted.kind === "passthrough" ? "CPU there has more" : "CPU fits");
  const machine = /the machine '([^']*)' is not supported/.exec(said)?.[1];
  return machine ? against(`QEMU there does not know its machine ${plainLine(machine)}`) : fits("CPU not compared");
}
