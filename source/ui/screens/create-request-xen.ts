/** What the fields of a Xen domain or a XenServer guest stand for. Pure. */
import type { XenData, XenDiskData, XenServerData } from "../../instances/create-file.ts";
import type { Values } from "../components/form.tsx";
import { commonData, given, valueAt as of } from "./create-request-parts.ts";

const sizes = (text: string) => text.split(/[\s,]+/).filter(Boolean);

function bootOf(values: Values): XenData["boot"] {
  const kind = of(values, "type") === "hvm" ? of(values, "bootHvm") : of(values, "bootPv");
  switch (kind) {
    case "kernel":
      return {
        kernel: of(values, "kernel"),
        ...given("ramdisk", of(values, "ramdisk")),
        ...given("arguments", of(values, "extra")),
      };
    case "pygrub":
      return { bootloader: "pygrub" };
    case "iso":
      return { iso: of(values, "iso") };
    default:
      return { disk: true };
  }
}

function disksOf(values: Values): XenDiskData[] {
  const all = [of(values, "size"), ...sizes(of(values, "more"))];
  switch (of(values, "disk")) {
    case "file":
      // What is copied goes onto the first one.
      return all.map((size, index) => ({
        ...{ size, ...given("directory", of(values, "directory")) },
        ...(index === 0 ? given("image", of(values, "image")) : {}),
      }));
    case "volume":
      return all.map((size, index) => ({
        ...{ size, group: of(values, "group") },
        ...(index === 0 ? given("image", of(values, "image")) : {}),
      }));
    case "path":
      return [{ path: of(values, "path"), format: of(values, "format") === "qcow2" ? "qcow2" : "raw" }];
    default:
      return [];
  }
}

export function xenData(values: Values, host: string): XenData {
  const type = of(values, "type");
  const bridge = of(values, "bridge");
  return {
    provider: "xen",
    ...commonData(values, host),
    type: type === "hvm" || type === "pvh" ? type : "pv",
    boot: bootOf(values),
    disks: disksOf(values),
    nics: bridge === "" ? [] : [{ bridge, ...given("mac", of(values, "mac")) }],
    ...(of(values, "graphics") === "vnc" ? { graphics: "vnc" as const } : {}),
  };
}

export function xenServerData(values: Values, host: string): XenServerData {
  const network = of(values, "vif");
  const further = sizes(of(values, "further"));
  const repository = given("repository", of(values, "repository"));
  const nics = network === "none" ? [] : [{ network, ...given("mac", of(values, "mac")) }];
  const install = of(values, "install");
  return {
    provider: "xenserver",
    ...commonData(values, host),
    template: of(values, "template"),
    ...repository,
    ...(further.length > 0 ? { disks: further.map((size) => ({ size })) } : {}),
    ...(network === "template" ? {} : { nics }),
    ...(install === "iso" ? given("iso", of(values, "isoName")) : {}),
    ...(install === "location" ? given("location", of(values, "location")) : {}),
    ...given("note", of(values, "note")),
  };
}

const xenProblems: Readonly<Record<string, string>> = { kernel: "kernel", ramdisk: "ramdisk", iso: "iso" };

/** The field of the form that a problem of a Xen domain belongs to. */
export function xenFieldOf(field: string, values: Values): string {
  const [head = "", second = "", third = ""] = field.split(".");
  if (head === "boot") return xenProblems[second] ?? (of(values, "type") === "hvm" ? "bootHvm" : "bootPv");
  if (head === "disks") {
    if (second !== "0" && second !== "") return "more";
    const kinds: Readonly<Record<string, string>> = {
      file: third === "size" ? "size" : "directory",
      volume: third === "size" ? "size" : "group",
      path: "path",
    };
    return kinds[of(values, "disk")] ?? "disk";
  }
  if (head === "nics") return third === "mac" ? "mac" : "bridge";
  return head === "host" || head === "provider" ? "place" : head;
}

export function xenServerFieldOf(field: string): string {
  const [head = "", , third = ""] = field.split(".");
  const fields: Readonly<Record<string, string>> = {
    ...{ disks: "further", iso: "isoName", host: "place", provider: "place" },
    nics: third === "mac" ? "mac" : "vif",
  };
  return fields[head] ?? head;
}
