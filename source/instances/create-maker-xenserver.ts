/** How guests are made on a pool of XenServer or XCP-ng: from a template. */
import { VirtuError } from "../errors.ts";
import type { Pool } from "../ssh/types.ts";
import { explainXe } from "../tools/xe-errors.ts";
import { parseXeOffers, type XenServerOffers, xeOffersCommand } from "../tools/xe-offers.ts";
import { Listed } from "./create-listed.ts";
import {
  type AskOffersOptions,
  type Made,
  type Maker,
  type MakerOptions,
  noOffers,
  offersLimitMs,
  type Trace,
  type Waiting,
  type WaitingOptions,
} from "./create-maker.ts";
import type { CommandLine, XenServerRequest } from "./create-types.ts";
import { makeOnXenServer, xeCreateLines } from "./create-xenserver.ts";
import { ask } from "./exec.ts";
import type { XenServerProvider } from "./xenserver.ts";

export class XenServerMaker implements Maker {
  readonly parallel = 2;

  constructor(private readonly xenServer: XenServerProvider) {}

  async offers(pool: Pool, { signal }: AskOffersOptions): Promise<XenServerOffers> {
    const { target, access } = this.xenServer;
    const more = { priority: "user", timeoutMs: offersLimitMs, signal } as const;
    const { stdout, stderr } = await ask(pool, target, xeOffersCommand(access), "asking what the pool offers", more);
    const offers = parseXeOffers(stdout);
    if (offers !== null) return offers;
    throw noOffers("pool", target.name, stderr, explainXe(stderr));
  }

  lines(request: XenServerRequest): CommandLine[] {
    const host = this.xenServer.target.name;
    return xeCreateLines(this.xenServer.access, request).map((line) => ({ host, line }));
  }

  make(request: XenServerRequest, options: MakerOptions): Promise<Made> {
    const { target: host, access } = this.xenServer;
    const { pool, retryMs } = options;
    return makeOnXenServer({ pool, host, access, retryMs }, request, options);
  }

  waiting({ name }: XenServerRequest, { signal }: WaitingOptions): Waiting {
    const { xenServer } = this;
    const listed = new Listed(xenServer, name, signal);
    return {
      look: () => listed.look(),
      async console() {
        // Which host of the pool it was started on, and under which UUID, its row tells.
        const guest = await listed.find();
        const way = guest ? xenServer.console(guest) : { refusal: "the pool has no such guest", hint: "" };
        if ("refusal" in way)
          throw new VirtuError({ kind: "refused", what: way.refusal, where: xenServer.target.name });
        return { host: way.host, command: way.command };
      },
    };
  }

  /** Its disks go with the guest. */
  traces(): Trace[] {
    return [];
  }
}
