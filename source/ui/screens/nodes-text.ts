/** A job's nodes as they are shown: what the job, the deployment and the node itself say, put together. Pure. */
import type { Deployment, NodeFacts, NodeProgress } from "../../journey/types.ts";
import { age, plainLine } from "../../text.ts";
import { headerLine, layout } from "../components/table.tsx";
import { cell, state, type Tone } from "../theme.ts";
import { nowText, phases } from "./deployment-text.ts";

export interface NodeView {
  name: string;
  tone: Tone;
  word: string;
  /** Why it is in this state, or null. */
  reason: string | null;
  facts: NodeFacts | null;
  progress: NodeProgress | null;
}

const words: Record<NodeFacts["state"], { tone: Tone; word: string }> = {
  reserved: { tone: "idle", word: "reserved" },
  deploying: { tone: "busy", word: "deploying" },
  deployed: { tone: "good", word: "deployed" },
  failed: { tone: "bad", word: "failed" },
  reachable: { tone: "good", word: "reachable" },
  unreachable: { tone: "bad", word: "no answer" },
};

/** One node; a deployment on its way knows better than what the node said before it. */
export function nodeView(
  name: string,
  facts: NodeFacts | null,
  deployment: Deployment | null,
  asking: boolean,
): NodeView {
  const progress = deployment?.progress.find((one) => one.node === name) ?? null;
  const view = (key: NodeFacts["state"], reason: string | null): NodeView => ({
    name,
    ...words[key],
    reason,
    facts,
    progress,
  });
  const underWay = deployment?.state === "running" || deployment?.state === "checking";
  if (underWay && progress) {
    if (progress.state === "failed") return view("failed", nowText(progress));
    if (progress.state === "deployed") return view("deployed", null);
    return view("deploying", nowText(progress));
  }
  const answers = facts && (facts.state === "reachable" || facts.state === "deployed");
  // A node that answers as root is up, whatever a deployment said of it.
  if (answers) return view(progress?.state === "deployed" ? "deployed" : facts.state, facts.reason);
  if (progress?.state === "deployed" && (!facts || facts.state === "reserved"))
    return view("deployed", facts?.reason ?? null);
  if (progress?.state === "failed" || progress?.state === "missing") return view("failed", nowText(progress));
  if (facts && !(asking && facts.state === "reserved" && facts.reason === null)) return view(facts.state, facts.reason);
  return { name, tone: asking ? "busy" : "idle", word: asking ? "asking" : "reserved", reason: null, facts, progress };
}

/** Memory as people write it: `128 G`. */
export function memoryText(mebibytes: number | null): string {
  if (mebibytes === null) return "";
  return mebibytes < 1024 ? `${mebibytes} M` : `${Math.round(mebibytes / 1024)} G`;
}

/** `sda 558 G, sdb 3.6 T`. */
export function disksText(disks: NodeFacts["disks"]): string {
  const size = (gibibytes: number) =>
    gibibytes >= 1000 ? `${(gibibytes / 1024).toFixed(1)} T` : `${Math.round(gibibytes)} G`;
  return disks.map((disk) => `${disk.name} ${size(disk.sizeGiB)}`).join(", ");
}

/** A system's name in few columns: `Debian 12` of `Debian GNU/Linux 12 (bookworm)`. */
export function systemText(os: string): string {
  return plainLine(os)
    .replace(/ GNU\/Linux/, "")
    .replace(/ \([^)]*\)$/, "");
}

/** Wide terminals have room for the kernel. */
const wideFrom = 110;

const columnsAt = (width: number) =>
  layout(
    [
      { title: "NODE", width: 13, grow: 1 },
      { title: "STATE", width: 12 },
      { title: "SYSTEM", width: 10, grow: 2 },
      ...(width >= wideFrom ? [{ title: "KERNEL", width: 20, grow: 1 }] : []),
      { title: "CPUS", width: 4, align: "right" as const },
      { title: "MEMORY", width: 6, align: "right" as const },
      { title: "DISKS", width: 9, grow: 2 },
      { title: "ADDRESS", width: 15 },
    ],
    width,
  );

export const nodesHeader = (width: number): string => headerLine(columnsAt(width));

/** One row in `width` columns. A node that says nothing of itself gives that room to its reason. */
export function nodesRow(node: NodeView, name: string, width: number): string {
  const widths = columnsAt(width).map((column) => column.width);
  const [nameWidth = 0, stateWidth = 0] = widths;
  const head = `${cell(name, nameWidth)} ${state(node.tone, cell(node.word, stateWidth - 2))}`;
  const { facts } = node;
  if (!facts?.os || (node.tone !== "good" && node.reason)) {
    const address = facts?.address ? ` ${cell(facts.address, 15)}` : "";
    const room = Math.max(0, width - nameWidth - stateWidth - 2 - (address === "" ? 0 : 16));
    // Of a node on which nothing is, how ssh failed says nothing new; its description has it.
    const reason = plainLine(node.reason ?? "");
    return `${head} ${cell(facts?.state === "reserved" ? reason.replace(/ \(.*\)$/, "") : reason, room)}${address}`;
  }
  const cells = [
    systemText(facts.os),
    ...(width >= wideFrom ? [plainLine(facts.kernel ?? "")] : []),
    facts.cpus === null ? "" : String(facts.cpus),
    memoryText(facts.memoryMiB),
    disksText(facts.disks),
    facts.address ?? "",
  ];
  const right = new Set(width >= wideFrom ? [2, 3] : [1, 2]);
  return [
    head,
    ...cells.map((text, index) => cell(text, widths[index + 2] ?? 0, right.has(index) ? "right" : "left")),
  ].join(" ");
}

/** Everything known of a node: name, value, and where it comes from. */
export function nodeLines(
  node: NodeView,
  from: { job: string; deployment: string | null },
): [string, string, string][] {
  const { facts, progress } = node;
  const lines: [string, string, string][] = [
    ["name", node.name, from.job],
    ["state", state(node.tone, node.word), ""],
  ];
  const add = (name: string, value: string | null | undefined, source: string) => {
    if (value) lines.push([name, plainLine(value), source]);
  };
  add("why", node.reason, "");
  if (facts) {
    add("address", facts.address, "the frontend's resolver");
    add("system", facts.os, "the node");
    add("kernel", facts.kernel, "the node");
    add("CPUs", facts.cpus === null ? null : String(facts.cpus), "the node");
    add(
      "memory",
      facts.memoryMiB === null ? null : `${memoryText(facts.memoryMiB)} (${facts.memoryMiB} MiB)`,
      "the node",
    );
    for (const disk of facts.disks)
      add(`disk ${disk.name}`, disksText([disk]).replace(`${disk.name} `, ""), "the node");
    add("up for", facts.uptimeSeconds === null ? null : age(facts.uptimeSeconds), "the node");
  }
  if (progress && from.deployment) {
    for (const { id, title } of phases) {
      const { state: phase, seconds } = progress.phases[id];
      if (phase !== "pending")
        add(title.toLowerCase(), `${phase}${seconds === null ? "" : `, ${seconds} s`}`, from.deployment);
    }
    if (progress.microStep) add("last step", progress.microStep, from.deployment);
  }
  return lines;
}
