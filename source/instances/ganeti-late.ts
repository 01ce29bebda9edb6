/**
 * Ganeti asks every node for a list, and the slowest makes all of it late: a QEMU that hangs costs 5 s (the time that its
 * monitor is given; twice, then that one's queue is full), a node's daemon that hangs a minute. So a list that is late is
 * asked for again node by node; a node that is late then, too, is asked alone from now on, until it is quick again, and nobody
 * waits for it: its rows are shown as they were last. While all are quick it is one question for the whole cluster.
 */
import { toVirtuError } from "../errors.ts";
import { Limiter } from "../ssh/limiter.ts";
import type { Cells } from "../tools/ganeti.ts";
import type { TableKind } from "../tools/ganeti-parts.ts";
import type { Late, ProviderOptions } from "./types.ts";

/** A list takes 0.3 s by LUXI and 1 to 2 s by gnt-*: one that takes twice the usual time, and so long at least, is late. */
const leastPatienceMs = 2000;
/** Well below the 5 s of a QEMU that hangs. */
const mostPatienceMs = 4000;
/** When the first node has answered, the others have so long at least. Whoever is taken for late wrongly is there soon after. */
const settleMs = 500;
/** Nodes that are asked at once. */
const askedAtOnce = 6;
const restMs = 15_000;

/** A row, and whether its node has not answered in time. */
export interface Seen<F extends string> {
  cells: Cells<F>;
  late: Late | null;
}

export interface Reading<F extends string> {
  /** What is known by now. */
  rows(): Seen<F>[];
  /** What may still come: rows are to be looked at again when one of these has resolved. None of them rejects. */
  readonly open: ReadonlySet<Promise<void>>;
  /** Every node that was asked alone has answered or been given up: the whole is no longer waited for. */
  readonly asked: Promise<unknown>;
}

export interface Questions<F extends string> {
  configured(options: ProviderOptions): Promise<Cells<F>[]>;
  ofNode(node: string, options: ProviderOptions): Promise<Cells<F>[]>;
}

/** A node that is asked alone. */
interface Lane {
  /** Epoch milliseconds of the first question that it did not answer in time. */
  since: number;
  /** The question under way, and the one after it: an answer is of after the wish for it. True: it came in time. */
  current: Promise<boolean> | null;
  following: Promise<boolean> | null;
  /** Epoch milliseconds until which one that gave no answer at all is left alone: the master waits for it far longer. */
  restUntil: number;
}

/** What a reading is made of, as it comes. */
interface Sources<F extends string> {
  begun: number;
  /** Null: not there yet. */
  whole: readonly Cells<F>[] | null;
  configured: readonly Cells<F>[];
  open: Set<Promise<void>>;
  asked: Promise<unknown>[];
}

export class LateTable<F extends string> {
  private readonly lanes = new Map<string, Lane>();
  /** By name: each row as its node told it last, with the time of the question. */
  private known = new Map<string, { cells: Cells<F>; at: number }>();
  private readonly limiter = new Limiter(askedAtOnce);
  /** What the whole takes while nobody is late. */
  private usualMs = 0;
  /** The last one was late, and was there before it was known who is to blame. */
  private suspicious = false;

  constructor(
    private readonly kind: TableKind<F>,
    private readonly questions: Questions<F>,
  ) {}

  /** The nodes that are asked alone: whoever asks for the whole leaves them out. */
  get late(): readonly string[] {
    return [...this.lanes.keys()];
  }

  private get patienceMs(): number {
    return Math.min(mostPatienceMs, Math.max(leastPatienceMs, 2 * this.usualMs));
  }

  /** `whole`: the table without the rows of `late`. Rejects when neither it nor a single node's part can be had. */
  async read(whole: Promise<Cells<F>[]>, options: ProviderOptions): Promise<Reading<F>> {
    const sources: Sources<F> = { begun: Date.now(), whole: null, configured: [], open: new Set(), asked: [] };
    const configured = this.lanes.size === 0 ? null : this.configured(options);
    sources.asked = this.late.map((node) => this.ask(node, sources.begun, options));
    for (const answer of sources.asked) track(sources.open, answer);
    const all = whole.then((rows) => {
      sources.whole = rows;
      this.keep(rows, sources.begun);
    });
    const inTime = !this.suspicious && (await within(all, this.patienceMs));
    this.suspicious = false;
    if (inTime) this.usualMs = Date.now() - sources.begun;
    else await this.split(all, sources, configured ?? this.configured(options), options);
    if (configured && sources.configured.length === 0) sources.configured = (await configured) ?? this.lastOfLate();
    const { open, asked } = sources;
    return { rows: () => this.rows(sources), open, asked: Promise.all(asked) };
  }

  /** Null: it can't be had either. */
  private configured(options: ProviderOptions): Promise<Cells<F>[] | null> {
    return this.questions.configured(options).catch(() => null);
  }

  /** Asks node by node, until the whole is there after all, or all nodes but those that are late. */
  private async split(
    all: Promise<void>,
    sources: Sources<F>,
    asking: Promise<Cells<F>[] | null>,
    options: ProviderOptions,
  ): Promise<void> {
    const configured = await Promise.race([asking, all.then(() => null)]);
    if (sources.whole) return this.learn(sources);
    if (configured === null) return all;
    const names = new Set(configured.flatMap((row) => row[this.kind.node] ?? []));
    const began = Date.now();
    const asked = [...names]
      .filter((name) => !this.lanes.has(name))
      .map((name) => ({ name, answer: this.ask(name, sources.begun, options) }));
    // Where no node is quick the master itself is slow: then there is nothing but to wait.
    const settled = Promise.any(asked.map(({ answer }) => answer.then((inTime) => inTime || Promise.reject())))
      .then(() => within(Promise.all(asked.map(({ answer }) => answer)), Math.max(settleMs, Date.now() - began)))
      .catch(() => all);
    await Promise.race([all, settled]);
    if (sources.whole) {
      for (const { name } of asked) this.lanes.delete(name);
      return this.learn(sources);
    }
    sources.configured = configured;
    for (const { answer } of asked) track(sources.open, answer);
    sources.asked.push(...asked.map(({ answer }) => answer));
    track(sources.open, all);
  }

  /** The whole was there first: nobody is known to be late. */
  private learn({ begun }: Sources<F>): void {
    this.usualMs = Date.now() - begun;
    this.suspicious = this.usualMs > mostPatienceMs;
  }

  /** An answer of one node to a question that begins now, or later where one is under way. */
  private ask(node: string, since: number, options: ProviderOptions): Promise<boolean> {
    const lane = this.lanes.get(node) ?? { since, current: null, following: null, restUntil: 0 };
    this.lanes.set(node, lane);
    if (!lane.current) return this.begin(node, lane, options);
    lane.following ??= lane.current.then(() => {
      lane.following = null;
      return this.begin(node, lane, options);
    });
    return lane.following;
  }

  private begin(node: string, lane: Lane, options: ProviderOptions): Promise<boolean> {
    if (Date.now() < lane.restUntil) return Promise.resolve(false);
    lane.current = this.question(node, lane, options).finally(() => {
      lane.current = null;
    });
    return lane.current;
  }

  private async question(node: string, lane: Lane, options: ProviderOptions): Promise<boolean> {
    const leave = () => this.lanes.get(node) === lane && this.lanes.delete(node);
    let begun = Date.now();
    try {
      const release = await this.limiter.acquire(options.signal, options.priority);
      begun = Date.now();
      this.keep(await this.questions.ofNode(node, options).finally(release), begun);
    } catch (thrown) {
      // Whatever else is wrong is no matter of this node: the next list is one question again, and tells.
      if (toVirtuError(thrown).kind === "timeout") lane.restUntil = Date.now() + restMs;
      else leave();
      return false;
    }
    const inTime = Date.now() - begun < this.patienceMs;
    if (inTime) leave();
    return inTime;
  }

  private keep(rows: readonly Cells<F>[], at: number): void {
    for (const cells of rows) {
      const name = this.nameOf(cells);
      if ((this.known.get(name)?.at ?? 0) <= at) this.known.set(name, { cells, at });
    }
  }

  private nameOf(cells: Cells<F>): string {
    return cells[this.kind.name] ?? "";
  }

  private lastOfLate(): Cells<F>[] {
    const known = [...this.known.values()].map(({ cells }) => cells);
    return known.filter((cells) => this.lanes.has(cells[this.kind.node] ?? ""));
  }

  private rows({ begun, whole, configured }: Sources<F>): Seen<F>[] {
    const rows = new Map<string, Seen<F>>();
    for (const cells of whole ?? []) rows.set(this.nameOf(cells), { cells, late: this.lateOf(cells) });
    for (const row of configured) {
      const name = this.nameOf(row);
      const known = this.known.get(name);
      // The whole's answer may be older than what its own node said since.
      if (rows.has(name) && !(known && known.at > begun)) continue;
      const cells = known && known.at >= begun ? known.cells : { ...row, ...this.liveOf(known?.cells) };
      rows.set(name, { cells, late: this.lateOf(cells) });
    }
    const known = [...rows.keys()].flatMap((name) => {
      const last = this.known.get(name);
      return last ? [[name, last] as const] : [];
    });
    this.known = new Map(known);
    return [...rows.values()];
  }

  private lateOf(cells: Cells<F>): Late | null {
    const node = cells[this.kind.node] ?? "";
    const lane = this.lanes.get(node);
    return lane ? { node, since: lane.since, seenAt: this.known.get(this.nameOf(cells))?.at ?? null } : null;
  }

  private liveOf(cells: Cells<F> | undefined): Partial<Cells<F>> {
    const values = this.kind.live.map((field) => [field, cells?.[field] ?? null] as const);
    return Object.fromEntries(values) as Partial<Cells<F>>;
  }
}

/** A line for each node that is late. */
export function lateNotes(rows: readonly Seen<string>[]): string[] {
  const since = new Map(rows.flatMap(({ late }) => (late ? [[late.node, late.since] as const] : [])));
  return [...since].map(([node, at]) => {
    const time = new Date(at).toTimeString().slice(0, 5);
    return `${node} has not answered in time since ${time}: its rows may be older (a QEMU that hangs there makes Ganeti wait)`;
  });
}

/** Keeps what is under way; its failure is the concern of others. */
export function track(open: Set<Promise<void>>, work: Promise<unknown>): void {
  const quiet: Promise<void> = work.then(
    () => void open.delete(quiet),
    () => void open.delete(quiet),
  );
  open.add(quiet);
}

/** Whether it is there within so many milliseconds. Rejects as it does. */
export async function within(work: Promise<unknown>, milliseconds: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds);
  });
  return Promise.race([work.then(() => true), late]).finally(() => clearTimeout(timer));
}
