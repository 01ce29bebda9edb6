/** Pools, volumes and networks of a libvirt host: listed in one round trip, made and removed where nothing uses them. */
import { VirtuError } from "../errors.ts";
import type { HostRef, Pool } from "../ssh/types.ts";
import { explainVirsh } from "../tools/virsh-errors.ts";
import { parseStores, storeCommand, storesCommand, storesErrors, storesLimit } from "../tools/virsh-stores.ts";
import { ask } from "./exec.ts";
import { failure, success } from "./outcomes.ts";
import type { StoreAction, Stores, StoreView } from "./stores-types.ts";
import type { ActionOutcome, ProviderOptions } from "./types.ts";

/** Each part of the question has its own limit on the host; this is for all of them. */
const listLimitMs = (2 * storesLimit + 10) * 1000;
/** A raw volume of a logical pool, or a full refresh of a pool, takes its time. */
const actLimitMs = 120_000;

export class LibvirtStores implements Stores {
  readonly everyMs = 15_000;

  constructor(private readonly place: { pool: Pool; host: HostRef; uri: string }) {}

  async list(options: ProviderOptions): Promise<StoreView> {
    const { pool, host, uri } = this.place;
    const answer = await ask(pool, host, storesCommand(uri), "reading storage and networks", {
      timeoutMs: listLimitMs,
      ...options,
    });
    const view = parseStores(answer.stdout, answer.stderr);
    if (view) return view;
    const said = storesErrors(answer.stderr);
    throw new VirtuError({
      kind: "refused",
      what: "libvirt did not tell its storage and networks",
      where: host.name,
      ...explainVirsh(said),
      detail: said.trim() || undefined,
    });
  }

  refuses(action: StoreAction, { pools, networks, problems }: StoreView): string | null {
    const [gap] = problems;
    // Who uses it may stand in what could not be read.
    if (gap && /-(remove|stop)$/.test(action.do)) return `${gap.what} can't be read: ${gap.why}`;
    if ("pool" in action) {
      const pool = pools.find(({ name }) => name === action.pool);
      if (action.do === "pool-create") return pool ? `there is a pool ${action.pool} already` : null;
      if (!pool) return `there is no pool ${action.pool}`;
      return poolRefusal(action, pool);
    }
    const network = networks.find(({ name }) => name === action.network);
    if (action.do === "network-create") return network ? `there is a network ${action.network} already` : null;
    if (!network) return `there is no network ${action.network}`;
    if (action.do === "network-start") return network.active ? "it is active already" : null;
    if (action.do === "network-stop" && !network.active) return "it is not active";
    if (action.do === "network-remove" && network.active) return "it is active: stop it first";
    return network.usedBy.length > 0 ? `${list(network.usedBy)} would lose it` : null;
  }

  preview(action: StoreAction): string[] {
    return [storeCommand(this.place.uri, action).command.line];
  }

  async act(action: StoreAction, options: ProviderOptions): Promise<ActionOutcome> {
    const { pool, host, uri } = this.place;
    const { command, stdin } = storeCommand(uri, action);
    const answer = await ask(pool, host, command, "changing storage and networks", {
      timeoutMs: actLimitMs,
      ...options,
      stdin,
    });
    if (answer.status === 0) return success();
    const { why, hint } = explainVirsh(answer.stderr);
    const error = hint ? `${why}. ${hint}` : why;
    return failure(error, answer.stderr);
  }
}

const list = (names: readonly string[]) =>
  names.slice(0, 3).join(", ") + (names.length > 3 ? ` and ${names.length - 3} more` : "");

function poolRefusal(action: Extract<StoreAction, { pool: string }>, pool: StoreView["pools"][number]): string | null {
  if (action.do === "pool-start") return pool.active ? "it is active already" : null;
  if (action.do === "pool-remove") return pool.active ? "it is active: stop it first" : null;
  if (!pool.active) return "it is not active: start it first";
  if (action.do === "pool-stop") {
    const users = [...new Set(pool.volumes.flatMap(({ usedBy }) => usedBy))];
    return users.length > 0 ? `${list(users)} would not find their disks when they start` : null;
  }
  if (action.do === "volume-create") {
    if (pool.volumes.some(({ name }) => name === action.volume)) return `there is a volume ${action.volume} already`;
    // Volumes in qcow2 begin small, so that this is no promise: only what can't be is refused.
    const short = action.format === "raw" && pool.freeMiB !== null && action.mebibytes > pool.freeMiB;
    return short ? `the pool has ${Math.floor(pool.freeMiB ?? 0)} MiB free` : null;
  }
  if (action.do !== "volume-remove") return null;
  const volume = pool.volumes.find(({ name }) => name === action.volume);
  if (!volume) return `there is no volume ${action.volume}`;
  return volume.usedBy.length > 0 ? `${list(volume.usedBy)} uses it` : null;
}
