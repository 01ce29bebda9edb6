/** The checks of a libvirt request: media, memory and CPUs, disks, network, architecture. */
import { mebibytes } from "../tools/disk-image.ts";
import type { LibvirtOffers, OfferedPool } from "../tools/libvirt-offers.ts";
import { isOptionWord, volumeName } from "../tools/virt-install.ts";
import type { CheckOptions, Report } from "./create-check.ts";
import type { ImageCopy, LibvirtRequest } from "./create-types.ts";

interface NamedFile {
  field: string;
  path: string;
}

/** Files that must be there, with the field that names each. An ISO that is yet to be sent is none of them. */
export function libvirtFiles({ media, disks }: Pick<LibvirtRequest, "media" | "disks">): NamedFile[] {
  const files: NamedFile[] = [];
  if (media.kind === "iso" && media.upload === null) files.push({ field: "media.iso", path: media.path });
  if (media.kind === "import" || media.kind === "cloud")
    files.push({ field: `media.${media.kind}`, path: media.image });
  disks.forEach((disk, index) => {
    if (disk.kind === "path") files.push({ field: `disks.${index}`, path: disk.path });
  });
  return files;
}

export function checkLibvirt(
  request: LibvirtRequest,
  offers: LibvirtOffers,
  options: CheckOptions,
  report: Report,
): void {
  if (!offers.hasVirtInstall) report.add("host", "virt-install is not installed there: apt-get install virtinst");
  checkMedia(request, offers, report);
  checkPower(request, offers, options, report);
  checkDisks(request, offers, options, report);
  request.nics.forEach((nic, index) => {
    const field = `nics.${index}`;
    for (const word of [nic.network, nic.link]) if (word !== null) checkWord(field, word, report);
    if (nic.link !== null && !offers.bridges.includes(nic.link)) report.add(field, `there is no bridge ${nic.link}`);
    if (nic.link !== null) return;
    const name = nic.network ?? "default";
    const network = offers.networks.find((one) => one.name === name);
    if (!network) report.add(field, `there is no network ${name}`);
    else if (!network.active) report.add(field, `the network ${name} is not active: virsh net-start ${name}`);
  });
  checkMachine(request, offers, report);
}

/** What virt-install would take apart. */
function checkWord(field: string, word: string, report: Report): void {
  if (!isOptionWord(word))
    report.add(field, `"${word}": virt-install can't take a blank, comma, quote or backslash here`);
}

function checkMedia({ media, osinfo, start, disks }: LibvirtRequest, offers: LibvirtOffers, report: Report): void {
  const installs = media.kind === "iso" || media.kind === "location" || media.kind === "pxe" || media.kind === "cloud";
  if (!start && installs)
    report.add("start", "an installation begins with its start; only a ready disk can be left off");
  if (media.kind === "none" && disks.length === 0) report.add("media", "there is nothing that it could boot");
  if (media.kind === "location") {
    if (media.location === "") report.add("media.location", "it needs a URL or a directory");
    else checkWord("media.location", media.location, report);
    if ((media.kernel === null) !== (media.initrd === null))
      report.add("media.kernel", "kernel and initrd go together");
    for (const word of [media.kernel, media.initrd]) if (word !== null) checkWord("media.kernel", word, report);
  }
  for (const { field, path } of libvirtFiles({ media, disks })) {
    if (path === "") report.add(field, "it needs the path of a file on that host");
    else if (!path.startsWith("/")) report.add(field, `"${path}" is no absolute path`);
    else if (offers.files.get(path) === null) report.add(field, `there is no ${path} on that host`);
    if (media.kind !== "iso" || field !== "media.iso") checkWord(field, path, report);
  }
  if (media.kind === "import" || media.kind === "cloud") {
    const format = offers.files.get(media.image)?.format;
    if (media.copy !== null && format === "other") {
      report.add(`media.${media.kind}`, "only qcow2 and raw images are copied: convert it with qemu-img convert");
    }
  }
  if (media.kind === "cloud") checkCloud(media.cloudInit, report);
  if (osinfo !== null && offers.systems.length > 0 && !offers.systems.includes(osinfo)) {
    report.add("osinfo", `that host knows no ${osinfo}${nearest(osinfo, offers.systems)}`);
  }
}

function checkCloud(cloud: Extract<LibvirtRequest["media"], { kind: "cloud" }>["cloudInit"], report: Report): void {
  for (const key of cloud.keys) {
    if (!/^(?:ssh|ecdsa|sk)-\S+ [A-Za-z0-9+/=]+/.test(key)) report.add("media.keys", "this is no public key of ssh");
  }
  if (cloud.user !== null && !/^[a-z_][a-z0-9_-]*$/.test(cloud.user))
    report.add("media.user", `"${cloud.user}" is no account`);
  if (cloud.userData === null && cloud.keys.length === 0) report.add("media.keys", "nobody could log in without a key");
}

/** The same system in the versions that are known: the newest ones first, as virt-install lists them. */
function nearest(osinfo: string, systems: readonly string[]): string {
  const family = /^[a-z-]+/.exec(osinfo)?.[0] ?? "";
  const near = systems.filter((name) => family !== "" && name.startsWith(family) && /\d/.test(name)).slice(0, 3);
  const generic = systems.find((name) => /^linux20\d\d$/.test(name));
  const ways = [...near, ...(generic ? [generic] : [])];
  return ways.length > 0 ? `: take ${ways.join(", ")}, or leave it to be detected` : ": leave it to be detected";
}

function checkPower(
  request: LibvirtRequest,
  offers: LibvirtOffers,
  { overcommit }: CheckOptions,
  report: Report,
): void {
  const { memoryMiB, vcpus, start } = request;
  const { memoryMiB: total, memoryFreeMiB: free, cpus, maximumVcpus } = offers;
  if (total !== null && memoryMiB > total) report.add("memory", `the host has ${total} MiB`);
  else if (start && !overcommit && free !== null && memoryMiB > free) {
    report.add("memory", `the host has ${free} MiB free of ${total ?? "?"}`);
  }
  if (maximumVcpus !== null && vcpus > maximumVcpus) report.add("vcpus", `a guest there has at most ${maximumVcpus}`);
  else if (cpus !== null && !overcommit && vcpus > cpus) report.add("vcpus", `the host has ${cpus} CPUs`);
}

function checkDisks(request: LibvirtRequest, offers: LibvirtOffers, options: CheckOptions, report: Report): void {
  const { media, name } = request;
  /** MiB taken from each pool by this instance so far. */
  const taken = new Map<string, number>();
  const room = (field: string, pool: OfferedPool, sizeMiB: number) => {
    const before = taken.get(pool.name) ?? 0;
    taken.set(pool.name, before + sizeMiB);
    const { availableMiB } = pool;
    if (!options.overcommit && availableMiB !== null && before + sizeMiB > availableMiB) {
      const what = before === 0 ? `${sizeMiB}` : `${before} + ${sizeMiB}`;
      report.add(field, `the pool ${pool.name} has ${availableMiB} MiB free, ${what} are wanted`);
    }
  };
  const poolOf = (field: string, poolName: string): OfferedPool | null => {
    checkWord(field, poolName, report);
    const pool = offers.pools.find((one) => one.name === poolName);
    if (!pool) report.add(field, `there is no pool ${poolName}`);
    else if (!pool.active) report.add(field, `the pool ${poolName} is not active: virsh pool-start ${poolName}`);
    return pool?.active ? pool : null;
  };
  const newVolume = (field: string, pool: OfferedPool, volume: string, sizeMiB: number) => {
    checkWord(field, volume, report);
    if (pool.volumes.some((one) => one.name === volume)) {
      report.add(field, `the pool ${pool.name} has a volume ${volume} already`);
    }
    room(field, pool, sizeMiB);
  };
  const copied: ImageCopy | null = media.kind === "import" || media.kind === "cloud" ? media.copy : null;
  if (copied !== null && (media.kind === "import" || media.kind === "cloud")) {
    const pool = poolOf("media.pool", copied.pool);
    const facts = offers.files.get(media.image);
    if (pool && facts) {
      const own = mebibytes(facts.virtualBytes);
      const volume = copied.volume ?? volumeName(name, 0, facts.format === "qcow2" ? "qcow2" : "raw");
      if (copied.sizeMiB !== null && copied.sizeMiB < own) report.add("media.size", `the image itself has ${own} MiB`);
      newVolume("media.pool", pool, volume, Math.max(own, copied.sizeMiB ?? 0));
    }
  }
  const hasImage = media.kind === "import" || media.kind === "cloud";
  /** Files and devices that it has already. */
  const seen = new Set<string>();
  const once = (field: string, path: string, name: string) => {
    const owner = offers.usedDisks?.get(path);
    if (seen.has(path)) report.add(field, `${name} is a disk of it already`);
    else if (owner !== undefined) report.add(field, `${name} is a disk of ${owner}`);
    seen.add(path);
  };
  if (media.kind === "import" && media.copy === null && media.image !== "")
    once("media.import", media.image, media.image);
  request.disks.forEach((disk, index) => {
    const field = `disks.${index}`;
    if (disk.kind === "path") {
      if (disk.path !== "") once(field, disk.path, disk.path);
      return;
    }
    if (disk.kind === "volume" && disk.volume === "") {
      report.add(field, "it needs a volume that is there");
      return;
    }
    const pool = poolOf(field, disk.pool);
    if (!pool) return;
    if (disk.kind === "volume") {
      checkWord(field, disk.volume, report);
      const there = pool.volumes.find((one) => one.name === disk.volume);
      if (there) once(field, there.path, `${disk.pool}/${disk.volume}`);
      else report.add(field, `the pool ${disk.pool} has no volume ${disk.volume}`);
    } else if (!(disk.sizeMiB >= 1)) report.add(`${field}.size`, "a disk has at least 1 MiB");
    else {
      const volume = disk.volume ?? volumeName(name, index + (hasImage ? 1 : 0), disk.format);
      newVolume(field, pool, volume, disk.sizeMiB);
      once(field, `${pool.name}/${volume}`, `${pool.name}/${volume}`);
    }
  });
}

function checkMachine(request: LibvirtRequest, offers: LibvirtOffers, report: Report): void {
  const { arch, machine, firmware, virtType } = request;
  const known = arch === null ? offers.archs : offers.archs.filter((one) => one.arch === arch);
  const names = offers.archs.map((one) => one.arch).join(", ");
  if (arch !== null && known.length === 0)
    report.add("arch", `that host can't run ${arch}, only ${names || "nothing"}`);
  if (known.length === 0) return;
  if (machine !== null && !known.some(({ machines }) => machines.includes(machine))) {
    report.add("machine", `that host has no machine type ${machine}`);
  }
  const types = [...new Set(known.flatMap(({ virtTypes }) => virtTypes))];
  if (virtType !== null && !types.includes(virtType)) report.add("virtType", `that host has ${types.join(", ")}`);
  if (firmware === "uefi" && arch === null && !offers.firmwares.includes("uefi")) {
    report.add("firmware", "that host has no UEFI firmware for guests: apt-get install ovmf");
  }
}
