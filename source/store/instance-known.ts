/** What is known of instances beyond their rows: details, targets, the providers' jobs, and the feed. A pure reducer. */
import type { HostEvent } from "../instances/inventory-types.ts";
import type { InstanceDetails, MigrationTarget, ProviderJob } from "../instances/types.ts";
import { type Loaded, nothing } from "./loaded.ts";

/** A provider's event as the feed keeps it: on one line each, free of control sequences. */
export interface FeedLine extends HostEvent {
  /** Counts with the log's lines: a smaller one came first. */
  id: number;
}

/** A job with where it is queued. */
export interface QueuedJob extends ProviderJob {
  /** The provider's place. */
  place: string;
  /** The cluster, or the host where there is none. */
  where: string;
}

export interface InstancesKnown {
  /** By the instance's key; only the latest that were looked at. */
  details: Readonly<Record<string, Loaded<InstanceDetails | null>>>;
  /** By `action key`; only the latest. */
  targets: Readonly<Record<string, Loaded<readonly MigrationTarget[]>>>;
  /** Of all providers with a queue, newest first. */
  jobs: Loaded<readonly QueuedJob[]>;
  feed: readonly FeedLine[];
}

export type InstancesEvent =
  | { type: "details"; key: string; change: Partial<Loaded<InstanceDetails | null>> }
  | { type: "targets"; key: string; change: Partial<Loaded<readonly MigrationTarget[]>> }
  | { type: "provider-jobs"; change: Partial<Loaded<readonly QueuedJob[]>> }
  | { type: "feed"; lines: readonly FeedLine[] };

/** Events kept in the feed. */
export const feedLimit = 5000;
/** Instances whose details are kept. */
const keptLimit = 50;

export const noInstances: InstancesKnown = { details: {}, targets: {}, jobs: nothing([]), feed: [] };

export function reduceInstances(known: InstancesKnown, event: InstancesEvent): InstancesKnown {
  switch (event.type) {
    case "details":
      return { ...known, details: changed(known.details, event.key, event.change, null) };
    case "targets":
      return { ...known, targets: changed(known.targets, event.key, event.change, []) };
    case "provider-jobs":
      return { ...known, jobs: { ...known.jobs, ...event.change } };
    case "feed":
      return { ...known, feed: [...known.feed, ...event.lines].slice(-feedLimit) };
  }
}

/** The record with one entry changed, which is then its newest; the oldest entries go when there are too many. */
function changed<T>(
  record: Readonly<Record<string, Loaded<T>>>,
  key: string,
  change: Partial<Loaded<T>>,
  empty: T,
): Record<string, Loaded<T>> {
  const { [key]: before = nothing(empty), ...others } = record;
  const kept = Object.entries(others).slice(1 - keptLimit);
  return { ...Object.fromEntries(kept), [key]: { ...before, ...change } };
}
