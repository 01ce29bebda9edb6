/**
 * XenServer and XCP-ng: one provider for each pool, driven by `xe` on the host that the user named. Written from xapi's
 * sources and manual; it has not met a real pool yet.
 */
import { VirtuError } from "../errors.ts";
import type { Command } from "../ssh/command.ts";
import type { HostRef, Pool } from "../ssh/types.ts";
import { type XeAccess, xeConsole, xeDetails, xePoll, xePollLimit, xeTargets, xeVnc, xeWatch } from "../tools/xe.ts";
import { explainXe } from "../tools/xe-errors.ts";
import { parseXeList, partsOf, type XeFound, type XeRecord } from "../tools/xe-parse.ts";
import { explainXl } from "../tools/xl-errors.ts";
import type { Maker } from "./create-maker.ts";
import { ask } from "./exec.ts";
import type { Stores } from "./stores-types.ts";
import type {
  Action,
  ActionLimits,
  ActionName,
  ActionOutcome,
  Attachment,
  ConsoleWay,
  GraphicsWay,
  Instance,
  InstanceDetails,
  MigrationTarget,
  Provider,
  ProviderEvent,
  ProviderOptions,
  Snapshot,
} from "./types.ts";
import { explainXenConsole } from "./xen-looks.ts";
import { actOnXe, type XeActOptions } from "./xenserver-act.ts";
import { planXe, type XePlan } from "./xenserver-plan.ts";
import { readXeDetails, readXeTargets, type XePlace, xeInstance, xeNode } from "./xenserver-rows.ts";
import { refusesXenServer } from "./xenserver-rules.ts";
import { XenServerStores } from "./xenserver-stores.ts";
import { XeUsage } from "./xenserver-usage.ts";

export interface XenServerOptions {
  pool: Pool;
  host: HostRef;
  found: XeFound;
  /** Other hosts that the user named: those of this pool are asked what they and their guests use. */
  known?: readonly HostRef[];
  /** Milliseconds between two looks at a guest after a lost answer (default 2000). */
  lookMs?: number;
  /** Milliseconds that a host may take to answer what it and its guests use (default 6000). */
  rrdLimitMs?: number;
  /** Epoch milliseconds, for what is counted over time (default: `Date.now`). */
  now?: () => number;
}

/** Two lists, and three that are cut off soon. */
const listLimitMs = (2 * xePollLimit + 20) * 1000;

export class XenServerProvider implements Provider {
  readonly name = "xenserver";
  readonly attachment: Attachment;
  readonly cluster: string | null;
  readonly place: string;
  readonly target: HostRef;
  /** How xe is called there. */
  readonly access: XeAccess;
  readonly stores: Stores;
  private readonly rows: XePlace;
  private readonly usage: XeUsage;
  /** Addresses of the pool's hosts by UUID, as the last list told them: a console is opened where the guest runs. */
  private addresses: ReadonlyMap<string, string> = new Map();
  private hostNames: ReadonlyMap<string, string> = new Map();

  constructor(private readonly options: XenServerOptions) {
    const { found, host } = options;
    const uuid = found.pool?.uuid ?? host.name;
    this.cluster = found.pool?.name || null;
    this.attachment = { host, label: this.cluster ?? "xe" };
    this.target = host;
    this.place = `xenserver/${uuid}`;
    this.access = { directory: found.directory, sudo: found.sudo };
    const master = found.pool?.master ?? null;
    this.rows = { place: this.place, host: host.name, pool: this.cluster, master };
    this.stores = new XenServerStores({ pool: options.pool, host, access: this.access });
    const { pool, known = [], rrdLimitMs: limitMs = 6000, now = Date.now } = options;
    this.usage = new XeUsage({ pool, host, hostUuid: found.hostUuid, known, master, limitMs, now });
  }

  async list({ usageWithinMs, ...options }: ProviderOptions): Promise<Snapshot> {
    const { pool, host } = this.options;
    const looked = usageWithinMs !== undefined;
    const command = xePoll(this.access, looked ? this.usage.wants() : {});
    const [answer, looks] = await Promise.all([
      ask(pool, host, command, "reading the guests", { timeoutMs: listLimitMs, ...options }),
      looked ? this.usage.refresh(usageWithinMs, options) : [],
    ]);
    const parts = partsOf(answer.stdout);
    const status = Number(parts.get("end") ?? 1);
    if (status !== 0) {
      throw new VirtuError({
        kind: status === 124 ? "timeout" : "refused",
        what: "XenServer's xe did not list the guests",
        where: host.name,
        ...explainXe(answer.stderr, status),
        detail: answer.stderr.trim() || undefined,
      });
    }
    const byUuid = (records: XeRecord[]) => new Map(records.map((record) => [record.get("uuid") ?? "", record]));
    const hosts = byUuid(parseXeList(parts.get("hosts") ?? ""));
    this.addresses = new Map([...hosts].map(([uuid, record]) => [uuid, record.get("address") ?? ""]));
    this.hostNames = new Map([...hosts].map(([uuid, record]) => [record.get("name-label") ?? uuid, uuid]));
    const instances = parseXeList(parts.get("vms") ?? "").map((vm) => xeInstance(vm, hosts, this.rows));
    if (looked) await this.usage.take(looks, { parts, hosts, instances }, usageWithinMs, options);
    return {
      instances: instances.map((instance) => ({ ...instance, ...this.usage.ofGuest(instance) })),
      nodes: [...hosts].map(([uuid, record]) => ({
        ...xeNode(record, instances, this.rows, this.usage.fillsOf(uuid)),
        ...this.usage.ofHost(uuid),
      })),
      notes: [],
    };
  }

  refuses(action: ActionName, instance: Instance): string | null {
    return refusesXenServer(action, instance);
  }

  preview(action: Action, instance: Instance, options: ActionLimits = {}): string[] {
    const plan = this.plan(action, instance, options);
    return "command" in plan ? [plan.command.line] : [];
  }

  async maker(): Promise<Maker> {
    const { XenServerMaker } = await import("./create-maker-xenserver.ts");
    return new XenServerMaker(this);
  }

  unattended(action: Action, instance: Instance): Command | null {
    const plan = this.plan(action, instance, {});
    return "command" in plan ? plan.command : null;
  }

  private plan(action: Action, instance: Instance, limits: ActionLimits): XePlan {
    const { pool } = this.options.found;
    return planXe({ access: this.access, pool: pool?.uuid ?? "", hosts: this.hostNames }, action, instance, limits);
  }

  act(action: Action, instance: Instance, options: XeActOptions): Promise<ActionOutcome> {
    const { pool, host, lookMs = 2000 } = this.options;
    const plan = this.plan(action, instance, options);
    return actOnXe({ pool, host, access: this.access, lookMs }, plan, action, instance, options);
  }

  async details(instance: Instance, options: ProviderOptions): Promise<InstanceDetails> {
    const { pool, host } = this.options;
    const answer = await ask(pool, host, xeDetails(this.access, instance.id), `reading more of ${instance.name}`, {
      timeoutMs: 4 * listLimitMs,
      ...options,
    });
    return readXeDetails(answer.stdout);
  }

  async targets(
    action: "migrate" | "move" | "failover",
    instance: Instance,
    options: ProviderOptions,
  ): Promise<MigrationTarget[]> {
    if (action !== "migrate") return [];
    const { pool, host } = this.options;
    const answer = await ask(pool, host, xeTargets(this.access, instance.id), "looking where it can go", {
      timeoutMs: listLimitMs,
      ...options,
    });
    return readXeTargets(answer.stdout, instance);
  }

  /** The host on which it runs: the named one, or another of the pool behind it. */
  private whereItRuns(instance: Instance): HostRef {
    const { host, found } = this.options;
    const resident = instance.facts["residentOn"];
    const address = typeof resident === "string" ? this.addresses.get(resident) : undefined;
    return resident === found.hostUuid || !address ? host : { name: address, via: host, user: "root" };
  }

  console(instance: Instance): ConsoleWay | { refusal: string; hint: string } {
    if (instance.status !== "running" && instance.status !== "paused") {
      return { refusal: `${instance.name} is ${instance.statusDetail}`, hint: "Start it first." };
    }
    return {
      host: this.whereItRuns(instance),
      command: xeConsole(this.access, instance.id),
      takeOver: null,
      wake: "\r",
      leave: "\x1d",
      explain: (text, status) => {
        const said = explainXenConsole(text, status);
        if (said || status === 0 || status === null) return said;
        return { ...explainXl(text, status), hint: "Look at the guest's screen instead.", inUse: false };
      },
    };
  }

  async graphics(instance: Instance, options: ProviderOptions): Promise<GraphicsWay | null> {
    if (instance.status !== "running" && instance.status !== "paused") return null;
    const host = this.whereItRuns(instance);
    const answer = await ask(this.options.pool, host, xeVnc(this.access, instance.id), "looking for its screen", {
      timeoutMs: listLimitMs,
      ...options,
    });
    const port = answer.stdout.trim();
    return /^\d+$/.test(port) ? { kind: "vnc", host, address: "127.0.0.1", port: Number(port) } : null;
  }

  /** xapi's tasks, as they come: each is told once, and everything is read anew. */
  async watch(options: {
    signal: AbortSignal;
    onReady: () => void;
    onEvent: (event: ProviderEvent) => void;
  }): Promise<void> {
    const { pool, host } = this.options;
    const told = new Set<string>();
    let task = "";
    options.onReady();
    const result = await pool.exec(host, xeWatch(this.access), {
      signal: options.signal,
      priority: "poll",
      maxBytes: 65_536,
      onLine: (stream, line) => {
        if (stream !== "stdout") return;
        const [, key = "", value = ""] = /^ *([\w-]+) \(.{3}\) *: (.*)$/.exec(line) ?? [];
        if (key === "uuid") task = value;
        if (key !== "name-label" || told.has(task)) return;
        told.add(task);
        options.onEvent({ at: Date.now(), key: null, name: host.name, text: value, by: null, changes: true });
      },
    });
    const { why, hint } = explainXe(result.stderr, result.status);
    const refused = result.outcome === "exited" && /Unknown command|Authentication/.test(result.stderr);
    throw new VirtuError({
      kind: refused ? "refused" : "connection",
      what: "The news of xapi ended",
      where: host.name,
      why,
      hint,
    });
  }
}
