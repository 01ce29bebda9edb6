/** Runs one command on a session. */
import type { Client, ClientChannel } from "ssh2";
import { openChannel, StartUnknown, signalChannel, start } from "./channels.ts";
import type { Command } from "./command.ts";
import { cancelled } from "./limiter.ts";
import { Collector, LineSplitter } from "./lines.ts";
import type { Grant, Session } from "./session.ts";
import type { ExecOptions, ExecResult } from "./types.ts";

const defaultMaxBytes = 16 * 1024 * 1024;
/** A process that was asked to end gets this long before it is killed. */
export const killAfterMs = 2000;

const lost = (durationMs: number): ExecResult => ({
  outcome: "lost",
  status: null,
  signal: null,
  stdout: "",
  stderr: "",
  truncated: false,
  durationMs,
});

/** Resolves however the command ended; rejects when it never started, or with kind `cancelled`. */
export async function execOn(session: Session, command: Command, options: ExecOptions = {}): Promise<ExecResult> {
  const { signal } = options;
  const wanted = { priority: options.priority ?? "user", counts: true, signal };
  const since = performance.now();
  let opened: { channel: ClientChannel; grant: Grant };
  try {
    opened = await openChannel(session, wanted, (client) =>
      start(
        () => session.uses(client),
        (done) => client.exec(command.line, done),
      ),
    );
  } catch (thrown) {
    if (thrown instanceof StartUnknown) return lost(performance.now() - since);
    throw thrown;
  }
  return follow(opened.grant.link.client, opened.channel, opened.grant, options);
}

function follow(client: Client, channel: ClientChannel, grant: Grant, options: ExecOptions): Promise<ExecResult> {
  const since = performance.now();
  const maxBytes = options.maxBytes ?? defaultMaxBytes;
  const out = new Collector(maxBytes);
  const err = new Collector(maxBytes);
  const { onLine, signal } = options;
  const outLines = onLine ? new LineSplitter((line) => onLine("stdout", line)) : null;
  const errLines = onLine ? new LineSplitter((line) => onLine("stderr", line)) : null;
  return new Promise((resolve, reject) => {
    let settled = false;
    let timedOut = false;
    const timers: NodeJS.Timeout[] = [];
    const later = (ms: number, action: () => void) => timers.push(setTimeout(action, ms));
    const settle = () => {
      settled = true;
      for (const timer of timers) clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    };
    const finish = (code: number | null | undefined, signalName: string | null | undefined) => {
      if (settled) return;
      settle();
      outLines?.end();
      errLines?.end();
      const ended = outcomeOf(code, signalName);
      resolve({
        ...(timedOut ? { outcome: "timeout", status: null, signal: null } : ended),
        stdout: out.text(),
        stderr: err.text(),
        truncated: out.truncated || err.truncated,
        durationMs: performance.now() - since,
      });
    };
    const onAbort = () => {
      if (settled) return;
      settle();
      signalChannel(client, channel, "TERM");
      channel.close();
      reject(cancelled());
    };
    channel.on("error", () => {});
    channel.on("data", (chunk: Buffer) => {
      if (settled) return;
      out.push(chunk);
      outLines?.push(chunk);
    });
    // Unread standard error would fill the channel's window and stop the command.
    channel.stderr.on("data", (chunk: Buffer) => {
      if (settled) return;
      err.push(chunk);
      errLines?.push(chunk);
    });
    channel.on("close", (code?: number | null, signalName?: string) => {
      grant.release();
      if (channel.stderr.readableEnded) finish(code, signalName);
      else channel.stderr.once("end", () => finish(code, signalName));
    });
    if (signal?.aborted) return onAbort();
    signal?.addEventListener("abort", onAbort, { once: true });
    if (options.timeoutMs !== undefined) {
      later(options.timeoutMs, () => {
        timedOut = true;
        signalChannel(client, channel, "TERM");
        later(killAfterMs, () => {
          signalChannel(client, channel, "KILL");
          // What the command left behind may hold the channel open.
          later(500, () => {
            channel.close();
            finish(undefined, undefined);
          });
        });
      });
    }
    channel.end(options.stdin === undefined ? undefined : Buffer.from(options.stdin as string));
  });
}

/** Neither a status nor a signal means that nobody knows how it ended. */
export function outcomeOf(
  code: number | null | undefined,
  signalName: string | null | undefined,
): Pick<ExecResult, "outcome" | "status" | "signal"> {
  if (typeof code === "number") return { outcome: "exited", status: code, signal: null };
  if (signalName) return { outcome: "signalled", status: null, signal: signalName.replace(/^SIG/, "") };
  return { outcome: "lost", status: null, signal: null };
}
