/** Ganeti: one provider for each cluster, driven on its master. Every action is a Ganeti job that is followed to its end. */
import { VirtuError } from "../errors.ts";
import type { Command } from "../ssh/command.ts";
import type { ExecOptions, ExecResult, HostRef, Pool } from "../ssh/types.ts";
import {
  type Cells,
  findJob,
  type GanetiAccess,
  gnt,
  instanceFields,
  listCommand,
  nodeFields,
  numberOf,
  parseList,
  parseTable,
  submitCommand,
  watchCommand,
} from "../tools/ganeti.ts";
import { explainGaneti, masterIn } from "../tools/ganeti-errors.ts";
import { type GanetiFound, sameHost } from "../tools/ganeti-probe.ts";
import { roleOf, statusOf } from "../tools/ganeti-status.ts";
import { verbOf } from "./action-words.ts";
import { ask } from "./exec.ts";
import { runJob } from "./ganeti-job.ts";
import { isBasic, refusalByStatus } from "./rules.ts";
import type {
  Action,
  ActionEvent,
  ActionLimits,
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

/** A list takes 1 to 2 s, several times as long on a loaded master. */
const listLimitMs = 45_000;

export interface GanetiOptions {
  pool: Pool;
  found: GanetiFound & { master: string };
  /** The host as the user named it. */
  host: HostRef;
  known: readonly HostRef[];
  /** First pause before a lost job is looked for again (default 1000 ms); doubles each time. */
  retryMs?: number;
}

/** A job of any kind: what `Provider.act` and the making of instances have in common. */
export interface GanetiJob {
  /** For errors: `web1.example.org got its start`. */
  what: string;
  submit: (access: GanetiAccess) => Command;
  find: (recentJobs: string, withinSeconds: number) => string | null;
  onEvent: ((event: ActionEvent) => void) | undefined;
  signal: AbortSignal | undefined;
}

export class GanetiProvider implements Provider {
  readonly name = "ganeti";
  readonly attachment: Attachment;
  readonly cluster: string;
  readonly place: string;
  /** The master as it is known now. */
  target: HostRef;
  private access: GanetiAccess;

  constructor(private readonly options: GanetiOptions) {
    const { found, host } = options;
    this.cluster = found.cluster ?? found.master;
    this.attachment = { host, label: this.cluster };
    // Two clusters may have one name; their first node group never has one UUID.
    this.place = `ganeti/${this.cluster}@${found.group?.slice(0, 8) ?? found.master}`;
    this.access = { directory: found.directory, sudo: found.sudo };
    this.target = host;
    this.moveTo(found.master);
  }

  private moveTo(master: string): void {
    const { found, host, known } = this.options;
    const named = [host, ...known].find((other) => sameHost(bareName(other), master));
    if (sameHost(found.hostname, master)) this.target = host;
    else if (named) this.target = named;
    else {
      this.target = { name: master, via: host, user: "root" };
      this.access = { ...this.access, sudo: false };
    }
  }

  /** Asks the master; when it has moved, once more the new one. */
  private async onMaster<T extends { stderr: string }>(question: (target: HostRef) => Promise<T>): Promise<T> {
    const answer = await question(this.target);
    const master = masterIn(answer.stderr);
    if (master === null) return answer;
    this.moveTo(master);
    return question(this.target);
  }

  async list(options: ProviderOptions): Promise<Snapshot> {
    const answer = await this.onMaster((target) =>
      ask(this.options.pool, target, listCommand(this.access), "reading the instances", {
        timeoutMs: listLimitMs,
        ...options,
      }),
    );
    const tables = parseList(answer.stdout);
    if (!readable(tables.instances)) throw this.failed("the instances", answer.stderr);
    if (!readable(tables.nodes)) throw this.failed("the nodes", answer.stderr);
    const instances = this.rows(tables.instances.text, instanceFields, "gnt-instance list");
    const nodes = this.rows(tables.nodes.text, nodeFields, "gnt-node list");
    return {
      instances: instances.map((cells) => this.instance(cells)),
      nodes: nodes.map((cells) => this.node(cells)),
      notes: [],
    };
  }

  private rows<F extends string>(text: string, fields: readonly F[], program: string): Cells<F>[] {
    return parseTable(text, fields).map((row, index) => {
      if (row) return row;
      throw new VirtuError({
        kind: "unparsed",
        what: `${program} printed a row that virtu can't read`,
        where: this.target.name,
        why: `line ${index + 1} has not the ${fields.length} columns that were asked for`,
        detail: text.split("\n")[index],
      });
    });
  }

  private failed(what: string, stderr: string): VirtuError {
    return new VirtuError({
      kind: "refused",
      what: `Ganeti did not list ${what} of ${this.cluster}`,
      where: this.target.name,
      ...explainGaneti(stderr),
      detail: stderr.trim() || undefined,
    });
  }

  private instance(cells: Cells<(typeof instanceFields)[number]>): Instance {
    const name = cells.name ?? "";
    const status = statusOf(cells.status);
    const live = status === "running" ? numberOf(cells.oper_ram) : null;
    return {
      key: `${this.place}/${cells.uuid ?? name}`,
      name,
      id: cells.uuid ?? name,
      provider: "ganeti",
      cluster: this.cluster,
      host: this.attachment.host.name,
      node: cells.pnode,
      status,
      statusDetail: cells.status ?? "unknown",
      vcpus: (status === "running" ? numberOf(cells.oper_vcpus) : null) ?? numberOf(cells["be/vcpus"]),
      memoryMiB: live ?? numberOf(cells["be/maxmem"]),
      facts: {
        uuid: cells.uuid,
        secondaries: cells.snodes || null,
        hypervisor: cells.hypervisor,
        os: cells.os,
        diskTemplate: cells.disk_template,
        disksMiB: cells["disk.sizes"] || null,
        ip: cells["nic.ips"] === "None" ? null : cells["nic.ips"] || null,
        mac: cells["nic.macs"] || null,
        link: cells["nic.links"] || null,
        displayPort: numberOf(cells.network_port),
        tags: cells.tags || null,
        adminState: cells.admin_state,
        created: cells.ctime,
      },
    };
  }

  private node(cells: Cells<(typeof nodeFields)[number]>): HostNode {
    const name = cells.name ?? "";
    return {
      key: `${this.place}/node/${name}`,
      name,
      provider: "ganeti",
      cluster: this.cluster,
      host: this.attachment.host.name,
      roles: roleOf(cells.role),
      diskTotal: numberOf(cells.dtotal),
      diskFree: numberOf(cells.dfree),
      memoryTotal: numberOf(cells.mtotal),
      memoryNode: numberOf(cells.mnode),
      memoryFree: numberOf(cells.mfree),
      primaryInstances: numberOf(cells.pinst_cnt),
      secondaryInstances: numberOf(cells.sinst_cnt),
    };
  }

  refuses(action: ActionName, instance: Instance): string | null {
    if (!isBasic(action)) return `Ganeti has no "${verbOf(action)}" here`;
    if (instance.statusDetail === "ADMIN_offline" && action !== "force-off") return "it is marked offline in Ganeti";
    return refusalByStatus(action, instance);
  }

  preview(action: Action, instance: Instance, options: ActionLimits = {}): string[] {
    return isBasic(action.do) ? [submitCommand(this.access, action.do, instance.name, options.limitSeconds).line] : [];
  }

  unattended(action: Action, instance: Instance): Command | null {
    return isBasic(action.do) ? submitCommand(this.access, action.do, instance.name) : null;
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
      command: gnt(this.access, "gnt-instance", ["console", instance.name]),
      takeOver: null,
      wake: "\r",
      leave: "\x1d",
      explain: () => null,
    };
  }

  async graphics(): Promise<GraphicsWay | null> {
    return null;
  }

  async act(
    { do: action }: Action,
    instance: Instance,
    options: ProviderOptions & ActionLimits & { onEvent?: (event: ActionEvent) => void },
  ): Promise<ActionOutcome> {
    if (!isBasic(action)) {
      return { ok: false, job: null, text: null, error: this.refuses(action, instance), detail: null };
    }
    return this.job({
      what: `${instance.name} got its ${action}`,
      submit: (access) => submitCommand(access, action, instance.name, options.limitSeconds),
      find: (recent, seconds) => findJob(recent, action, instance.name, seconds),
      onEvent: options.onEvent,
      signal: options.signal,
    });
  }

  /** Submits a job and follows it to its end. */
  job(job: GanetiJob): Promise<ActionOutcome> {
    return runJob({
      what: job.what,
      find: job.find,
      where: this.cluster,
      retryMs: this.options.retryMs ?? 1000,
      access: () => this.access,
      submit: () => job.submit(this.access),
      watch: (id) => watchCommand(this.access, id),
      exec: (command, more) => this.run(command, { signal: job.signal, ...more }),
      onEvent: job.onEvent ?? (() => {}),
      signal: job.signal,
    });
  }

  /** A command as it would run now, and where. */
  describe(command: (access: GanetiAccess) => Command): { target: HostRef; command: Command } {
    return { target: this.target, command: command(this.access) };
  }

  /** Runs a command on the master, wherever it is by now. */
  run(command: (access: GanetiAccess) => Command, options?: ExecOptions): Promise<ExecResult> {
    return this.onMaster((target) =>
      this.options.pool.exec(target, command(this.access), { priority: "user", ...options }),
    );
  }
}

/** A host's name without user and port. */
function bareName(host: HostRef): string {
  return host.name.replace(/^[^@]*@/, "").replace(/:\d+$/, "");
}

/** Status 14: this version does not know one of the fields; it stands as `??` in an otherwise good table. */
function readable<T extends { status: number }>(table: T | null): table is T {
  return table !== null && (table.status === 0 || table.status === 14);
}
