/**
 * `virt-install` and the virsh commands around it (virtinst 4.1, libvirt 9). Measured:
 * - it waits for the install to end unless told `--noautoconsole`, and reads standard input: always `</dev/null`;
 * - `--print-xml` without `--dry-run` makes the disks; with it and `2` it prints the definition alone that stays after an
 *   installation, and where there is none (`--import`), `1` does;
 * - `--osinfo` must be given; `detect=on,require=off` never fails;
 * - an error is a line `ERROR    …` on stderr with status 1, while `WARNING  …` lines stand there on success, too.
 */
import type { ImageFormat, LibvirtDisk, LibvirtRequest, NicRequest } from "../instances/create-types.ts";
import { type Command, sh } from "../ssh/command.ts";

/**
 * A word that stands in a list of options (`--disk vol=POOL/VOLUME`): virt-install splits it at commas and reads quotes and
 * backslashes itself, and has no way to take them as they are.
 */
export function isOptionWord(text: string): boolean {
  return text !== "" && !/[,"'\\\s]/.test(text);
}

/** A volume of a pool that stays in place. */
export interface Volume {
  pool: string;
  volume: string;
}

/** The name of the n-th disk that is made for an instance. */
export function volumeName(name: string, index: number, format: ImageFormat): string {
  return `${name}${index === 0 ? "" : `-${index + 1}`}.${format === "qcow2" ? "qcow2" : "img"}`;
}

function nicWord(nic: NicRequest): string {
  const source = nic.link === null ? `network=${nic.network ?? "default"}` : `bridge=${nic.link}`;
  return nic.mac === null ? source : `${source},mac=${nic.mac}`;
}

function diskWord(disk: Exclude<LibvirtDisk, { kind: "new" }>): string {
  return disk.kind === "path" ? `path=${disk.path}` : `vol=${disk.pool}/${disk.volume}`;
}

/** Files of cloud-init on the host, in their directory. */
export interface CloudFiles {
  directory: string;
  hasNetwork: boolean;
}

function mediaWords({ media }: LibvirtRequest, cloud: CloudFiles | null): string[] {
  if (media.kind === "iso") return ["--cdrom", media.path];
  if (media.kind === "pxe") return ["--pxe"];
  if (media.kind === "location") {
    const inTree = [media.kernel && `,kernel=${media.kernel}`, media.initrd && `,initrd=${media.initrd}`];
    const location = [media.location, ...inTree].filter(Boolean).join("");
    return ["--location", location, ...(media.extraArgs === "" ? [] : ["--extra-args", media.extraArgs])];
  }
  if (media.kind !== "cloud" || cloud === null) return ["--import"];
  const file = (name: string) => `${cloud.directory}/${name}`;
  const files = [`user-data=${file("user-data")}`, `meta-data=${file("meta-data")}`];
  if (cloud.hasNetwork) files.push(`network-config=${file("network-config")}`);
  return ["--import", "--cloud-init", files.join(",")];
}

/**
 * Everything that is asked for, as words of `virt-install`. `made` are the volumes that were made for it beforehand (its
 * image first), in place of media's image and new disks.
 */
function words(uri: string, request: LibvirtRequest, made: readonly Volume[], cloud: CloudFiles | null): string[] {
  const { media, firmware } = request;
  const left = [...made];
  const taken = (): string => {
    const volume = left.shift();
    if (!volume) throw new RangeError(`${request.name}: a volume is missing`);
    return diskWord({ kind: "volume", ...volume });
  };
  const disks = request.disks.map((disk) => (disk.kind === "new" ? null : diskWord(disk)));
  const image = media.kind === "cloud" || (media.kind === "import" && media.copy !== null) ? [taken()] : [];
  if (media.kind === "import" && media.copy === null) image.push(`path=${media.image}`);
  const all = [...image, ...disks.map((disk) => disk ?? taken())];
  const given = [
    ...["--connect", uri, "--name", request.name, "--uuid", request.uuid],
    ...["--memory", String(request.memoryMiB), "--vcpus", String(request.vcpus)],
    ...["--osinfo", request.osinfo ?? "detect=on,require=off"],
    ...mediaWords(request, cloud),
    ...(all.length === 0 ? ["none"] : all).flatMap((word) => ["--disk", word]),
    ...(request.nics.length === 0 ? ["none"] : request.nics.map(nicWord)).flatMap((word) => ["--network", word]),
    ...["--graphics", request.graphics],
  ];
  if (request.arch !== null) given.push("--arch", request.arch);
  if (request.machine !== null) given.push("--machine", request.machine);
  if (request.virtType !== null) given.push("--virt-type", request.virtType);
  if (firmware === "uefi") given.push("--boot", "uefi");
  return given;
}

/** Makes the instance and starts it. */
export function installCommand(
  uri: string,
  request: LibvirtRequest,
  made: readonly Volume[],
  cloud: CloudFiles | null,
): Command {
  return sh`LC_ALL=C.UTF-8 virt-install ${words(uri, request, made, cloud)} --noautoconsole </dev/null`;
}

/** It has an installation first, with a definition of its own that is dropped after it. */
function hasInstallation({ media }: LibvirtRequest): boolean {
  return media.kind === "iso" || media.kind === "location" || media.kind === "pxe";
}

/** Prints the definition that stays and makes nothing. */
export function printCommand(uri: string, request: LibvirtRequest, made: readonly Volume[]): Command {
  return sh`LC_ALL=C.UTF-8 virt-install ${words(uri, request, made, null)} --noautoconsole --dry-run --print-xml ${hasInstallation(request) ? 2 : 1} </dev/null`;
}

/** Defines what comes on standard input. */
export function defineCommand(uri: string): Command {
  return sh`LC_ALL=C.UTF-8 virsh -c ${uri} define /dev/stdin`;
}

const virsh = (uri: string, ...rest: readonly string[]) => sh`LC_ALL=C.UTF-8 virsh -c ${uri} ${rest}`;

export function makeVolume(uri: string, { pool, volume }: Volume, sizeMiB: number, format: ImageFormat): Command {
  return virsh(uri, "vol-create-as", pool, volume, `${sizeMiB}M`, "--format", format);
}

/** Fills a volume with a file of the host, byte for byte. */
export function fillVolume(uri: string, { pool, volume }: Volume, file: string): Command {
  return virsh(uri, "vol-upload", "--pool", pool, "--vol", volume, file);
}

/** Lets libvirt see what a volume holds now. */
export function refreshPool(uri: string, pool: string): Command {
  return virsh(uri, "pool-refresh", pool);
}

export function growVolume(uri: string, { pool, volume }: Volume, sizeMiB: number): Command {
  return virsh(uri, "vol-resize", "--pool", pool, "--vol", volume, `${sizeMiB}M`);
}

export function deleteVolume(uri: string, { pool, volume }: Volume): Command {
  return virsh(uri, "vol-delete", "--pool", pool, "--vol", volume);
}

/** Whether a volume is there: status 0. */
export function findVolume(uri: string, { pool, volume }: Volume): Command {
  return virsh(uri, "vol-info", "--pool", pool, "--vol", volume);
}

/** Whether a domain is there, by the UUID that it was to have: its state, status 1 and `failed to get domain` when not. */
export function findDomain(uri: string, uuid: string): Command {
  return virsh(uri, "domstate", uuid);
}

/** Ends a domain and forgets it, with its UEFI variables; its disks stay. */
export function forgetDomain(uri: string, uuid: string): Command {
  const end = sh`LC_ALL=C.UTF-8 virsh -c ${uri} destroy ${uuid} >/dev/null 2>&1`;
  // A transient domain is gone with its end.
  return sh`${end}; ${virsh(uri, "domstate", uuid)} >/dev/null 2>&1 || exit 0; ${virsh(uri, "undefine", uuid, "--nvram")}`;
}

export interface Explanation {
  why: string;
  hint?: string;
}

/** libvirt reads no pool anew while a volume is made in it: seen of pool-refresh beside vol-create-as. */
const poolBusy = /pool '([^']*)' has asynchronous jobs running/;

const known: readonly [RegExp, (found: RegExpExecArray) => Explanation][] = [
  [
    /virt-install: (?:command )?not found/,
    () => ({ why: "virt-install is not installed there", hint: "apt-get install virtinst" }),
  ],
  [
    /Guest name '([^']+)' is already in use|domain '([^']+)' already exists/,
    (found) => ({ why: `the name ${found[1] ?? found[2]} is in use on that host`, hint: "Choose another name." }),
  ],
  [
    /Disk (\S+) is already in use by other guests \[([^\]]*)\]/,
    (found) => ({
      why: `the disk ${found[1]} belongs to ${(found[2] ?? "").replaceAll("'", "")}`,
      hint: "Copy the image instead of using it in place.",
    }),
  ],
  [
    /storage volume '?([^' ]+)'? exists already|storage vol(?:ume)? '([^']+)' already exists/,
    (found) => ({ why: `there is a volume ${found[1] ?? found[2]} already`, hint: "Name another one, or remove it." }),
  ],
  [
    /capacity will exceed the available pool space.*?\((\d+) M requested capacity > (\d+) M available\)/,
    (found) => ({ why: `the pool has no room: ${found[1]} MiB wanted, ${found[2]} MiB free` }),
  ],
  [/No space left on device|not enough (?:free )?space|insufficient free space/i, () => ({ why: "the pool is full" })],
  [
    /Storage pool not found: no storage pool with matching name '([^']+)'/,
    (found) => ({ why: `there is no pool ${found[1]}`, hint: "virsh pool-list --all shows which there are." }),
  ],
  [
    /[Nn]etwork not found: no network with matching name '([^']+)'/,
    (found) => ({ why: `there is no network ${found[1]}`, hint: "virsh net-list --all shows which there are." }),
  ],
  [
    /[Nn]etwork '([^']+)' is not active/,
    (found) => ({ why: `the network ${found[1]} is not active`, hint: `Start it: virsh net-start ${found[1]}` }),
  ],
  [
    /Cannot get interface MTU on '([^']+)'|Cannot find device "?([^" ]+)"?|bridge '?([\w.-]+)'? does not exist/,
    (found) => ({ why: `there is no bridge ${found[1] ?? found[2] ?? found[3]} on that host` }),
  ],
  [
    /Unknown OS name '([^']+)'/,
    (found) => ({
      why: `that host's list of operating systems has no ${found[1]}`,
      hint: "Take an older version of it, a generic one (linux2022), or leave it to be detected.",
    }),
  ],
  [
    /Validating install media '([^']+)' failed/,
    (found) => ({ why: `there is no ${found[1]} on that host, or it can't be read there` }),
  ],
  [
    /Could not find an installable distribution at (?:URL )?'([^']+)': ?The URL could not be accessed/,
    (found) => ({ why: `that host can't reach ${found[1]}` }),
  ],
  [
    /Could not find an installable distribution at (?:URL )?'([^']+)'|Couldn't find (?:kernel|.*initrd) for install tree/,
    (found) => ({
      why: `there is no install tree that virt-install knows${found[1] ? ` at ${found[1]}` : ""}`,
      hint: "Give the root of the tree, or name kernel and initrd in it.",
    }),
  ],
  [
    /Host does not support domain type (\S+) (?:with machine '([^']+)' )?for virtualization type '[^']*' with architecture '([^']+)'/,
    (found) =>
      found[2]
        ? { why: `that host has no machine type ${found[2]} for ${found[3]}` }
        : { why: `that host can't run ${found[1]} guests of ${found[3]}` },
  ],
  [/Host does not support any virtualization options/, () => ({ why: "that host has no QEMU for this architecture" })],
  [
    /UEFI is not supported|Did not find any UEFI binary path|Unable to find .*efi/i,
    () => ({ why: "that host has no UEFI firmware for guests", hint: "apt-get install ovmf" }),
  ],
  [
    /expected unicast mac address, found multicast '([^']+)'/,
    (found) => ({ why: `${found[1]} is no address of one card: its second digit must be even` }),
  ],
  [
    /Storage volume not found: no storage vol with matching name '([^']+)'/,
    (found) => ({ why: `there is no volume ${found[1]} in that pool` }),
  ],
  [/[Cc]annot allocate memory/, () => ({ why: "the host has not enough memory" })],
  [poolBusy, (found) => ({ why: `somebody makes a volume in the storage pool ${found[1]}`, hint: "Try again." })],
  [
    /Cannot access storage file '([^']+)'[^:]*: (.*)$/m,
    (found) => ({ why: `QEMU can't open ${found[1]}: ${found[2]}` }),
  ],
  [/MAC address '([\da-fA-F:]{17})' is in use/, (found) => ({ why: `the MAC address ${found[1]} is in use` })],
];

/** The `ERROR` of virt-install without that word, with the lines that belong to it. */
function errorText(stderr: string): string | null {
  const found = /^ERROR\s+([\s\S]*?)(?=^Domain installation does not appear|^WARNING |$(?![\s\S]))/m.exec(stderr);
  return found?.[1]?.trim() || null;
}

/** Refused only because a volume is made in a pool just then: asked again, it is done. */
export function isPoolBusy(stderr: string): boolean {
  return poolBusy.test(stderr);
}

/** Why virt-install or virsh made nothing, in the user's words; null where only its own text says more. */
export function explainInstall(stderr: string): Explanation | null {
  for (const [pattern, explain] of known) {
    const found = pattern.exec(stderr);
    if (found) return explain(found);
  }
  const text = errorText(stderr)?.split("\n")[0];
  return text ? { why: text } : null;
}

/** What there is to say though it went well: `Requested memory 128 MiB is less than the recommended 2048 MiB …`. */
export function warnings(stderr: string): string[] {
  return [...stderr.matchAll(/^WARNING {2}(.*)$/gm)]
    .map((found) => found[1] ?? "")
    .filter((text) => !/KVM acceleration not available|Unable to connect to graphical console/.test(text));
}
