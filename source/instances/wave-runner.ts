/** Carries the waves of a run: one after the other, each let on by what holds for the instances of the one before. */
import { reasonOf } from "../errors.ts";
import { count } from "../text.ts";
import type { RunRecord } from "./action-run.ts";
import type { ActionItem } from "./inventory-types.ts";
import { type Condition, conditionText, type Wave } from "./waves.ts";

export interface WaveSurroundings {
  /** Does the action to these; resolves when all have ended. */
  begin: (keys: readonly string[]) => Promise<void>;
  check: (condition: Condition, key: string, withinSeconds: number, signal: AbortSignal) => Promise<string | null>;
  takeBack: (keys: readonly string[], why: string) => void;
  onWave: () => void;
  signal: AbortSignal;
}

/** Instances that are asked at once. */
const askedAtOnce = 16;

export async function runWaves(record: RunRecord, around: WaveSurroundings): Promise<void> {
  const { waves } = record;
  const set = (index: number, change: Parameters<RunRecord["setWave"]>[1]) => {
    record.setWave(index, change);
    around.onWave();
  };
  for (const [index, wave] of waves.entries()) {
    set(index, { state: "acting", text: "" });
    await around.begin(wave.keys);
    if (around.signal.aborted) return giveUp(record, index, around, "it was taken back");
    const why = await outcomeOf(record, wave, around, (text) => set(index, { state: "checking", text }));
    if (around.signal.aborted) return giveUp(record, index, around, "it was taken back");
    set(index, { state: why === null ? "done" : "failed", text: why ?? "" });
    if (why !== null && record.options.onFailure !== "go-on") {
      return giveUp(record, index + 1, around, `wave ${index + 1} (${wave.title}) failed: ${why}`);
    }
  }
}

function giveUp(record: RunRecord, from: number, around: WaveSurroundings, why: string): void {
  for (const [index, { keys }] of record.waves.entries()) {
    if (index < from) continue;
    around.takeBack(keys, why);
    record.setWave(index, { state: "cancelled", text: why });
  }
  around.onWave();
}

/** Null, or why the wave counts as failed. */
async function outcomeOf(
  record: RunRecord,
  wave: Wave,
  around: WaveSurroundings,
  tell: (text: string) => void,
): Promise<string | null> {
  const own = new Set(wave.keys);
  const items = record.items().filter(({ key }) => own.has(key));
  const failed = items.filter(({ state }) => state === "failed");
  const why = failed.map(({ name, error }) => `${name}: ${error}`);
  if (failed.length > 0 && record.options.onFailure !== "go-on") return some(why);
  const done = items.filter(({ state }) => state === "done").map(({ key }) => key);
  return some([...why, ...(await conditionsOf(wave, [...done, ...wave.also], items, around, tell))]);
}

function some(reasons: readonly string[]): string | null {
  if (reasons.length === 0) return null;
  const more = reasons.length > 3 ? ` and ${reasons.length - 3} more` : "";
  return `${reasons.slice(0, 3).join("; ")}${more}`;
}

async function conditionsOf(
  wave: Wave,
  keys: readonly string[],
  items: readonly ActionItem[],
  around: WaveSurroundings,
  tell: (text: string) => void,
): Promise<string[]> {
  const names = new Map(items.map(({ key, name }) => [key, name]));
  const reasons: string[] = [];
  for (const condition of wave.until) {
    // A wait is for the wave, not for each of its instances.
    const asked = condition.kind === "wait" ? keys.slice(0, 1) : [...keys];
    let open = asked.length;
    const say = () => tell(`${conditionText(condition)}: waits for ${count(open, "instance")}`);
    say();
    const worker = async () => {
      for (let key = asked.shift(); key !== undefined && !around.signal.aborted; key = asked.shift()) {
        const why = await around
          .check(condition, key, wave.withinSeconds, around.signal)
          .catch((thrown: unknown) => reasonOf(thrown));
        if (why !== null) reasons.push(`${names.get(key) ?? key.slice(key.lastIndexOf("/") + 1)}: ${why}`);
        open -= 1;
        if (open > 0) say();
      }
    };
    await Promise.all(Array.from({ length: Math.min(askedAtOnce, asked.length) }, worker));
    if (reasons.length > 0) break;
  }
  return reasons;
}
