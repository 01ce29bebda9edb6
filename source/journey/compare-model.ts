/** A comparison from its journal, and what its times say: medians, spread, what failed or was refused. Pure. */

import type { ProviderName } from "../instances/types.ts";
import type { ComparisonEntry, ComparisonView, Left, MadeNow, Phase, Sample } from "./compare-types.ts";
import type { Kept } from "./journal.ts";

/** In the order of a life. */
export const phases: readonly Phase[] = ["create", "start", "reboot", "migrate", "stop", "remove"];
/** What is started by its creation is stopped before its start can be seen. */
export const lateStart: readonly Phase[] = ["create", "reboot", "migrate", "stop", "start", "remove"];

/** Where a migration finds nothing to go to. */
export const nowhere: Readonly<Record<ProviderName, string>> = {
  ganeti: "the cluster has no second node",
  libvirt: "no second libvirt host is named",
  xen: "xl knows no other host: it moves a domain only to one that is named by hand",
  xenserver: "the pool has no second host",
};

export const comparisonKinds: ReadonlySet<string> = new Set([
  ...["comparison", "make", "move", "sample", "gone", "left", "over"],
]);

/** The next picture after an entry; null: there is none before the first one. */
export function learn(view: ComparisonView | null, entry: Kept<ComparisonEntry>): ComparisonView | null {
  if (entry.kind === "comparison") {
    const { id, setup, at } = entry;
    return { id, setup, state: "interrupted", startedAt: at, endedAt: null, samples: [], made: [], now: [] };
  }
  if (view === null) return null;
  const change = (name: string, own: Partial<MadeNow>): ComparisonView => ({
    ...view,
    made: view.made.map((one) => (one.name === name ? { ...one, ...own } : one)),
  });
  switch (entry.kind) {
    case "make": {
      const { place, round, name, request, image } = entry;
      const made: MadeNow = { place, round, name, request, image, moved: false, gone: false, left: [] };
      return { ...view, made: [...view.made.filter((one) => one.name !== name), made] };
    }
    case "move":
      return change(entry.name, { moved: true });
    case "sample": {
      const { kind: _kind, at: _at, ...sample } = entry;
      return { ...view, samples: [...view.samples, sample] };
    }
    case "gone":
      return change(entry.name, { gone: true, left: [] });
    case "left":
      return change(entry.name, { gone: false, left: entry.left });
    case "over":
      return { ...view, state: entry.state, endedAt: entry.at };
  }
}

export function comparisonFrom(records: readonly Kept<ComparisonEntry>[]): ComparisonView | null {
  return records.reduce<ComparisonView | null>(learn, null);
}

/** Instances that may still be somewhere. */
export function notGone({ made }: Pick<ComparisonView, "made">): readonly MadeNow[] {
  return made.filter(({ gone }) => !gone);
}

export function leftOf({ made }: Pick<ComparisonView, "made">): readonly Left[] {
  return made.flatMap(({ left }) => left);
}

/** Of several times. */
export interface Spread {
  median: number;
  min: number;
  max: number;
  n: number;
}

export function spreadOf(values: readonly number[]): Spread | null {
  const sorted = [...values].sort((one, other) => one - other);
  const [min, max, middle] = [sorted[0], sorted.at(-1), Math.floor(sorted.length / 2)];
  if (min === undefined || max === undefined) return null;
  const upper = sorted[middle] ?? max;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
  return { median, min, max, n: sorted.length };
}

/** One phase on one place. */
export interface Cell {
  place: string;
  phase: Phase;
  /** Seconds until the provider said so; null: it never was done. */
  done: Spread | null;
  /** Seconds until the guest answered. */
  ready: Spread | null;
  requests: Spread | null;
  failed: number;
  refused: number;
  /** All that there are. */
  tries: number;
  /** Of those that were done, each once. */
  notes: readonly string[];
  /** Why others were not, each once. */
  why: readonly string[];
}

function cellOf(place: string, phase: Phase, all: readonly Sample[]): Cell {
  const own = all.filter((sample) => sample.place === place && sample.phase === phase);
  const done = own.filter(({ state }) => state === "done");
  const texts = (some: readonly Sample[]) => [...new Set(some.map(({ text }) => text).filter((text) => text !== ""))];
  return {
    ...{ place, phase, tries: own.length },
    done: spreadOf(done.flatMap(({ seconds }) => seconds ?? [])),
    ready: spreadOf(done.flatMap(({ readySeconds }) => readySeconds ?? [])),
    requests: spreadOf(done.map(({ requests }) => requests)),
    failed: own.filter(({ state }) => state === "failed").length,
    refused: own.filter(({ state }) => state === "refused").length,
    notes: texts(done),
    why: texts(own.filter(({ state }) => state === "failed" || state === "refused")),
  };
}

/** A row of the comparison: a phase, or how long the guest took to answer after it. */
export interface Measure {
  id: string;
  title: string;
  phase: Phase;
  of: "done" | "ready";
  /** In the places' order. */
  cells: readonly Cell[];
}

/** The phases that are compared, those of the guest under theirs where it was waited for. */
export function measuresOf({ setup, samples }: Pick<ComparisonView, "setup" | "samples">): Measure[] {
  const waits = setup.places.some(({ ready }) => ready !== null);
  return phases.flatMap((phase) => {
    const cells = setup.places.map(({ id }) => cellOf(id, phase, samples));
    const rows: Measure[] = [{ id: phase, title: phase, phase, of: "done", cells }];
    const answers = waits && (phase === "start" || phase === "reboot" || cells.some(({ ready }) => ready !== null));
    if (answers) rows.push({ id: `${phase}-ready`, title: "  answers", phase, of: "ready", cells });
    return rows;
  });
}

/** What counts for the exit status. */
export function tally({ samples }: Pick<ComparisonView, "samples">): { done: number; failed: number } {
  return {
    done: samples.filter(({ state }) => state === "done").length,
    failed: samples.filter(({ state }) => state === "failed").length,
  };
}
