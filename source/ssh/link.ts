/** One SSH connection from its stream to the moment it can carry channels: host key, authentication, time limits. */
import type { Duplex } from "node:stream";
import ssh2, { type AuthHandlerMiddleware, type Client } from "ssh2";
import { VirtuError } from "../errors.ts";
import { plainLine } from "../text.ts";
import { Authentication, type Secrets } from "./auth.ts";
import type { HostIdentity, HostKeys } from "./host-keys.ts";
import { KeyFiles } from "./identities.ts";
import { cancelled, type Limiter } from "./limiter.ts";
import { counted, type Transport } from "./transport.ts";
import type { Asker } from "./types.ts";

export interface Link {
  client: Client;
  bytesIn(): number;
  bytesOut(): number;
  /** Says goodbye, and drops the stream when nobody answers. */
  close(): void;
  /** Drops the stream at once: the other end is gone. */
  drop(): void;
  /** Why it broke, once it has; null when it just ended. */
  ended: Promise<string | null>;
}

export interface LinkOptions {
  host: HostIdentity;
  hostKeys: HostKeys;
  secrets: Secrets;
  asker: Asker;
  /** Handshakes at the same time; held from the first byte until the host lets us in or somebody is asked. */
  limiter: Limiter;
  /** Called when somebody is asked, who may think about it for long. */
  asked: () => void;
  /** Limit for each step of the handshake, while nobody is asked anything. */
  stepTimeoutMs: number;
  signal: AbortSignal;
}

export function newSecrets(): Secrets {
  return { keyFiles: new KeyFiles(), passwords: new Map() };
}

/** Puts an SSH connection on a stream that is ready. Rejects with a `VirtuError`; the stream is gone then. */
export async function openLink(transport: Transport, options: LinkOptions): Promise<Link> {
  const { host, hostKeys, signal } = options;
  let gone = false;
  transport.stream.once("close", () => {
    gone = true;
  });
  const release = await options.limiter.acquire(signal).catch((thrown: unknown) => {
    destroy(transport.stream);
    throw thrown;
  });
  try {
    const algorithms = await hostKeys.algorithms(host);
    if (gone || transport.stream.destroyed) throw connectionError(host, "it closed the connection at once");
    return await handshake(transport, options, algorithms ? { serverHostKey: algorithms } : undefined, release);
  } catch (thrown) {
    const error = await withReport(thrown, transport);
    destroy(transport.stream);
    throw error;
  } finally {
    release();
  }
}

function destroy(stream: Duplex): void {
  stream.on("error", () => {});
  stream.destroy();
}

function handshake(
  transport: Transport,
  options: LinkOptions,
  algorithms: ssh2.ConnectConfig["algorithms"],
  release: () => void,
): Promise<Link> {
  const { host, hostKeys, signal } = options;
  const { stream } = transport;
  const client = new ssh2.Client();
  let broken: string | null = null;
  let accepted: Buffer | null = null;
  let trusted = true;
  return new Promise<Link>((resolve, reject) => {
    let settled = false;
    let refusal: VirtuError | null = null;
    let deciding = false;
    const watch = new StepTimer(options.stepTimeoutMs, () =>
      fail(connectionError(host, `it did not answer for ${Math.round(options.stepTimeoutMs / 1000)} s`)),
    );
    const finish = () => {
      settled = true;
      watch.stop();
      signal.removeEventListener("abort", onAbort);
    };
    const fail = (error: VirtuError) => {
      if (settled) return;
      finish();
      reject(error);
    };
    const onAbort = () => fail(cancelled());
    if (signal.aborted) return fail(cancelled());
    signal.addEventListener("abort", onAbort, { once: true });
    const asking = (open: boolean) => {
      if (open) {
        // Whoever thinks about an answer must not hold up the other hosts.
        release();
        options.asked();
        watch.stop();
      } else if (!settled) watch.restart();
    };
    const auth = new Authentication({
      label: host.label,
      options: host.options,
      secrets: options.secrets,
      asker: options.asker,
      signal,
      mayAsk: () => trusted,
      asking,
    });
    const ended = new Promise<string | null>((done) => {
      client.on("close", () => {
        done(broken);
        if (settled || deciding) return;
        if (refusal) fail(refusal);
        else if (auth.started) fail(auth.refused(broken ?? "the host closed the connection"));
        else fail(connectionError(host, broken ?? "it closed the connection before it said who it is"));
      });
    });
    client.on("error", (error: Error & { level?: string }) => {
      // A key of the agent that could not sign: the next one is tried.
      if (error.level === "agent") return;
      broken = plainLine(error.message);
      if (settled) return;
      if (refusal) fail(refusal);
      else if (error.level === "client-authentication") fail(auth.refused());
      else if (/no matching (server )?host key/i.test(error.message)) {
        deciding = true;
        const other = connectionError(host, broken);
        hostKeys.typeGone(host).then(
          (gone) => fail(gone ?? other),
          () => fail(other),
        );
      } else if (auth.started) fail(auth.refused(broken));
      else fail(connectionError(host, broken));
    });
    client.on("ready", () => {
      auth.succeeded();
      finish();
      const bytes = meter;
      resolve({
        client,
        bytesIn: bytes.in,
        bytesOut: bytes.out,
        ended,
        close: () => {
          client.end();
          setTimeout(() => destroy(stream), 1000).unref();
        },
        drop: () => destroy(stream),
      });
    });
    watch.restart();
    client.connect({
      sock: stream as ssh2.ConnectConfig["sock"],
      username: host.options.user,
      // ssh2's own limit would also run while a question is open.
      readyTimeout: 0,
      algorithms,
      authHandler: ((left, partial, next) => {
        if (!settled) watch.restart();
        auth.handler(left, partial, next as Parameters<typeof auth.handler>[2]);
      }) as AuthHandlerMiddleware,
      hostVerifier: (key: Buffer, verify: (valid: boolean) => void) => {
        // Asked again with every renewal of the session's keys.
        if (accepted) return verify(accepted.equals(key));
        hostKeys.check(host, key, signal, asking).then(
          (checked) => {
            accepted = key;
            trusted = checked.trusted;
            verify(true);
          },
          (thrown: VirtuError) => {
            refusal = thrown;
            verify(false);
          },
        );
      },
    });
    const meter = counted(stream);
  });
}

function connectionError(host: HostIdentity, why: string | null): VirtuError {
  return new VirtuError({
    kind: "connection",
    what: "The SSH connection could not be opened",
    where: host.label,
    why: why ?? undefined,
    hint: `"ssh ${host.options.alias}" must work from here.`,
  });
}

/** With a ProxyCommand, why it ended says more than that the pipe to it broke. */
async function withReport(thrown: unknown, transport: Transport): Promise<unknown> {
  if (!(thrown instanceof VirtuError) || thrown.kind !== "connection") return thrown;
  const report = await transport.report();
  if (!report) return thrown;
  const { kind, what, where, why, hint } = thrown;
  return new VirtuError({ kind, what, where, why: report.ending ?? why, hint, detail: report.said || undefined });
}

/** A time limit for one step at a time. */
class StepTimer {
  private timer: NodeJS.Timeout | null = null;
  constructor(
    private readonly ms: number,
    private readonly fire: () => void,
  ) {}
  restart(): void {
    this.stop();
    this.timer = setTimeout(this.fire, this.ms);
  }
  stop(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
  }
}
