/** What a comparison is: the same life cycle on several places, step by step, with its times. All of it is plain data. */
import type { CommandLine, CreateProblem, CreateRequest, ReadyWanted } from "../instances/create-types.ts";
import type { ProviderName } from "../instances/types.ts";
import type { HostRef } from "../ssh/types.ts";
import type { ImageFacts } from "../tools/disk-image.ts";

export type Phase = "create" | "start" | "reboot" | "migrate" | "stop" | "remove";

/** A provider on a host: what is compared. */
export interface PlaceFacts {
  /** `gnt1:ganeti`. */
  id: string;
  host: HostRef;
  provider: ProviderName;
  /** As the provider's attachment says: connection URI, cluster name. */
  label: string;
  /** What is made there, one line for people. */
  what: string;
  /** Its creation starts it (an installation, a cloud image): the start is then measured after the stop. */
  startsAtOnce: boolean;
  ready: ReadyWanted | null;
}

export interface ComparisonSetup {
  /** Part of every name that it makes. */
  tag: string;
  places: readonly PlaceFacts[];
  /** Hosts to which instances may migrate, beside those of the places. */
  also: readonly HostRef[];
  /** libvirt connection URI that was asked for; null: the usual one. */
  uri: string | null;
  rounds: number;
  /** Instances at once on each place. */
  count: number;
  /** The places beside each other, not one after another. */
  together: boolean;
  /** Seconds that a guest gets to shut down. */
  limitSeconds: number;
}

/** `skipped`: it had to run for that and did not, or had failed before. */
export type SampleState = "done" | "failed" | "refused" | "skipped" | "cancelled";

/** One phase of one instance. */
export interface Sample {
  /** Id of the place. */
  place: string;
  /** From 1. */
  round: number;
  name: string;
  phase: Phase;
  state: SampleState;
  /** From the request until the provider's own state said so; null when that never came. */
  seconds: number | null;
  /** From the request until the guest answered; null: not asked, or it did not. */
  readySeconds: number | null;
  /** Requests to hosts that virtu needed, waiting for the guest not counted. */
  requests: number;
  /** How it was done; else why not. */
  text: string;
}

/** What could not be taken away. */
export interface Left {
  what: string;
  why: string;
  /** How to do it by hand: a command on that host. */
  how: string;
}

/** What is on disk before it is made. */
export interface Made {
  place: string;
  round: number;
  name: string;
  request: CreateRequest;
  /** Of the image that it copies: its volume's name depends on it. */
  image: ImageFacts | null;
}

/** An instance of a comparison as it is now. */
export interface MadeNow extends Made {
  /** A migration was begun: parts of it may be elsewhere. */
  moved: boolean;
  gone: boolean;
  left: readonly Left[];
}

export type ComparisonEntry =
  | { kind: "comparison"; version: 1; id: string; setup: ComparisonSetup }
  | ({ kind: "make" } & Made)
  | { kind: "move"; name: string; to: string }
  | ({ kind: "sample" } & Sample)
  | { kind: "gone"; name: string }
  | { kind: "left"; name: string; left: readonly Left[] }
  | { kind: "over"; state: "done" | "cancelled" | "interrupted" };

export type ComparisonState = "running" | "interrupted" | "done" | "cancelled";

/** What goes on now. */
export interface Activity {
  place: string;
  round: number;
  name: string;
  phase: Phase | "clean";
  text: string;
  /** Epoch milliseconds. */
  since: number;
}

export interface ComparisonView {
  id: string;
  setup: ComparisonSetup;
  state: ComparisonState;
  /** Epoch milliseconds. */
  startedAt: number;
  endedAt: number | null;
  samples: readonly Sample[];
  made: readonly MadeNow[];
  now: readonly Activity[];
}

/** What runs in a phase of the first instance of a place; alike for the others. */
export interface PhaseLines {
  phase: Phase;
  lines: readonly CommandLine[];
  /** Why it can't be done there, or what is only known then. */
  note: string | null;
}

/** What is asked for. Sizes in MiB. */
export interface Sizes {
  memoryMiB: number;
  vcpus: number;
  diskMiB: number;
  /** A disk image of the libvirt hosts, copied for each instance; null: an empty disk. */
  image: string | null;
  /** OS definition of Ganeti; null: `noop`, or the first that there is. */
  os: string | null;
}

export interface PlanProblem extends CreateProblem {
  place: string;
}
