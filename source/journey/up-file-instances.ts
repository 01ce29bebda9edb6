/** The part of a way's file that names its first instances. Pure. */
import type { UpInstance } from "./up-types.ts";
import type { Fields } from "./yaml-fields.ts";

export const instanceFields = [
  "name",
  "count",
  "memory",
  "vcpus",
  "disk",
  "os",
  "image",
  "node",
  "network",
  "bridge",
  "start",
] as const;

const name = /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/;
const size = /^(\d{1,9}(?:\.\d+)?)\s*(?:([mgt])(?:i?b)?)?$/i;
const factor: Readonly<Record<string, number>> = { m: 1 / 1024, g: 1, t: 1024 };

/** `10`, `10g`, `512 MiB`: GiB; a bare number counts in `unit`. */
function gib(text: string, unit: "m" | "g"): number {
  const [, number = "", letter = unit] = size.exec(text) ?? [];
  return Number(number) * (factor[letter.toLowerCase()] ?? Number.NaN);
}

/** @param top Where a name that is there twice is said. */
export function readInstances(groups: readonly Fields[], top: Fields): UpInstance[] {
  const all = groups.flatMap(readInstance);
  const twice = all.find(({ name: own }, index) => all.findIndex((other) => other.name === own) !== index);
  if (twice) top.fault("instances", `two instances have the name "${twice.name}"`);
  return all;
}

function readInstance(group: Fields): UpInstance[] {
  const base = group.matching("name", name, "a name of letters, digits, dots and dashes");
  if (!group.has("name")) group.missing("name", "every instance has one");
  const count = group.whole("count", 1, 200);
  const memory = group.matching("memory", size, "a size, like 512, 512m or 2g (MiB without a unit)");
  const sizes = group.texts("disk", size, "a size, like 10, 10g or 500m (GiB without a unit)");
  const one = {
    memoryMiB: memory === null ? 512 : Math.round(gib(memory, "m") * 1024),
    vcpus: group.whole("vcpus", 1, 1024) ?? 1,
    disksGiB: sizes.map((text) => gib(text, "g")).filter((value) => value > 0),
    os: group.matching("os", /^[A-Za-z0-9][\w.+-]*$/, "an OS definition's name"),
    image: group.matching("image", /^\/\S+$/, "an absolute path of a disk image on the nodes"),
    node: group.matching("node", /^[A-Za-z0-9_][\w.@-]*$/, "the name of one of the nodes"),
    network: group.matching("network", /^[A-Za-z0-9][\w.-]*$/, "the name of a network"),
    bridge: group.matching("bridge", /^[A-Za-z0-9][\w.-]{0,14}$/, "the name of a bridge"),
    start: group.flag("start", true),
  };
  if (one.network !== null && one.bridge !== null) group.fault("bridge", "a network and a bridge: one of them only");
  if (memory !== null && one.memoryMiB < 1) group.fault("memory", "no instance runs on so little memory");
  if (base === null) return [];
  if (count === null) return [{ name: base, ...one }];
  // `web` of three is web1, web2, web3; the number stands before the domain.
  const [short = "", ...domain] = base.split(".");
  return Array.from({ length: count }, (_, index) => ({
    name: [`${short}${index + 1}`, ...domain].join("."),
    ...one,
  }));
}
