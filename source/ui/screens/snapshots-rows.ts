/** Snapshots as a tree, one line each, and what going back to one loses. Pure. */
import type { InstanceRow } from "../../instances/inventory-types.ts";
import type { SnapshotInfo } from "../../instances/types.ts";
import { age, count, plainLine } from "../../text.ts";
import { layout } from "../components/table.tsx";
import { cell, glyph, paint } from "../theme.ts";

export interface SnapshotLine {
  snapshot: SnapshotInfo;
  depth: number;
  /** The last of its parent's children. */
  last: boolean;
}

/** In the order of a tree, children under their parents; one whose parent is not listed stands at the left. */
export function snapshotTree(snapshots: readonly SnapshotInfo[]): SnapshotLine[] {
  const names = new Set(snapshots.map(({ name }) => name));
  const seen = new Set<string>();
  const under = (parent: string | null, depth: number): SnapshotLine[] => {
    const children = snapshots.filter((one) => (names.has(one.parent ?? "") ? one.parent : null) === parent);
    return children.flatMap((snapshot, index) => {
      // What a host says may go round in a circle.
      if (seen.has(snapshot.name)) return [];
      seen.add(snapshot.name);
      return [{ snapshot, depth, last: index === children.length - 1 }, ...under(snapshot.name, depth + 1)];
    });
  };
  return under(null, 0);
}

export const snapshotColumns = (width: number) =>
  layout(
    [
      { title: "SNAPSHOT", width: 24, grow: 2 },
      { title: "HOLDS", width: 14 },
      { title: "AGE", width: 7, align: "right" },
      { title: "DESCRIPTION", width: 16, grow: 3 },
    ],
    width,
  );

/** What a snapshot of this state gives back, in the table's words. */
export function holds(state: string): string {
  if (/^(running|paused|blocked)$/.test(state)) return "disks + memory";
  if (state === "disk-snapshot") return "disks, live";
  if (/^shut ?-?off$/.test(state)) return "disks, off";
  return plainLine(state);
}

function old({ at }: SnapshotInfo, now: number): string {
  return at === null ? "" : age(now / 1000 - at);
}

/** One line in `width` columns; `now` in epoch milliseconds. */
export function snapshotRow({ snapshot, depth, last }: SnapshotLine, now: number, width: number): string {
  const [name, state, time, text] = snapshotColumns(width).map((column) => column.width);
  const twig = depth === 0 ? "" : `${"  ".repeat(depth - 1)}${glyph.line === "─" ? (last ? "└ " : "├ ") : "+ "}`;
  const mark = snapshot.current ? " ◂ here" : "";
  const shown = cell(
    `${twig}${plainLine(snapshot.name)}${glyph.line === "─" ? mark : mark.replace("◂", "<")}`,
    name ?? 0,
  );
  return [
    snapshot.current ? paint(shown, "cyan") : shown,
    cell(holds(snapshot.state), state ?? 0),
    cell(old(snapshot, now), time ?? 0, "right"),
    cell(plainLine(snapshot.description), text ?? 0),
  ].join(" ");
}

/** What is lost by going back, a line each. */
export function revertLosses(row: InstanceRow, snapshot: SnapshotInfo, now: number): string[] {
  const since = snapshot.at === null ? "since then" : `in the ${old(snapshot, now)} since then`;
  const keeps = holds(snapshot.state) === "disks + memory";
  const lines = [`what was written to the disks of ${plainLine(row.name)} ${since} is lost`];
  if (row.status === "running" || row.status === "paused") {
    lines.push("what it holds in memory now is lost");
    lines.push(
      keeps
        ? "it goes on where it was when the snapshot was taken"
        : "it is off then, or boots anew, as its provider does it",
    );
  } else {
    lines.push(keeps ? "it runs then, where it was when the snapshot was taken" : "it stays off");
  }
  return lines;
}

/** The trap that nobody sees coming. Measured with libvirt 9: the revert fails and the domain is left off. */
export function revertTrap(row: InstanceRow, snapshot: SnapshotInfo): string | undefined {
  if (row.provider !== "libvirt" || holds(snapshot.state) !== "disks + memory") return undefined;
  return "If vCPUs, memory or devices were plugged in since then, libvirt can refuse half way and leave it off.";
}

/** What deleting takes away. */
export function deleteLosses(snapshot: SnapshotInfo, all: readonly SnapshotInfo[]): string[] {
  const children = all.filter(({ parent }) => parent === snapshot.name);
  return [
    `the way back to ${plainLine(snapshot.name)}${snapshot.description === "" ? "" : ` (${plainLine(snapshot.description)})`}`,
    ...(children.length > 0
      ? [
          `${count(children.length, "snapshot")} under it stay${children.length === 1 ? "s" : ""}: ${children.map(({ name }) => plainLine(name)).join(", ")}`,
        ]
      : []),
  ];
}
