/** Consoles of a cluster's instances: gnt-instance opens the text console on whatever node it is; VNC and SPICE ports are its node's. */
import { VirtuError } from "../errors.ts";
import { sh } from "../ssh/command.ts";
import { age } from "../text.ts";
import { gnt } from "../tools/ganeti.ts";
import { explainConsole } from "../tools/ganeti-console.ts";
import { clientsCommand, dismissCommand, parseClients } from "../tools/ganeti-kvm.ts";
import type { GanetiMaster } from "./ganeti-master.ts";
import type { DetailTables } from "./ganeti-read.ts";
import { textFact } from "./ganeti-rows.ts";
import type { ConsoleWay, GraphicsWay, Instance } from "./types.ts";

/** Ctrl-]: socat (KVM) and xl end by it. */
const leave = "\x1d";

/** For a node that does not answer. */
const askLimitMs = 20_000;
/** `underWay`: a job that works on this instance now, in Ganeti's words. */
export function consoleOf(
  instance: Instance,
  master: GanetiMaster,
  underWay: string | null,
): ConsoleWay | { refusal: string; hint: string } {
  const hypervisor = textFact(instance, "hypervisor");
  if (hypervisor === "fake") {
    return {
      refusal: "the fake hypervisor has no guests, so there is no console",
      hint: "It serves to try Ganeti itself; instances of kvm and xen have one.",
    };
  }
  if (/^ERROR_node/.test(instance.statusDetail)) {
    return { refusal: `its node ${instance.node} does not answer`, hint: "Bring the node back, or fail it over." };
  }
  const { name, node } = instance;
  const open = gnt(master.access, "gnt-instance", ["console", name]);
  const isKvm = hypervisor === "kvm" && node !== null;
  return {
    host: master.target,
    command: open,
    takeOver: isKvm ? sh`${dismissCommand(master.access, node, name)} >/dev/null; ${open}` : null,
    // It is made paused, and `console` lets it go on.
    start: sh`${gnt(master.access, "gnt-instance", ["start", "--paused", name])} && ${open}`,
    wake: "\r",
    leave,
    // An open console keeps the device of a Xen guest busy, and a migration or a shutdown waits for that.
    warning: underWay === null ? null : `a Ganeti job is under way, which an open console can hinder: ${underWay}`,
    over: "it has ended: the guest went off or to another node, or somebody took it over",
    explain: (text) => explainConsole(text, instance.status === "running"),
    ...(isKvm ? { heldBy: (signal) => heldBy(master, { name, node }, signal) } : {}),
  };
}

/**
 * QEMU lets a second viewer wait without a word: who came before this one. Rejects when it can't be told, as when this one
 * has not come that far.
 */
async function heldBy(
  master: GanetiMaster,
  { name, node }: { name: string; node: string },
  signal: AbortSignal,
): Promise<string | null> {
  const limits = { signal, priority: "user", timeoutMs: askLimitMs } as const;
  const { stdout } = await master.ask(
    (access) => clientsCommand(access, node, name),
    "asking who has a console",
    limits,
  );
  const [longest, ...others] = parseClients(stdout);
  if (longest === undefined) {
    throw new VirtuError({ kind: "unparsed", what: `Nobody is at the console of ${name}`, where: node });
  }
  return others.length === 0 ? null : `on ${node}, for ${age(longest)}`;
}

/** The port of its screen, or null: none is configured, or it is off. */
export function graphicsOf(
  instance: Instance,
  { instance: cells }: DetailTables,
  master: GanetiMaster,
): GraphicsWay | null {
  const port = Number(cells?.network_port ?? Number.NaN);
  const node = cells?.pnode;
  if (!cells || !node || !Number.isInteger(port) || instance.status !== "running") return null;
  const vnc = cells["hv/vnc_bind_address"] || null;
  const spice = cells["hv/spice_bind"] || null;
  const bound = vnc ?? spice;
  // A path is a Unix socket in that directory, which a viewer can't be given.
  if (bound === null || bound.startsWith("/")) return null;
  const kind = vnc ? "vnc" : "spice";
  if (bound === "0.0.0.0" || bound === "::") return { kind, host: master.target, address: node, port };
  // Bound to one address, or to an interface that only the node itself can name.
  const address = /^[\d.]+$|:/.test(bound) ? bound : "127.0.0.1";
  return { kind, host: master.wayTo(node).host, address, port };
}
