/** Follows `virsh event`. */
import { VirtuError } from "../errors.ts";
import { uuidCommand } from "../tools/virsh.ts";
import { explainVirsh, isNoDaemon } from "../tools/virsh-errors.ts";
import { type DomainEvent, eventCommand, isNoise, parseEvent } from "../tools/virsh-events.ts";
import { ask } from "./exec.ts";
import { type LibvirtPlace, lookLimitMs } from "./libvirt-act.ts";
import type { ProviderEvent } from "./types.ts";

/** Enough for the error at the end; the events themselves are not kept. */
const keptBytes = 64 * 1024;
/** A daemon that takes a connection and never answers. */
const readyLimitMs = 30_000;

export interface WatchOptions {
  signal: AbortSignal;
  onReady: () => void;
  onEvent: (event: ProviderEvent) => void;
}

/** Rejects when the stream ends: kind `connection` for what may be back soon, `refused` for what won't. */
export async function watchDomains(
  place: LibvirtPlace,
  keyOf: (uuid: string) => string,
  { signal, onReady, onEvent }: WatchOptions,
): Promise<void> {
  const { pool, host, uri } = place;
  const names = new Names(place, keyOf, signal);
  const slow = new AbortController();
  const timer = setTimeout(() => slow.abort(), readyLimitMs);
  let ready = false;
  // One after the other: an unknown name is looked up, and what comes after it waits.
  let queue: Promise<void> = Promise.resolve();
  const take = (line: string) => {
    if (!ready) {
      const [, uuid, name] = /^([0-9a-f-]{36}) (.*)$/.exec(line) ?? [];
      if (uuid !== undefined && name !== undefined) names.learn(name, uuid);
      if (line !== "@@virtu ready") return;
      ready = true;
      clearTimeout(timer);
      onReady();
      return;
    }
    const event = parseEvent(line);
    if (!event || isNoise(event)) return;
    queue = queue.then(async () => {
      const key = await names.keyFor(event);
      if (!signal.aborted) onEvent(newsOf(event, key));
    });
  };
  try {
    const result = await pool.exec(host, eventCommand(uri), {
      signal: AbortSignal.any([signal, slow.signal]),
      priority: "poll",
      maxBytes: keptBytes,
      onLine: (stream, line) => {
        if (stream === "stdout") take(line);
      },
    });
    await queue;
    const lost = ready || result.outcome !== "exited" || isNoDaemon(result.stderr);
    throw new VirtuError({
      kind: lost ? "connection" : "refused",
      what: ready ? "The events of libvirt stopped" : "The events of libvirt can't be had",
      where: host.name,
      ...(result.stderr.trim() === "" ? {} : explainVirsh(result.stderr)),
      detail: result.stderr.trim() || undefined,
    });
  } catch (thrown) {
    if (!slow.signal.aborted || signal.aborted) throw thrown;
    throw new VirtuError({
      kind: "timeout",
      what: "The events of libvirt can't be had",
      where: host.name,
      why: `libvirt did not answer within ${readyLimitMs / 1000} s`,
    });
  } finally {
    clearTimeout(timer);
  }
}

function newsOf({ at, kind, domain, text }: DomainEvent, key: string | null): ProviderEvent {
  const said = kind === "lifecycle" ? text : [kind, text].filter(Boolean).join(": ");
  return { at: at ?? Date.now(), key, name: domain, text: said, by: null, changes: true };
}

/** libvirt tells names; instances are known by UUID. */
class Names {
  private readonly uuids = new Map<string, string>();
  private renamed: string | null = null;

  constructor(
    private readonly place: LibvirtPlace,
    private readonly keyOf: (uuid: string) => string,
    private readonly signal: AbortSignal,
  ) {}

  learn(name: string, uuid: string): void {
    this.uuids.set(name, uuid);
  }

  async keyFor({ kind, domain, text }: DomainEvent): Promise<string | null> {
    const uuid = this.uuids.get(domain) ?? this.passedOn(kind, text) ?? (await this.ask(domain));
    if (kind === "lifecycle" && text.startsWith("Undefined")) {
      this.renamed = text === "Undefined Renamed" ? uuid : null;
      this.uuids.delete(domain);
    } else if (uuid !== null) this.uuids.set(domain, uuid);
    return uuid === null ? null : this.keyOf(uuid);
  }

  /** A rename is told as `Undefined Renamed` of the old name, then `Defined Renamed` of the new one. */
  private passedOn(kind: string, text: string): string | null {
    if (kind !== "lifecycle" || text !== "Defined Renamed") return null;
    const uuid = this.renamed;
    this.renamed = null;
    return uuid;
  }

  private async ask(name: string): Promise<string | null> {
    const { pool, host, uri } = this.place;
    const options = { signal: this.signal, priority: "poll" as const, timeoutMs: lookLimitMs };
    const answer = await ask(pool, host, uuidCommand(uri, name), "looking for a new domain", options).catch(() => null);
    const uuid = answer?.status === 0 ? answer.stdout.trim() : "";
    return /^[0-9a-f-]{36}$/.test(uuid) ? uuid : null;
  }
}
