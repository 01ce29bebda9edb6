/** What the screen does with consoles: of instances, and shells on hosts. */
import path from "node:path";
import { Consoles } from "../console/consoles.ts";
import type { ConsoleSession } from "../console/session.ts";
import type { Opening, Size } from "../console/types.ts";
import type { Instance, Provider } from "../instances/types.ts";
import type { HostRef } from "../ssh/types.ts";
import type { Workspace } from "./workspace.ts";

/** Why there is no console to look at, before anything was asked of a host. */
export interface NoConsole {
  kind: "gone" | "off" | "none";
  why: string;
  hint: string;
}

/** An instance with the provider that opens its console, or null. */
export interface ConsoleOwner {
  provider: Provider;
  instance: Instance;
}

export class ConsoleWork {
  readonly consoles: Consoles;

  constructor(private readonly workspace: Workspace) {
    const { context, clock } = workspace;
    this.consoles = new Consoles({
      pool: context.pool,
      recordings: path.join(context.stateDir, "recordings"),
      clock,
    });
    this.consoles.on("change", () => {
      workspace.store.dispatch({ type: "consoles", consoles: this.consoles.views() });
    });
  }

  /** The instance of a key of the inventory, with its provider. */
  owner(key: string): ConsoleOwner | null {
    const found = this.workspace.inventory.find(key);
    return found?.kind === "instance" ? { provider: found.provider, instance: found.instance } : null;
  }

  /**
   * Opens the console of an instance, or gives the one that is open. With `start` it is attached before the instance
   * prints its first line, where the provider can do that; elsewhere it is started first, and attached as soon as it runs.
   */
  async openInstance(key: string, size: Size, opening: Opening): Promise<ConsoleSession | NoConsole> {
    const owner = this.owner(key);
    if (!owner) return { kind: "gone", why: "this instance is gone", hint: "" };
    const { provider, instance } = owner;
    const open = this.consoles.of(key);
    if (open && open.view().phase !== "ended") return open;
    if (opening === "attach" && instance.status === "stopped") {
      return {
        kind: "off",
        why: "it is off",
        hint: "Start it; the console is attached before it prints its first line.",
      };
    }
    const way = provider.console(instance);
    if ("refusal" in way) return { kind: "none", why: way.refusal, hint: way.hint };
    const target = { key, title: instance.name, host: instance.host, kind: "serial" as const };
    if (opening !== "start") return this.consoles.open(target, way, size, opening);
    if (way.start) {
      const session = await this.consoles.open(target, way, size, "start");
      session.once("drawn", () => void this.workspace.inventory.refresh([instance.host]));
      return session;
    }
    const [outcome] = await this.workspace.inventory.act({ do: "start" }, [key]).done;
    if (outcome?.state !== "done") {
      return { kind: "off", why: `it could not be started: ${outcome?.error ?? "nobody knows why"}`, hint: "" };
    }
    return this.consoles.open(target, way, size);
  }

  /** Opens a login shell on a host, or gives the one that is open. */
  openShell(host: HostRef, title: string, size: Size): Promise<ConsoleSession> {
    const via = host.via ? ` by ${host.via.name}` : "";
    const target = { key: `shell/${host.name}${via}`, title, host: "", kind: "shell" as const };
    return this.consoles.open(target, { host, command: null }, size);
  }

  end(): Promise<void> {
    return this.consoles.end();
  }
}
