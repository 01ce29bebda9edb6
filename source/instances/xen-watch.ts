/** Follows what xenstore and xentop tell of a host's domains. */
import { VirtuError } from "../errors.ts";
import type { HostRef, Pool } from "../ssh/types.ts";
import type { XlAccess } from "../tools/xl.ts";
import { watchCommand, type XenNews, XenNewsReader } from "../tools/xl-watch.ts";
import type { Instance, ProviderEvent } from "./types.ts";

export interface XenWatched {
  pool: Pool;
  host: HostRef;
  access: XlAccess;
  /** Domains as the last list showed them: news name a domain by its number or name, and those of other providers are theirs. */
  known: () => readonly Instance[];
}

export interface XenWatchOptions {
  signal: AbortSignal;
  onReady: () => void;
  onEvent: (event: ProviderEvent) => void;
}

/** Enough for the errors at the end; the news themselves are not kept. */
const keptBytes = 65_536;

const words = { name: "renamed", memory: "its memory was changed", vcpus: "its vCPUs were changed" } as const;

/** Rejects when the news end: kind `connection` for what may be back soon, `refused` for what won't. */
export async function watchXen(watched: XenWatched, { signal, onReady, onEvent }: XenWatchOptions): Promise<void> {
  const { pool, host, access } = watched;
  const reader = new XenNewsReader();
  let ready = false;
  const result = await pool.exec(host, watchCommand(access), {
    signal,
    priority: "poll",
    maxBytes: keptBytes,
    onLine: (stream, line) => {
      if (stream !== "stdout") return;
      const news = reader.read(line);
      if (reader.ready && !ready) {
        ready = true;
        onReady();
      }
      const event = news && eventOf(news, watched);
      if (event) onEvent(event);
    },
  });
  const gone = result.outcome === "exited" && (result.status === 127 || result.status === 1);
  throw new VirtuError({
    kind: gone ? "refused" : "connection",
    what: "The news of Xen ended",
    where: host.name,
    detail: result.stderr.trim() || undefined,
  });
}

/** null: it is about a domain of another provider, or one that the next list shows anyway. */
function eventOf(news: XenNews, { host, known }: XenWatched): ProviderEvent | null {
  const event = { at: Date.now(), by: null, changes: true };
  if (news.kind === "made" || news.kind === "ended") {
    const text = news.kind === "made" ? "a domain was made" : "a domain ended";
    return { ...event, key: null, name: host.name, text };
  }
  const instance =
    news.kind === "state"
      ? known().find(({ name }) => name === news.name)
      : known().find(({ facts }) => facts["domainId"] === news.domainId);
  if (!instance) return null;
  const text = news.kind === "state" ? news.state : words[news.what];
  return { ...event, key: instance.key, name: instance.name, text };
}
