/** Looks after a new instance by its row in its provider's list: where nothing cheaper tells how it is. */
import type { Look } from "./create-maker.ts";
import type { Provider } from "./types.ts";

export class Listed {
  /** Looks in a row at which it was off or not there. */
  private missed = 0;

  constructor(
    private readonly provider: Provider,
    private readonly name: string,
    private readonly signal: AbortSignal,
  ) {}

  async find() {
    const { instances } = await this.provider.list({ signal: this.signal, priority: "user" });
    return instances.find(({ name }) => name === this.name);
  }

  /** Its address is known where the guest's own agent tells it. */
  async look(): Promise<Look> {
    const guest = await this.find();
    // A guest that reboots is missing for a moment between its two domains.
    this.missed = guest === undefined || guest.status === "stopped" ? this.missed + 1 : 0;
    const ip = guest?.facts["ip"];
    const address = typeof ip === "string" ? (ip.split(", ")[0] ?? null) : null;
    if (guest?.status === "error") return { address, off: `it ${guest.statusDetail}` };
    return { address, off: this.missed >= 3 ? "it went off" : null };
  }
}
