/** A run of actions as lines: its state, its waves, its items. Pure. */
import { doingOf } from "../../instances/action-words.ts";
import type { ActionItem, ActionRunView, ActionState, WaveView } from "../../instances/inventory-types.ts";
import { type Counts, titleOf } from "../../instances/run-summary.ts";
import { conditionText } from "../../instances/waves.ts";
import { clock, plainLine } from "../../text.ts";
import { cell, glyph, paint, state, symbol, type Tone, toneStyles } from "../theme.ts";

export const tones: Readonly<Record<ActionState, Tone>> = {
  queued: "idle",
  running: "busy",
  done: "good",
  failed: "bad",
  cancelled: "unknown",
};

const words: Readonly<Record<ActionState, string>> = {
  queued: "queued",
  running: "running",
  done: "done",
  failed: "failed",
  cancelled: "taken back",
};

/** `shut down 500 instances · 312 of 500 · 1:04`. */
export function headText(run: ActionRunView, counts: Counts, now: number): string {
  const ended = run.items.length - counts.queued - counts.running;
  const seconds = ((run.endedAt ?? now) - run.startedAt) / 1000;
  const progress = run.endedAt === null ? `${ended} of ${run.items.length}` : "ended";
  return `${titleOf(run)} · ${progress} · ${clock(seconds)}`;
}

/** `2 ✗ failed  10 ◐ running  188 ○ queued  300 ● done`: worst first, only what there is. */
export function countsText(counts: Counts): string {
  const order: readonly ActionState[] = ["failed", "running", "queued", "cancelled", "done"];
  return order
    .filter((one) => counts[one] > 0)
    .map((one) => `${counts[one]} ${state(tones[one], words[one])}`)
    .join("  ");
}

/** `· f: force the 2 that did not hear, or wait`; nothing where all heard. */
export function unheardText(deaf: number): string {
  if (deaf === 0) return "";
  return paint(`· f: force the ${deaf} that did not hear, or wait`, ...toneStyles("warning"));
}

/** A bar of what has ended: failures first, in their own colour. */
export function barText(counts: Counts, width: number): string {
  const all = Object.values(counts).reduce((sum, number) => sum + number, 0);
  const share = (number: number) => Math.round((number / Math.max(1, all)) * width);
  const failed = counts.failed > 0 ? Math.max(1, share(counts.failed)) : 0;
  const ended = Math.max(failed, share(all - counts.queued - counts.running));
  const bar = (length: number) => glyph.bar.repeat(Math.max(0, length));
  const rest = glyph.barRest.repeat(Math.max(0, width - ended));
  return `${paint(bar(failed), "red")}${paint(bar(ended - failed), "green")}${paint(rest, "dim")}`;
}

const waveTones: Readonly<Record<WaveView["state"], Tone>> = {
  waiting: "idle",
  acting: "busy",
  checking: "busy",
  done: "good",
  failed: "bad",
  cancelled: "unknown",
};

const waveWords: Readonly<Record<WaveView["state"], string>> = {
  waiting: "waits",
  acting: "under way",
  checking: "asked",
  done: "done",
  failed: "failed",
  cancelled: "not begun",
};

/** `wave 1  group=db  ● done  until port 5432`. */
export function waveText(wave: WaveView, index: number, width: number): string {
  const until = wave.until.length > 0 ? `until ${wave.until.map(conditionText).join(" and ")}` : "";
  const said = wave.text === "" ? until : plainLine(wave.text);
  const head = `wave ${index + 1}  ${cell(plainLine(wave.title), 20)} ${cell(state(waveTones[wave.state], waveWords[wave.state]), 12)} `;
  return cell(`${head}${said}`, width);
}

/** Columns of a row besides its name: status, time, host, and what came of it, which has room for a sentence. */
const besideName = 62;

/** Columns of the names in rows of `width`: one long name must not take the room of what came of all. */
export const nameWidth = (items: readonly ActionItem[], width: number): number =>
  Math.min(
    Math.max(16, Math.min(40, width - besideName)),
    items.reduce((most, { name }) => Math.max(most, name.length), 12),
  );

/** One item in exactly `width` columns. */
export function itemText(item: ActionItem, names: number, width: number, now: number): string {
  const tone = tones[item.state];
  const status = item.state === "running" ? doingOf(item.action) : words[item.state];
  const since = item.startedAt === null ? "" : clock(((item.endedAt ?? now) - item.startedAt) / 1000);
  const after = item.state === "done" && item.statusAfter !== null ? `it is ${item.statusAfter}` : "";
  const text = plainLine(item.error ?? (after || item.text));
  const job = item.job === null || text.includes(item.job) ? "" : ` (job ${item.job})`;
  const cells = [
    cell(plainLine(item.name), names),
    cell(`${symbol(tone)} ${status}`, 14),
    cell(since, 6, "right"),
    cell(plainLine(item.host), 14),
  ];
  const line = cell(`${cells.join(" ")}  ${text}${job}`, width);
  return item.state === "failed" || item.state === "running" ? paint(line, ...toneStyles(tone)) : line;
}
