/** `virtu graphics`: the VNC or SPICE port of an instance, forwarded to this machine until Ctrl-C. */
import type { Command } from "commander";
import { openForwarding } from "../console/forwarding.ts";
import { findViewer, graphicsUrl, startViewer } from "../console/viewers.ts";
import { VirtuError } from "../errors.ts";
import { type HostOptions, withHosts } from "./hosts.ts";
import { oneInstance } from "./one-instance.ts";
import { type ExitStatus, exit, reportError, run, type Session, withJson } from "./run.ts";

interface Options extends HostOptions {
  viewer?: boolean;
}

export function declare(program: Command): void {
  withJson(withHosts(program.command("graphics")))
    .description("Forwards the graphical console of an instance to a port of this machine, until Ctrl-C.")
    .argument("<name>", "the instance; HOST/NAME where several hosts have one of that name")
    .option("--viewer", "start a viewer of this machine on it (remote-viewer, vncviewer, or what opens such addresses)")
    .action((name: string, options: Options, command: Command) =>
      run((session) => forward(session, name, command.optsWithGlobals()))(options, command),
    );
}

async function forward(session: Session, name: string, options: Options): Promise<ExitStatus> {
  const { signal, globals, out } = session;
  const { inventory, provider, instance } = await oneInstance(session, name, options);
  inventory.end();
  const way = await provider.graphics(instance, { signal, priority: "user" });
  if (!way) {
    const why = instance.status === "stopped" ? "it is off" : "it has no VNC or SPICE console that a port leads to";
    throw new VirtuError({
      kind: "refused",
      what: `${instance.name} has no graphical console now`,
      where: instance.host,
      why,
    });
  }
  const forwarding = await openForwarding(session.app.pool, way, (error) => reportError(error, globals.json));
  try {
    const address = { kind: way.kind, port: forwarding.port };
    const url = graphicsUrl(address);
    out.record(
      { name: instance.name, host: instance.host, kind: way.kind, address: "127.0.0.1", port: forwarding.port, url },
      url,
    );
    if (options.viewer) {
      const viewer = findViewer(address, process.env);
      if (viewer) startViewer(viewer, (why) => why && out.note(`${viewer.program}: ${why}`));
      else out.note("There is no viewer here, or no display to open it on.");
    }
    out.note("Ctrl-C closes it.");
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
  } finally {
    forwarding.close();
  }
  return exit.done;
}
