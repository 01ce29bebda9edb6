/**
 * What makes a domain of `xl`: its disks, its file in /etc/xen, its start. Nothing that exists is ever written over: files are
 * opened by the shell with `set -C` (O_EXCL), and lvcreate refuses a name that is taken. Formats: xl.cfg(5),
 * xl-disk-configuration(5), xl-network-configuration(5) of Xen 4.17.
 */
import type { NicRequest, XenDisk, XenRequest } from "../instances/create-types.ts";
import { type Command, sh } from "../ssh/command.ts";
import { configDirectory, rootShell, type XlAccess, xl } from "./xl.ts";
import { explainXl, type XlExplanation } from "./xl-errors.ts";

/** Where a domain's file is kept: what lies there is listed while it is off, and can be started with the host. */
export function configPath(name: string): string {
  return `${configDirectory}/${name}.cfg`;
}

/** The name of the n-th disk that is made for a domain, without an ending. */
export function diskName(name: string, index: number): string {
  return `${name}${index === 0 ? "" : `-${index + 1}`}`;
}

/** Where a disk is once it is made. */
export function targetOf(disk: XenDisk): string {
  return disk.kind === "volume" ? `/dev/${disk.group}/${disk.volume}` : (disk.path ?? "");
}

/** xl takes strings apart at nothing; a quote or a backslash in one is escaped. */
const text = (value: string) => `"${value.replaceAll(/["\\]/g, "\\$&")}"`;

/**
 * The disks' lines. A drive for media takes the third place, where firmware looks for one. `target=` comes last: it takes all
 * that is left, commas too.
 */
function diskWords({ disks, boot }: XenRequest): string[] {
  const letters = [..."abcdefghijklmnopqrstuvwxyz"].filter((letter) => boot.kind !== "iso" || letter !== "c");
  const own = disks.map((disk, index) => {
    const format = disk.kind === "path" ? disk.format : "raw";
    return `format=${format},vdev=xvd${letters[index]},access=rw,target=${targetOf(disk)}`;
  });
  return boot.kind === "iso" ? [...own, `format=raw,vdev=xvdc,access=ro,devtype=cdrom,target=${boot.iso}`] : own;
}

function nicWord({ mac, link, ip }: NicRequest): string {
  return [mac && `mac=${mac}`, link && `bridge=${link}`, ip && `ip=${ip}`].filter(Boolean).join(",");
}

function bootLines({ boot, type, graphics }: XenRequest): string[] {
  const screen = type === "hvm" ? [`vnc = ${graphics === "vnc" ? 1 : 0}`, 'serial = "pty"'] : [];
  const drawn = type !== "hvm" && graphics === "vnc" ? ['vfb = [ "type=vnc" ]'] : [];
  switch (boot.kind) {
    case "kernel":
      return [
        `kernel = ${text(boot.kernel)}`,
        ...(boot.ramdisk === null ? [] : [`ramdisk = ${text(boot.ramdisk)}`]),
        ...(boot.extraArgs === "" ? [] : [`extra = ${text(boot.extraArgs)}`]),
        ...screen,
        ...drawn,
      ];
    case "bootloader":
      return [`bootloader = ${text(boot.bootloader)}`, ...drawn];
    // The disk first: while nothing is installed on it, the firmware goes on to the drive.
    case "iso":
      return ['boot = "cd"', ...screen];
    case "disk":
      return ['boot = "c"', ...screen];
  }
}

/** The lines of a domain's file. */
export function configLines(request: XenRequest): string[] {
  const { name, uuid, type, memoryMiB, vcpus, nics } = request;
  const list = (words: readonly string[]) => `[ ${words.map(text).join(", ")} ]`;
  const disks = diskWords(request);
  return [
    ...[`name = ${text(name)}`, `uuid = ${text(uuid)}`, `type = ${text(type)}`],
    ...[`memory = ${memoryMiB}`, `vcpus = ${vcpus}`],
    ...bootLines(request),
    ...(disks.length > 0 ? [`disk = ${list(disks)}`] : []),
    ...(nics.length > 0 ? [`vif = ${list(nics.map(nicWord))}`] : []),
  ];
}

/** A file that is made where none is; taken away again when it can't be filled. */
function newFile(path: string, fill: Command): Command {
  return sh`(set -C; : >${path}) && { ${fill} || { s=$?; rm -f ${path}; exit $s; }; }`;
}

/** An image is copied without its holes; what is larger than it is a hole, too. */
function copyOf(image: string, target: string): Command {
  return sh`dd if=${image} of=${target} bs=4M conv=notrunc,sparse status=none`;
}

/** A sparse file as a disk; its directory is made where there is none. */
export function makeFile(access: XlAccess, path: string, sizeMiB: number, image: string | null): Command {
  const directory = path.slice(0, path.lastIndexOf("/")) || "/";
  const size = sh`truncate -s ${`${sizeMiB}M`} ${path}`;
  const fill = image === null ? size : sh`${size} && ${copyOf(image, path)}`;
  return rootShell(access, sh`mkdir -p ${directory} && ${newFile(path, fill)}`);
}

/** A logical volume; old signatures at its place are wiped without a question. */
export function makeVolume(
  access: XlAccess,
  { group, volume, sizeMiB }: { group: string; volume: string; sizeMiB: number },
  image: string | null,
): Command {
  const make = sh`lvcreate -q -y -W y -n ${volume} -L ${`${sizeMiB}m`} ${group}`;
  const target = `/dev/${group}/${volume}`;
  const fill = image === null ? sh`true` : copyOf(image, target);
  const whole =
    image === null ? make : sh`${make} && { ${fill} || { s=$?; lvremove -q -f ${`${group}/${volume}`}; exit $s; }; }`;
  return rootShell(access, whole);
}

export function removeFile(access: XlAccess, path: string): Command {
  return rootShell(access, sh`rm -f ${path}`);
}

export function removeVolume(access: XlAccess, group: string, volume: string): Command {
  return rootShell(access, sh`lvremove -q -f ${`${group}/${volume}`}`);
}

/** Its file, line by line, only where there is none. */
export function writeConfig(access: XlAccess, request: XenRequest): Command {
  const path = configPath(request.name);
  return rootShell(access, newFile(path, sh`printf '%s\\n' ${configLines(request)} >${path}`));
}

/** Removes the file only if this domain's UUID stands in it; status 3: it is another's, or not there. */
export function removeConfig(access: XlAccess, { name, uuid }: Pick<XenRequest, "name" | "uuid">): Command {
  const path = configPath(name);
  return rootShell(access, sh`if grep -qsF ${uuid} ${path}; then rm -f ${path}; else exit 3; fi`);
}

/** Whether xl takes the file for a domain; nothing is made. */
export function tryConfig(access: XlAccess, name: string): Command {
  return sh`${xl(access, ["create", "-q", "-n", configPath(name)], 30)} >/dev/null`;
}

export function startConfig(access: XlAccess, name: string): Command {
  return xl(access, ["create", "-q", configPath(name)]);
}

export function destroyDomain(access: XlAccess, id: number): Command {
  return xl(access, ["destroy", String(id)], 60);
}

const storage: readonly [RegExp, (found: RegExpExecArray) => XlExplanation][] = [
  // dash and bash, each in its own words.
  [
    /cannot create (.+?): File exists|(\/[^\n]*): cannot overwrite existing file/,
    (found) => ({ why: `there is a ${found[1] ?? found[2]} already, and it stays as it is` }),
  ],
  [
    /Logical Volume "([^"]+)" already exists in volume group "([^"]+)"/i,
    (found) => ({ why: `the volume group ${found[2]} has a volume ${found[1]} already` }),
  ],
  [
    /Volume group "([^"]+)" has insufficient free space/,
    (found) => ({ why: `the volume group ${found[1]} has not enough room left` }),
  ],
  [/Volume group "([^"]+)" not found/, (found) => ({ why: `there is no volume group ${found[1]}` })],
  [/lvcreate: (?:command )?not found/, () => ({ why: "LVM is not installed there (lvm2)" })],
  [/dd: failed to open '([^']+)': (.*)/, (found) => ({ why: `${found[1]} can't be read: ${found[2]}` })],
];

/** Why a step of a making failed, in the user's words. */
export function explainXenMaking(stderr: string, status: number | null): XlExplanation {
  for (const [pattern, explain] of storage) {
    const found = pattern.exec(stderr);
    if (found) return explain(found);
  }
  return explainXl(stderr, status);
}
