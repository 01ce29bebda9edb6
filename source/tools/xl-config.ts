/**
 * A domain's file in /etc/xen, as far as virtu reads and writes it: `key = value` with strings in either quotes, and lists of
 * strings in brackets over several lines (xl.cfg(5), xl-disk-configuration(5)).
 */

export interface XlDisk {
  /** As the guest sees it: `xvda`. */
  vdev: string;
  /** File, device, or empty for an empty drive. */
  target: string;
  /** A drive for media: what lies in it is not the domain's own. */
  cdrom: boolean;
}

export interface XlNic {
  mac: string | null;
  bridge: string | null;
  ip: string | null;
}

export interface XlConfig {
  /** Empty when the file names none: xl would not take it. */
  name: string;
  /** null: each start gives the domain another one. */
  uuid: string | null;
  memoryMiB: number | null;
  maxMemoryMiB: number | null;
  vcpus: number | null;
  maxVcpus: number | null;
  /** `pv`, `pvh`, `hvm`. */
  type: string;
  disks: XlDisk[];
  nics: XlNic[];
  /** Whether a graphical console is asked for. */
  graphics: boolean;
}

/** A value as it stands behind `key =`: its string or number, or its list. The last assignment counts, as for xl. */
function values(text: string): Map<string, string | string[]> {
  const found = new Map<string, string | string[]>();
  // What is in quotes is skipped whole, so that a `#` or a bracket in it means nothing.
  const assignment =
    /^[ \t]*([A-Za-z_]\w*)[ \t]*=[ \t\n]*(?:(\[(?:"[^"\n]*"|'[^'\n]*'|#[^\n]*|[^\]"'#])*\])|"([^"\n]*)"|'([^'\n]*)'|([^\s#;]+))/gm;
  for (const [, key = "", list, double, single, bare] of text.matchAll(assignment)) {
    found.set(key, list === undefined ? (double ?? single ?? bare ?? "") : strings(list));
  }
  return found;
}

function strings(list: string): string[] {
  return [...list.matchAll(/#[^\n]*|"([^"\n]*)"|'([^'\n]*)'/g)].flatMap(([, double, single]) => double ?? single ?? []);
}

/** A disk's specification: positional `TARGET,FORMAT,VDEV,ACCESS`, named parts, or the old `phy:/dev/x,xvda,w`. */
function disk(text: string): XlDisk {
  // `target=` takes all that is left, commas too.
  const named = /(?:^|,)\s*target\s*=(.*)$/.exec(text);
  const parts = (named ? text.slice(0, named.index) : text).split(",").map((part) => part.trim());
  const vdev = parts.map((part) => /^vdev\s*=\s*(.*)$/.exec(part)?.[1]).find((found) => found !== undefined);
  const positional = parts.filter((part) => !part.includes("="));
  const first = (named || positional.length === 0 ? undefined : positional[0]) ?? "";
  const old = /^(?:phy|file|tap2?:[\w]+|tap2?|qcow2?|vhd|raw):(.*)$/.exec(first);
  const target = named?.[1]?.trim() ?? old?.[1] ?? first;
  const device = vdev ?? positional.find((part) => /^(?:xvd|hd|sd|vd)[a-z]+\d*(?::\w+)?$/.test(part)) ?? "";
  const cdrom = parts.some((part) => /^(?:cdrom|devtype\s*=\s*cdrom)$/.test(part)) || device.endsWith(":cdrom");
  return { vdev: device.replace(/:.*$/, ""), target, cdrom };
}

/** A card's specification: `mac=00:16:3e:…,bridge=xenbr0,ip=10.0.0.5`. */
function nic(text: string): XlNic {
  const parts = new Map(
    text.split(",").map((part) => {
      const [key = "", value = ""] = part.split("=", 2);
      return [key.trim(), value.trim()];
    }),
  );
  const word = (key: string) => parts.get(key) || null;
  return { mac: word("mac")?.toLowerCase() ?? null, bridge: word("bridge"), ip: word("ip") };
}

/** What a domain's file says; nothing in it makes it fail. */
export function parseXlConfig(text: string): XlConfig {
  const found = values(text);
  const word = (key: string) => {
    const value = found.get(key);
    return typeof value === "string" && value !== "" ? value : null;
  };
  const number = (key: string) => {
    const value = word(key);
    return value !== null && /^\d+$/.test(value) ? Number(value) : null;
  };
  const list = (key: string) => {
    const value = found.get(key);
    return Array.isArray(value) ? value : [];
  };
  const hvm = word("builder") === "hvm";
  return {
    name: word("name") ?? "",
    uuid: word("uuid")?.toLowerCase() ?? null,
    memoryMiB: number("memory"),
    maxMemoryMiB: number("maxmem"),
    vcpus: number("vcpus"),
    maxVcpus: number("maxvcpus"),
    type: word("type") ?? (hvm ? "hvm" : "pv"),
    disks: list("disk").map(disk),
    nics: list("vif").map(nic),
    graphics: word("vnc") === "1" || word("sdl") === "1" || word("spice") === "1" || list("vfb").length > 0,
  };
}

/**
 * The file with one value changed: the line that sets it is rewritten where it stands, or one is added at the end. Everything
 * else, comments too, stays as it is.
 */
export function withXlValue(
  text: string,
  key: "name" | "memory" | "maxmem" | "vcpus" | "maxvcpus",
  value: string | number,
): string {
  const line = `${key} = ${typeof value === "number" ? value : JSON.stringify(value)}`;
  const lines = text.split("\n");
  const at = lines.findLastIndex((other) => new RegExp(`^[ \\t]*${key}[ \\t]*=`).test(other));
  if (at < 0) return `${text}${text === "" || text.endsWith("\n") ? "" : "\n"}${line}\n`;
  const comment = /(?:"[^"]*"|'[^']*'|[^"'#])*?(\s*#.*)?$/.exec(lines[at] ?? "")?.[1] ?? "";
  lines[at] = `${line}${comment}`;
  return lines.join("\n");
}
