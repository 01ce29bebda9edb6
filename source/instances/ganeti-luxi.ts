/** Questions to Ganeti by its LUXI socket, forwarded through the pool; where that is not to be had, the gnt-* programs serve. */
import type { Duplex } from "node:stream";
import { VirtuError } from "../errors.ts";
import type { HostRef, Pool, RequestOptions } from "../ssh/types.ts";
import { LuxiFrames, luxiRequest, luxiSocket, parseLuxiReply } from "../tools/luxi.ts";

const openLimitMs = 10_000;
/** luxid answers in less than 0.3 s; a loaded master, or a node that does not answer it, takes longer. */
const answerLimitMs = 20_000;
/** After a failure LUXI is left alone for so long at first, and twice as long each time. */
const firstRestMs = 5000;
const longestRestMs = 300_000;

/** One connection to the socket. Questions on it are answered one after another, in their order. */
export class LuxiLine {
  private readonly frames = new LuxiFrames();
  private readonly waiting: { resolve: (message: string) => void; reject: (error: VirtuError) => void }[] = [];
  private broken: VirtuError | null = null;

  constructor(
    private readonly stream: Duplex,
    private readonly where: string,
  ) {
    stream.on("data", (chunk: Buffer) => {
      for (const message of this.frames.push(chunk)) this.waiting.shift()?.resolve(message);
    });
    const ended = () => this.end("connection", "Ganeti's master daemon ended the connection");
    stream.on("error", ended);
    stream.on("end", ended);
    stream.on("close", ended);
  }

  /** The result of one request. Rejects with `refused` for what Ganeti refuses. */
  async ask(method: string, args: readonly unknown[], limitMs = answerLimitMs): Promise<unknown> {
    if (this.broken) throw this.broken;
    let timer: NodeJS.Timeout | undefined;
    const message = await new Promise<string>((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      // The answer that is missing would be taken for the next question's.
      timer = setTimeout(() => this.end("timeout", "Ganeti's master daemon did not answer in time"), limitMs);
      this.stream.write(luxiRequest(method, args));
    }).finally(() => clearTimeout(timer));
    const reply = parseLuxiReply(message);
    if (reply?.ok) return reply.result;
    throw new VirtuError({
      kind: reply ? "refused" : "unparsed",
      what: `Ganeti's master daemon did not take ${method}`,
      where: this.where,
      why: reply?.text,
      detail: reply ? undefined : message.slice(0, 2000),
    });
  }

  close(): void {
    this.end("cancelled", "Cancelled");
  }

  private end(kind: "connection" | "timeout" | "cancelled", what: string): void {
    this.broken ??= new VirtuError({ kind, what, where: this.where });
    for (const { reject } of this.waiting.splice(0)) reject(this.broken);
    this.stream.destroy();
  }
}

export class Luxi {
  private restUntil = 0;
  private restMs = firstRestMs;

  constructor(
    private readonly pool: Pool,
    private readonly target: () => HostRef,
  ) {}

  async open(options: RequestOptions = {}): Promise<LuxiLine> {
    const host = this.target();
    const stream = await this.pool.forward(host, { socketPath: luxiSocket }, { timeoutMs: openLimitMs, ...options });
    const line = new LuxiLine(stream, host.name);
    const { signal } = options;
    const stop = () => line.close();
    signal?.addEventListener("abort", stop, { once: true });
    stream.once("close", () => signal?.removeEventListener("abort", stop));
    if (signal?.aborted) stop();
    return line;
  }

  /** Whether the socket can be reached now. */
  async isThere(signal: AbortSignal): Promise<boolean> {
    try {
      (await this.open({ signal, priority: "poll" })).close();
      return true;
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      return false;
    }
  }

  /** One request on a connection of its own. */
  async ask(method: string, args: readonly unknown[], options: RequestOptions = {}): Promise<unknown> {
    const { timeoutMs, ...request } = options;
    const line = await this.open(request);
    try {
      return await line.ask(method, args, Math.min(timeoutMs ?? answerLimitMs, answerLimitMs));
    } finally {
      line.close();
    }
  }

  /** Does it by LUXI, or gives null: the gnt-* programs must do it. Whatever is wrong is for them to say. */
  async attempt<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T | null> {
    if (Date.now() < this.restUntil) return null;
    try {
      const result = await work();
      this.restMs = firstRestMs;
      return result;
    } catch (thrown) {
      if (signal?.aborted) throw new VirtuError({ kind: "cancelled", what: "Cancelled" }, { cause: thrown });
      // Of several that fail together one counts.
      if (Date.now() >= this.restUntil) {
        this.restUntil = Date.now() + this.restMs;
        this.restMs = Math.min(this.restMs * 2, longestRestMs);
      }
      return null;
    }
  }

  /** The master is another one now. */
  reset(): void {
    this.restUntil = 0;
    this.restMs = firstRestMs;
  }
}
