/** Ganeti: one provider for each cluster, driven on its master. Every action is a Ganeti job that is followed to its end. */
import { type Command, sh } from "../ssh/command.ts";
import type { ExecOptions, ExecResult, HostRef } from "../ssh/types.ts";
import { type Cells, findJob, type GanetiAccess, type InstanceField, type NodeField } from "../tools/ganeti.ts";
import { type GanetiStep, stepCommand, stepsOf } from "../tools/ganeti-actions.ts";
import { instanceKind, nodeKind, type TableKind } from "../tools/ganeti-parts.ts";
import type { Maker } from "./create-maker.ts";
import { consoleOf, graphicsOf } from "./ganeti-console.ts";
import { detailsOf, targetsOf } from "./ganeti-details.ts";
import { type GanetiJob, runJob } from "./ganeti-job.ts";
import { GanetiJobs } from "./ganeti-jobs.ts";
import { LateTable, lateNotes, type Seen, track, within } from "./ganeti-late.ts";
import { GanetiMaster, type MasterOptions } from "./ganeti-master.ts";
import { GanetiNews } from "./ganeti-news.ts";
import { GanetiNodes } from "./ganeti-nodes.ts";
import { withPatience } from "./ganeti-patience.ts";
import { GanetiReader } from "./ganeti-read.ts";
import { instanceRow, nodeRow, onItsWay, type RowPlace, textFact } from "./ganeti-rows.ts";
import { refusesInstance } from "./ganeti-rules.ts";
import { screenOf, screenRefusal } from "./ganeti-screen.ts";
import { GanetiStores } from "./ganeti-stores.ts";
import { GanetiUse } from "./ganeti-use.ts";
import { GanetiWatch } from "./ganeti-watch.ts";
import { watchByLists } from "./ganeti-watch-lists.ts";
import type { Stores } from "./stores-types.ts";
import type {
  Action,
  ActionEvent,
  ActionLimits,
  ActionName,
  ActionOutcome,
  Attachment,
  ConsoleWay,
  GraphicsWay,
  Instance,
  InstanceDetails,
  MigrationTarget,
  NodeActions,
  Provider,
  ProviderEvent,
  ProviderJobs,
  ProviderOptions,
  Refusal,
  Snapshot,
} from "./types.ts";

export type { GanetiJob } from "./ganeti-job.ts";

export interface GanetiOptions extends MasterOptions {
  /** First pause before a lost job is looked for again (default 1000 ms); doubles each time. */
  retryMs?: number;
}

/** A QEMU that was killed is no job: nothing tells of it. */
const luxiUnseenMs = 10_000;
/** How old the knowledge may be which QEMU it is that hangs. */
const hangsWithinMs = 5000;
/** Numbers that come later are shown later. */
const usePatienceMs = 2000;

export class GanetiProvider implements Provider {
  readonly name = "ganeti";
  readonly attachment: Attachment;
  readonly cluster: string;
  readonly place: string;
  readonly nodes: NodeActions;
  readonly jobs: ProviderJobs;
  readonly stores: Stores;
  private readonly master: GanetiMaster;
  private readonly reader: GanetiReader;
  private readonly use: GanetiUse;
  private readonly instances: LateTable<InstanceField>;
  private readonly nodeTable: LateTable<NodeField>;
  /** Lists by LUXI cost a tenth of a second of the master's time: what no job has done is seen by them. */
  unseenMs: number | undefined;
  /** While it is watched. */
  private news: GanetiNews | null = null;
  /** Keys by full names, as the last list gave them: what happens is told by names. */
  private readonly keys = new Map<string, string>();

  constructor(private readonly options: GanetiOptions) {
    const { found, host } = options;
    this.cluster = found.cluster ?? found.master;
    this.attachment = { host, label: this.cluster };
    // Two clusters may have one name; their first node group never has one UUID.
    this.place = `ganeti/${this.cluster}@${found.group?.slice(0, 8) ?? found.master}`;
    this.master = new GanetiMaster(options);
    this.reader = new GanetiReader(this.master, this.cluster);
    this.use = new GanetiUse(this.master, this.cluster);
    this.instances = this.late(instanceKind);
    this.nodeTable = this.late(nodeKind);
    this.nodes = new GanetiNodes(this.master, (jobs) => this.carry(jobs));
    this.jobs = new GanetiJobs(this.master, this.reader);
    this.stores = new GanetiStores(this.master);
  }

  private late<F extends string>(kind: TableKind<F>): LateTable<F> {
    return new LateTable(kind, {
      configured: (options) => this.reader.configured(kind, options),
      ofNode: (node, options) => this.reader.ofNode(kind, node, options),
    });
  }

  /** The master as it is known now. */
  get target(): HostRef {
    return this.master.target;
  }

  async list({ parts = false, ...options }: ProviderOptions & { parts?: boolean }): Promise<Snapshot> {
    const read = await this.read(options);
    const look = (): Snapshot => {
      const open = [...read.instances.open, ...read.nodes.open, ...read.used];
      const now = this.picture(read.instances.rows(), read.nodes.rows());
      return open.length === 0 ? now : { ...now, rest: () => Promise.race(open).then(look) };
    };
    let snapshot = look();
    while (!parts && snapshot.rest) snapshot = await snapshot.rest();
    return snapshot;
  }

  private picture(instances: readonly Seen<InstanceField>[], nodes: readonly Seen<NodeField>[]): Snapshot {
    const from: RowPlace = { place: this.place, cluster: this.cluster, host: this.attachment.host.name };
    const rows = instances.map(({ cells, late }) => {
      const row = onItsWay(instanceRow(cells, from), this.news?.jobOn(cells.name ?? "") ?? null);
      const use = this.use.ofInstance(cells, row.status === "running");
      return { ...row, ...use, ...this.wordOf(cells, late !== null), ...(late && { late }) };
    });
    this.keys.clear();
    for (const { name, key } of rows) this.keys.set(name, key);
    return {
      instances: rows,
      nodes: nodes.map(({ cells, late }) => ({
        ...nodeRow(cells, from),
        ...this.use.ofNode(cells),
        ...(late && { late }),
      })),
      notes: lateNotes([...instances, ...nodes]),
    };
  }

  /** What Ganeti does not say of a status. */
  private wordOf(cells: Cells<InstanceField>, late: boolean): Pick<Instance, "statusDetail"> | null {
    if (this.use.hangs(cells, late)) return { statusDetail: `${cells.status ?? "unknown"} (QEMU does not answer)` };
    return late && cells.status === null ? { statusDetail: "its node has not answered yet" } : null;
  }

  /** The lists, and at the same time what is used, where somebody looks at it; whoever is late is not waited for. */
  private async read({ usageWithinMs, ...options }: ProviderOptions) {
    const used = new Set<Promise<void>>();
    const refresh = () => {
      if (usageWithinMs !== undefined) track(used, this.use.refresh(usageWithinMs, options));
    };
    refresh();
    const enough = new AbortController();
    const signal = AbortSignal.any([enough.signal, ...(options.signal ? [options.signal] : [])]);
    const without = { instance: this.instances.late, node: this.nodeTable.late };
    const whole = this.reader.tables(without, { ...options, signal });
    const [instances, nodes] = await Promise.all([
      this.instances.read(whole.instances, options),
      this.nodeTable.read(whole.nodes, options),
    ]);
    void Promise.all([instances.asked, nodes.asked]).then(() => enough.abort());
    // The first time nobody knew yet which nodes to ask.
    const known = nodes.rows().map(({ cells, late }) => (late ? { ...cells, mtotal: null } : cells));
    if (this.use.know(known)) refresh();
    await within(Promise.all(used), usePatienceMs);
    // Who hangs there is found out in the meantime.
    const suspected = [...this.instances.late, ...this.use.suspected];
    if (suspected.length > 0) track(used, this.use.refresh(hangsWithinMs, options, suspected));
    return { instances, nodes, used };
  }

  refuses(action: ActionName, instance: Instance): Refusal {
    return refusesInstance(action, instance);
  }

  private steps(action: Action, instance: Instance, limitSeconds?: number): readonly GanetiStep[] | null {
    const diskTemplate = textFact(instance, "diskTemplate");
    return stepsOf(action, { name: instance.name, diskTemplate }, limitSeconds);
  }

  preview(action: Action, instance: Instance, options: ActionLimits = {}): string[] {
    const steps = this.steps(action, instance, options.limitSeconds) ?? [];
    return steps.map((step) => stepCommand(this.master.access, step).line);
  }

  async maker(): Promise<Maker> {
    const { GanetiMaker } = await import("./create-maker-ganeti.ts");
    return new GanetiMaker(this);
  }

  unattended(action: Action, instance: Instance): Command | null {
    const [first, ...others] = (this.steps(action, instance) ?? []).map((step) =>
      stepCommand(this.master.access, step),
    );
    return first ? others.reduce((one, other) => sh`${one} && ${other}`, first) : null;
  }

  async act(
    action: Action,
    instance: Instance,
    options: ProviderOptions & ActionLimits & { onEvent?: (event: ActionEvent) => void },
  ): Promise<ActionOutcome> {
    const steps = this.steps(action, instance, options.limitSeconds);
    if (!steps) {
      const kept = action.do === "remove" ? "Ganeti removes an instance's disks with it: they can't be kept" : null;
      const error = kept ?? this.refuses(action.do, instance) ?? "Ganeti can't do that";
      return { ok: false, job: null, text: null, error, detail: null };
    }
    const carry = (onEvent = options.onEvent) =>
      this.carry(
        steps.map((step) => ({
          what: `${instance.name} got its ${action.do}`,
          submit: (access) => stepCommand(access, step),
          find: (recent, seconds) => findJob(recent, step, seconds),
          onEvent,
          signal: options.signal,
        })),
      );
    const asksGuest = action.do === "shutdown" || (action.do === "reboot" && action.how !== "hard");
    return asksGuest && instance.status === "running" ? withPatience(options, carry) : carry();
  }

  /** One after another; what comes after a failure is not done. */
  private async carry(jobs: readonly GanetiJob[]): Promise<ActionOutcome> {
    let outcome: ActionOutcome = { ok: true, job: null, text: "nothing to do", error: null, detail: null };
    for (const job of jobs) {
      outcome = await this.job(job);
      if (!outcome.ok) return outcome;
    }
    return outcome;
  }

  /** Submits a job and follows it to its end. */
  job(job: GanetiJob): Promise<ActionOutcome> {
    const { retryMs = 1000 } = this.options;
    return runJob({ master: this.master, where: this.cluster, retryMs }, job);
  }

  /** A command as it would run now, and where. */
  describe(command: (access: GanetiAccess) => Command): { target: HostRef; command: Command } {
    return { target: this.target, command: command(this.master.access) };
  }

  /** Runs a command on the master, wherever it is by now. */
  run(command: (access: GanetiAccess) => Command, options?: ExecOptions): Promise<ExecResult> {
    return this.master.run(command, options);
  }

  async details(instance: Instance, options: ProviderOptions): Promise<InstanceDetails> {
    return detailsOf(await this.reader.details(instance.name, options, this.nodeTable.late), instance);
  }

  async targets(
    action: "migrate" | "move" | "failover",
    instance: Instance,
    options: ProviderOptions,
  ): Promise<MigrationTarget[]> {
    return targetsOf(action, await this.reader.details(instance.name, options, this.nodeTable.late), instance);
  }

  console(instance: Instance): ConsoleWay | { refusal: string; hint: string } {
    return consoleOf(instance, this.master, this.news?.jobOn(instance.name) ?? null);
  }

  async graphics(instance: Instance, options: ProviderOptions): Promise<GraphicsWay | null> {
    return graphicsOf(instance, await this.reader.details(instance.name, options, this.nodeTable.late), this.master);
  }

  screenshot(instance: Instance, options: ProviderOptions): Promise<Uint8Array> {
    return screenOf(instance, this.master, options);
  }

  refusesScreenshot(instance: Instance): Refusal {
    return screenRefusal(instance);
  }

  /** By LUXI as it happens; where that is not to be had, every few seconds by `gnt-job list`. */
  async watch(options: {
    signal: AbortSignal;
    onReady: () => void;
    onEvent: (event: ProviderEvent) => void;
  }): Promise<void> {
    const { signal, onReady, onEvent } = options;
    const news = new GanetiNews({ onEvent, keyOf: (name) => this.keys.get(name) ?? null });
    const broken = new AbortController();
    const stop = () => broken.abort();
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    this.news = news;
    const { luxi } = this.master;
    try {
      const byLuxi = await luxi.isThere(signal);
      this.unseenMs = byLuxi ? luxiUnseenMs : undefined;
      if (byLuxi) await new GanetiWatch(luxi, { signal, onReady, news }, broken).run();
      else await watchByLists(this.reader, luxi, { signal, onReady, news });
    } finally {
      signal.removeEventListener("abort", stop);
      if (this.news === news) this.news = null;
    }
  }
}
