/** What an action on a node means for the instances on it, in words. Pure. */
import type { InstanceRow, NodeRow } from "../../instances/inventory-types.ts";
import type { NodeAction } from "../../instances/types.ts";
import { count, plainLine } from "../../text.ts";
import { cell, widthOf } from "../theme.ts";

export interface NodeEffect {
  /** The question; null: verb and name. */
  title: string | null;
  /** What moves or is lost, one line each. */
  lines: string[];
  text: string;
}

/** The instances of the node's own cluster that run on it. */
export function primariesOf(node: NodeRow, instances: readonly InstanceRow[]): InstanceRow[] {
  return instances.filter((row) => isWith(row, node) && row.node === node.name);
}

/** Those that have a copy of their disks on it. */
export function secondariesOf(node: NodeRow, instances: readonly InstanceRow[]): InstanceRow[] {
  return instances.filter(
    (row) =>
      isWith(row, node) &&
      String(row.facts["secondaries"] ?? "")
        .split(/[,\s]+/)
        .includes(node.name),
  );
}

function isWith(row: InstanceRow, node: NodeRow): boolean {
  return (
    row.provider === node.provider && (node.cluster === null ? row.host === node.host : row.cluster === node.cluster)
  );
}

/** Full name, state, and what becomes of it, in columns. */
function nameLines(rows: readonly (readonly [row: InstanceRow, what: string])[]): string[] {
  const width = Math.max(0, ...rows.map(([row]) => widthOf(plainLine(row.name))));
  return rows.map(([row, what]) => `${cell(plainLine(row.name), width)}  ${cell(row.status, 7)}  ${what}`);
}

/** How a primary leaves its node, by Ganeti's disk templates: only mirrored and shared disks are found elsewhere. */
function leaving(row: InstanceRow, gone: boolean): string {
  const template = String(row.facts["diskTemplate"] ?? "");
  if (template === "plain" || template === "file") return `stays: its disks (${template}) are only here`;
  const to = template === "" || template === "drbd" ? "its secondary" : "another node";
  return gone || row.status !== "running" ? `fails over to ${to}` : `migrates to ${to}`;
}

export function nodeEffect(action: NodeAction, node: NodeRow, instances: readonly InstanceRow[]): NodeEffect {
  const primaries = primariesOf(node, instances);
  const secondaries = secondariesOf(node, instances);
  const name = plainLine(node.name);
  switch (action.do) {
    case "evacuate": {
      const first = action.which === "secondary" ? [] : primaries;
      const second = action.which === "primary" ? [] : secondaries;
      const gone = node.roles.includes("offline");
      return {
        title: `Evacuate ${name}?`,
        lines: nameLines([
          ...first.map((row) => [row, leaving(row, gone)] as const),
          ...second.map((row) => [row, "gets another secondary; its disks are copied"] as const),
        ]),
        text: `${count(first.length, "primary", "primaries")} and ${count(second.length, "secondary", "secondaries")} are to leave ${name}.`,
      };
    }
    case "drain":
      return {
        title: action.on ? `Drain ${name}?` : `Drain ${name} no more?`,
        lines: [],
        text: action.on
          ? `It gets no new instances; the ${primaries.length} on it go on running.`
          : "It takes new instances again.",
      };
    case "offline":
      return {
        title: action.on ? `Mark ${name} as offline?` : `Mark ${name} as back online?`,
        lines: action.on
          ? nameLines(primaries.map((row) => [row, "is then taken for dead: fail it over"] as const))
          : [],
        text: action.on
          ? "Ganeti talks to it no more. Only for a node that is really down: what runs on it is not stopped."
          : "Ganeti talks to it again; its instances are looked at anew.",
      };
    case "master":
      return {
        title: `Make ${name} the master?`,
        lines: [],
        text: "The cluster's address moves there and its daemons start anew; instances go on running. It takes a minute.",
      };
  }
}
