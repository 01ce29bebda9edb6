/** `virtu usage`: what instances use, counted over some seconds, like a `top` over all hosts. */
import type { Command } from "commander";
import { choosesSomething } from "../instances/selector.ts";
import { Monitor } from "../monitor/monitor.ts";
import type { Rates } from "../monitor/rates.ts";
import { readHosts, reportSilent, silentHosts, wholeOption, withHosts } from "./hosts.ts";
import { type ExitStatus, exit, run, type Session, withJson } from "./run.ts";
import { choose, type SelectOptions, selectorOfOptions, withSelectors } from "./selecting.ts";
import { table } from "./table.ts";

interface Options extends SelectOptions {
  seconds?: string;
}

export function declare(program: Command): void {
  withJson(withSelectors(withHosts(program.command("usage"))))
    .description("Counts what instances use over some seconds, the busiest first.")
    .option("--seconds <n>", "how long is counted (default 4)")
    .action((options: Options, command: Command) =>
      run((session) => usage(session, command.optsWithGlobals()))(options, command),
    );
}

const unmeasured: Rates = {
  ...{ cpu: null, memory: null, memoryMiB: null, memorySource: null },
  ...{ diskRead: null, diskWrite: null, netIn: null, netOut: null },
};

async function usage(session: Session, options: Options): Promise<ExitStatus> {
  const seconds = wholeOption("--seconds", options.seconds) ?? 4;
  const inventory = await readHosts(session, options);
  try {
    if (silentHosts(inventory).length === inventory.view().hosts.length) {
      reportSilent(session, inventory);
      return exit.failed;
    }
    const monitor = new Monitor({ cpu: null, memory: null, seconds: 0 });
    monitor.observe(inventory.view().instances);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, seconds * 1000);
      session.signal.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      });
    });
    await inventory.refresh(undefined, { signal: session.signal });
    const { instances, hosts } = inventory.view();
    monitor.observe(instances);
    const silent = reportSilent(session, inventory);
    const selector = selectorOfOptions([], options);
    const shown = choosesSomething(selector) ? choose(session, inventory, selector).found : instances;
    const found = shown
      .map(({ key, name, host, provider, vcpus, memoryMiB }) => {
        const rates = monitor.rates(key) ?? unmeasured;
        return { name, host, provider, vcpus, givenMiB: memoryMiB, ...rates };
      })
      .sort((one, other) => (other.cpu ?? -1) - (one.cpu ?? -1));
    if (silent.hosts === hosts.length) return exit.failed;
    session.out.result(found, table(head, found.map(cells)));
    return silent.problems > 0 ? exit.some : exit.done;
  } finally {
    inventory.end();
  }
}

const head = ["NAME", "HOST", "CPU %", "MEMORY", "BY", "READ B/S", "WRITTEN B/S", "IN B/S", "OUT B/S"];

const whole = (value: number | null) => (value === null ? "-" : String(Math.round(value)));

function cells(row: { name: string; host: string } & Rates): string[] {
  const { name, host, cpu, memoryMiB, memorySource, diskRead, diskWrite, netIn, netOut } = row;
  const memory = memoryMiB === null ? "-" : `${Math.round(memoryMiB)}M`;
  return [name, host, whole(cpu), memory, memorySource ?? "-", ...[diskRead, diskWrite, netIn, netOut].map(whole)];
}
