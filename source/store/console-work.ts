/** What the screen does with consoles: of instances, and shells on hosts. */
import path from "node:path";
import { Consoles } from "../console/consoles.ts";
import type { ConsoleSession } from "../console/session.ts";
import type { ConsoleTarget, Opening, Size } from "../console/types.ts";
import type { Instance, Provider } from "../instances/types.ts";
import type { HostRef } from "../ssh/types.ts";
import type { Workspace } from "./workspace.ts";

/** Why there is no console to look at, before anything was asked of a host. */
export interface NoConsole {
  kind: "gone" | "off" | "none" | "busy";
  why: string;
  hint: string;
}

/** An instance with the provider that opens its console, or null. */
export interface ConsoleOwner {
  provider: Provider;
  instance: Instance;
}

function targetOf({ key, name, host }: Instance): ConsoleTarget {
  return { key, title: name, host, kind: "serial" };
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
   * `anyway`: although that may hinder what runs on it.
   */
  async openInstance(key: string, size: Size, opening: Opening, anyway = false): Promise<ConsoleSession | NoConsole> {
    const open = this.consoles.of(key);
    if (open && open.view().phase !== "ended") return open;
    let owner = this.owner(key);
    if (owner?.instance.status === "stopped" && opening === "attach") {
      // Somebody may have started it since it was looked at.
      await this.workspace.inventory.refresh([owner.instance.host]);
      owner = this.owner(key);
    }
    if (!owner) return { kind: "gone", why: "this instance is gone", hint: "" };
    const { provider, instance } = owner;
    if (opening === "attach" && instance.status === "stopped") {
      return {
        kind: "off",
        why: "it is off",
        hint: "Start it; the console is attached before it prints its first line.",
      };
    }
    const way = provider.console(instance);
    if (opening === "start" && ("refusal" in way || !way.start)) return this.startAndOpen(instance, size);
    if ("refusal" in way) return { kind: "none", why: way.refusal, hint: way.hint };
    if (way.warning && !anyway) return { kind: "busy", why: way.warning, hint: "Wait until that has ended." };
    const session = await this.consoles.open(targetOf(instance), way, size, opening);
    if (opening === "start") session.once("drawn", () => void this.workspace.inventory.refresh([instance.host]));
    return session;
  }

  /** For providers that can't start one attached: its first lines may be missed. */
  private async startAndOpen({ key }: Instance, size: Size): Promise<ConsoleSession | NoConsole> {
    const [outcome] = await this.workspace.inventory.act({ do: "start" }, [key]).done;
    if (outcome?.state !== "done") {
      return { kind: "off", why: `it could not be started: ${outcome?.error ?? "nobody knows why"}`, hint: "" };
    }
    // What it is now that it runs decides how its console is opened.
    const owner = this.owner(key);
    const way = owner?.provider.console(owner.instance);
    if (!owner || !way) return { kind: "gone", why: "this instance is gone", hint: "" };
    if ("refusal" in way) return { kind: "none", why: way.refusal, hint: way.hint };
    return this.consoles.open(targetOf(owner.instance), way, size);
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
