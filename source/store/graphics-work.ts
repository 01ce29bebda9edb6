/** The graphical console of one instance while somebody looks at it: forwarded to this machine, with a viewer if there is one. */
import { type Forwarding, openForwarding } from "../console/forwarding.ts";
import { findViewer, type GraphicsAddress, graphicsUrl, startViewer } from "../console/viewers.ts";
import { toVirtuError } from "../errors.ts";
import type { Instance, Provider } from "../instances/types.ts";
import type { Pool } from "../ssh/types.ts";

export class GraphicsWork {
  /** What is to be said of it: its address, whether a viewer runs, what went wrong. */
  text = "";
  onChange: () => void = () => {};
  private forwarding: Forwarding | null = null;
  private address: GraphicsAddress | null = null;

  constructor(
    private readonly pool: Pool,
    private readonly env: NodeJS.ProcessEnv = process.env,
  ) {}

  get isOpen(): boolean {
    return this.forwarding !== null;
  }

  private say(text: string): void {
    this.text = text;
    this.onChange();
  }

  /** Never rejects: an instance without a graphical console may still have a picture. */
  async open(provider: Provider, instance: Instance, signal: AbortSignal): Promise<void> {
    try {
      const way = await provider.graphics(instance, { signal, priority: "user" });
      if (!way || signal.aborted) return;
      const forwarding = await openForwarding(this.pool, way, ({ what, why }) => this.say(`${what}: ${why ?? ""}`));
      this.forwarding = forwarding;
      this.address = { kind: way.kind, port: forwarding.port };
      this.startViewer();
    } catch (thrown) {
      const { what, why } = toVirtuError(thrown);
      this.say([what, why].filter(Boolean).join(": "));
    }
  }

  /** Starts a viewer on the forwarded port; without one, its address is said. */
  startViewer(): void {
    const { address } = this;
    if (!address) return;
    const place = graphicsUrl(address);
    const viewer = findViewer(address, this.env);
    if (!viewer) {
      this.say(place);
      return;
    }
    this.say(`${place} in ${viewer.program}`);
    startViewer(viewer, (why) => this.say(why === null ? place : `${place} · ${viewer.program}: ${why}`));
  }

  /** The port is closed, and with it what a viewer shows. */
  close(): void {
    this.forwarding?.close();
    this.forwarding = null;
  }
}
