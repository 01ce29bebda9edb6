/**
 * What a provider brings to make instances: its maker, found through `Provider.maker` and loaded only when it is wanted. It is
 * asked for requests and offers of its own provider alone; create.ts and create-run.ts see to that.
 */
import { VirtuError } from "../errors.ts";
import type { Command } from "../ssh/command.ts";
import type { HostRef, Pool } from "../ssh/types.ts";
import type { ImageFacts } from "../tools/disk-image.ts";
import type { Offers } from "./create-check.ts";
import type { CommandLine, CreateRequest, CreateStep } from "./create-types.ts";
import type { Provider } from "./types.ts";

export interface MakeOptions {
  signal?: AbortSignal;
  onStep: (step: CreateStep, text: string, more?: { done?: number; job?: string }) => void;
}

/** What only some makers need besides. */
export interface MakerOptions extends MakeOptions {
  pool: Pool;
  /** What the place offered, where it was asked. */
  offers?: Offers;
  /** Waits until nobody else works on this host's storage, and keeps them waiting until the returned function is called. */
  turn?: (signal?: AbortSignal) => Promise<() => void>;
  /** First pause before a host is asked again (default 1000 ms); doubles each time. */
  retryMs?: number;
}

/** How the making itself ended; being ready is found out afterwards. */
export interface Made {
  ok: boolean;
  node: string | null;
  job: string | null;
  notes: string[];
  error: string | null;
  detail: string | null;
  cleanedUp: string[];
  leftBehind: string[];
}

export interface AskOffersOptions {
  signal?: AbortSignal;
  /** Absolute paths on the host whose presence and kind are asked, too. */
  files?: readonly string[];
}

/** How a new instance is while somebody waits for it. */
export interface Look {
  address: string | null;
  /** Why waiting is in vain, or null. */
  off: string | null;
  /** While its address is not known: why it never will be. Absent: it may still become known. */
  noAddress?: string;
}

/** Looks after one new instance while somebody waits for it. */
export interface Waiting {
  /** `known`: its address needs not be found out. Rejects when its host can't be reached. */
  look(known: boolean): Promise<Look>;
  /** How its console is opened now. */
  console(): Promise<{ host: HostRef; command: Command }>;
}

export interface WaitingOptions {
  pool: Pool;
  signal: AbortSignal;
  onText: (text: string) => void;
}

/** Something beside the instance that its making, or a migration that copied disks, may leave. */
export interface Trace {
  what: string;
  /** Status 0: it is there. Null: removing what is not there is no failure. */
  find: Command | null;
  remove: Command;
  /** Status of a removal that found nothing of ours. */
  nothing: number;
  /** Its name was given by the user and not made of the instance's: somebody else may have made it since. */
  named: boolean;
}

export interface Maker {
  /** Instances at once on its place, where nobody says how many. */
  readonly parallel: number;
  /** What it offers to new instances: one round trip. Rejects with a `VirtuError` that says why it gave no answer. */
  offers(pool: Pool, options: AskOffersOptions): Promise<Offers>;
  /** The exact lines that would run; empty where what is missing is told as a problem of the request. */
  lines(request: CreateRequest, offers: Offers): CommandLine[];
  /** Never rejects for what the provider says or because it can't be reached; what a failure left is taken away. */
  make(request: CreateRequest, options: MakerOptions): Promise<Made>;
  waiting(request: CreateRequest, options: WaitingOptions): Waiting;
  /**
   * What may be left of it once the instance itself is gone, as after a virtu that was killed while making it. `image`: the
   * facts of the image that was copied.
   */
  traces(request: CreateRequest, image: ImageFacts | null): Trace[];
}

/** Rejects (`usage`) where nothing can be made through this provider. */
export async function makerOf(provider: Provider): Promise<Maker> {
  const maker = await provider.maker?.();
  if (maker) return maker;
  const where = provider.attachment.host.name;
  throw new VirtuError({ kind: "usage", what: `Nothing can be made on ${provider.name}`, where });
}

/** The error of a host that did not say what it offers. */
export function noOffers(
  whose: "cluster" | "host" | "pool",
  where: string,
  stderr: string,
  explained: { why?: string; hint?: string },
  kind: "refused" | "timeout" = "refused",
): VirtuError {
  return new VirtuError({
    ...{ kind, what: `The ${whose} did not say what it offers`, where },
    ...explained,
    detail: stderr.trim() || undefined,
  });
}

/** For a question about offers: `gnt-os list` is a job, virt-install is Python, and a loaded host takes its time. */
export const offersLimitMs = 90_000;
