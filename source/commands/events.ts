/** `virtu events`: what anybody changes on the hosts, told as it happens, one JSON object or one line each. */
import type { Command } from "commander";
import { VirtuError } from "../errors.ts";
import type { HostEvent, Inventory } from "../instances/inventory.ts";
import { type HostOptions, readHosts, reportSilent, silentHosts, wholeOption, withHosts } from "./hosts.ts";
import { type ExitStatus, exit, reportError, run, type Session, withJson } from "./run.ts";

interface Options extends HostOptions {
  for?: string;
}

const details = `
With --json there is one JSON object a line: {at, host, provider, cluster, name, text, by}. It goes on until Ctrl-C, or
for as long as --for says; a host that goes away is told on stderr and asked again by itself. The status is 3 when any did.`;

export function declare(program: Command): void {
  withJson(withHosts(program.command("events")))
    .description("Tells what anybody changes on the hosts, as it happens.")
    .option("--for <seconds>", "end after this time")
    .addHelpText("after", details)
    .action((options: Options, command: Command) =>
      run((session) => follow(session, command.optsWithGlobals()))(options, command),
    );
}

/** The body of `virtu events`. */
export async function follow(session: Session, options: Options): Promise<ExitStatus> {
  const seconds = wholeOption("--for", options.for);
  const inventory = await readHosts(session, options);
  try {
    const { problems } = reportSilent(session, inventory);
    if (silentHosts(inventory).length === inventory.view().hosts.length) return exit.failed;
    for (const provider of inventory.providers()) {
      if (!provider.watch) session.out.note(`${provider.attachment.host.name}: ${provider.name} tells of no changes`);
    }
    inventory.on("event", (event) => tell(session, event));
    const lost = noteLosses(session, inventory);
    const unwatch = inventory.watch();
    await new Promise<void>((resolve) => {
      const timer = seconds === undefined ? null : setTimeout(resolve, seconds * 1000);
      session.signal.addEventListener("abort", () => {
        if (timer) clearTimeout(timer);
        resolve();
      });
    });
    unwatch();
    // Of a host that was silent for a while nobody knows what was missed.
    return problems > 0 || lost() ? exit.some : exit.done;
  } finally {
    inventory.end();
  }
}

/** Says once when a host falls silent, and once when it answers again; whether any did. */
function noteLosses(session: Session, inventory: Inventory): () => boolean {
  const silent = new Set(silentHosts(inventory).map(({ host }) => host));
  let any = false;
  inventory.on("change", () => {
    for (const { host, state, error } of inventory.view().hosts) {
      if (state === "ok" && silent.delete(host)) session.out.note(`${host}: answers again`);
      if ((state !== "stale" && state !== "error") || silent.has(host)) continue;
      silent.add(host);
      any = true;
      reportError(
        error ?? new VirtuError({ kind: "connection", what: "It tells of nothing", where: host }),
        session.globals.json,
      );
      session.out.note(`${host}: it is asked again by itself`);
    }
  });
  return () => any;
}

function tell({ out }: Session, event: HostEvent): void {
  const { at, host, provider, cluster, name, text, by } = event;
  const when = new Date(at).toISOString();
  const who = by === null ? "" : ` (by ${by})`;
  out.record({ at: when, host, provider, cluster, name, text, by }, `${when} ${host}/${name}: ${text}${who}`);
}
