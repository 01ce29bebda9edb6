/** The stream that an SSH connection runs on: TCP, a ProxyCommand, or a channel of a jump host's session. */
import { spawn } from "node:child_process";
import net from "node:net";
import { Duplex } from "node:stream";
import { VirtuError } from "../errors.ts";
import { plain } from "../text.ts";
import type { HostOptions } from "./host-options.ts";
import { cancelled } from "./limiter.ts";

/** Long enough for a slow link, short enough to notice a dead host; ssh's own default is the kernel's two minutes. */
export const defaultConnectTimeoutMs = 15_000;

export interface Transport {
  stream: Duplex;
  /** What a ProxyCommand said on its standard error, and how it ended, if it did within a moment; null for other ways. */
  report(): Promise<{ said: string; ending: string | null } | null>;
}

function whyOf(code: string | undefined, message: string, options: HostOptions): string {
  switch (code) {
    case "ENOTFOUND":
      return `no host is named ${options.hostname}`;
    case "EAI_AGAIN":
      return `the name ${options.hostname} can't be looked up now`;
    case "ECONNREFUSED":
      return `nothing listens on port ${options.port}`;
    case "ETIMEDOUT":
      return "it did not answer in time";
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return "there is no route to it";
    default:
      return message;
  }
}

function unreachable(label: string, options: HostOptions, thrown: NodeJS.ErrnoException): VirtuError {
  const nested = (thrown as AggregateError).errors?.at(-1) as NodeJS.ErrnoException | undefined;
  const code = thrown.code ?? nested?.code;
  // Only a bare word of the user's can be a slip of the pen; a configured HostName that is not found is the network's.
  const typo = code === "ENOTFOUND" && options.hostname === options.alias;
  return new VirtuError(
    {
      kind: typo ? "usage" : "connection",
      what: "The host can't be reached",
      where: label,
      why: whyOf(code, nested?.message ?? thrown.message, options),
      hint: typo
        ? `Check the name, or give ${options.alias} a HostName or ProxyJump in your ssh configuration.`
        : `"ssh ${options.alias}" must work from here; check the network, or ProxyJump in your ssh configuration.`,
    },
    { cause: thrown },
  );
}

/** A TCP connection with Nagle off: with it on, every command waits 40 ms for nothing. */
export function tcp(label: string, options: HostOptions, signal: AbortSignal): Promise<Transport> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(cancelled());
    const socket = net.connect({
      host: options.hostname,
      port: options.port,
      noDelay: true,
      family: options.addressFamily,
      localAddress: options.bindAddress ?? undefined,
      autoSelectFamily: options.addressFamily === 0,
      // Node's 250 ms give up on every address of a far host.
      autoSelectFamilyAttemptTimeout: 3000,
    });
    const finish = (error: VirtuError | null) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      socket.off("connect", onConnect);
      socket.off("error", onError);
      if (!error) return resolve({ stream: socket, report: async () => null });
      socket.on("error", () => {});
      socket.destroy();
      reject(error);
    };
    const onConnect = () => finish(null);
    const onError = (thrown: NodeJS.ErrnoException) => finish(unreachable(label, options, thrown));
    const onAbort = () => finish(cancelled());
    const timer = setTimeout(
      () => onError(Object.assign(new Error("timed out"), { code: "ETIMEDOUT" })),
      options.connectTimeoutMs ?? defaultConnectTimeoutMs,
    );
    socket.on("connect", onConnect);
    socket.on("error", onError);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

/** Runs a ProxyCommand as ssh does: by the user's shell, replaced by the command. */
export function runProxyCommand(command: string): Transport {
  const child = spawn("/bin/sh", ["-c", `exec ${command}`], { stdio: ["pipe", "pipe", "pipe"] });
  let said = "";
  let failure: Error | null = null;
  const { stdin, stdout } = child;
  child.stderr.setEncoding("utf8");
  child.stderr.on("data", (text: string) => {
    said = (said + text).slice(-4000);
  });
  const stream = new Duplex({
    // Ends for good when the command has closed its output, after what it said has been read.
    allowHalfOpen: false,
    write: (chunk: Buffer, _encoding, done) => {
      stdin.write(chunk, (error) => done(error ? (failure ?? error) : null));
    },
    final: (done) => {
      stdin.end(() => done());
    },
    read: () => {
      stdout.resume();
    },
    destroy: (error, done) => {
      child.kill("SIGTERM");
      done(error);
    },
  });
  // The write's own callback reports what happens to it.
  stdin.on("error", () => {});
  stdout.on("data", (chunk: Buffer) => {
    if (!stream.push(chunk)) stdout.pause();
  });
  stdout.on("end", () => stream.push(null));
  child.on("error", (error) => {
    failure = error;
    stream.destroy(error);
  });
  const ended = new Promise<string>((resolve) => {
    child.on("error", (error) => resolve(`its ProxyCommand could not be started: ${error.message}`));
    child.on("close", (code, signal) => resolve(`its ProxyCommand ended with ${signal ?? `status ${code}`}`));
  });
  // The pipe breaks a moment before the command's end and its last words are known.
  const report = async () => {
    const ending = await Promise.race([ended, new Promise<null>((resolve) => setTimeout(resolve, 300, null))]);
    return { said: plain(said).trim(), ending };
  };
  return { stream, report };
}

/** Counts what goes through a stream, in bytes. */
export function counted(stream: Duplex): { in: () => number; out: () => number } {
  let received = 0;
  let sent = 0;
  const write = stream.write.bind(stream) as (...words: unknown[]) => boolean;
  stream.write = ((...words: unknown[]) => {
    sent += (words[0] as Buffer).length;
    return write(...words);
  }) as typeof stream.write;
  stream.on("data", (chunk: Buffer) => {
    received += chunk.length;
  });
  return { in: () => received, out: () => sent };
}
