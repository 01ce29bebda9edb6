/** The providers' own interface in the lab, without a screen or a subcommand between: a process inside its network (driver.ts). */
import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { build } from "esbuild";
import type {
  Action,
  ActionOutcome,
  GraphicsWay,
  Instance,
  InstanceDetails,
  MigrationTarget,
  ProviderEvent,
} from "../../../source/instances/types.ts";
import { projectRoot, type Teardown, until } from "../lab.ts";
import type { Request } from "./driver.ts";

export type Outcome = ActionOutcome & { texts: string[]; commands: number };
export type SeenEvent = ProviderEvent & { host: string; seen: number };

export interface Driver {
  list(host: string): Promise<Instance[]>;
  act(host: string, name: string, action: Action, limitSeconds?: number): Promise<Outcome>;
  refuses(host: string, name: string, action: Action["do"]): Promise<string | null>;
  details(host: string, name: string): Promise<InstanceDetails>;
  targets(host: string, name: string): Promise<MigrationTarget[]>;
  graphics(host: string, name: string): Promise<GraphicsWay | null>;
  screenshot(host: string, name: string): Promise<Buffer>;
  /** Resolves when the events flow. */
  watch(host: string): Promise<void>;
  /** Everything that came so far, and waits for one that fits. */
  events: SeenEvent[];
  event(what: string, fits: (event: SeenEvent) => boolean, timeoutMs?: number): Promise<SeenEvent>;
}

export async function openDriver(
  teardown: Teardown,
  options: { prefix: readonly string[]; sshConfig: string; hosts: readonly string[] },
): Promise<Driver> {
  // Below the project, so that its packages are found.
  const outfile = join(projectRoot, "node_modules/.cache/virtu", `lab-driver-${process.pid}.mjs`);
  teardown.add(() => rmSync(outfile, { force: true }));
  await build({
    entryPoints: [join(import.meta.dirname, "driver.ts")],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    packages: "external",
    logLevel: "warning",
  });
  const [command = "", ...args] = [...options.prefix, process.execPath, outfile, options.sshConfig, ...options.hosts];
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  teardown.add(() => child.kill("SIGKILL"));
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  const events: SeenEvent[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    const { id, result, error, event } = JSON.parse(line);
    if (event) {
      events.push(event);
      return;
    }
    const call = waiting.get(id);
    waiting.delete(id);
    if (error) call?.reject(Object.assign(new Error(error.message), error));
    else call?.resolve(result);
  });
  child.once("exit", () => {
    for (const { reject } of waiting.values()) reject(new Error("the driver ended"));
  });
  let next = 1;
  const call = <T>(request: Request): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      const id = next++;
      waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      child.stdin.write(`${JSON.stringify({ id, ...request })}\n`);
    });
  return {
    list: (host) => call({ call: "list", host }),
    act: (host, name, action, limitSeconds) => call({ call: "act", host, name, action, limitSeconds }),
    refuses: (host, name, action) => call({ call: "refuses", host, name, action }),
    details: (host, name) => call({ call: "details", host, name }),
    targets: (host, name) => call({ call: "targets", host, name }),
    graphics: (host, name) => call({ call: "graphics", host, name }),
    screenshot: async (host, name) => Buffer.from(await call<string>({ call: "screenshot", host, name }), "base64"),
    watch: (host) => call({ call: "watch", host }),
    events,
    event: (what, fits, timeoutMs) => until(what, () => events.find(fits), timeoutMs),
  };
}
