/**
 * XenServer and XCP-ng: one provider for each pool, driven by `xe` on the host that the user named. Written from xapi's
 * sources and manual; it has not met a real pool yet.
 */
import { VirtuError } from "../errors.ts";
import type { Command } from "../ssh/command.ts";
import type { HostRef, Pool } from "../ssh/types.ts";
import {
  type XeAccess,
  xe,
  xeActionLimit,
  xeConsole,
  xeDetails,
  xeLongLimit,
  xePoll,
  xePollLimit,
  xeTargets,
  xeVnc,
  xeWatch,
} from "../tools/xe.ts";
import {
  xeAddDisk,
  xeAutostart,
  xeOnSnapshot,
  xeSetMemory,
  xeSetVcpus,
  xeSnapshot,
  xeTags,
  xeVerbs,
} from "../tools/xe-actions.ts";
import { explainXe } from "../tools/xe-errors.ts";
import { parseXeList, partsOf, uuidOf, type XeFound, type XeRecord } from "../tools/xe-parse.ts";
import { explainXl } from "../tools/xl-errors.ts";
import { ask, isPassing, pause } from "./exec.ts";
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
  Provider,
  ProviderEvent,
  ProviderOptions,
  Snapshot,
} from "./types.ts";
import { explainXenConsole } from "./xen-looks.ts";
import { readXeDetails, readXeTargets, type XePlace, xeInstance, xeNode, xeSubject } from "./xenserver-rows.ts";
import { refusesXenServer } from "./xenserver-rules.ts";

export interface XenServerOptions {
  pool: Pool;
  host: HostRef;
  found: XeFound;
  /** Milliseconds between two looks at a guest after a lost answer (default 2000). */
  lookMs?: number;
}

type ActOptions = ProviderOptions & ActionLimits & { onEvent?: (event: ActionEvent) => void };

const listLimitMs = (2 * xePollLimit + 10) * 1000;
const defaultShutdownSeconds = 120;

export class XenServerProvider implements Provider {
  readonly name = "xenserver";
  readonly attachment: Attachment;
  readonly cluster: string | null;
  readonly place: string;
  readonly target: HostRef;
  private readonly access: XeAccess;
  private readonly rows: XePlace;
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
    this.rows = { place: this.place, host: host.name, pool: this.cluster, master: found.pool?.master ?? null };
  }

  async list(options: ProviderOptions): Promise<Snapshot> {
    const { pool, host } = this.options;
    const answer = await ask(pool, host, xePoll(this.access), "reading the guests", {
      timeoutMs: listLimitMs,
      ...options,
    });
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
    return { instances, nodes: [...hosts.values()].map((record) => xeNode(record, instances, this.rows)), notes: [] };
  }

  refuses(action: ActionName, instance: Instance): string | null {
    return refusesXenServer(action, instance);
  }

  preview(action: Action, instance: Instance, options: ActionLimits = {}): string[] {
    const plan = this.plan(action, instance, options);
    return "command" in plan ? [plan.command.line] : [];
  }

  unattended(action: Action, instance: Instance): Command | null {
    const plan = this.plan(action, instance, {});
    return "command" in plan ? plan.command : null;
  }

  /** The command of an action and its limit in seconds, or why there is none. */
  private plan(
    action: Action,
    instance: Instance,
    { limitSeconds }: ActionLimits,
  ): { command: Command; seconds: number; text: string } | { refusal: string } {
    const { access } = this;
    const vm = xeSubject(instance);
    const quick = (command: Command, text = "xe runs") => ({ command, seconds: xeActionLimit, text });
    const long = (command: Command, text: string) => ({ command, seconds: xeLongLimit, text });
    switch (action.do) {
      case "start":
        return quick(xeVerbs.start(access, vm));
      case "shutdown": {
        const seconds = limitSeconds ?? defaultShutdownSeconds;
        return {
          command: xeVerbs.shutdown(access, vm, seconds),
          seconds,
          text: `shutting down, for ${seconds} s at most`,
        };
      }
      case "reboot":
        return quick(xeVerbs.reboot(access, vm, action.how === "hard"));
      case "force-off":
      case "discard-save":
        return quick(xeVerbs.forceOff(access, vm));
      case "pause":
        return quick(xeVerbs.pause(access, vm));
      case "resume":
        return quick(xeVerbs.resume(access, vm));
      case "save":
        return long(xeVerbs.suspend(access, vm), "writing its memory");
      case "restore":
        return long(xeVerbs.wake(access, vm), "reading its memory back");
      case "autostart":
        return quick(xeAutostart(access, vm, this.options.found.pool?.uuid ?? "", action.on));
      case "rename":
        return quick(xeVerbs.set(access, vm, "name-label", action.to));
      case "note":
        return quick(xeVerbs.set(access, vm, "name-description", action.text));
      case "remove":
        return quick(xeVerbs.remove(access, vm, action.keepDisks));
      case "migrate": {
        const to = action.to === null ? null : (uuidOf(action.to) ?? this.hostNames.get(action.to) ?? null);
        return to === null
          ? { refusal: "choose the host of the pool that it goes to" }
          : long(xeVerbs.migrate(access, vm, to, action.live), "moving it");
      }
      case "snapshot-create":
        return long(xeSnapshot(access, vm, action), "taking the snapshot");
      case "snapshot-revert":
        return long(xeOnSnapshot(access, vm, action.name, "revert"), "reverting");
      case "snapshot-delete":
        return long(xeOnSnapshot(access, vm, action.name, "uninstall"), "deleting the snapshot");
      case "clone":
        return long(xeVerbs.clone(access, vm, action.to), "cloning");
      case "set-memory":
        return quick(xeSetMemory(access, vm, action.mebibytes));
      case "set-vcpus":
        return quick(xeSetVcpus(access, vm, action.count));
      case "disk-add":
        return quick(xeAddDisk(access, vm, action.mebibytes, action.pool));
      case "media-insert":
        return quick(xeVerbs.insert(access, vm, action.path));
      case "media-eject":
        return quick(xeVerbs.eject(access, vm));
      case "tag":
        return quick(xeTags(access, vm, action.add, action.remove));
      default:
        return { refusal: "xe can't do that" };
    }
  }

  async act(action: Action, instance: Instance, options: ActOptions): Promise<ActionOutcome> {
    const { pool, host } = this.options;
    const plan = this.plan(action, instance, options);
    if ("refusal" in plan) return failure(plan.refusal, "");
    options.onEvent?.({ text: plan.text });
    const result = await pool.exec(host, plan.command, {
      signal: options.signal,
      priority: "user",
      timeoutMs: (plan.seconds + 15) * 1000,
    });
    const late = result.outcome === "exited" && result.status === 124;
    if (result.outcome === "exited" && !late) {
      if (result.status === 0) return success(action.do === "reboot" ? "the guest was rebooted" : null);
      // `--multiple` is never used, and yet some versions print what failed on standard output.
      const text = `${result.stderr}${result.stdout}`;
      const { why, hint } = explainXe(text, result.status);
      return failure(hint ? `${why}. ${hint}` : why, text);
    }
    return this.lookAfter(action, instance, options, late ? plan.seconds : null);
  }

  /** After a loss, or when the client was cut off: xapi carries the task on, and the guest's state tells. */
  private async lookAfter(
    action: Action,
    instance: Instance,
    options: ActOptions,
    limit: number | null,
  ): Promise<ActionOutcome> {
    const { pool, host, lookMs = 2000 } = this.options;
    const wanted = wantedAfter(action);
    const command = xe(this.access, ["vm-param-get", `uuid=${instance.id}`, "param-name=power-state"], xePollLimit);
    for (let tries = 0; wanted !== null && tries < 6; tries += 1) {
      try {
        const answer = await ask(pool, host, command, "looking at the guest", {
          signal: options.signal,
          priority: "user",
          timeoutMs: listLimitMs,
        });
        const state = answer.stdout.trim();
        if (answer.status === 0) {
          if (state === wanted) return success();
          const after = limit === null ? "xe gave no answer, and the guest is" : `after ${limit} s the guest is still`;
          const hint = action.do === "shutdown" ? ": it may not listen. Force off ends it without asking" : "";
          return failure(`${after} ${state}${hint}`, "");
        }
      } catch (thrown) {
        if (!isPassing(thrown)) throw thrown;
      }
      await pause(lookMs, options.signal);
    }
    throw new VirtuError({
      kind: limit === null ? "connection" : "timeout",
      what: `Nobody knows what became of ${instance.name}`,
      where: host.name,
      why:
        limit === null ? "the answer of xe was lost" : `xe did not end within ${limit} s; xapi goes on with the task`,
      hint: "Look at the guest before you try again.",
    });
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

function wantedAfter(action: Action): string | null {
  switch (action.do) {
    case "start":
    case "resume":
    case "restore":
      return "running";
    case "shutdown":
    case "force-off":
    case "discard-save":
      return "halted";
    case "save":
      return "suspended";
    case "pause":
      return "paused";
    default:
      return null;
  }
}

function success(text: string | null = null): ActionOutcome {
  return { ok: true, job: null, text, error: null, detail: null };
}

function failure(error: string, text: string): ActionOutcome {
  return { ok: false, job: null, text: null, error, detail: text.trim() || null };
}
