/** `virtu usage`: what instances and nodes use, counted over some seconds, like a `top` over all hosts. */
import type { Command } from "commander";
import { VirtuError } from "../errors.ts";
import type { InstanceRow, NodeRow } from "../instances/inventory-types.ts";
import { choosesSomething } from "../instances/selector.ts";
import { thresholdsOf } from "../monitor/limits.ts";
import { Monitor } from "../monitor/monitor.ts";
import { fillPercent, NodeMonitor, type NodeRates, poolsOf } from "../monitor/nodes.ts";
import type { Rates } from "../monitor/rates.ts";
import { readHosts, reportSilent, silentHosts, wholeOption, withHosts } from "./hosts.ts";
import { type ExitStatus, exit, run, type Session, withJson } from "./run.ts";
import { choose, type SelectOptions, selectorOfOptions, withSelectors } from "./selecting.ts";
import { table } from "./table.ts";

export interface UsageOptions extends SelectOptions {
  seconds?: string;
  nodes?: boolean;
}

export function declare(program: Command): void {
  withJson(withSelectors(withHosts(program.command("usage"))))
    .description("Counts what instances, or the nodes below them, use over some seconds, the busiest first.")
    .option("--nodes", "the nodes: CPU, memory, storage and how full their pools are")
    .option("--seconds <n>", "how long is counted (default 4)")
    .action((options: UsageOptions, command: Command) =>
      run((session) => usage(session, command.optsWithGlobals()))(options, command),
    );
}

const unmeasured: Rates = {
  ...{ cpu: null, memory: null, memoryMiB: null, memorySource: null },
  ...{ diskRead: null, diskWrite: null, netIn: null, netOut: null },
};

/** Counts over some seconds, prints the busiest first. */
export async function usage(session: Session, options: UsageOptions): Promise<ExitStatus> {
  const seconds = wholeOption("--seconds", options.seconds) ?? 4;
  const selector = selectorOfOptions([], options);
  const chooses = choosesSomething(selector);
  if (options.nodes && chooses) {
    const hint = "Leave the selection out, or --nodes.";
    throw new VirtuError({ kind: "usage", what: "--nodes shows nodes, not chosen instances", where: "--nodes", hint });
  }
  const inventory = await readHosts(session, options, true);
  try {
    if (silentHosts(inventory).length === inventory.view().hosts.length) {
      reportSilent(session, inventory);
      return exit.failed;
    }
    const monitor = new Monitor(thresholdsOf({}));
    const nodes = new NodeMonitor(thresholdsOf({}));
    const look = () => {
      const view = inventory.view();
      monitor.observe(view.instances);
      nodes.observe(view.nodes);
      return view;
    };
    look();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, seconds * 1000);
      session.signal.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      });
    });
    await inventory.refresh(undefined, { signal: session.signal, usage: true });
    const view = look();
    const silent = reportSilent(session, inventory);
    if (silent.hosts === view.hosts.length) return exit.failed;
    if (options.nodes) {
      const found = busiestFirst(view.nodes.map((node) => nodeUse(node, nodes.rates(node.key))));
      session.out.result(found, table(nodeHead, found.map(nodeCells)));
    } else {
      const shown = chooses ? choose(session, inventory, selector).found : view.instances;
      const found = busiestFirst(shown.map((row) => instanceUse(row, monitor.rates(row.key) ?? unmeasured)));
      session.out.result(found, table(head, found.map(cells)));
    }
    return silent.problems > 0 ? exit.some : exit.done;
  } finally {
    inventory.end();
  }
}

function busiestFirst<T extends { cpu: number | null }>(found: readonly T[]): T[] {
  return [...found].sort((one, other) => (other.cpu ?? -1) - (one.cpu ?? -1));
}

function instanceUse({ name, host, provider, vcpus, memoryMiB, usageGap }: InstanceRow, rates: Rates) {
  return { name, host, provider, vcpus, givenMiB: memoryMiB, ...rates, gap: usageGap ?? null };
}

function nodeUse(node: NodeRow, rates: NodeRates | null) {
  const { name, host, provider, cluster, memoryTotal, usageGap } = node;
  const { cpu = null, memory = null, storage = null, memoryUsedMiB = null } = rates ?? {};
  const pools = poolsOf(node).map((pool) => ({ ...pool, percent: fillPercent(pool) }));
  const use = { cpu, memory, memoryUsedMiB, memoryMiB: memoryTotal, storage, pools };
  return { name, host, provider, cluster, ...use, gap: usageGap ?? null };
}

const head = ["NAME", "HOST", "CPU %", "MEMORY", "BY", "READ B/S", "WRITTEN B/S", "IN B/S", "OUT B/S"];
const nodeHead = ["NODE", "HOST", "CPU %", "MEMORY %", "USED", "OF", "STORAGE %", "POOLS"];

const whole = (value: number | null) => (value === null ? "-" : String(Math.round(value)));
const mib = (value: number | null) => (value === null ? "-" : `${Math.round(value)}M`);

function cells(row: { name: string; host: string } & Rates): string[] {
  const { name, host, cpu, memoryMiB, memorySource, diskRead, diskWrite, netIn, netOut } = row;
  const rates = [diskRead, diskWrite, netIn, netOut].map(whole);
  return [name, host, whole(cpu), mib(memoryMiB), memorySource ?? "-", ...rates];
}

function nodeCells({ name, host, cpu, memory, memoryUsedMiB, memoryMiB, storage, pools }: ReturnType<typeof nodeUse>) {
  const fills = pools.filter((pool) => pool.name !== "").map((pool) => `${pool.name} ${whole(pool.percent)} %`);
  const numbers = [whole(cpu), whole(memory), mib(memoryUsedMiB), mib(memoryMiB), whole(storage)];
  return [name, host, ...numbers, fills.join(", ") || "-"];
}
