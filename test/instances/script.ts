/** Hosts that answer as real ones do, for tests of what is above the tools. */
import { VirtuError } from "../../source/errors.ts";
import type { ExecResult } from "../../source/ssh/types.ts";
import { instanceFields, nodeFields } from "../../source/tools/ganeti.ts";

/** What a host printed. */
type Printed = Partial<ExecResult> & { stdout: string };

export const dead = new VirtuError({ kind: "connection", what: "The host does not answer", where: "hv2" });

const uuidOf = (name: string) =>
  `${[...name].map((letter) => letter.charCodeAt(0).toString(16)).join("")}${"0".repeat(32)}`
    .slice(0, 32)
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");

/** What the question of `discover` prints on a libvirt host. */
export const libvirtHost: Printed = {
  stdout: "@@virtu probe ganeti\n@@virtu probe libvirt\n/usr/bin/virsh\nhv\n\n@@virtu status 0\n",
};

/** A poll of a libvirt host with these domains; true: running. */
export function domains(states: Record<string, boolean>): Printed {
  const entries = Object.entries(states);
  const list = entries.map(([name, on], index) => `${uuidOf(name)} ${on ? index + 1 : "-"} ${name}`);
  const stats = entries.map(([name, on]) => `Domain: '${name}'\n  state.state=${on ? 1 : 5}\n  state.reason=1\n`);
  const parts = { domains: list, table: [], saved: [], autostart: [], transient: [], hostname: ["hv"], memory: [] };
  const text = Object.entries(parts).map(([part, lines]) => [`@@virtu ${part}`, ...lines, "", ""].join("\n"));
  return { stdout: `${text.join("")}@@virtu state\n${stats.join("\n")}\n@@virtu stats\n@@virtu end\n` };
}

/** What the question of `discover` prints on a node of a cluster. */
export function ganetiHost(hostname: string, master: string, cluster = "cluster1.example.org"): Printed {
  const facts = `@@virtu master\n${master}\n@@virtu cluster\n${cluster}\n@@virtu groups\n`;
  const group = "339f199a-f42a-4df7-afc1-8d1fa1743b36 default\n";
  return {
    stdout: `@@virtu probe ganeti\n/usr/sbin/gnt-cluster\n0\n${hostname}\ndirect\n${facts}${group}@@virtu probe libvirt\n`,
  };
}

/** Ganeti's two tables with these instances and their states. */
export function ganetiList(states: Record<string, string>): Printed {
  const values = (cells: Record<string, string>, fields: readonly string[]) =>
    fields.map((field) => cells[field] ?? "-").join("|");
  const instances = Object.entries(states).map(([name, status]) =>
    values({ name, uuid: uuidOf(name), status, pnode: "node1.example.org", "be/vcpus": "1" }, instanceFields),
  );
  const nodes = [values({ name: "node1.example.org", role: "M", pinst_cnt: "1", sinst_cnt: "0" }, nodeFields)];
  const table = (part: string, rows: string[]) =>
    `@@virtu ${part}\n${rows.map((row) => `${row}\n`).join("")}@@virtu end 0\n`;
  return { stdout: table("instances", instances) + table("nodes", nodes) };
}

export const isDiscovery = (line: string) => line.includes("@@virtu probe");
export const isGanetiList = (line: string) => line.includes("@@virtu instances");
export const isEvents = (line: string) => line.includes("; event --all");
export const isPoll = (line: string) => line.includes("@@virtu domains");

export interface Gate<T> {
  opened: Promise<T>;
  open: (value: T) => void;
}

/** A promise to be settled by the test. */
export function gate<T = void>(): Gate<T> {
  let open: (value: T) => void = () => {};
  const opened = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
