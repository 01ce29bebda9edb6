/** A host whose instances are shown: one line in the list, and all of what is wrong with it under that. Pure. */

import type { VirtuError } from "../../errors.ts";
import type { HostState, HostView } from "../../instances/inventory-types.ts";
import { age, plain, plainLine } from "../../text.ts";
import { layout } from "../components/table.tsx";
import { cell, paint, state, symbol, type Tone, toneStyles } from "../theme.ts";
import { wrapped } from "../wrap.ts";
import { hostReason } from "./instances-trouble.ts";

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

/** All that is wrong or worth knowing with a host, in lines of `width` columns. */
export function hostLines(host: HostView, now: number, width: number): string[] {
  const lines: string[] = [];
  if (host.error) lines.push(...errorLines(host.error, "bad", width));
  if (host.retryAt !== null && host.state !== "ok") {
    lines.push(`  tried again in ${age(Math.max(0, (host.retryAt - now) / 1000))}; R tries now`);
  }
  for (const problem of host.problems) if (problem !== host.error) lines.push(...errorLines(problem, "warning", width));
  for (const note of host.notes) lines.push(...wrapped(`· ${plainLine(note)}`, width));
  if (lines.length > 0) return lines;
  return [host.state === "ok" ? `${plainLine(foundText(host))}: nothing is wrong.` : "Its first answer is awaited."];
}
