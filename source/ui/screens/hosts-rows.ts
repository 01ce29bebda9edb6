/** A host whose instances are shown: one line in the list, and all of what is wrong with it under that. Pure. */

import type { VirtuError } from "../../errors.ts";
import type { HostState, HostView, NodeRow } from "../../instances/inventory-types.ts";
import type { NodeMetric } from "../../monitor/nodes.ts";
import { age, plain, plainLine } from "../../text.ts";
import { layout } from "../components/table.tsx";
import { cell, paint, state, symbol, type Tone, toneStyles, widthOf } from "../theme.ts";
import { wrapped } from "../wrap.ts";
import { hostReason } from "./instances-trouble.ts";
import { hotStyles, type NodeLook, nodeCell, nodeUseLines, noNodeLook } from "./nodes-usage.ts";

/** Under which the list remembers its cursor. */
export const hostsList = "hosts";

export const hostTones: Record<HostState, Tone> = { discovering: "busy", ok: "good", stale: "bad", error: "bad" };
const words: Record<HostState, string> = { discovering: "asking", ok: "ok", stale: "silent", error: "error" };

export const hostColumns = (width: number) =>
  layout(
    [
      { title: "HOST", width: 18, grow: 2 },
      { title: "STATE", width: 9 },
      { title: "INSTANCES", width: 9, align: "right" },
      { title: "SEEN", width: 10, align: "right" },
      { title: "TOOK", width: 7, align: "right" },
      { title: "FOUND", width: 18, grow: 3 },
    ],
    width,
  );

/** What was found there: `ganeti (cluster1) · libvirt (qemu:///system)`. */
export function foundText({ providers }: HostView): string {
  return providers
    .map(({ name, label, sharedWith }) => `${name} (${label}${sharedWith === null ? "" : `, shown by ${sharedWith}`})`)
    .join(" · ");
}

/** One host in `width` columns; one that found nothing gives its reason that room. */
export function hostRow(host: HostView, instances: number, width: number, now: number): string {
  const [name, status, number, seen, took, found] = hostColumns(width).map((column) => column.width);
  const tone = hostTones[host.state];
  const head = `${cell(plainLine(host.host), name ?? 0)} ${state(tone, cell(words[host.state], (status ?? 2) - 2))}`;
  const reason = host.state === "error" ? hostReason(host) : "";
  if (reason !== "")
    return `${head} ${paint(cell(reason, width - (name ?? 0) - (status ?? 0) - 2), ...toneStyles(tone))}`;
  return [
    head,
    cell(host.seenAt === null ? "" : String(instances), number ?? 0, "right"),
    cell(host.seenAt === null ? "" : `${age((now - host.seenAt) / 1000)} ago`, seen ?? 0, "right"),
    cell(host.tookMs === null ? "" : `${host.tookMs} ms`, took ?? 0, "right"),
    cell(plainLine(foundText(host)), found ?? 0),
  ].join(" ");
}

function errorLines(error: VirtuError, tone: Tone, width: number): string[] {
  const title = [error.where ? `${error.where}: ` : "", error.what].join("");
  const lines = wrapped(plainLine(title), width - 2).map((line, index) =>
    paint(`${index === 0 ? symbol(tone) : " "} ${line}`, ...toneStyles(tone)),
  );
  for (const [name, text] of [
    ["why", error.why],
    ["do", error.hint],
  ] as const) {
    if (text)
      lines.push(
        ...wrapped(plainLine(text), width - 8).map((line, index) => `  ${cell(index === 0 ? name : "", 4)} ${line}`),
      );
  }
  if (error.detail) lines.push(...wrapped(plain(error.detail).trimEnd(), width - 4).map((line) => `  | ${line}`));
  return lines;
}

/** What its nodes use: all of the one node of a host, a line for each of several. */
function nodesLines(nodes: readonly NodeRow[], look: NodeLook): string[] {
  const [only, ...others] = nodes;
  if (only && others.length === 0) return nodeUseLines(only, look);
  const names = Math.min(24, Math.max(0, ...nodes.map(({ name }) => widthOf(plainLine(name)))));
  return nodes.map((node) => {
    const part = (name: string, metric: NodeMetric) => {
      const text = `${name} ${nodeCell(node, metric, look)}`;
      return cell(look.hot(node.key).includes(metric) ? paint(text, ...hotStyles) : text, name.length + 12);
    };
    const parts = [part("CPU", "cpu"), part("memory", "memory"), part("storage", "storage")];
    return `${cell(plainLine(node.name), names)}  ${parts.join(" ")}`.trimEnd();
  });
}

/** All that is wrong or worth knowing with a host, then what its nodes use, in lines of `width` columns. */
export function hostLines(
  host: HostView,
  now: number,
  width: number,
  nodes: readonly NodeRow[] = [],
  look: NodeLook = noNodeLook,
): string[] {
  const lines: string[] = [];
  if (host.error) lines.push(...errorLines(host.error, "bad", width));
  if (host.retryAt !== null && host.state !== "ok") {
    lines.push(`  tried again in ${age(Math.max(0, (host.retryAt - now) / 1000))}; R tries now`);
  }
  for (const problem of host.problems) if (problem !== host.error) lines.push(...errorLines(problem, "warning", width));
  for (const note of host.notes) lines.push(...wrapped(`· ${plainLine(note)}`, width));
  if (lines.length === 0) {
    lines.push(
      host.state === "ok" ? `${plainLine(foundText(host))}: nothing is wrong.` : "Its first answer is awaited.",
    );
  }
  return [...lines, ...nodesLines(nodes, look)];
}
