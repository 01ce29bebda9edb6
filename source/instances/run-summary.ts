/** What came of a run, to be kept: as JSON or as text. Pure. */
import { clock, count, iso, plain } from "../text.ts";
import { verbOf } from "./action-words.ts";
import type { ActionItem, ActionRunView, ActionState } from "./inventory-types.ts";
import { conditionText } from "./waves.ts";

/** What needs somebody first. */
const order: readonly ActionState[] = ["failed", "running", "queued", "cancelled", "done"];

/** Worst first; among equals as they were asked for. */
export function worstFirst(items: readonly ActionItem[]): ActionItem[] {
  const parts: Record<ActionState, ActionItem[]> = { queued: [], running: [], done: [], failed: [], cancelled: [] };
  for (const item of items) parts[item.state].push(item);
  return order.flatMap((state) => parts[state]);
}

export type Counts = Readonly<Record<ActionState, number>>;

export function countsOf(items: readonly ActionItem[]): Counts {
  const counts = { queued: 0, running: 0, done: 0, failed: 0, cancelled: 0 };
  for (const { state } of items) counts[state] += 1;
  return counts;
}

/** `shut down 3 instances`, `drain node1`. */
export function titleOf({ request, items }: Pick<ActionRunView, "request" | "items">): string {
  const [only] = items;
  const noun = only && only.statusBefore === null && only.state !== "failed" ? "node" : "instance";
  return `${verbOf(request.do)} ${items.length === 1 && only ? only.name : count(items.length, noun)}`;
}

const at = (milliseconds: number | null) => iso(milliseconds === null ? null : Math.floor(milliseconds / 1000));
const seconds = (from: number | null, to: number | null) =>
  from === null || to === null ? null : Math.round((to - from) / 100) / 10;

/** The documented shape of a saved summary. */
export function summaryJson(run: ActionRunView): unknown {
  const { request, items, waves, startedAt, endedAt } = run;
  return {
    action: request.do,
    request,
    startedAt: at(startedAt),
    endedAt: at(endedAt),
    counts: countsOf(items),
    waves: waves.map(({ title, until, state, text }) => ({ title, until: until.map(conditionText), state, text })),
    items: worstFirst(items).map((item) => ({
      name: item.name,
      host: item.host,
      state: item.state,
      statusBefore: item.statusBefore,
      statusAfter: item.statusAfter,
      job: item.job,
      error: item.error,
      detail: item.detail,
      startedAt: at(item.startedAt),
      seconds: seconds(item.startedAt, item.endedAt),
    })),
  };
}

/** The same for people; a line for each instance. */
export function summaryText(run: ActionRunView): string {
  const { items, waves, startedAt, endedAt } = run;
  const counts = countsOf(items);
  const took = endedAt === null ? "under way" : `took ${clock((endedAt - startedAt) / 1000)}`;
  const numbers = order.filter((state) => counts[state] > 0).map((state) => `${counts[state]} ${state}`);
  const lines = [`${titleOf(run)}: ${numbers.join(", ")}`, `${at(startedAt)}, ${took}`, ""];
  for (const [index, { title, state, text }] of waves.entries()) {
    lines.push(`wave ${index + 1} (${title}): ${state}${text === "" ? "" : `: ${text}`}`);
  }
  if (waves.length > 0) lines.push("");
  for (const item of worstFirst(items)) {
    const change = item.statusBefore === null ? "" : ` ${item.statusBefore} -> ${item.statusAfter ?? "not seen"}`;
    lines.push(`${item.state.padEnd(9)} ${item.host}/${item.name}${change}${item.error ? `: ${item.error}` : ""}`);
    for (const line of item.detail?.trim().split("\n") ?? []) lines.push(`          | ${line}`);
  }
  return `${lines.join("\n")}\n`;
}

/** Whether a file's name asks for JSON. */
export const isJson = (file: string): boolean => file.toLowerCase().endsWith(".json");

/** What a file of that name holds: JSON where the name ends so, else text. */
export function summaryFile(run: ActionRunView, file: string): string {
  return isJson(file) ? `${JSON.stringify(summaryJson(run), null, 2)}\n` : plain(summaryText(run));
}
