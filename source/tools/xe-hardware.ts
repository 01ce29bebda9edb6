/**
 * Disks and network cards of a guest of XenServer or XCP-ng, changed with `xe`. A disk is a VDI on a repository, plugged into the
 * guest by a VBD in a numbered place; `xvda` is place 0. Written from xapi's own sources (cli_frontend.ml, records.ml).
 */
import { type Command, sh } from "../ssh/command.ts";
import { type XeAccess, xe, xeActionLimit, xeLongLimit, xePollLimit } from "./xe.ts";
import type { XeSubject } from "./xe-actions.ts";
import { uuidOf } from "./xe-parse.ts";

/** How a place is shown: `xvda` for `0`; the word as it is where it is no number. */
export function diskId(place: string): string {
  return /^\d+$/.test(place) && Number(place) < 26 ? `xvd${String.fromCharCode(97 + Number(place))}` : place;
}

function placeOf(id: string): string {
  const letter = /^(?:xvd|hd|sd|vd)([a-z])$/.exec(id)?.[1];
  return letter === undefined ? id : String(letter.charCodeAt(0) - 97);
}

/** Puts the only UUID that `find` prints into a variable; what is there twice, or not at all, ends the line with a word. */
function only(variable: string, find: Command, what: string): Command {
  const [none, several] = [`Error: there is no ${what}`, `Error: there are several of ${what}: give the UUID`];
  return sh`${variable}=$(${find}) && case $${variable} in *,*) echo ${several} >&2; exit 1;; "") echo ${none} >&2; exit 1;; esac`;
}

/** By its UUID, or by its name where only one has it. */
function named(access: XeAccess, variable: string, verb: string, what: string, word: string): Command {
  if (uuidOf(word) !== null) return sh`${variable}=${word}`;
  const find = xe(access, [verb, `name-label=${word}`, "params=uuid", "--minimal"], xePollLimit);
  return only(variable, find, `${what} called ${word}`);
}

/** The VBD or VIF of a guest in a place, with what is asked of it. */
function inPlace(access: XeAccess, vm: string, kind: "vbd" | "vif", place: string, param: string): Command {
  const field = kind === "vbd" ? "userdevice" : "device";
  return xe(
    access,
    [`${kind}-list`, `vm-uuid=${vm}`, `${field}=${place}`, `params=${param}`, "--minimal"],
    xePollLimit,
  );
}

const live = (guest: XeSubject) => guest.powerState !== "halted";

/** `sr`: UUID or name of a storage repository, or null for the pool's default. */
export function xeAddDisk(access: XeAccess, { uuid }: XeSubject, mebibytes: number, sr: string | null): Command {
  const add = xe(access, ["vm-disk-add", `uuid=${uuid}`, `disk-size=${mebibytes}MiB`, "device=autodetect"]);
  if (sr === null) return add;
  return sh`${named(access, "sr", "sr-list", "storage repository", sr)} && ${add} sr-uuid="$sr"`;
}

/** To a new size; xapi refuses a smaller one. */
export function xeGrowDisk(access: XeAccess, { uuid }: XeSubject, disk: string, mebibytes: number): Command {
  const find = only("vdi", inPlace(access, uuid, "vbd", placeOf(disk), "vdi-uuid"), `disk ${disk}`);
  return sh`${find} && ${xe(access, ["vdi-resize"], xeLongLimit)} uuid="$vdi" ${[`disk-size=${mebibytes}MiB`]}`;
}

/** Taken out of the guest; without `keep` what is on it is deleted too. */
export function xeRemoveDisk(access: XeAccess, guest: XeSubject, disk: string, keep: boolean): Command {
  const place = placeOf(disk);
  const parts = [only("vbd", inPlace(access, guest.uuid, "vbd", place, "uuid"), `disk ${disk}`)];
  if (!keep) parts.push(only("vdi", inPlace(access, guest.uuid, "vbd", place, "vdi-uuid"), `image on disk ${disk}`));
  if (live(guest)) parts.push(sh`${xe(access, ["vbd-unplug"])} uuid="$vbd" timeout=60`);
  parts.push(sh`${xe(access, ["vbd-destroy"])} uuid="$vbd"`);
  if (!keep) parts.push(sh`${xe(access, ["vdi-destroy"], xeActionLimit)} uuid="$vdi"`);
  return parts.reduce((one, other) => sh`${one} && ${other}`);
}

/** In the first place that is free: for cards xapi finds none by itself. */
export function xeAddCard(access: XeAccess, guest: XeSubject, network: string): Command {
  const { uuid } = guest;
  const free = xe(access, ["vm-param-get", `uuid=${uuid}`, "param-name=allowed-VIF-devices"], xePollLimit);
  const make = sh`vif=$(${xe(access, ["vif-create", `vm-uuid=${uuid}`])} network-uuid="$net" device="\${at%%;*}")`;
  const plug = live(guest) ? sh` && ${xe(access, ["vif-plug"])} uuid="$vif"` : sh``;
  return sh`${named(access, "net", "network-list", "network", network)} && at=$(${free}) && ${make}${plug}`;
}

export function xeRemoveCard(access: XeAccess, guest: XeSubject, card: string): Command {
  const find = only("vif", inPlace(access, guest.uuid, "vif", card, "uuid"), `network card ${card}`);
  const unplug = live(guest) ? sh`${xe(access, ["vif-unplug"])} uuid="$vif" && ` : sh``;
  return sh`${find} && ${unplug}${xe(access, ["vif-destroy"])} uuid="$vif"`;
}
