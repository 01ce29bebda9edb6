/** What the form of the five steps stands for: the same data as a file of `virtu create -f`. Pure. */
import type { Offers } from "../../instances/create-check.ts";
import type { CreateData, GanetiData, LibvirtData } from "../../instances/create-file.ts";
import type { CreateProblem } from "../../instances/create-types.ts";
import type { Values } from "../components/form.tsx";
import { diskFieldOf, disksIn, realDisks, valuesOfDisk } from "./create-disks.ts";
import { typedPath } from "./create-fields.ts";
import { commonData, given, valueAt as of } from "./create-request-parts.ts";
import { xenData, xenFieldOf, xenServerData, xenServerFieldOf } from "./create-request-xen.ts";
import { parsePairs, parseSize, parseSizes } from "./create-sizes.ts";

/** `network default`, `bridge br0` or nothing, as the cards of a file. */
function nicsOf(values: Values, field: string): CreateData["nics"] {
  const [, kind, name = ""] = /^(network|bridge) (.*)$/s.exec(of(values, field)) ?? [];
  const more = { ...given("mac", of(values, "mac")), ...given("ip", of(values, "ip")) };
  if (kind === "network") return [{ network: name, ...more }];
  if (kind === "bridge") return [{ bridge: name, ...more }];
  return Object.keys(more).length > 0 && of(values, field) === "" ? [more] : [];
}

function mediaOf(values: Values): LibvirtData["media"] {
  const size = given("size", of(values, "copySize"));
  const pool = given("pool", of(values, "copyPool"));
  const image = of(values, "imageOf") === typedPath ? of(values, "image") : of(values, "imageOf");
  switch (of(values, "media")) {
    case "iso":
      return of(values, "isoOf") === typedPath
        ? { iso: of(values, "iso"), ...given("upload", of(values, "upload")) }
        : { iso: of(values, "isoOf") };
    case "location":
      return { location: of(values, "location"), ...given("arguments", of(values, "extra")) };
    case "pxe":
      return { pxe: true };
    case "import":
      return { import: image, ...(of(values, "copy") === "yes" ? { copy: { ...pool, ...size } } : {}) };
    case "cloud": {
      const key = of(values, "key");
      const login = { ...given("user", of(values, "user")), ...(key ? { keys: [key] } : {}) };
      return { cloud: image, ...pool, ...size, ...login };
    }
    default:
      return undefined;
  }
}

type DiskData = NonNullable<LibvirtData["disks"]>[number];

function diskOf(values: Values): DiskData {
  switch (of(values, "disk")) {
    case "volume": {
      const [, from = "", volume = ""] = /^([^/]*)\/(.*)$/s.exec(of(values, "volume")) ?? [];
      return { pool: from, volume };
    }
    case "path":
      return { path: of(values, "path") };
    default: {
      const format = of(values, "format") === "raw" ? "raw" : "qcow2";
      return { pool: of(values, "pool"), size: of(values, "size"), format };
    }
  }
}

function libvirtData(values: Values, host: string): LibvirtData {
  const media = mediaOf(values);
  const [firmware, graphics] = [of(values, "firmware"), of(values, "graphics")];
  return {
    provider: "libvirt",
    ...commonData(values, host),
    ...(media ? { media } : {}),
    ...given("osinfo", of(values, "osinfo")),
    disks: realDisks(values).map((suffix) => diskOf(valuesOfDisk(values, suffix))),
    nics: nicsOf(values, "network") ?? [],
    ...given("arch", of(values, "arch")),
    ...given("machine", of(values, "machine")),
    ...(firmware === "bios" || firmware === "uefi" ? { firmware } : {}),
    ...given("virtType", of(values, "virtType")),
    ...(graphics === "vnc" || graphics === "spice" ? { graphics } : {}),
  };
}

function ganetiData(values: Values, host: string): GanetiData {
  const install = of(values, "install") !== "no";
  const nics = of(values, "card") === "none" ? [] : nicsOf(values, "card");
  const pairs = (id: string) => parsePairs(of(values, id)) ?? {};
  const sizes =
    of(values, "template") === "diskless"
      ? []
      : of(values, "sizes")
          .split(/[\s,]+/)
          .filter(Boolean);
  const primary = of(values, "primary");
  return {
    provider: "ganeti",
    ...commonData(values, host),
    os: of(values, "os"),
    ...(install ? {} : { install: false, start: false }),
    ...(of(values, "osParameters") ? { osParameters: pairs("osParameters") } : {}),
    diskTemplate: of(values, "template"),
    ...(sizes.length > 0 ? { disks: sizes.map((size) => ({ size })) } : {}),
    ...given("node", primary),
    ...(primary !== "" && of(values, "template") === "drbd" ? given("secondary", of(values, "secondary")) : {}),
    ...(of(values, "card") === "none" || (nics ?? []).length > 0 ? { nics } : {}),
    ...given("hypervisor", of(values, "hypervisor")),
    ...(of(values, "hypervisorParameters") ? { hypervisorParameters: pairs("hypervisorParameters") } : {}),
    ...(of(values, "nameCheck") === "yes" ? { nameCheck: true, ipCheck: true } : {}),
  };
}

/** @param host The host as the user named it. */
export function dataOf(values: Values, provider: Offers["provider"], host: string): CreateData {
  switch (provider) {
    case "ganeti":
      return ganetiData(values, host);
    case "libvirt":
      return libvirtData(values, host);
    case "xen":
      return xenData(values, host);
    case "xenserver":
      return xenServerData(values, host);
  }
}

const mediaFields: Readonly<Record<string, string>> = {
  iso: "iso",
  location: "location",
  kernel: "location",
  import: "image",
  cloud: "image",
  keys: "key",
  user: "user",
  pool: "copyPool",
  size: "copySize",
};

/** The field of the form that a problem belongs to. */
export function fieldOf({ field }: CreateProblem, values: Values, provider: Offers["provider"]): string {
  if (provider === "xen") return xenFieldOf(field, values);
  if (provider === "xenserver") return xenServerFieldOf(field);
  const [head = "", second = "", third = ""] = field.split(".");
  if (head === "media") {
    const own = mediaFields[second] ?? "media";
    const chosen = `${own}Of`;
    return of(values, chosen) === typedPath ? own : chosen;
  }
  if (head === "disks") {
    if (provider === "ganeti") return "sizes";
    const fields = (kind: string) => (kind !== "new" ? kind : third === "size" ? "size" : "pool");
    return diskFieldOf(second, values, (kind) => kind !== "new", fields);
  }
  if (head === "nics") {
    if (third === "mac" || third === "ip") return third;
    return provider === "ganeti" ? "card" : "network";
  }
  const others: Readonly<Record<string, string>> = {
    diskTemplate: "template",
    node: "primary",
    allocator: "primary",
    provider: "place",
    host: "place",
  };
  return others[head] ?? head;
}

/** What is wrong with the fields as they are typed; the host has no part in it. */
export function typedErrors(values: Values): Record<string, string> {
  const errors: Record<string, string> = {};
  const size = (id: string, empty: boolean) => {
    const text = values[id];
    if (text !== undefined && !(empty && text === "") && parseSize(text) === null) errors[id] = "a size: 512M, 10G";
  };
  size("memory", false);
  for (const suffix of disksIn(values)) size(`size${suffix}`, false);
  size("copySize", true);
  for (const id of ["sizes", "further"]) if (parseSizes(of(values, id)) === null) errors[id] = "sizes: 10G 20G";
  const whole = (id: string, most: number) => {
    const text = values[id];
    if (text !== undefined && !(/^[1-9]\d{0,4}$/.test(text) && Number(text) <= most)) errors[id] = `1 to ${most}`;
  };
  whole("vcpus", 9999);
  whole("count", 1000);
  for (const id of ["osParameters", "hypervisorParameters"]) {
    if (parsePairs(of(values, id)) === null) errors[id] = "name=value, with commas between them";
  }
  return errors;
}
