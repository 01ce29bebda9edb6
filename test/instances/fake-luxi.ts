/** A pool whose host has Ganeti's LUXI socket, which answers from a script. */
import { type Duplex, duplexPair } from "node:stream";
import type { VirtuError } from "../../source/errors.ts";
import { GanetiProvider } from "../../source/instances/ganeti.ts";
import type { HostRef } from "../../source/ssh/types.ts";
import { LuxiFrames, luxiSocket } from "../../source/tools/luxi.ts";
import { fixture, type Script, ScriptedPool } from "./fake-pool.ts";

export type LuxiScript = (method: string, args: readonly unknown[]) => unknown;

/** What a script gives to have the daemon refuse the request. */
export class LuxiRefusal {
  constructor(readonly result: unknown) {}
}

export class LuxiPool extends ScriptedPool {
  readonly asked: { method: string; args: readonly unknown[]; host: string }[] = [];
  private readonly open = new Set<Duplex>();

  constructor(
    script: Script,
    private readonly luxi: LuxiScript,
    /** Why there is no connection now, or null. */
    public trouble: VirtuError | null = null,
  ) {
    super(script);
  }

  override async forward(host: HostRef, to: unknown): Promise<Duplex> {
    if (this.trouble) throw this.trouble;
    if (JSON.stringify(to) !== JSON.stringify({ socketPath: luxiSocket })) throw new Error("another way was asked for");
    const [near, far] = duplexPair();
    this.open.add(far);
    const frames = new LuxiFrames();
    far.on("error", () => {});
    far.on("data", async (chunk: Buffer) => {
      for (const message of frames.push(chunk)) {
        const { method, args } = JSON.parse(message) as { method: string; args: unknown[] };
        this.asked.push({ method, args, host: host.name });
        const answer = await this.luxi(method, args);
        const reply =
          answer instanceof LuxiRefusal ? { success: false, result: answer.result } : { success: true, result: answer };
        if (!far.destroyed) far.write(`${JSON.stringify(reply)}\x03`);
      }
    });
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
    return near;
  }

  /** The daemon ends every connection, as when the master moves. */
  cut(): void {
    for (const far of this.open) far.destroy();
  }
}

/** A reply that was recorded. */
export function recordedReply(name: string): unknown {
  return JSON.parse(fixture("ganeti", `${name}.json`)).result;
}

/** The master node1 as discovery finds it. */
export function ganetiOn(pool: ScriptedPool, host: HostRef = { name: "node1" }): GanetiProvider {
  const found = { directory: "/usr/sbin/", root: true, sudo: false, hostname: host.name };
  const cluster = { master: "node1.example.org", cluster: "cluster1.example.org", group: null };
  return new GanetiProvider({ pool, found: { ...found, ...cluster }, host, known: [], retryMs: 1 });
}
