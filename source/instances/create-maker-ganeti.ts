/** How instances are made on a Ganeti cluster: by a job of its own. */
import type { Command } from "../ssh/command.ts";
import type { HostRef, Pool } from "../ssh/types.ts";
import { gnt } from "../tools/ganeti.ts";
import { addCommand, parseWhere, whereCommand } from "../tools/ganeti-create.ts";
import { explainGaneti } from "../tools/ganeti-errors.ts";
import { type GanetiOffers, ganetiOffersCommand, parseGanetiOffers } from "../tools/ganeti-offers.ts";
import { makeOnGaneti } from "./create-ganeti.ts";
import {
  type AskOffersOptions,
  type Look,
  type Made,
  type Maker,
  type MakerOptions,
  noOffers,
  offersLimitMs,
  type Trace,
  type Waiting,
  type WaitingOptions,
} from "./create-maker.ts";
import type { CommandLine, GanetiRequest } from "./create-types.ts";
import type { GanetiProvider } from "./ganeti.ts";

export class GanetiMaker implements Maker {
  /** They queue up in the cluster anyway. */
  readonly parallel = 4;

  constructor(private readonly ganeti: GanetiProvider) {}

  async offers(_pool: Pool, { signal }: AskOffersOptions): Promise<GanetiOffers> {
    const { stdout, stderr } = await this.ganeti.run(ganetiOffersCommand, { timeoutMs: offersLimitMs, signal });
    const offers = parseGanetiOffers(stdout);
    if (offers !== null) return offers;
    throw noOffers("cluster", this.ganeti.attachment.host.name, stderr, explainGaneti(stderr));
  }

  lines(request: GanetiRequest, offers: GanetiOffers): CommandLine[] {
    const { target, command } = this.ganeti.describe((access) => addCommand(access, request, offers.version));
    return [{ host: target.name, line: command.line }];
  }

  make(request: GanetiRequest, options: MakerOptions): Promise<Made> {
    const version = options.offers?.provider === "ganeti" ? options.offers.version : null;
    return makeOnGaneti(this.ganeti, request, version, options);
  }

  waiting({ name }: GanetiRequest, { signal }: WaitingOptions): Waiting {
    const { ganeti } = this;
    return {
      async look(known): Promise<Look> {
        if (known) return { address: null, off: null };
        const { stdout } = await ganeti.run((access) => whereCommand(access, name), { signal });
        const address = parseWhere(stdout, name)?.ip ?? null;
        return { address, off: null, noAddress: "Ganeti knows no address of it: give one, or wait for its console" };
      },
      async console(): Promise<{ host: HostRef; command: Command }> {
        const { command } = ganeti.describe((access) => gnt(access, "gnt-instance", ["console", name]));
        return { host: ganeti.target, command };
      },
    };
  }

  /** A job that failed has taken its disks away, and one that goes on is waited for. */
  traces(): Trace[] {
    return [];
  }
}
