/** Disks of the nodes for a volume group: what can be chosen, what is on each, why one can't be taken. Pure. */
import type { NodeStates } from "../../journey/configure-types.ts";
import { type Disk, diskRefusal, freeDisks, type NodeState } from "../../store/node-facts.ts";
import { count, plainLine } from "../../text.ts";
import { cell, paint, symbol } from "../theme.ts";
import { foldNames, shortNames } from "./node-names.ts";

/** Value of the choice that takes each node's largest free disk. */
export const anyDisk = "";

/** `558 G`, `3.6 T`: in powers of 1024. */
export function sizeText(bytes: number): string {
  const gibibytes = bytes / 2 ** 30;
  if (gibibytes >= 1000) return `${(gibibytes / 1024).toFixed(1)} T`;
  return gibibytes < 10 ? `${gibibytes.toFixed(1)} G` : `${Math.round(gibibytes)} G`;
}

const hasGroup = (state: NodeState, group: string) => state.groups?.some(({ name }) => name === group) ?? false;

/** The choices of the field: any free disk, then each path that can be taken on some node. */
export function diskChoices(states: NodeStates): { value: string; label: string }[] {
  const paths = new Map<string, number>();
  for (const { disks } of states.values()) {
    for (const disk of disks)
      if (diskRefusal(disk, true) === null) paths.set(disk.path, (paths.get(disk.path) ?? 0) + 1);
  }
  const sorted = [...paths.keys()].sort();
  return [
    { value: anyDisk, label: "the largest free one of each" },
    ...sorted.map((path) => ({ value: path, label: path })),
  ];
}

/** The disk that each node gives; one that has the group already, or no such disk, gives none. */
export function chosenDisks(states: NodeStates, group: string, choice: string): Map<string, Disk> {
  const chosen = new Map<string, Disk>();
  for (const [name, state] of states) {
    if (hasGroup(state, group)) continue;
    const disk = choice === anyDisk ? freeDisks(state.disks)[0] : state.disks.find(({ path }) => path === choice);
    if (disk) chosen.set(name, disk);
  }
  return chosen;
}

/** What the choice means, beside its field. */
export function diskMeaning(states: NodeStates, group: string, choice: string): string {
  const there = [...states.values()].filter((state) => hasGroup(state, group)).length;
  const chosen = [...chosenDisks(states, group, choice).values()];
  const full = chosen.filter(({ holds }) => holds !== null).length;
  const sizes = [...new Set(chosen.map(({ bytes }) => sizeText(bytes)))];
  return [
    there > 0 ? `${group} is there on ${count(there, "node")}` : "",
    chosen.length > 0
      ? `${sizes.length > 2 ? "" : `${sizes.join(", ")} `}on ${count(chosen.length, "node")}`.trim()
      : "",
    full > 0 ? `erased on ${full}` : chosen.length > 0 ? "empty" : "",
  ]
    .filter(Boolean)
    .join(" · ");
}

/** What is erased: a line for each chosen disk that holds something. */
export function erasedDisks(chosen: ReadonlyMap<string, Disk>): {
  erase: string[];
  lines: string[];
  typed: string | null;
} {
  const full = [...chosen].filter(([, { holds }]) => holds !== null);
  const names = shortNames(full.map(([name]) => name));
  return {
    erase: full.map(([name, { path }]) => `${name}:${path}`),
    lines: full.map(([, disk], index) => {
      const what = plainLine([disk.holds, disk.model].filter(Boolean).join(" · "));
      return `${cell(names[index] ?? "", 20)} ${cell(disk.path, 14)} ${cell(sizeText(disk.bytes), 7, "right")}  ${what}`;
    }),
    typed: full.length === 0 ? null : [...new Set(full.map(([, { path }]) => path))].sort().join(" "),
  };
}

/** All disks, the same ones of several nodes in one line of `width`; those that can be taken first. */
export function diskLines(states: NodeStates, width: number): string[] {
  const found = new Map<string, { disk: Disk; nodes: string[] }>();
  for (const [name, { disks }] of states) {
    for (const disk of disks) {
      const key = JSON.stringify([disk.path, sizeText(disk.bytes), disk.holds, disk.mounted, disk.unfit]);
      const entry = found.get(key) ?? { disk, nodes: [] };
      entry.nodes.push(name);
      found.set(key, entry);
    }
  }
  const all = [...found.values()].sort(
    (a, b) => Number(diskRefusal(a.disk, true) !== null) - Number(diskRefusal(b.disk, true) !== null),
  );
  const whole = states.size;
  return all.map(({ disk, nodes }) => {
    const refusal = diskRefusal(disk, true);
    const why = refusal?.text.replace(/^\S+ /, "") ?? (disk.holds ? `holds ${disk.holds}: erased if taken` : "empty");
    const sign = refusal ? symbol("bad") : disk.holds ? symbol("warning") : symbol("good");
    const on = nodes.length === whole ? (whole > 1 ? "all nodes" : "") : foldNames(nodes);
    const head = `${sign} ${cell(disk.path, 13)} ${cell(sizeText(disk.bytes), 7, "right")}  `;
    const text = cell(`${head}${plainLine([why, disk.model, on].filter(Boolean).join(" · "))}`, width);
    return paint(text, ...(refusal ? (["dim"] as const) : disk.holds ? (["yellow"] as const) : []));
  });
}
