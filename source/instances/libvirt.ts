/** libvirt: one provider for each connection URI of a host, driven by virsh there. */
import { VirtuError } from "../errors.ts";
import type { Command } from "../ssh/command.ts";
import type { HostRef, Pool } from "../ssh/types.ts";
import {
  actionCommand,
  consoleCommand,
  domainWord,
  isPerProcess,
  pollCommand,
  pollLimit,
  startConsoleCommand,
  stateCommand,
} from "../tools/virsh.ts";
import { explainVirsh } from "../tools/virsh-errors.ts";
import { type Domain, type HostPoll, parsePoll, statusOf, whole } from "../tools/virsh-parse.ts";
import { usageOf } from "../tools/virsh-usage.ts";
import { verbOf } from "./action-words.ts";
import { ask, isPassing, pause } from "./exec.ts";
import { libvirtGraphics, libvirtScreenshot } from "./libvirt-screen.ts";
import { LibvirtStores } from "./libvirt-stores.ts";
import { isBasic, refusalByStatus } from "./rules.ts";
import type { Stores } from "./stores-types.ts";
import type {
  Action,
  ActionEvent,
  ActionLimits,
  ActionName,
  ActionOutcome,
  Attachment,
  BasicActionName,
  ConsoleWay,
  GraphicsWay,
  HostNode,
  Instance,
  InstanceDetails,
  MigrationTarget,
  Provider,
  ProviderOptions,
  Snapshot,
} from "./types.ts";

export interface LibvirtOptions {
  pool: Pool;
  host: HostRef;
  uri: string;
  /** Milliseconds between two looks at a domain that shuts down (default 1000). */
  lookMs?: number;
}

type ActOptions = ProviderOptions & ActionLimits & { onEvent?: (event: ActionEvent) => void };

/** virsh ends itself after `pollLimit`; this is for a host that does not even run it. */
const listLimitMs = (pollLimit + 10) * 1000;
const actionLimitMs = 60_000;
const defaultShutdownSeconds = 120;

export class LibvirtProvider implements Provider {
  readonly name = "libvirt";
  readonly attachment: Attachment;
  readonly cluster = null;
  readonly place: string;
  readonly target: HostRef;
  readonly stores: Stores;

  constructor(private readonly options: LibvirtOptions) {
    this.attachment = { host: options.host, label: options.uri };
    this.target = options.host;
    this.stores = new LibvirtStores(options);
    this.place = `libvirt/${options.host.name}/${options.uri}`;
  }

  async list(options: ProviderOptions): Promise<Snapshot> {
    const { pool, host, uri } = this.options;
    const answer = await ask(pool, host, pollCommand(uri), "reading the domains", {
      timeoutMs: listLimitMs,
      ...options,
    });
    const poll = parsePoll(answer.stdout);
    if (!poll) throw this.unreadable(answer);
    const hung = poll.domains.filter((domain) => isHung(domain, poll));
    const notes: string[] = [];
    if (!poll.complete) notes.push("a QEMU process hangs: libvirt gave no numbers this time");
    for (const domain of hung) notes.push(`the QEMU process of ${domain.name} does not answer`);
    return {
      instances: poll.domains.map((domain) => this.instance(domain, poll, hung.includes(domain))),
      nodes: [this.node(poll)],
      notes,
    };
  }

  private unreadable(answer: { status: number; stdout: string; stderr: string }): VirtuError {
    const { host, uri } = this.options;
    const detail = `${answer.stderr}${answer.stdout}`.trim() || undefined;
    if (answer.status === 124) {
      return new VirtuError({
        kind: "timeout",
        what: "libvirt did not answer",
        where: host.name,
        why: `virsh -c ${uri} was cut off after ${pollLimit} s`,
        hint: "Look at libvirtd (or virtqemud) there.",
        detail,
      });
    }
    return new VirtuError({
      kind: "refused",
      what: `libvirt can't be used (${uri})`,
      where: host.name,
      ...explainVirsh(answer.stderr),
      detail,
    });
  }

  private instance(domain: Domain, poll: HostPoll, hung: boolean): Instance {
    const usage = usageOf(domain.stats);
    const { host, uri } = this.options;
    const { status, detail } = statusOf(domain);
    // The test driver invents another UUID at each call for a domain that has none.
    const id = isPerProcess(uri) ? domain.name : domain.uuid;
    const kib = whole(domain.stats[status === "stopped" ? "balloon.maximum" : "balloon.current"]);
    return {
      key: `${this.place}/${id}`,
      name: domain.name,
      id,
      provider: "libvirt",
      cluster: null,
      host: host.name,
      node: poll.hostname,
      status,
      statusDetail: hung ? `${detail} (QEMU does not answer)` : detail,
      vcpus: whole(domain.stats["vcpu.current"]),
      memoryMiB: kib === null ? null : Math.round(kib / 1024),
      facts: {
        uri,
        uuid: isPerProcess(uri) ? null : domain.uuid,
        domainId: domain.id,
        title: domain.title,
        managedSave: domain.saved,
        autostart: domain.autostart,
        persistent: domain.persistent,
        answers: !hung,
        vcpusMax: whole(domain.stats["vcpu.maximum"]),
        memoryMaxKiB: whole(domain.stats["balloon.maximum"]),
        hostMemoryKiB: whole(domain.stats["balloon.rss"]),
        cpuTimeNs: whole(domain.stats["cpu.time"]),
        disks: whole(domain.stats["block.count"]),
        nics: whole(domain.stats["net.count"]),
      },
      ...(usage && { usage }),
    };
  }

  private node(poll: HostPoll): HostNode {
    const mib = (kib: number | null) => (kib === null ? null : Math.round(kib / 1024));
    return {
      key: `${this.place}/node`,
      name: poll.hostname ?? this.options.host.name,
      provider: "libvirt",
      cluster: null,
      host: this.options.host.name,
      roles: [],
      diskTotal: null,
      diskFree: null,
      memoryTotal: mib(poll.memoryTotal),
      memoryNode: null,
      memoryFree: mib(poll.memoryFree),
      primaryInstances: poll.domains.length,
      secondaryInstances: null,
    };
  }

  refuses(action: ActionName, instance: Instance): string | null {
    return isBasic(action) ? refusalByStatus(action, instance) : `libvirt has no "${verbOf(action)}" here`;
  }

  preview(action: Action, instance: Instance): string[] {
    return isBasic(action.do) ? [actionCommand(this.options.uri, action.do, domainWord(instance)).line] : [];
  }

  unattended(action: Action, instance: Instance): Command | null {
    return isBasic(action.do) ? actionCommand(this.options.uri, action.do, domainWord(instance)) : null;
  }

  async details(): Promise<InstanceDetails> {
    throw new VirtuError({ kind: "refused", what: "Nothing more is known of it", where: this.target.name });
  }

  async targets(): Promise<MigrationTarget[]> {
    return [];
  }

  console(instance: Instance): ConsoleWay | { refusal: string; hint: string } {
    return {
      host: this.target,
      command: consoleCommand(this.options.uri, domainWord(instance), false),
      takeOver: consoleCommand(this.options.uri, domainWord(instance), true),
      start: startConsoleCommand(this.options.uri, domainWord(instance)),
      wake: "\r",
      leave: "\x1d",
      explain: () => null,
    };
  }

  graphics(instance: Instance, options: ProviderOptions): Promise<GraphicsWay | null> {
    return libvirtGraphics(this.options, instance, options);
  }

  screenshot(instance: Instance, options: ProviderOptions): Promise<Uint8Array> {
    return libvirtScreenshot(this.options, instance, options);
  }

  async act({ do: action }: Action, instance: Instance, options: ActOptions): Promise<ActionOutcome> {
    if (!isBasic(action)) return failure(this.refuses(action, instance) ?? "", "");
    const { pool, host, uri } = this.options;
    const tell = (text: string) => options.onEvent?.({ text });
    const command = actionCommand(uri, action, domainWord(instance));
    tell(action === "shutdown" ? "asking the guest to shut down" : "virsh runs");
    const result = await pool.exec(host, command, {
      signal: options.signal,
      priority: "user",
      timeoutMs: actionLimitMs,
    });
    if (result.outcome === "exited" && result.status !== 0) {
      const { why, hint } = explainVirsh(result.stderr);
      return failure(hint ? `${why}. ${hint}` : why, result.stderr);
    }
    if (result.outcome !== "exited") return this.lookAfterLoss(action, instance, options);
    if (isPerProcess(uri)) return success("done; the test driver forgets it at once");
    if (action === "shutdown") return this.awaitOff(instance, options);
    return success(action === "reboot" ? "the guest was asked to reboot" : null);
  }

  /** After a loss or a time-out nobody knows what virsh did; for all but a reboot the state tells. */
  private async lookAfterLoss(
    action: BasicActionName,
    instance: Instance,
    options: ActOptions,
  ): Promise<ActionOutcome> {
    options.onEvent?.({ text: "no answer from virsh: looking at the domain" });
    if (action === "shutdown") return this.awaitOff(instance, options);
    if (action !== "reboot") {
      const wanted = action === "start" ? "running" : "shut off";
      for (let n = 0, wait = this.lookMs; n < 8; n += 1, wait = Math.min(wait * 2, 15_000)) {
        const state = await this.lookAt(instance, options);
        if (state === wanted || (state === "gone" && action === "force-off")) return success();
        if (state !== null) return failure(`virsh gave no answer, and the domain is ${state}`, "");
        await pause(wait, options.signal);
      }
    }
    throw new VirtuError({
      kind: "connection",
      what: `Nobody knows whether ${instance.name} got its ${action}`,
      where: this.options.host.name,
      why: "the answer of virsh was lost",
      hint: "Look at the domain before you try again.",
    });
  }

  private get lookMs(): number {
    return this.options.lookMs ?? 1000;
  }

  /** The domain's state, `gone` when libvirt knows it no more, null when nobody answers now. */
  private async lookAt(instance: Instance, options: ActOptions): Promise<string | null> {
    const { pool, host, uri } = this.options;
    try {
      const answer = await ask(pool, host, stateCommand(uri, domainWord(instance)), "looking at the domain", {
        signal: options.signal,
        priority: "user",
        timeoutMs: listLimitMs,
      });
      if (answer.status === 0) return answer.stdout.trim();
      // A transient domain is forgotten as soon as it is off.
      return /failed to get domain/.test(answer.stderr) ? "gone" : null;
    } catch (thrown) {
      if (isPassing(thrown)) return null;
      throw thrown;
    }
  }

  /** ACPI only asks. The guest may take its time, or not listen at all. */
  private async awaitOff(instance: Instance, options: ActOptions): Promise<ActionOutcome> {
    const limit = options.limitSeconds ?? defaultShutdownSeconds;
    const began = performance.now();
    for (;;) {
      const state = await this.lookAt(instance, options);
      if (state === "shut off" || state === "gone") return success();
      const seconds = (performance.now() - began) / 1000;
      if (seconds >= limit) {
        const now = state === null ? "libvirt does not answer" : `the guest is still ${state}`;
        return failure(`${now} after ${limit} s: it may not listen to ACPI. Force off ends it without asking`, "");
      }
      options.onEvent?.({ text: `shutting down: ${Math.floor(seconds)} s of ${limit} s` });
      await pause(this.lookMs, options.signal);
    }
  }
}

/** Its numbers are cut short while those of QEMU that answers are not: a job of it is stuck. */
function isHung(domain: Domain, poll: HostPoll): boolean {
  const short = (other: Domain) =>
    other.state === 1 && "balloon.current" in other.stats && !("balloon.rss" in other.stats);
  return short(domain) && poll.domains.some((other) => other.state === 1 && "balloon.rss" in other.stats);
}

function success(text: string | null = null): ActionOutcome {
  return { ok: true, job: null, text, error: null, detail: null };
}

function failure(error: string, stderr: string): ActionOutcome {
  return { ok: false, job: null, text: null, error, detail: stderr.trim() || null };
}
