/** The request that the form of the five steps stands for, and which of its fields a problem belongs to. Pure. */
import type { Offers } from "../../instances/create-check.ts";
import type {
  CreateProblem,
  CreateRequest,
  GanetiRequest,
  LibvirtDisk,
  LibvirtMedia,
  LibvirtRequest,
  NicRequest,
  ReadyWanted,
} from "../../instances/create-types.ts";
import type { Values } from "../components/form.tsx";
import { parsePairs, parseSize, parseSizes } from "./create-sizes.ts";

const of = (values: Values, id: string): string => values[id] ?? "";
const orNull = (values: Values, id: string): string | null => of(values, id) || null;

/** `network default`, `bridge br0` or nothing, as a card. */
function card(values: Values, field: string): NicRequest | null {
  const [kind, name = ""] = of(values, field).split(/ (.*)/s);
  if (kind !== "network" && kind !== "bridge") return null;
  return {
    network: kind === "network" ? name : null,
    link: kind === "bridge" ? name : null,
    mac: orNull(values, "mac"),
    ip: orNull(values, "ip"),
  };
}

function mediaOf(values: Values): LibvirtMedia {
  const copy = () => ({ pool: of(values, "copyPool"), volume: null, sizeMiB: parseSize(of(values, "copySize")) });
  switch (of(values, "media")) {
    case "iso":
      return { kind: "iso", path: of(values, "iso"), upload: orNull(values, "upload") };
    case "location":
      return {
        kind: "location",
        location: of(values, "location"),
        kernel: null,
        initrd: null,
        extraArgs: of(values, "extra"),
      };
    case "pxe":
      return { kind: "pxe" };
    case "import":
      return { kind: "import", image: of(values, "image"), copy: of(values, "copy") === "yes" ? copy() : null };
    case "cloud": {
      const key = of(values, "key");
      const cloudInit = { user: orNull(values, "user"), keys: key ? [key] : [], hostname: orNull(values, "name") };
      return {
        kind: "cloud",
        image: of(values, "image"),
        copy: copy(),
        cloudInit: { ...cloudInit, network: null, userData: null },
      };
    }
    default:
      return { kind: "none" };
  }
}

function disksOf(values: Values): LibvirtDisk[] {
  const [pool, format] = [of(values, "pool"), of(values, "format") === "raw" ? "raw" : "qcow2"] as const;
  const fresh = (sizeMiB: number): LibvirtDisk => ({ kind: "new", pool, volume: null, sizeMiB, format });
  switch (of(values, "disk")) {
    case "new":
      return [parseSize(of(values, "size")) ?? 0, ...(parseSizes(of(values, "more")) ?? [])].map(fresh);
    case "volume": {
      const [from = "", volume = ""] = of(values, "volume").split(/\/(.*)/s);
      return [{ kind: "volume", pool: from, volume }];
    }
    case "path":
      return [{ kind: "path", path: of(values, "path") }];
    default:
      return [];
  }
}

const whole = (text: string) => (/^\d+$/.test(text) ? Number(text) : 0);

function common(values: Values) {
  return {
    name: of(values, "name"),
    memoryMiB: parseSize(of(values, "memory")) ?? 0,
    vcpus: whole(of(values, "vcpus")),
    start: of(values, "start") !== "no",
  };
}

function libvirtRequest(values: Values, uuid: string): LibvirtRequest {
  const nic = card(values, "network");
  const [firmware, graphics] = [of(values, "firmware"), of(values, "graphics")];
  return {
    ...common(values),
    provider: "libvirt",
    uuid,
    media: mediaOf(values),
    osinfo: orNull(values, "osinfo"),
    disks: disksOf(values),
    nics: nic ? [nic] : [],
    arch: orNull(values, "arch"),
    machine: orNull(values, "machine"),
    firmware: firmware === "bios" || firmware === "uefi" ? firmware : null,
    virtType: orNull(values, "virtType"),
    graphics: graphics === "vnc" || graphics === "spice" ? graphics : "none",
  };
}

function ganetiRequest(values: Values): GanetiRequest {
  const primary = of(values, "primary");
  const drbd = of(values, "template") === "drbd";
  const install = of(values, "install") !== "no";
  const nics = ((): NicRequest[] | null => {
    if (of(values, "card") === "none") return [];
    const chosen = card(values, "card");
    const [mac, ip] = [orNull(values, "mac"), orNull(values, "ip")];
    if (chosen) return [chosen];
    return mac === null && ip === null ? null : [{ network: null, link: null, mac, ip }];
  })();
  return {
    ...common(values),
    provider: "ganeti",
    os: of(values, "os"),
    install,
    start: install && of(values, "start") !== "no",
    osParameters: parsePairs(of(values, "osParameters")) ?? {},
    diskTemplate: of(values, "template"),
    disksMiB: of(values, "template") === "diskless" ? [] : (parseSizes(of(values, "sizes")) ?? []),
    placement:
      primary === ""
        ? { kind: "allocator", name: null }
        : { kind: "node", primary, secondary: drbd ? orNull(values, "secondary") : null },
    nics,
    hypervisor: orNull(values, "hypervisor"),
    hypervisorParameters: parsePairs(of(values, "hypervisorParameters")) ?? {},
    backendParameters: {},
    nameCheck: of(values, "nameCheck") === "yes",
    ipCheck: of(values, "nameCheck") === "yes",
    tags: [],
  };
}

/** @param uuid The identity of a libvirt instance: the same as long as the form is the same. */
export function requestOf(values: Values, provider: Offers["provider"], uuid: string): CreateRequest {
  return provider === "ganeti" ? ganetiRequest(values) : libvirtRequest(values, uuid);
}

/** What was chosen as the sign that it is ready, or null. */
export function readyOf(values: Values): ReadyWanted | null {
  const by = of(values, "ready");
  if (of(values, "start") === "no" || (by !== "ping" && by !== "ssh" && by !== "console")) return null;
  return { by, pattern: null, address: orNull(values, "ip"), limitSeconds: 600 };
}

/** Names of all that are to be made: one, or the pattern's; `{n}` is the number, else it is put behind the name. */
export function namesOf(values: Values): string[] {
  const name = of(values, "name");
  const count = Math.max(1, Math.min(999, whole(of(values, "count"))));
  if (count === 1) return [name.replace("{n}", "1")];
  const pattern = name.includes("{n}") ? name : name.replace(/^([^.]*)/, "$1{n}");
  const digits = String(count).length;
  return Array.from({ length: count }, (_, index) => pattern.replace("{n}", String(index + 1).padStart(digits, "0")));
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
  const [head = "", second = "", third = ""] = field.split(".");
  if (head === "media") return mediaFields[second] ?? "media";
  if (head === "disks") {
    if (provider === "ganeti") return "sizes";
    if (second !== "0" && second !== "") return "more";
    const kind = of(values, "disk");
    return third === "size"
      ? "size"
      : kind === "new"
        ? "pool"
        : kind === "volume"
          ? "volume"
          : kind === "path"
            ? "path"
            : "disk";
  }
  if (head === "nics") {
    const last = third === "mac" || third === "ip" ? third : null;
    return last ?? (provider === "ganeti" ? "card" : "network");
  }
  const others: Readonly<Record<string, string>> = {
    diskTemplate: "template",
    node: "primary",
    allocator: "primary",
    provider: "place",
    host: "place",
    virtType: "virtType",
  };
  return others[head] ?? head;
}

/** What is wrong with the fields as they are typed, before the host is asked. */
export function typedErrors(values: Values): Record<string, string> {
  const errors: Record<string, string> = {};
  const size = (id: string, empty: boolean) => {
    const text = of(values, id);
    if (!(empty && text === "") && parseSize(text) === null) errors[id] = "a size: 512M, 10G";
  };
  size("memory", false);
  size("size", false);
  size("copySize", true);
  for (const id of ["more", "sizes"]) if (parseSizes(of(values, id)) === null) errors[id] = "sizes: 10G 20G";
  if (!/^[1-9]\d{0,3}$/.test(of(values, "vcpus"))) errors["vcpus"] = "a whole number from 1";
  if (!/^[1-9]\d{0,2}$/.test(of(values, "count"))) errors["count"] = "a whole number from 1 to 999";
  for (const id of ["osParameters", "hypervisorParameters"]) {
    if (parsePairs(of(values, id)) === null) errors[id] = "name=value, with commas between them";
  }
  return errors;
}
