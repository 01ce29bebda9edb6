/** What is read of a cluster: by LUXI where it answers, by the gnt-* programs where not; the values are the same. */
import { toVirtuError, VirtuError } from "../errors.ts";
import type { HostRef } from "../ssh/types.ts";
import {
  type Cells,
  type GanetiAccess,
  type InstanceField,
  instanceFields,
  type NodeField,
  nodeFields,
  parseList,
  parseTable,
} from "../tools/ganeti.ts";
import { type DetailField, detailFields, detailsCommand, parseDefaultLink } from "../tools/ganeti-details.ts";
import { explainGaneti } from "../tools/ganeti-errors.ts";
import { type GanetiJobRecord, jobFields, jobRecord, jobsCommand, parseJobs } from "../tools/ganeti-jobs.ts";
import {
  instanceKind,
  listCommand,
  luxiFilter,
  type NodeChoice,
  nodeKind,
  partCommand,
  type TableKind,
} from "../tools/ganeti-parts.ts";
import { luxiCells, luxiRows } from "../tools/luxi.ts";
import type { GanetiMaster } from "./ganeti-master.ts";
import type { ProviderOptions } from "./types.ts";

/** A list takes 1 to 2 s by gnt-*, several times as long on a loaded master. */
const listLimitMs = 45_000;

/** Seconds that a part of a table may take. */
const partLimit = 15;

interface ListTables {
  instances: Cells<InstanceField>[];
  nodes: Cells<NodeField>[];
}

export type Tables = { [Table in keyof ListTables]: Promise<ListTables[Table]> };

export interface DetailTables {
  /** Null: there is no such instance. */
  instance: Cells<DetailField> | null;
  nodes: Cells<NodeField>[];
  /** Link of a new interface, where the cluster has a default. */
  defaultLink: string | null;
  /** Ganeti's own networks. */
  networks: string[];
}

export class GanetiReader {
  constructor(
    private readonly master: GanetiMaster,
    private readonly cluster: string,
  ) {}

  private async luxiTable<F extends string>(
    what: string,
    fields: readonly F[],
    filter: unknown,
    options: ProviderOptions,
  ): Promise<Cells<F>[]> {
    const cells = luxiCells(await this.master.luxi.ask("Query", [what, fields, filter], options), fields);
    if (cells) return cells;
    throw new VirtuError({ kind: "unparsed", what: `LUXI gave no table of ${what}s`, where: this.master.target.name });
  }

  /**
   * Both tables without the rows of these nodes. Each comes when it is there: by LUXI they are two questions, by gnt-* one
   * command gives both.
   */
  tables(without: Record<"instance" | "node", readonly string[]>, options: ProviderOptions): Tables {
    const byLuxi = <F extends string>({ what, fields, node }: TableKind<F>) => {
      const filter = luxiFilter(node, { names: without[what], others: true });
      return this.master.luxi.attempt(() => this.luxiTable(what, fields, filter, options), options.signal);
    };
    let both: Promise<ListTables> | null = null;
    const byPrograms = () => {
      both ??= this.listBoth(without, options);
      return both;
    };
    return {
      instances: byLuxi(instanceKind).then(async (found) => found ?? (await byPrograms()).instances),
      nodes: byLuxi(nodeKind).then(async (found) => found ?? (await byPrograms()).nodes),
    };
  }

  private async listBoth(
    without: Record<"instance" | "node", readonly string[]>,
    options: ProviderOptions,
  ): Promise<ListTables> {
    const request = { timeoutMs: listLimitMs, ...options };
    const command = (access: GanetiAccess) => listCommand(access, without);
    const answer = await this.master.ask(command, "reading the instances", request);
    const tables = parseList(answer.stdout, ["instances", "nodes"]);
    if (!readable(tables.instances)) throw this.failed("the instances", answer.stderr);
    if (!readable(tables.nodes)) throw this.failed("the nodes", answer.stderr);
    return {
      instances: this.rows(tables.instances.text, instanceFields, "gnt-instance list"),
      nodes: this.rows(tables.nodes.text, nodeFields, "gnt-node list"),
    };
  }

  /** The rows of one node, which has `partLimit` seconds for its answer. */
  ofNode<F extends string>(kind: TableKind<F>, name: string, options: ProviderOptions): Promise<Cells<F>[]> {
    return this.part(kind, kind.fields, { names: [name], others: false }, options);
  }

  /** All rows as the configuration knows them: no node is asked, what only nodes know is null. */
  async configured<F extends string>(kind: TableKind<F>, options: ProviderOptions): Promise<Cells<F>[]> {
    const fields = kind.fields.filter((field) => !kind.live.includes(field));
    const rows = await this.part(kind, fields, { names: [], others: true }, options);
    const unknown = Object.fromEntries(kind.live.map((field) => [field, null]));
    return rows.map((row) => ({ ...row, ...unknown }));
  }

  private async part<F extends string>(
    kind: TableKind<F>,
    fields: readonly F[],
    choice: NodeChoice,
    options: ProviderOptions,
  ): Promise<Cells<F>[]> {
    const { luxi, target } = this.master;
    const limited = { ...options, timeoutMs: partLimit * 1000 };
    // A node that does not answer is no reason to leave LUXI alone.
    const found = await luxi.attempt(
      () => this.luxiTable(kind.what, fields, luxiFilter(kind.node, choice), limited).catch(lateOr),
      options.signal,
    );
    if (found === "late") throw late(target);
    if (found) return found;
    const answer = await this.master.ask(
      (access) => partCommand(access, kind, fields, choice, partLimit),
      `reading the ${kind.what}s`,
      { ...limited, timeoutMs: (partLimit + 5) * 1000 },
    );
    if (answer.status === 124) throw late(target);
    if (!readable({ status: answer.status })) throw this.failed(`the ${kind.what}s`, answer.stderr);
    return this.rows(answer.stdout, fields, `gnt-${kind.what} list`);
  }

  /** `late`: nodes that are not waited for. */
  async details(name: string, options: ProviderOptions, late: readonly string[] = []): Promise<DetailTables> {
    const [found, configured] = await Promise.all([
      this.detailsBut(name, late, options),
      late.length === 0 ? [] : this.configured(nodeKind, options),
    ]);
    const silent = configured.filter((node) => late.includes(node.name ?? ""));
    return { ...found, nodes: [...found.nodes, ...silent] };
  }

  private async detailsBut(name: string, late: readonly string[], options: ProviderOptions): Promise<DetailTables> {
    const { luxi } = this.master;
    const others = luxiFilter("name", { names: late, others: true });
    const found = await luxi.attempt(async () => {
      const [[instance = null], nodes, cluster, networks] = await Promise.all([
        this.luxiTable("instance", detailFields, ["=", "name", name], options),
        this.luxiTable("node", nodeFields, others, options),
        luxi.ask("QueryClusterInfo", [], options),
        this.luxiTable("network", ["name"], null, options),
      ]);
      return { instance, nodes, defaultLink: linkIn(cluster), networks: networks.flatMap((row) => row.name ?? []) };
    }, options.signal);
    if (found) return found;
    const request = { timeoutMs: listLimitMs, ...options };
    const answer = await this.master.ask((access) => detailsCommand(access, name, late), `looking at ${name}`, request);
    const tables = parseList(answer.stdout, ["instance", "nodes", "cluster", "networks"]);
    if (!readable(tables.instance) || !readable(tables.nodes)) throw this.failed(name, answer.stderr);
    const [instance = null] = this.rows(tables.instance.text, detailFields, "gnt-instance list");
    return {
      instance,
      nodes: this.rows(tables.nodes.text, nodeFields, "gnt-node list"),
      defaultLink: parseDefaultLink(tables.cluster?.text ?? ""),
      networks: (tables.networks?.status === 0 ? tables.networks.text : "").split("\n").filter((line) => line !== ""),
    };
  }

  /** The newest jobs, oldest first. */
  async jobs(count: number, options: ProviderOptions): Promise<GanetiJobRecord[]> {
    const { luxi } = this.master;
    const found = await luxi.attempt(async () => {
      const ids = luxiRows(await luxi.ask("Query", ["job", ["id"], null], options), ["id"]) ?? [];
      const newest = ids
        .map(({ id }) => Number(id))
        .sort((a, b) => a - b)
        .slice(-count);
      return newest.length === 0 ? [] : this.jobsById(newest, options);
    }, options.signal);
    if (found) return found;
    const request = { timeoutMs: listLimitMs, ...options };
    const answer = await this.master.ask((access) => jobsCommand(access, count), "reading the jobs", request);
    if (answer.status !== 0) throw this.failed("the jobs", answer.stderr);
    return parseJobs(answer.stdout);
  }

  /** By LUXI alone; those that do not exist are left out. */
  private async jobsById(ids: readonly number[], options: ProviderOptions): Promise<GanetiJobRecord[]> {
    const result = await this.master.luxi.ask("Query", ["job", jobFields, jobFilter(ids)], options);
    const rows = luxiRows(result, jobFields) ?? [];
    return rows.flatMap((row) => jobRecord(row) ?? []).sort((a, b) => Number(a.id) - Number(b.id));
  }

  private rows<F extends string>(text: string, fields: readonly F[], program: string): Cells<F>[] {
    return parseTable(text, fields).map((row, index) => {
      if (row) return row;
      throw new VirtuError({
        kind: "unparsed",
        what: `${program} printed a row that virtu can't read`,
        where: this.master.target.name,
        why: `line ${index + 1} has not the ${fields.length} columns that were asked for`,
        detail: text.split("\n")[index],
      });
    });
  }

  private failed(what: string, stderr: string): VirtuError {
    return new VirtuError({
      kind: "refused",
      what: `Ganeti did not list ${what} of ${this.cluster}`,
      where: this.master.target.name,
      ...explainGaneti(stderr),
      detail: stderr.trim() || undefined,
    });
  }
}

/** The daemon reads only these jobs' files for it: 1 ms, however many there are. */
export function jobFilter(ids: readonly number[]): unknown {
  return ["|", ...ids.map((id) => ["=", "id", id])];
}

function linkIn(cluster: unknown): string | null {
  const link = at(at(at(cluster, "nicparams"), "default"), "link");
  return typeof link === "string" && link !== "" ? link : null;
}

function at(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function lateOr(thrown: unknown): "late" {
  if (toVirtuError(thrown).kind === "timeout") return "late";
  throw thrown;
}

function late({ name }: HostRef): VirtuError {
  return new VirtuError({ kind: "timeout", what: `Ganeti gave no list within ${partLimit} s`, where: name });
}

/** Status 14: this version does not know one of the fields; it stands as `??` in an otherwise good table. */
function readable<T extends { status: number }>(table: T | null): table is T {
  return table !== null && (table.status === 0 || table.status === 14);
}
