/**
 * What makes a guest of XenServer or XCP-ng, written from xapi's own sources (cli_operations.ml): `vm-install` copies a template
 * with its disks and prints the new UUID; it stands in `$vm` of the lines that follow, as one would type them. `vm-disk-add`
 * marks a disk as the guest's own, and `vm-uninstall` takes such disks away with the guest, never an ISO image.
 */
import type { NicRequest, XenServerRequest } from "../instances/create-types.ts";
import { type Command, sh } from "../ssh/command.ts";
import { type XeAccess, xe, xeActionLimit, xeLongLimit, xePollLimit } from "./xe.ts";
import { parseXeMinimal, uuidOf } from "./xe-parse.ts";

/** The name under which it is made, before it gets its own. */
export function makingName({ uuid }: Pick<XenServerRequest, "uuid">): string {
  return `virtu-${uuid}`;
}

/** With a repository the template's disks are copied as a whole; without one they are cloned where they lie. */
export function installVm(access: XeAccess, request: XenServerRequest): Command {
  const where = request.repository === null ? [] : [`sr-uuid=${request.repository}`];
  const words = ["vm-install", `template=${request.template}`, `new-name-label=${makingName(request)}`, ...where];
  return xe(access, words, xeLongLimit);
}

/** UUID that `vm-install` printed; it may warn before. */
export function parseInstalled(stdout: string): string | null {
  return stdout.split("\n").reduce<string | null>((found, line) => uuidOf(line.trim()) ?? found, null);
}

/** The guest under its first name, as UUIDs. */
export function findMaking(access: XeAccess, request: XenServerRequest): Command {
  return xe(access, ["vm-list", `name-label=${makingName(request)}`, "params=uuid", "--minimal"], xePollLimit);
}

export function parseMaking(stdout: string): string | null {
  return uuidOf(parseXeMinimal(stdout)[0]);
}

export interface XeMakeLine {
  text: string;
  /** With `$vm` as the guest's UUID. */
  command: Command;
  seconds: number;
}

/** One call of xe on the guest. */
function onVm(access: XeAccess, verb: string, words: readonly string[], seconds = xeActionLimit): Command {
  return sh`${xe(access, [verb], seconds)} uuid="$vm" ${words}`;
}

function addCard(access: XeAccess, nic: NicRequest, index: number): Command {
  // With no MAC of its own, xapi derives one from the guest's seed.
  const mac = nic.mac === null ? [] : [`mac=${nic.mac}`];
  const words = [`network-uuid=${nic.network ?? ""}`, `device=${index}`, ...mac];
  return sh`${xe(access, ["vif-create"])} vm-uuid="$vm" ${words} >/dev/null`;
}

/** What is done to a guest that was installed, in turn, up to its start. */
export function xeMakeLines(access: XeAccess, request: XenServerRequest): XeMakeLine[] {
  const { name, memoryMiB, vcpus, disks, nics, iso, location, note, tags, start } = request;
  const line = (text: string, command: Command, seconds = xeActionLimit): XeMakeLine => ({ text, command, seconds });
  const set = (...words: string[]) => onVm(access, "vm-param-set", words);
  // At the start there may never be more vCPUs than the maximum, whatever the template has.
  const fewer = onVm(access, "vm-param-set", ["VCPUs-at-startup=1"]);
  const cards = nics ?? [];
  const drop = sh`for v in $(${xe(access, ["vif-list"], xePollLimit)} vm-uuid="$vm" params=uuid --minimal | tr , ' '); do ${xe(access, ["vif-destroy"])} uuid="$v" || exit; done`;
  return [
    line("giving it memory", onVm(access, "vm-memory-set", [`memory=${memoryMiB}MiB`])),
    line("giving it vCPUs", sh`${fewer} && ${set(`VCPUs-max=${vcpus}`)} && ${set(`VCPUs-at-startup=${vcpus}`)}`),
    ...disks.map(({ sizeMiB, repository }, index) => {
      const where = repository === null ? [] : [`sr-uuid=${repository}`];
      const words = [`disk-size=${sizeMiB}MiB`, "device=autodetect", ...where];
      return line(`adding disk ${index + 1} of ${disks.length}`, onVm(access, "vm-disk-add", words));
    }),
    ...(nics === null ? [] : [line("taking the template's network cards away", drop)]),
    ...cards.map((nic, index) =>
      line(`adding network card ${index + 1} of ${cards.length}`, addCard(access, nic, index)),
    ),
    ...(iso === null
      ? []
      : [line(`putting ${iso} into a drive`, onVm(access, "vm-cd-add", [`cd-name=${iso}`, "device=autodetect"]))]),
    ...(location === null
      ? []
      : [line("telling its installer where from", set(`other-config:install-repository=${location}`))]),
    ...tags.map((tag) =>
      line(`tagging it ${tag}`, onVm(access, "vm-param-add", ["param-name=tags", `param-key=${tag}`])),
    ),
    line("giving it its name", set(`name-label=${name}`, ...(note === "" ? [] : [`name-description=${note}`]))),
    ...(start ? [line("starting it", onVm(access, "vm-start", []))] : []),
  ];
}

/** A line for this guest. */
export function lineFor(vm: string, { command }: XeMakeLine): Command {
  return sh`vm=${vm}; ${command}`;
}

/** Ends and removes it with the disks that are its own; what was inserted is taken out before. */
export function uninstallVm(access: XeAccess, vm: string): Command {
  return xe(access, ["vm-uninstall", `uuid=${vm}`, "force=true"]);
}
