/** The places of a comparison as they are found: providers on hosts, all through one pool that counts. */
import { toVirtuError, type VirtuError } from "../errors.ts";
import { discover } from "../instances/discover.ts";
import type { Provider } from "../instances/types.ts";
import type { HostRef, Pool } from "../ssh/types.ts";

export interface FoundHost {
  host: HostRef;
  providers: readonly Provider[];
  /** Why there are none, or why one that is there can't be used. */
  problems: readonly VirtuError[];
}

export interface FindOptions {
  uri: string | null;
  signal?: AbortSignal;
}

/** What runs on each host, in the order asked for. Rejects only when it is cancelled. */
export async function findHosts(pool: Pool, hosts: readonly HostRef[], options: FindOptions): Promise<FoundHost[]> {
  const { signal } = options;
  return Promise.all(
    hosts.map(async (host): Promise<FoundHost> => {
      try {
        const uri = options.uri ?? undefined;
        const found = await discover(pool, host, { uri, known: hosts, signal, priority: "user" });
        return { host, ...found };
      } catch (thrown) {
        const error = toVirtuError(thrown);
        if (error.kind === "cancelled") throw error;
        return { host, providers: [], problems: [error] };
      }
    }),
  );
}

/** Where instances of a comparison can be: by the ids of its places, and whatever else of that kind was found. */
export interface Reach {
  pool: Pool;
  /** By place id. */
  homes: ReadonlyMap<string, Provider>;
  /** Every provider, those of the places first; each place of instances once. */
  all: readonly Provider[];
  /** Why a host could not be asked, by its name. */
  silent: ReadonlyMap<string, VirtuError>;
}

export const placeId = (host: string, provider: string): string => `${host}:${provider}`;

export function reachOf(pool: Pool, found: readonly FoundHost[]): Reach {
  const homes = new Map<string, Provider>();
  const all = new Map<string, Provider>();
  const silent = new Map<string, VirtuError>();
  for (const { host, providers, problems } of found) {
    for (const provider of providers) {
      homes.set(placeId(host.name, provider.name), provider);
      if (!all.has(provider.place)) all.set(provider.place, provider);
    }
    const [problem] = problems;
    if (problem) silent.set(host.name, problem);
  }
  return { pool, homes, all: [...all.values()], silent };
}
