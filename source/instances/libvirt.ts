/** libvirt: one provider for each connection URI of a host, driven by virsh there. */
import { VirtuError } from "../errors.ts";
import type { Command } from "../ssh/command.ts";
import type { HostRef, Pool } from "../ssh/types.ts";
import {
  consoleCommand,
  domainWord,
  isPerProcess,
  pollCommand,
  pollLimit,
  startConsoleCommand,
} from "../tools/virsh.ts";
import { actionCommand, migrateCommand } from "../tools/virsh-actions.ts";
import { explainVirsh } from "../tools/virsh-errors.ts";
import { type Domain, type HostPoll, readPoll, statusOf, whole } from "../tools/virsh-parse.ts";
import { usageOf } from "../tools/virsh-usage.ts";
import type { Maker } from "./create-maker.ts";
import { ask } from "./exec.ts";
import { type ActOptions, act, domainOf, type LibvirtPlace, lookLimitMs } from "./libvirt-act.ts";
import { detailsOf } from "./libvirt-look.ts";
import { migrate, targetsOf } from "./libvirt-migrate.ts";
import { refusal } from "./libvirt-rules.ts";
import { libvirtGraphics, libvirtScreenshot } from "./libvirt-screen.ts";
import { LibvirtStores } from "./libvirt-stores.ts";
import { watchDomains } from "./libvirt-watch.ts";
import { inSlices } from "./slices.ts";
import type { Stores } from "./stores-types.ts";
import type {
  Action,
  ActionName,
  ActionOutcome,
  Attachment,
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

/** Instances that are made between two places where the work can be left for a moment. */
const together = 50;

export interface LibvirtOptions {
  pool: Pool;
  host: HostRef;
  uri: string;
  /** Other hosts that the user named: what runs libvirt there can be migrated to. */
  known?: readonly HostRef[];
  /** Milliseconds between two looks at a domain that shuts down (default 1000). */
  lookMs?: number;
}

export class LibvirtProvider implements Provider {
  readonly name = "libvirt";
  readonly attachment: Attachment;
  readonly cluster = null;
  readonly place: string;
  readonly target: HostRef;
  readonly stores: Stores;
  /** Not with the test driver: nobody else can change what is its own. */
  readonly watch: Provider["watch"];
  private readonly at: LibvirtPlace;

  constructor(private readonly options: LibvirtOptions) {
    this.attachment = { host: options.host, label: options.uri };
    this.target = options.host;
    this.stores = new LibvirtStores(options);
    this.place = `libvirt/${options.host.name}/${options.uri}`;
    this.at = { pool: options.pool, host: options.host, uri: options.uri, lookMs: options.lookMs ?? 1000 };
    this.watch = isPerProcess(options.uri)
      ? undefined
      : (watched) => watchDomains(this.at, (uuid) => `${this.place}/${uuid}`, watched);
  }

  async list(options: ProviderOptions): Promise<Snapshot> {
    const { pool, host, uri } = this.options;
    const answer = await ask(pool, host, pollCommand(uri), "reading the domains", {
      timeoutMs: lookLimitMs,
      ...options,
    });
    const snapshot = await inSlices(this.read(answer.stdout));
    if (!snapshot) throw this.unreadable(answer);
    return snapshot;
  }

  private *read(stdout: string): Generator<void, Snapshot | null> {
    const poll = yield* readPoll(stdout);
    if (!poll) return null;
    const hung = hungOf(poll);
    const notes: string[] = [];
    if (!poll.complete) notes.push("a QEMU process hangs: libvirt gave no numbers this time");
    for (const domain of hung) notes.push(`the QEMU process of ${domain.name} does not answer`);
    const instances: Instance[] = [];
    for (const domain of poll.domains) {
      instances.push(this.instance(domain, poll, hung.has(domain)));
      if (instances.length % together === 0) yield;
    }
    return { instances, nodes: [this.node(poll)], notes };
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
        tags: domain.tags.join(",") || null,
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
      diskTotal: poll.storage.totalMiB,
      diskFree: poll.storage.freeMiB,
      memoryTotal: mib(poll.memoryTotal),
      memoryNode: null,
      memoryFree: mib(poll.memoryFree),
      primaryInstances: poll.domains.length,
      secondaryInstances: null,
      ...(poll.cpu && { cpu: poll.cpu }),
      pools: poll.storage.pools,
    };
  }

  refuses(action: ActionName, instance: Instance): string | null {
    return refusal(this.options.uri, action, instance);
  }

  preview(action: Action, instance: Instance): string[] {
    const { uri } = this.options;
    const domain = domainOf(instance);
    if (action.do === "migrate") {
      if (action.to === null) return [];
      const line = (copyStorage: boolean) =>
        migrateCommand(uri, domain, action.to ?? "", { live: action.live, copyStorage }).line;
      return domain.active ? [line(false), "# where the hosts share no storage:", line(true)] : [line(false)];
    }
    return actionCommand(uri, action, domain)?.line.split("\n") ?? [];
  }

  async maker(): Promise<Maker> {
    const { LibvirtMaker } = await import("./create-maker-libvirt.ts");
    return new LibvirtMaker(this.options.host, this.options.uri);
  }

  unattended(action: Action, instance: Instance): Command | null {
    // A definition comes by standard input, and a removal first looks whose disks they are.
    const needsMore = action.do === "define" || (action.do === "remove" && !action.keepDisks);
    return needsMore ? null : actionCommand(this.options.uri, action, domainOf(instance));
  }

  details(instance: Instance, options: ProviderOptions): Promise<InstanceDetails> {
    return detailsOf(this.at, instance, options);
  }

  async targets(
    action: "migrate" | "move" | "failover",
    instance: Instance,
    options: ProviderOptions,
  ): Promise<MigrationTarget[]> {
    return action === "migrate" ? targetsOf(this.at, this.options.known ?? [], instance, options) : [];
  }

  console(instance: Instance): ConsoleWay | { refusal: string; hint: string } {
    const { uri } = this.options;
    if (isPerProcess(uri)) return { refusal: "virsh's test driver has no consoles", hint: "" };
    return {
      host: this.target,
      command: consoleCommand(uri, domainWord(instance), false),
      takeOver: consoleCommand(uri, domainWord(instance), true),
      start: startConsoleCommand(uri, domainWord(instance)),
      wake: "\r",
      leave: "\x1d",
      // virsh's words are known to the console itself (console/last-words.ts).
      explain: () => null,
    };
  }

  graphics(instance: Instance, options: ProviderOptions): Promise<GraphicsWay | null> {
    return libvirtGraphics(this.options, instance, options);
  }

  screenshot(instance: Instance, options: ProviderOptions): Promise<Uint8Array> {
    return libvirtScreenshot(this.options, instance, options);
  }

  act(action: Action, instance: Instance, options: ActOptions): Promise<ActionOutcome> {
    return action.do === "migrate"
      ? migrate(this.at, action, instance, options)
      : act(this.at, action, instance, options);
  }
}

/** Those whose numbers are cut short while those of a QEMU that answers are not: a job of theirs is stuck. */
function hungOf({ domains }: HostPoll): ReadonlySet<Domain> {
  const running = domains.filter(({ state }) => state === 1);
  const short = running.filter(({ stats }) => !("balloon.rss" in stats));
  if (short.length === running.length) return new Set();
  return new Set(short.filter(({ stats }) => "balloon.current" in stats));
}
