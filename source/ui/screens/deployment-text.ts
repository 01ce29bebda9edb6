/** A deployment as it is shown: title, bar, a row for each node, what failed and why. Times are epoch seconds. Pure. */
import type { Deployment, MacroStep, NodeProgress } from "../../journey/types.ts";
import { clock, count, plain, plainLine } from "../../text.ts";
import { headerLine, layout } from "../components/table.tsx";
import { bar, cell, glyph, paint, symbol, toneStyles } from "../theme.ts";
import { wrapped } from "../wrap.ts";
import { shortNames } from "./node-names.ts";

export const phases: readonly { id: MacroStep; title: string; share: number }[] = [
  { id: "boot-mini-os", title: "BOOT MINI-OS", share: 0.45 },
  { id: "copy-image", title: "COPY IMAGE", share: 0.2 },
  { id: "boot-new", title: "BOOT NEW", share: 0.35 },
];

export const isOver = ({ state }: Deployment): boolean =>
  state === "done" || state === "cancelled" || state === "failed";

/** Failed nodes first, then missing ones, the others in their order; stable. */
export function inOrder(progress: readonly NodeProgress[]): NodeProgress[] {
  const rank = ({ state }: NodeProgress) => (state === "failed" ? 0 : state === "missing" ? 1 : 2);
  return [...progress].sort((a, b) => rank(a) - rank(b));
}

const columnsAt = (width: number) =>
  layout(
    [
      { title: "NODE", width: 16, grow: 1 },
      ...phases.map(({ title }) => ({ title, width: 13 })),
      { title: "NOW", width: 14, grow: 3 },
    ],
    width,
  );

export const deploymentHeader = (width: number): string => headerLine(columnsAt(width));

function phaseCell(
  { state, seconds, startedAt }: NodeProgress["phases"][MacroStep],
  width: number,
  now: number,
): string {
  const time = (value: number | null) => (value === null ? "" : ` ${clock(value)}`);
  switch (state) {
    case "pending":
      return paint(cell(glyph.none, width), "dim");
    case "running":
      return paint(
        cell(`${symbol("busy")}${time(startedAt === null ? null : Math.max(0, now - startedAt))}`, width),
        ...toneStyles("busy"),
      );
    case "done":
      return paint(cell(`${glyph.done}${time(seconds)}`, width), "green");
    case "failed":
      return paint(cell(`${symbol("bad")}${time(seconds)}`, width), ...toneStyles("bad"));
  }
}

/** What a node does now, or why it is not up. */
export function nowText(node: NodeProgress): string {
  switch (node.state) {
    case "deployed":
      return "up";
    case "failed":
      return plainLine(node.reason ?? "failed");
    case "missing":
      return plainLine(node.reason ?? "neither up nor failed");
    case "running":
      return plainLine(node.microStep ?? "");
    case "pending":
      return "waits";
  }
}

/** One row in `width` columns. */
export function nodeRow(node: NodeProgress, name: string, width: number, now: number): string {
  const [nameWidth = 0, one = 0, two = 0, three = 0, nowWidth = 0] = columnsAt(width).map((column) => column.width);
  const widths = [one, two, three];
  const tone = { deployed: "good", failed: "bad", missing: "unknown", running: "busy", pending: "idle" } as const;
  const text = cell(nowText(node), nowWidth);
  return [
    cell(name, nameWidth),
    ...phases.map(({ id }, index) => phaseCell(node.phases[id], widths[index] ?? 0, now)),
    node.state === "running" || node.state === "pending" ? text : paint(text, ...toneStyles(tone[node.state])),
  ].join(" ");
}

/** How much is done, 0 to 1: by the clock when the end is foreseen, else by phases. */
export function shareOf(deployment: Deployment, now: number): number {
  if (isOver(deployment)) return 1;
  if (deployment.state === "checking") return 0.99;
  const { startedAt, expectedEnd, progress } = deployment;
  if (expectedEnd !== null && expectedEnd > startedAt) {
    return Math.min(0.99, Math.max(0, (now - startedAt) / (expectedEnd - startedAt)));
  }
  if (progress.length === 0) return 0;
  const nodeShare = (node: NodeProgress) =>
    node.state === "deployed" || node.state === "failed"
      ? 1
      : phases.reduce((sum, { id, share }) => sum + (node.phases[id].state === "done" ? share : 0), 0);
  return Math.min(0.99, progress.reduce((sum, node) => sum + nodeShare(node), 0) / progress.length);
}

/** `debian12-min 2024102413 · 4 nodes · try 1 of 3 · goal: all · 4:12 of ~6:30`. */
export function titleLine(deployment: Deployment, now: number): string {
  const { title, nodes, attempt, retries, minimum, startedAt, expectedEnd } = deployment;
  const goal = minimum >= nodes.length ? "goal: all" : `goal: ${minimum} of ${nodes.length}`;
  const whole = expectedEnd === null ? "" : ` of ~${clock(expectedEnd - startedAt)}`;
  const parts = [plainLine(title), count(nodes.length, "node"), `try ${Math.max(1, attempt)} of ${retries + 1}`, goal];
  if (!isOver(deployment)) parts.push(`${clock(now - startedAt)}${whole}`);
  return parts.join(" · ");
}

/** The bar with its share and what is left, in `width` columns. */
export function barLine(deployment: Deployment, width: number, now: number): string {
  const share = shareOf(deployment, now);
  const left = deployment.expectedEnd === null ? null : deployment.expectedEnd - now;
  const text =
    deployment.state === "checking"
      ? "trying each node by SSH"
      : isOver(deployment)
        ? ""
        : left === null
          ? "no estimate yet"
          : left > 0
            ? `about ${clock(left)} left`
            : "later than expected";
  const tail = ` ${cell(`${Math.round(share * 100)} %`, 5, "right")}  ${cell(text, 24)}`;
  return `${bar(share, Math.max(10, width - 33))}${tail}`;
}

/** Nodes in each phase, for when there are more nodes than lines: `boot mini-os 3 ◐ 12 ✓ · …`. */
export function countsLine(progress: readonly NodeProgress[]): string {
  const parts = phases.map(({ id, title }) => {
    const of = (state: string) => progress.filter((node) => node.phases[id].state === state).length;
    const counts = [
      [of("running"), symbol("busy")],
      [of("done"), glyph.done],
      [of("failed"), symbol("bad")],
    ] as const;
    const shown = counts.filter(([n]) => n > 0).map(([n, sign]) => `${n} ${sign}`);
    return `${title.toLowerCase()} ${shown.join(" ") || glyph.none}`;
  });
  return parts.join(" · ");
}

/** How it ended, in a line; null while it runs. */
export function outcomeLine(deployment: Deployment): { tone: "good" | "warning" | "bad"; text: string } | null {
  if (deployment.state === "cancelled")
    return { tone: "warning", text: "Cancelled. Nodes that were under way have no system." };
  if (deployment.state === "failed")
    return { tone: "bad", text: plainLine(deployment.problem?.why ?? "It failed as a whole.") };
  const { result } = deployment;
  if (deployment.state !== "done" || !result) return null;
  const { deployed, failed, missing, attempts } = result;
  const bad = failed.length + missing.length;
  const parts = [
    `${deployed.length} of ${count(deployment.nodes.length, "node")} up`,
    ...(failed.length > 0 ? [`${failed.length} failed`] : []),
    ...(missing.length > 0 ? [`${missing.length} missing`] : []),
    count(attempts, "try", "tries"),
  ];
  const enough = deployed.length >= deployment.minimum;
  const text = `${parts.join(" · ")}${bad > 0 ? (enough ? " · enough to go on" : ` · ${deployment.minimum} were wanted`) : ""}`;
  return { tone: bad === 0 ? "good" : enough ? "warning" : "bad", text };
}

/** Why a node is not up, in lines of `width`; none for a node that is well. */
export function explainNode(node: NodeProgress, deployment: Deployment, width: number, lines: number): string[] {
  const [name = node.node] = shortNames([node.node]);
  if (node.state === "missing") {
    const why = plainLine(node.reason ?? "asked for, but kadeploy3 says neither that it is up nor that it failed");
    return [`${name} is missing:`, ...wrapped(why, width - 4).map((line) => `  ${line}`)].slice(0, lines);
  }
  if (node.state !== "failed") return [];
  const step = deployment.result?.failed.find((one) => one.node === node.node)?.step ?? node.microStep;
  const phase = phases.find(({ id }) => node.phases[id].state === "failed")?.title.toLowerCase();
  // `SetDeploymentEnvUntrusted-create_partition_table`: the phase is said already, in plain words.
  const where = [phase, step?.replace(/^[A-Z]\w*-/, "")].filter(Boolean).join(", ");
  const reason = plain(node.reason ?? "no reason was given")
    .split("\n")
    .flatMap((line) => wrapped(line, width - 4));
  return [`${name} failed${where ? ` in ${where}` : ""}:`, ...reason.map((line) => `  ${line}`)].slice(0, lines);
}
