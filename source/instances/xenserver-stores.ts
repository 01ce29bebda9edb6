/**
 * Storage repositories, disks and networks of a pool of XenServer: to be looked at. Disks are made and removed with their
 * guests or from a guest's own actions, so that nothing is changed here.
 */
import { VirtuError } from "../errors.ts";
import type { HostRef, Pool } from "../ssh/types.ts";
import { type XeAccess, xePollLimit } from "../tools/xe.ts";
import { explainXe } from "../tools/xe-errors.ts";
import { parseXeStores, xeStoresCommand, xeStoresParts } from "../tools/xe-stores.ts";
import { ask } from "./exec.ts";
import type { Stores, StoreView } from "./stores-types.ts";
import type { ActionOutcome, ProviderOptions } from "./types.ts";

const listLimitMs = (xeStoresParts.length * xePollLimit + 10) * 1000;

export class XenServerStores implements Stores {
  /** A login to xapi for each list. */
  readonly everyMs = 60_000;

  constructor(private readonly around: { pool: Pool; host: HostRef; access: XeAccess }) {}

  async list(options: ProviderOptions): Promise<StoreView> {
    const { pool, host, access } = this.around;
    const answer = await ask(pool, host, xeStoresCommand(access), "reading storage and networks", {
      timeoutMs: listLimitMs,
      ...options,
    });
    const view = parseXeStores(answer.stdout);
    if (view) return view;
    throw new VirtuError({
      kind: "refused",
      what: "XenServer's xe did not tell its storage and networks",
      where: host.name,
      ...explainXe(answer.stderr),
      detail: answer.stderr.trim() || undefined,
    });
  }

  refuses(): string {
    return "disks of XenServer are made and removed with their guests; repositories and networks are xe's alone";
  }

  preview(): string[] {
    return [];
  }

  async act(): Promise<ActionOutcome> {
    return { ok: false, job: null, text: null, error: this.refuses(), detail: null };
  }
}
