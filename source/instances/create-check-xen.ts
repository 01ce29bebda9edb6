/** The checks of a request for a Xen host: what it can run, memory, disks with their room, cards, its file in /etc/xen. */
import { mebibytes } from "../tools/disk-image.ts";
import { configPath, targetOf } from "../tools/xl-create.ts";
import { mountOf, type XenOffers } from "../tools/xl-offers.ts";
import type { CheckOptions, Report } from "./create-check.ts";
import type { XenDisk, XenRequest } from "./create-types.ts";

interface NamedFile {
  field: string;
  path: string;
}

/** Files that must be there: what it boots, disks that are used in place, images that are copied. */
export function xenFiles({ boot, disks }: Pick<XenRequest, "boot" | "disks">): NamedFile[] {
  const files: NamedFile[] = [];
  if (boot.kind === "kernel") {
    files.push({ field: "boot.kernel", path: boot.kernel });
    if (boot.ramdisk !== null) files.push({ field: "boot.ramdisk", path: boot.ramdisk });
  }
  if (boot.kind === "iso") files.push({ field: "boot.iso", path: boot.iso });
  disks.forEach((disk, index) => {
    if (disk.kind === "path") files.push({ field: `disks.${index}`, path: disk.path });
    else if (disk.image !== null) files.push({ field: `disks.${index}`, path: disk.image });
  });
  return files;
}

export function checkXen(request: XenRequest, offers: XenOffers, options: CheckOptions, report: Report): void {
  const { name, nics } = request;
  // xl reads a name of digits as a domain's number.
  if (/^\d+$/.test(name)) report.add("name", "xl would take a name of digits only for a domain's number");
  else if (offers.configs.includes(configPath(name)) && !offers.names.includes(name)) {
    report.add("name", `there is a ${configPath(name)} already, of a domain with another name`);
  }
  checkPower(request, offers, options, report);
  checkBoot(request, offers, report);
  checkDisks(request, offers, options, report);
  nics.forEach(({ link, network }, index) => {
    if (network !== null) report.add(`nics.${index}`, "Xen knows no networks: name a bridge of the host");
    else if (link === null) report.add(`nics.${index}`, "that host has no bridge");
    else if (!offers.bridges.includes(link)) report.add(`nics.${index}`, `there is no bridge ${link}`);
  });
}

function checkPower(request: XenRequest, offers: XenOffers, { overcommit }: CheckOptions, report: Report): void {
  const { memoryMiB, vcpus, start, type } = request;
  const { memoryMiB: total, memoryFreeMiB: free, cpus, balloons } = offers;
  if (total !== null && memoryMiB > total) report.add("memory", `the host has ${total} MiB`);
  else if (start && !overcommit && !balloons && free !== null && memoryMiB > free) {
    report.add("memory", `Xen has ${free} MiB free of ${total ?? "?"}`);
  }
  if (cpus !== null && vcpus > cpus && !overcommit) report.add("vcpus", `the host has ${cpus} CPUs`);
  if (!offers.types.includes(type)) {
    report.add("type", `that host can run ${offers.types.join(", ") || "nothing"}, and no ${type} guests`);
  }
}

/** What would end a word or a line of the file. */
const unfit = /["\\\n\r]/;

function checkPath(field: string, path: string, offers: XenOffers, report: Report): void {
  if (!path.startsWith("/")) report.add(field, `"${path}" is no absolute path`);
  else if (unfit.test(path)) report.add(field, "a path with quotes or backslashes can't stand in a domain's file");
  else if (offers.files.get(path) === null) report.add(field, `there is no ${path} on that host`);
}

function checkBoot(request: XenRequest, offers: XenOffers, report: Report): void {
  const { boot, type, disks, start } = request;
  for (const { field, path } of xenFiles(request)) checkPath(field, path, offers, report);
  if ((boot.kind === "iso" || boot.kind === "disk") && type !== "hvm") {
    report.add("boot", `a ${type} guest has no firmware: give it a kernel or pygrub, or make it hvm`);
  }
  if (boot.kind === "bootloader") {
    if (type === "hvm") report.add("boot", "an hvm guest boots by its firmware, not by a boot loader of dom0's");
    const [first] = disks;
    if (!first) report.add("boot", `${boot.bootloader} reads the first disk, and there is none`);
    else if (start && first.kind !== "path" && first.image === null) {
      report.add(
        "boot",
        `${boot.bootloader} reads the first disk, and that one is new and empty: copy an image onto it`,
      );
    }
    if (boot.bootloader === "pygrub" && !offers.hasPygrub) report.add("boot", "pygrub is not there (xen-utils)");
  }
  if (boot.kind === "disk" && disks.length === 0) report.add("boot", "there is nothing that it could boot");
}

function checkDisks(request: XenRequest, offers: XenOffers, options: CheckOptions, report: Report): void {
  /** MiB taken from each place by this domain so far. */
  const taken = new Map<string, number>();
  const seen = new Set<string>();
  const room = (field: string, place: string, freeMiB: number, sizeMiB: number) => {
    const before = taken.get(place) ?? 0;
    taken.set(place, before + sizeMiB);
    if (!options.overcommit && before + sizeMiB > freeMiB) {
      const what = before === 0 ? `${sizeMiB}` : `${before} + ${sizeMiB}`;
      report.add(field, `${place} has ${freeMiB} MiB free, ${what} are wanted`);
    }
  };
  request.disks.forEach((disk, index) => {
    const field = `disks.${index}`;
    const target = targetOf(disk);
    if (seen.has(target)) report.add(field, `${target} is a disk of it already`);
    seen.add(target);
    const owner = offers.usedDisks.get(target);
    if (owner !== undefined) report.add(field, `${target} is a disk of ${owner}`);
    if (disk.kind === "path") {
      const facts = offers.files.get(target);
      if (facts && facts.format !== disk.format) {
        const is = facts.format === "other" ? "neither raw nor qcow2" : `${facts.format}: say so`;
        report.add(field, `${target} is ${is}`);
      }
      return;
    }
    checkNew(disk, field, offers, report);
    if (disk.kind === "volume") {
      const group = offers.groups.find(({ name }) => name === disk.group);
      if (!group) report.add(field, `there is no volume group ${disk.group}`);
      else if (group.volumes.includes(disk.volume ?? "")) {
        report.add(field, `the volume group ${disk.group} has a volume ${disk.volume} already`);
      } else room(field, `the volume group ${disk.group}`, group.freeMiB, disk.sizeMiB);
      return;
    }
    if (!target.startsWith("/")) report.add(field, `"${target}" is no absolute path`);
    else if (unfit.test(target)) report.add(field, "a path with quotes or backslashes can't stand in a domain's file");
    else if (offers.files.get(target))
      report.add(field, `there is a ${target} already: give it as path without a size`);
    const mount = mountOf(offers.mounts, target);
    if (mount) room(field, mount.path, mount.freeMiB, disk.sizeMiB);
  });
}

function checkNew(disk: Exclude<XenDisk, { kind: "path" }>, field: string, offers: XenOffers, report: Report): void {
  if (!(disk.sizeMiB >= 1)) report.add(`${field}.size`, "a disk has at least 1 MiB");
  if (disk.image === null) return;
  const facts = offers.files.get(disk.image);
  if (!facts) return;
  if (facts.format !== "raw") {
    report.add(field, `only raw images are copied, and ${disk.image} is ${facts.format}: qemu-img convert makes one`);
  } else if (mebibytes(facts.bytes) > disk.sizeMiB) {
    report.add(`${field}.size`, `the image itself has ${mebibytes(facts.bytes)} MiB`);
  }
}
