/** What the fields of a Xen domain or a XenServer guest stand for. Pure. */
import type { XenData, XenDiskData, XenServerData } from "../../instances/create-file.ts";
import type { Values } from "../components/form.tsx";
import { diskFieldOf, realDisks, valuesOfDisk } from "./create-disks.ts";
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

function diskOf(values: Values): XenDiskData {
  const made = { size: of(values, "size"), ...given("image", of(values, "image")) };
  switch (of(values, "disk")) {
    case "volume":
      return { ...made, group: of(values, "group") };
    case "path":
      return { path: of(values, "path"), format: of(values, "format") === "qcow2" ? "qcow2" : "raw" };
    default:
      return { ...made, ...given("directory", of(values, "directory")) };
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
    disks: realDisks(values).map((suffix) => diskOf(valuesOfDisk(values, suffix))),
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
    const fields = (kind: string) => {
      if (kind === "path") return "path";
      return third === "size" ? "size" : kind === "volume" ? "group" : "directory";
    };
    return diskFieldOf(second, values, (kind) => kind === "path", fields);
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
