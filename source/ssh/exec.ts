/** Runs one command on a session. */
import type { ClientChannel } from "ssh2";
import { openChannel, StartUnknown, start } from "./channels.ts";
import type { Command } from "./command.ts";
import { cancelled } from "./limiter.ts";
import { Output } from "./lines.ts";
import { RemoteProcess } from "./remote-process.ts";
import type { Session } from "./session.ts";
import type { Grant } from "./session-types.ts";
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
  const mayEnd = signal !== undefined || options.timeoutMs !== undefined;
  const remote = new RemoteProcess(mayEnd && session.route.options.user === "root");
  const since = performance.now();
  let opened: { channel: ClientChannel; grant: Grant };
  try {
    opened = await openChannel(session, wanted, (client) =>
      start(
        () => session.uses(client),
        (done) => client.exec(remote.line(command), done),
      ),
    );
  } catch (thrown) {
    if (thrown instanceof StartUnknown) return lost(performance.now() - since);
    throw thrown;
  }
  const running = new Running(opened.channel, opened.grant, remote, options);
  return running.result;
}

/** A command that has started. */
class Running {
  readonly result: Promise<ExecResult>;
  private readonly since = performance.now();
  private readonly out: Output;
  private readonly err: Output;
  private settled = false;
  private timedOut = false;
  private timers: NodeJS.Timeout[] = [];
  private resolve: (result: ExecResult) => void = () => {};
  private reject: (error: Error) => void = () => {};

  constructor(
    private readonly channel: ClientChannel,
    private readonly grant: Grant,
    private readonly remote: RemoteProcess,
    private readonly options: ExecOptions,
  ) {
    const { onLine, signal, timeoutMs, stdin } = options;
    const maxBytes = options.maxBytes ?? defaultMaxBytes;
    this.out = new Output(maxBytes, onLine && ((line) => onLine("stdout", line)));
    this.err = new Output(maxBytes, onLine && ((line) => onLine("stderr", line)));
    this.result = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    channel.on("error", () => {});
    channel.on("data", (chunk: Buffer) => this.take(this.out, chunk));
    // Unread standard error would fill the channel's window and stop the command.
    channel.stderr.on("data", (chunk: Buffer) => this.take(this.err, remote.filter(chunk)));
    channel.on("close", (code?: number | null, name?: string) => {
      grant.release();
      if (channel.stderr.readableEnded) this.finish(code, name);
      else channel.stderr.once("end", () => this.finish(code, name));
    });
    if (signal?.aborted) {
      this.abort();
      return;
    }
    signal?.addEventListener("abort", this.abort, { once: true });
    if (timeoutMs !== undefined) this.later(timeoutMs, () => this.expire());
    channel.end(stdin === undefined ? undefined : Buffer.from(stdin as string));
  }

  private take(output: Output, chunk: Buffer): void {
    if (this.settled) return;
    try {
      output.push(chunk);
    } catch (thrown) {
      // A listener of lines that throws ends its own command, not the program.
      this.settle();
      this.end();
      this.reject(thrown as Error);
    }
  }

  private later(ms: number, action: () => void): void {
    this.timers.push(setTimeout(action, ms));
  }

  private settle(): void {
    this.settled = true;
    for (const timer of this.timers) clearTimeout(timer);
    this.timers = [];
    this.options.signal?.removeEventListener("abort", this.abort);
  }

  private finish(code: number | null | undefined, name: string | null | undefined): void {
    if (this.settled) return;
    this.take(this.err, this.remote.flush());
    if (this.settled) return;
    this.settle();
    try {
      this.out.end();
      this.err.end();
    } catch (thrown) {
      this.reject(thrown as Error);
      return;
    }
    this.resolve({
      ...(this.timedOut ? ({ outcome: "timeout", status: null, signal: null } as const) : outcomeOf(code, name)),
      stdout: this.out.text(),
      stderr: this.err.text(),
      truncated: this.out.truncated || this.err.truncated,
      durationMs: performance.now() - this.since,
    });
  }

  private readonly abort = (): void => {
    if (this.settled) return;
    this.settle();
    this.end();
    this.reject(cancelled());
  };

  private expire(): void {
    this.timedOut = true;
    this.end();
    // What the command has left behind may hold the channel open.
    this.later(killAfterMs + 500, () => this.finish(undefined, undefined));
  }

  /** Asks the process to end, then makes it, then closes the channel whatever it did. Goes on after the result is known. */
  private end(): void {
    const { channel, grant, remote } = this;
    const { client } = grant.link;
    channel.resume();
    remote.signal(client, channel, "TERM");
    const kill = setTimeout(() => {
      remote.signal(client, channel, "KILL");
      const close = setTimeout(() => channel.close(), 250);
      close.unref();
    }, killAfterMs);
    kill.unref();
    grant.ending(
      new Promise((resolve) => {
        channel.once("close", () => {
          clearTimeout(kill);
          resolve();
        });
      }),
    );
  }
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
