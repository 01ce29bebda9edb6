/** A Xen host's poll as instances: domains that run joined with the files that start them. */
import type { HostRef } from "../ssh/types.ts";
import { natural } from "../text.ts";
import { volumeOf } from "../tools/lvm.ts";
import { fillOfMount, mountOf } from "../tools/pool-fill.ts";
import type { XenUsage } from "../tools/xentop.ts";
import type { XlSubject } from "../tools/xl-actions.ts";
import { statusOfXl, type XlFile, type XlHost, type XlOwner } from "../tools/xl-parse.ts";
import type { HostNode, Instance, PoolFill, Snapshot, Usage } from "./types.ts";

export interface XenPlace {
  place: string;
  host: HostRef;
  /** Domains of these are shown by providers of their own. */
  elsewhere: ReadonlySet<Exclude<XlOwner, null>>;
}

/** Between the paths of a fact; a path that holds it counts as nobody's own. */
const between = "; ";

/**
 * A row for each name: xl keeps names unique on a host, and a domain gets another UUID each time it is started from a file
 * that gives none, and another number at each reboot. Domain-0 is the host, and no row.
 */
export function rowsOf(poll: XlHost, place: XenPlace): Snapshot {
  const files = new Map<string, XlFile>();
  for (const file of poll.files) {
    const known = files.get(file.name);
    // Of two files of one name that which is called so too: xl does not care, people do.
    if (!known || (isNamedSo(file) && !isNamedSo(known))) files.set(file.name, file);
  }
  const notes: string[] = [];
  const instances: Instance[] = [];
  const taken = new Set<string>();
  const hostName = poll.info.get("host") ?? place.host.name;
  const caps = (poll.info.get("virt_caps") ?? "").split(" ");
  const common = { poll, place, hostName, shadow: caps.includes("shadow") };
  for (const domain of poll.domains) {
    if (domain.id === 0) continue;
    if (domain.name === "(null)") {
      notes.push(`domain ${domain.id} has no name: it is being built, or going away`);
      continue;
    }
    taken.add(domain.name);
    if (domain.owner && place.elsewhere.has(domain.owner)) continue;
    const { status, detail } = statusOfXl(domain);
    instances.push(instanceOf({ ...common, name: domain.name, domain, file: files.get(domain.name), status, detail }));
  }
  for (const [name, file] of files) {
    // A file that would start a second guest under the name of a Ganeti instance that is off.
    if (taken.has(name) || (poll.ganeti.has(name) && place.elsewhere.has("ganeti"))) continue;
    const detail = poll.saved.has(name) ? "saved" : "stopped";
    instances.push(instanceOf({ ...common, name, domain: null, file, status: "stopped", detail }));
  }
  return { instances, nodes: [nodeOf(poll, place, hostName)], notes };
}

function isNamedSo(file: XlFile): boolean {
  return file.path.endsWith(`/${file.name}.cfg`) || file.path.endsWith(`/${file.name}`);
}

interface RowOptions {
  poll: XlHost;
  place: XenPlace;
  hostName: string;
  shadow: boolean;
  name: string;
  domain: XlHost["domains"][number] | null;
  file: XlFile | undefined;
  status: Instance["status"];
  detail: string;
}

function instanceOf(row: RowOptions): Instance {
  const { poll, place, name, domain, file, status, detail } = row;
  const disks = file ? disksOf(file, poll) : { files: [], volumes: [], others: [] };
  const built = domain !== null && domain.memoryMiB > 0;
  return {
    key: `${place.place}/${name}`,
    name,
    id: name,
    provider: "xen",
    cluster: null,
    host: place.host.name,
    node: row.hostName,
    status,
    statusDetail: detail,
    vcpus: built ? domain.vcpus : (file?.vcpus ?? 1),
    memoryMiB: built ? domain.memoryMiB : (file?.memoryMiB ?? null),
    ...(built &&
      status === "running" && {
        usage: usageOf(domain, poll.usage.get(name)),
        usageGap: "of its memory Xen knows only what it was given, not what it uses",
      }),
    facts: {
      uuid: domain?.uuid ?? file?.uuid ?? null,
      domainId: domain?.id ?? null,
      type: file?.type ?? null,
      file: file?.path ?? null,
      autostart: file ? file.auto !== null : null,
      autostartEntry: file?.auto ?? null,
      managedSave: poll.saved.has(name),
      managedBy: domain?.owner ?? (poll.ganeti.has(name) ? "ganeti" : null),
      vcpusMax: file?.maxVcpus ?? file?.vcpus ?? null,
      memoryMaxMiB: file?.maxMemoryMiB ?? file?.memoryMiB ?? null,
      diskFiles: disks.files.join(between) || null,
      diskVolumes: disks.volumes.join(between) || null,
      otherDisks: disks.others.join(between) || null,
      disks: file?.disks.length ?? null,
      nics: file?.nics.length ?? null,
      cpuSeconds: domain?.cpuSeconds ?? null,
      state: domain?.state ?? null,
      graphics: file?.graphics ?? null,
      shadowPaging: row.shadow,
    },
  };
}

/** xl's CPU time is finer than xentop's whole seconds. A sector is 512 bytes; what the guest uses of its memory nobody here knows. */
function usageOf({ cpuSeconds }: XlHost["domains"][number], usage: XenUsage | undefined): Usage {
  const bytes = (count: number | undefined, size: number) => (count === undefined ? null : count * size);
  return {
    cpuNs: Math.round(cpuSeconds * 1e9),
    memoryMiB: null,
    memorySource: null,
    diskReadBytes: bytes(usage?.readSectors, 512),
    diskWrittenBytes: bytes(usage?.writtenSectors, 512),
    netInBytes: bytes(usage?.receivedKb, 1024),
    netOutBytes: bytes(usage?.sentKb, 1024),
  };
}

/**
 * Which disks go with a domain: files and logical volumes that no other domain's file names. Other devices, media and what is
 * shared stay.
 */
function disksOf({ path, disks }: XlFile, { files: all, groups }: XlHost) {
  const found = { files: [] as string[], volumes: [] as string[], others: [] as string[] };
  const names = groups.map(({ name }) => name);
  // A volume has two paths.
  const thing = (target: string) => volumeOf(target, names) ?? target;
  const shared = new Set(
    all.flatMap((other) => (other.path === path ? [] : other.disks.map(({ target }) => thing(target)))),
  );
  for (const { target, cdrom } of disks) {
    if (target === "") continue;
    const isOwn = !cdrom && target.startsWith("/") && !target.includes(between) && !shared.has(thing(target));
    const isVolume = volumeOf(target, names) !== null;
    if (isOwn && isVolume) found.volumes.push(target);
    else if (isOwn && !target.startsWith("/dev/")) found.files.push(target);
    else found.others.push(target);
  }
  return found;
}

/** The file systems and volume groups that hold disks of its domains. */
function poolsOf({ files, mounts, groups }: XlHost): PoolFill[] {
  const found = new Map<string, PoolFill>();
  const names = groups.map(({ name }) => name);
  for (const { target } of files.flatMap(({ disks }) => disks)) {
    const volume = volumeOf(target, names);
    const group = groups.find(({ name }) => volume?.startsWith(`${name}/`));
    const isFile = target.startsWith("/") && !target.startsWith("/dev/");
    const mount = isFile ? mountOf(target, mounts) : null;
    const pool = group ?? (mount && fillOfMount(mount));
    if (pool) found.set(pool.name, pool);
  }
  return [...found.values()].sort((one, other) => natural(one.name, other.name));
}

function nodeOf(poll: XlHost, place: XenPlace, name: string): HostNode {
  const number = (key: string) => {
    const text = poll.info.get(key);
    return text !== undefined && /^\d+$/.test(text) ? Number(text) : null;
  };
  const guests = poll.domains.filter(({ id, name: word }) => id !== 0 && word !== "(null)");
  const [cpus, { uptime }] = [number("nr_cpus"), poll];
  const seconds = poll.domains.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
  const pools = poolsOf(poll);
  const sum = (of: "totalMiB" | "freeMiB") =>
    pools.length > 0 ? pools.reduce((all, pool) => all + pool[of], 0) : null;
  return {
    // What all domains used, the host's own among them; one that ends takes its share away, and the next look counts anew.
    ...(cpus !== null && uptime !== null && { cpu: { busyNs: seconds * 1e9, totalNs: uptime * cpus * 1e9 } }),
    pools,
    key: `${place.place}/node`,
    name,
    provider: "xen",
    cluster: null,
    host: place.host.name,
    roles: [],
    diskTotal: sum("totalMiB"),
    diskFree: sum("freeMiB"),
    memoryTotal: number("total_memory"),
    memoryNode: poll.domains.find(({ id }) => id === 0)?.memoryMiB ?? null,
    memoryFree: number("free_memory"),
    primaryInstances: guests.length,
    secondaryInstances: null,
  };
}

/** What the commands need of an instance, from its facts. */
export function subjectOf(instance: Pick<Instance, "name" | "facts">): XlSubject {
  const { facts, name } = instance;
  const word = (key: string) => (typeof facts[key] === "string" ? (facts[key] as string) : null);
  return {
    name,
    domainId: typeof facts["domainId"] === "number" ? facts["domainId"] : null,
    file: word("file"),
    auto: word("autostartEntry"),
    saved: facts["managedSave"] === true,
    diskFiles: word("diskFiles")?.split(between) ?? [],
    diskVolumes: word("diskVolumes")?.split(between) ?? [],
  };
}
