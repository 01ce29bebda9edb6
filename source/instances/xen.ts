/** Xen: the domains of one dom0, driven by xl there. */
import { VirtuError } from "../errors.ts";
import type { Command } from "../ssh/command.ts";
import type { HostRef, Pool } from "../ssh/types.ts";
import { type XlAccess, xlPoll, xlPollLimit } from "../tools/xl.ts";
import { consoleCommand, detailsCommand, vncCommand } from "../tools/xl-actions.ts";
import { explainXl, nothingAnswers, storeHangs } from "../tools/xl-errors.ts";
import { parseXlPoll, type XlOwner, type XlSilence } from "../tools/xl-parse.ts";
import type { Maker } from "./create-maker.ts";
import { type Answer, ask } from "./exec.ts";
import type {
  Action,
  ActionName,
  ActionOutcome,
  Attachment,
  ConsoleWay,
  GraphicsWay,
  Instance,
  InstanceDetails,
  MigrationTarget,
  Provider,
  ProviderOptions,
  Snapshot,
} from "./types.ts";
import { actOnXen, type XenActOptions } from "./xen-act.ts";
import { explainXenConsole, readXenDetails } from "./xen-looks.ts";
import { linesOf, planXen } from "./xen-plan.ts";
import { rowsOf, subjectOf } from "./xen-rows.ts";
import { refusesXen } from "./xen-rules.ts";
import { watchXen, type XenWatchOptions } from "./xen-watch.ts";

export interface XenOptions {
  pool: Pool;
  host: HostRef;
  access: XlAccess;
  /** Whose domains are shown by providers of their own on this host. */
  elsewhere?: readonly Exclude<XlOwner, null>[];
  /** Milliseconds between two looks at a domain that shuts down (default 1000). */
  lookMs?: number;
}

/** Two of xl's questions, one after the other, and small files. */
const listLimitMs = (2 * xlPollLimit + 15) * 1000;

export class XenProvider implements Provider {
  readonly name = "xen";
  readonly attachment: Attachment;
  readonly cluster = null;
  readonly place: string;
  readonly target: HostRef;
  /** As the last list gave them. */
  private shown: readonly Instance[] = [];

  /** How xl is called there. */
  get access(): XlAccess {
    return this.options.access;
  }

  constructor(private readonly options: XenOptions) {
    this.attachment = { host: options.host, label: "xl" };
    this.target = options.host;
    this.place = `xen/${options.host.name}`;
  }

  async list(options: ProviderOptions): Promise<Snapshot> {
    const { pool, host, access, elsewhere = [] } = this.options;
    const answer = await ask(pool, host, xlPoll(access), "reading the domains", { timeoutMs: listLimitMs, ...options });
    const poll = parseXlPoll(answer.stdout);
    if (!poll || "failed" in poll) throw this.unreadable(poll, answer);
    const snapshot = rowsOf(poll, { place: this.place, host, elsewhere: new Set(elsewhere) });
    this.shown = snapshot.instances;
    return snapshot;
  }

  private unreadable(silence: XlSilence | null, answer: Answer): VirtuError {
    const { host } = this.options;
    const detail = answer.stderr.trim() || undefined;
    const late = silence !== null && (silence.status === 124 || silence.status === 137);
    if (late && silence.failed === "list") {
      return new VirtuError({
        kind: "timeout",
        what: "xenstored does not answer",
        where: host.name,
        ...storeHangs,
        detail,
      });
    }
    return new VirtuError({
      kind: late ? "timeout" : "refused",
      what: late ? "Xen did not answer" : "Xen can't be used",
      where: host.name,
      ...(late ? nothingAnswers : explainXl(answer.stderr, silence?.status)),
      detail,
    });
  }

  refuses(action: ActionName, instance: Instance): string | null {
    return refusesXen(action, instance);
  }

  preview(action: Action, instance: Instance): string[] {
    const { access } = this.options;
    return linesOf(access, planXen(access, action, subjectOf(instance)));
  }

  act(action: Action, instance: Instance, options: XenActOptions): Promise<ActionOutcome> {
    const { pool, host, access, lookMs = 1000 } = this.options;
    return actOnXen({ pool, host, access, lookMs }, action, instance, options);
  }

  async maker(): Promise<Maker> {
    const { XenMaker } = await import("./create-maker-xen.ts");
    return new XenMaker(this);
  }

  unattended(action: Action, instance: Instance): Command | null {
    const plan = planXen(this.options.access, action, subjectOf(instance));
    const [step, ...more] = "steps" in plan ? plan.steps : [];
    return step?.kind === "run" && more.length === 0 ? step.command : null;
  }

  async details(instance: Instance, options: ProviderOptions): Promise<InstanceDetails> {
    const { pool, host, access } = this.options;
    const facts = ["diskFiles", "diskVolumes", "otherDisks"].map((key) => instance.facts[key]);
    const disks = facts.flatMap((fact) => (typeof fact === "string" ? fact.split("; ") : []));
    const command = detailsCommand(access, subjectOf(instance), disks);
    const answer = await ask(pool, host, command, `reading more of ${instance.name}`, {
      timeoutMs: listLimitMs,
      ...options,
    });
    return readXenDetails(answer.stdout, instance);
  }

  /** Xen hosts know nothing of each other: `migrate` takes any host that root there reaches by ssh. */
  async targets(): Promise<MigrationTarget[]> {
    return [];
  }

  console(instance: Instance): ConsoleWay | { refusal: string; hint: string } {
    const domain = subjectOf(instance);
    if (domain.domainId === null) return { refusal: `${instance.name} is off`, hint: "Start it first." };
    return {
      host: this.target,
      command: consoleCommand(this.options.access, domain),
      takeOver: null,
      wake: "\r",
      leave: "\x1d",
      explain: explainXenConsole,
    };
  }

  async graphics(instance: Instance, options: ProviderOptions): Promise<GraphicsWay | null> {
    const { pool, host, access } = this.options;
    const { domainId } = subjectOf(instance);
    if (domainId === null) return null;
    const answer = await ask(pool, host, vncCommand(access, domainId), "looking for its screen", {
      timeoutMs: listLimitMs,
      ...options,
    });
    const [port = "", address = ""] = answer.stdout.split("\n");
    return /^\d+$/.test(port) ? { kind: "vnc", host, address: address || "127.0.0.1", port: Number(port) } : null;
  }

  watch(options: XenWatchOptions): Promise<void> {
    const { pool, host, access } = this.options;
    return watchXen({ pool, host, access, known: () => this.shown }, options);
  }
}
