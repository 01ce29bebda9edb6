/**
 * The records of the hosts of a pool, read by their sockets, which the session pool forwards: one request for each host and
 * look. Each host knows only of the guests that run on it, and is asked only where the user has named it: nobody is to be
 * asked for a password or about a key of a host that he does not know of.
 */
import type { Duplex } from "node:stream";
import { toVirtuError } from "../errors.ts";
import type { HostRef, Pool } from "../ssh/types.ts";
import { plainLine } from "../text.ts";
import {
  type HttpAnswer,
  HttpAnswerReader,
  parseRrdUpdates,
  type RrdUpdates,
  rrdRequest,
  rrdSockets,
} from "../tools/xe-rrd.ts";
import type { ProviderOptions } from "./types.ts";

/** A host has new numbers every five seconds. */
const leastMs = 4000;
/** Numbers older than this are no more those of now. */
const longestMs = 60_000;
/** A host that does not answer is left alone for so long at first, and twice as long each time. */
const firstRestMs = 30_000;
const longestRestMs = 600_000;

export interface RrdHost {
  uuid: string;
  name: string;
  /** Null: the user has not named it. */
  target: HostRef | null;
  address: string;
}

interface HostState {
  /** Epoch milliseconds of the last answer, and of the last question. */
  answeredAt: number;
  askedAt: number;
  /** Which of the sockets answered. */
  socket: number;
  /** Why the last question failed; null: it did not. */
  why: string | null;
  restMs: number;
  restUntil: number;
}

export interface RrdLook {
  uuid: string;
  updates: RrdUpdates;
  /** Seconds since the look before. */
  seconds: number;
}

const fresh: HostState = { answeredAt: 0, askedAt: 0, socket: 0, why: null, restMs: firstRestMs, restUntil: 0 };

const notAsked = "it is counted only while somebody looks at it";

/** What is wrong with an answer, in words that follow a host's name. */
class Unusable extends Error {}

export class XeRrd {
  private hosts: readonly RrdHost[] = [];
  private readonly states = new Map<string, HostState>();

  /** `limitMs`: for one connection and its answer. */
  constructor(private readonly options: { pool: Pool; limitMs: number; now: () => number }) {}

  /** Which hosts there are, as the last list told. True when there is one to ask that was not known before. */
  know(hosts: readonly RrdHost[]): boolean {
    const isNew = ({ uuid, target }: RrdHost) => target !== null && !this.states.has(uuid);
    const more = hosts.some(isNew);
    this.hosts = hosts;
    for (const uuid of this.states.keys()) if (!hosts.some((host) => host.uuid === uuid)) this.states.delete(uuid);
    return more;
  }

  /** Asks every host whose numbers are older than wanted, and gives what came. Never rejects: `why` tells who did not answer. */
  async refresh(withinMs: number, options: ProviderOptions): Promise<RrdLook[]> {
    const within = withinMs === 0 ? 0 : Math.max(leastMs, withinMs) * 0.9;
    const now = this.options.now();
    const due = this.hosts.filter(({ uuid, target }) => {
      const { askedAt, restUntil } = this.states.get(uuid) ?? fresh;
      return target !== null && now - askedAt >= within && now >= restUntil;
    });
    const looks = await Promise.all(due.map((host) => this.ask(host, options)));
    return looks.filter((look) => look !== null);
  }

  private async ask({ uuid, name, target }: RrdHost, options: ProviderOptions): Promise<RrdLook | null> {
    const before = this.states.get(uuid) ?? fresh;
    const askedAt = this.options.now();
    if (target === null) return null;
    const seconds = before.answeredAt === 0 ? 0 : (askedAt - before.answeredAt) / 1000;
    const { limitMs } = this.options;
    // Not by AbortSignal.any: the signal that is given lives as long as the host is shown, and would gather one each look.
    const abort = new AbortController();
    const stop = () => abort.abort();
    options.signal?.addEventListener("abort", stop, { once: true });
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      stop();
    }, limitMs);
    if (options.signal?.aborted) stop();
    try {
      const { updates, socket } = await this.read(target, before.socket, rrdRequest(seconds), {
        ...options,
        signal: abort.signal,
      });
      if (updates.host !== null && updates.host.uuid !== uuid) throw new Unusable("is another host by that name");
      this.states.set(uuid, { ...fresh, answeredAt: this.options.now(), askedAt, socket });
      return { uuid, updates, seconds };
    } catch (thrown) {
      // Whoever cancelled knows; the host is not to blame.
      if (options.signal?.aborted) return null;
      const why = late ? `did not answer within ${limitMs / 1000} s` : whyOf(thrown);
      const rest = {
        restMs: Math.min(before.restMs * 2, longestRestMs),
        restUntil: this.options.now() + before.restMs,
      };
      this.states.set(uuid, { ...before, askedAt, socket: 0, why: `${plainLine(name)} ${why}`, ...rest });
      return null;
    } finally {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", stop);
    }
  }

  /** By the first socket that gives an answer; which one that was is tried first the next time. */
  private async read(
    target: HostRef,
    first: number,
    request: string,
    options: ProviderOptions & { signal: AbortSignal },
  ): Promise<{ updates: RrdUpdates; socket: number }> {
    const order = [first, ...rrdSockets.keys()].filter((socket, at) => at === 0 || socket !== first);
    let wrong: unknown;
    for (const socket of order) {
      try {
        const stream = await this.options.pool.forward(target, { socketPath: rrdSockets[socket] ?? "" }, options);
        const { status, reason, body } = await answerOf(stream, request, options.signal);
        if (status !== 200) throw new Unusable(`answered ${status} ${plainLine(reason)}`.trimEnd());
        const updates = parseRrdUpdates(body);
        if (!updates) throw new Unusable("gave an answer that can't be read");
        return { updates, socket };
      } catch (thrown) {
        // That forwarding is forbidden, or the host out of reach, holds for the other one too.
        if (!(thrown instanceof Unusable) && toVirtuError(thrown).kind !== "connection") throw thrown;
        wrong ??= thrown;
      }
    }
    throw wrong;
  }

  /** Null where the host's numbers are those of now; else why they are not known. */
  gap(uuid: string | null): string | null {
    const state = uuid === null ? undefined : this.states.get(uuid);
    const host = this.hosts.find((one) => one.uuid === uuid);
    if (host && host.target === null) {
      const name = plainLine(host.name);
      return `${name} is none of virtu's hosts: add it as ${name} or ${plainLine(host.address)}`;
    }
    if (state && state.why !== null) return state.why;
    return state && this.options.now() - state.answeredAt < longestMs ? null : notAsked;
  }
}

function whyOf(thrown: unknown): string {
  if (thrown instanceof Unusable) return thrown.message;
  const { kind, what, why } = toVirtuError(thrown);
  // OpenSSH says the same of a socket that it must not forward and of one that is not there.
  if (kind === "refused" || (kind === "connection" && why?.startsWith("/") === true)) {
    return `does not open ${rrdSockets[0]} over SSH: that takes root, a running xcp-rrdd and AllowStreamLocalForwarding`;
  }
  return `can't be asked: ${[what, why].filter(Boolean).join(": ")}`;
}

/** Sends one request and gives the answer. Rejects with what it is not; the stream is closed in any case. */
function answerOf(stream: Duplex, request: string, signal: AbortSignal): Promise<HttpAnswer> {
  const reader = new HttpAnswerReader();
  return new Promise<HttpAnswer>((resolve, reject) => {
    const fail = (why: string) => reject(new Unusable(why));
    const ended = () => {
      const answer = reader.end();
      if (answer) resolve(answer);
      else fail("broke off its answer");
    };
    stream.on("data", (chunk: Buffer) => {
      const answer = reader.push(chunk);
      if (answer) resolve(answer);
      else if (reader.tooLong) fail("gave an answer that is too long");
    });
    stream.on("end", ended);
    stream.on("close", ended);
    stream.on("error", ended);
    signal.addEventListener("abort", () => fail("was not waited for"), { once: true });
    if (signal.aborted) fail("was not waited for");
    else stream.write(request);
  }).finally(() => stream.destroy());
}
