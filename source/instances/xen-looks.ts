/** What is read of one Xen domain alone, and what its console's last words mean. */
import { parseXlConfig } from "../tools/xl-config.ts";
import { explainXl } from "../tools/xl-errors.ts";
import type { ConsoleWay, DiskInfo, Instance, InstanceDetails } from "./types.ts";

/** The answer of `detailsCommand`. */
export function readXenDetails(stdout: string, instance: Instance): InstanceDetails {
  const parts = new Map<string, string>();
  // The domain's file comes first and may hold anything; the marks after it are counted from the end.
  const names = ["file", "sizes", "uptime", "log", "bridges", "end"];
  let rest = stdout;
  for (const name of [...names].reverse()) {
    const mark = `@@virtu ${name}\n`;
    const at = name === "file" ? rest.indexOf(mark) : rest.lastIndexOf(mark);
    if (at < 0) continue;
    parts.set(name, rest.slice(at + mark.length));
    rest = rest.slice(0, at);
  }
  const lines = (name: string) => (parts.get(name) ?? "").split("\n").filter((line) => line !== "");
  const text = (parts.get("file") ?? "").replace(/\n$/, "");
  const config = parseXlConfig(text);
  const sizes = new Map(
    lines("sizes").flatMap((line): [string, number][] => {
      const found = /^(\d+) (.*)$/.exec(line);
      return found ? [[found[2] ?? "", Number(found[1])]] : [];
    }),
  );
  const { facts } = instance;
  const others = typeof facts["otherDisks"] === "string" ? facts["otherDisks"].split("; ") : [];
  const disks = config.disks.map(({ vdev, target, cdrom }): DiskInfo => {
    const bytes = sizes.get(target);
    return {
      id: vdev,
      kind: cdrom ? "cdrom" : "disk",
      source: target || null,
      sizeMiB: bytes ? Math.round(bytes / 1024 / 1024) : null,
      format: null,
      ...(others.includes(target) && { stays: true }),
    };
  });
  const uptime = lines("uptime").at(-1);
  const up = uptime === undefined ? null : (/(\d+ days?,\s*)?\d+:\d\d:\d\d$/.exec(uptime)?.[0] ?? null);
  return {
    disks,
    nics: config.nics.map(({ mac, bridge, ip }, index) => ({
      id: String(index),
      mac,
      network: bridge,
      addresses: ip ? ip.split(/\s+/) : [],
    })),
    snapshots: [],
    tags: [],
    note: "",
    networks: lines("bridges"),
    pools: [],
    media: [],
    vcpusMax: typeof facts["vcpusMax"] === "number" ? facts["vcpusMax"] : null,
    memoryMaxMiB: typeof facts["memoryMaxMiB"] === "number" ? facts["memoryMaxMiB"] : null,
    definition: { text, language: "text", editable: facts["file"] !== null },
    more: [...(up ? [["running for", up] as const] : []), ...lines("log").map((line) => ["log", line] as const)],
  };
}

export const explainXenConsole: ConsoleWay["explain"] = (text, status) => {
  const locked = /Could not lock (\S+): Resource temporarily unavailable/.exec(text);
  if (locked || status === 11) {
    return {
      why: "somebody else has its console open; Xen gives it to one at a time",
      hint: "They leave it with Ctrl-]. On the host, ps ax | grep xenconsole shows who.",
      inUse: true,
    };
  }
  if (/Could not read tty from store/.test(text)) {
    return {
      why: "the guest has no text console",
      hint: 'An hvm guest has one with serial = "pty" in its file and console=ttyS0 on its kernel line.',
      inUse: false,
    };
  }
  if (status === 0 || status === null) return null;
  const { why, hint = "Look at it again: it may have gone off." } = explainXl(text, status);
  return { why, hint, inUse: false };
};
