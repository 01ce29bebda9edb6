/** One instance as one line of the table, and the texts of its cells. Pure. */
import { doingOf, shortVerbOf } from "../../instances/action-words.ts";
import type { ActionItem, InstanceRow } from "../../instances/inventory-types.ts";
import type { Status } from "../../instances/types.ts";
import { isUnheard } from "../../instances/unheard.ts";
import { age, plainLine } from "../../text.ts";
import { cell, glyph, paint, state, symbol, type Tone, toneStyles } from "../theme.ts";
import type { TableColumn } from "./instances-columns.ts";

export const statusTones: Record<Status, Tone> = {
  running: "good",
  stopped: "idle",
  paused: "paused",
  error: "warning",
  unknown: "unknown",
};

/** Milliseconds for which an action that ended well stays marked on its row. */
const freshFor = 60_000;

export function isPending(item: ActionItem): boolean {
  return item.state === "queued" || item.state === "running";
}

/** MiB in few columns: `256M`, `2G`, `1.5G`, `1.2T`. */
export function mebibytes(mib: number | null): string {
  if (mib === null) return "";
  if (mib < 1024) return `${Math.round(mib)}M`;
  const [value, unit] = mib < 1024 * 1024 ? [mib / 1024, "G"] : [mib / 1024 / 1024, "T"];
  return `${value >= 100 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)}${unit}`;
}

export function memoryText(row: InstanceRow): string {
  return mebibytes(row.memoryMiB);
}

/** Where it runs, as the provider calls it; the host when the provider does not say. */
export function nodeText(row: InstanceRow): string {
  return row.node ?? row.host;
}

/** Provider, and the cluster or host through which it is reached; before them the provider's own word where ours says too little. */
export function placeText(row: InstanceRow): string {
  const word = row.status === "error" || row.status === "unknown" ? `${plainLine(row.statusDetail)} · ` : "";
  return `${word}${row.provider} · ${row.cluster ?? row.host}`;
}

/** Facts worth a look in a wide terminal, with what they are called there. */
const telling: readonly (readonly [fact: string, name: string])[] = [
  ["ip", "ip"],
  ["secondaries", "secondary"],
  ["diskTemplate", "disk"],
  ["title", "title"],
  ["tags", "tags"],
  ["hypervisor", "hypervisor"],
];

export function moreText(row: InstanceRow): string {
  const parts: string[] = [];
  for (const [fact, name] of telling) {
    const value = row.facts[fact];
    if (value !== null && value !== undefined && value !== "") parts.push(`${name} ${value}`);
  }
  if (row.facts["managedSave"] === true) parts.push("has a managed save");
  if (row.facts["persistent"] === false) parts.push("not kept when off");
  return parts.join(" · ");
}

/**
 * What a provider's own word says beyond our status: states that pass by themselves, and kinds of being off or paused. The
 * words are libvirt's (virDomainState and its reasons), those that xl's letters are read as, and xapi's power states.
 */
const ownWords: readonly { status: Status; detail: RegExp; tone: Tone; word: string }[] = [
  { status: "running", detail: /^(in shutdown|shutting down)/, tone: "busy", word: "stopping" },
  { status: "running", detail: /^(dying|going away)/, tone: "busy", word: "going away" },
  { status: "running", detail: /^rebooting/, tone: "busy", word: "rebooting" },
  { status: "running", detail: /\(QEMU does not answer\)/, tone: "warning", word: "hangs" },
  { status: "unknown", detail: /^being built/, tone: "busy", word: "being built" },
  { status: "paused", detail: /\(migration\)/, tone: "busy", word: "migrating" },
  { status: "paused", detail: /\((save|dump)\)/, tone: "busy", word: "saving" },
  { status: "paused", detail: /^pmsuspended/, tone: "paused", word: "asleep" },
  { status: "stopped", detail: /^(saved|suspended)/, tone: "idle", word: "saved" },
  { status: "stopped", detail: /\((failed|crashed)\)/, tone: "warning", word: "off, failed" },
];

/** What it is now, whatever is done with it: the provider's own word where that says more. */
function stateOf({ status, statusDetail }: InstanceRow): { tone: Tone; word: string } {
  const own = ownWords.find((one) => one.status === status && one.detail.test(statusDetail));
  return own ?? { tone: statusTones[status], word: status };
}

/** Symbol, word and colour of the status; an action under way goes before it. */
export function statusOf(row: InstanceRow, now: number): { tone: Tone; word: string } {
  const { action } = row;
  if (action && isPending(action)) {
    const job = action.job === null ? "" : ` #${action.job}`;
    return { tone: "busy", word: `${action.state === "queued" ? "queued" : doingOf(action.action)}${job}` };
  }
  const { tone, word } = stateOf(row);
  if (action?.state === "failed") return { tone, word: `${word} ${symbol("bad")}` };
  const fresh = action?.state === "done" && now - (action.endedAt ?? 0) < freshFor;
  return { tone, word: fresh ? `${word} ${glyph.done}` : word };
}

/** Why the last action failed, in a line with what to do about it, or null. */
export function failureText(row: InstanceRow): string | null {
  const { action } = row;
  if (action?.state !== "failed") return null;
  const reason = plainLine(action.error ?? action.text);
  // The offer first: a narrow row has no room for more.
  if (isUnheard(row)) return `not down: f to force or wait · ${reason}`;
  return `${shortVerbOf(action.action)} failed: ${reason}`;
}

/** How old a stale row is, in minutes at the least: seconds would draw every row of a silent host anew each second. */
export function staleAge(seenAt: number, now: number): string {
  const seconds = (now - seenAt) / 1000;
  return seconds < 60 ? "< 1 min ago" : `${age(seconds)} ago`;
}

/** Everything that the filter looks at, in lower case. */
export function searchText(row: InstanceRow): string {
  const { name, status, statusDetail, provider, cluster, host, node, id } = row;
  return `${name} ${status} ${statusDetail} ${provider} ${cluster ?? ""} ${host} ${node ?? ""} ${id} ${moreText(row)}`.toLowerCase();
}

/** A row in exactly `width` columns: mark, then the cells. The reason of a failure takes the room after ON. */
export function instanceRow(
  row: InstanceRow,
  columns: readonly TableColumn[],
  width: number,
  { marked, now, selected = false }: { marked: boolean; now: number; selected?: boolean },
): string {
  const { tone, word } = statusOf(row, now);
  const failure = failureText(row);
  const parts: string[] = [];
  let used = 2;
  for (const { id, width: columnWidth, align, text: textOf, styles } of columns) {
    if (failure !== null && id !== "name" && id !== "status" && id !== "on") {
      parts.push(paint(cell(failure, width - used), ...toneStyles("bad")));
      break;
    }
    const wide = Math.min(columnWidth, width - used);
    used += columnWidth + 1;
    if (id === "status") {
      const text = cell(word, wide - 2);
      parts.push(row.stale ? paint(`${symbol(tone)} ${text}`, "dim") : state(tone, text));
      continue;
    }
    const text = cell(
      plainLine(id === "where" && row.stale ? `${staleAge(row.seenAt, now)} · ${textOf(row)}` : textOf(row)),
      wide,
      align,
    );
    // Dim and bold end each other: a selected row is bold as a whole instead.
    const own = styles?.(row) ?? [];
    parts.push(own.length > 0 ? paint(text, ...own) : row.stale && !selected ? paint(text, "dim") : text);
  }
  const mark = marked ? paint(glyph.mark, "yellow", "bold") : " ";
  return `${mark} ${parts.join(" ")}`;
}
