/**
 * A pool for tests of runs: each node is a home directory of its own, its commands go to the local `sh` there. A node's link
 * can be cut (what runs gets a hang-up, nobody learns how it ended) and be down. Also used by a process that is killed.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { EventEmitter } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import type { Duplex } from "node:stream";
import { VirtuError } from "../../source/errors.ts";
import type { Command } from "../../source/ssh/command.ts";
import { LineSplitter } from "../../source/ssh/lines.ts";
import type { ExecOptions, ExecResult, HostRef, Pool, PoolEvents, PtyChannel } from "../../source/ssh/types.ts";

export class NodesPool extends EventEmitter<PoolEvents> implements Pool {
  /** Nodes whose link is down. */
  readonly down = new Set<string>();
  /** Commands that were sent, with their node. */
  readonly sent: { node: string; line: string; stdin: string }[] = [];
  /** Called before a command is sent; may throw, or wait. */
  before: (node: string, line: string) => void | Promise<void> = () => undefined;
  /** Called when a command has ended, before anybody hears of it. `lost`: its answer is lost. */
  after: (node: string, line: string) => undefined | "lost" = () => undefined;
  private readonly running = new Map<ChildProcess, { node: string; lose: () => void }>();

  constructor(private readonly root: string) {
    super();
  }

  homeOf(node: string): string {
    return path.join(this.root, node);
  }

  /** A file below a node's home directory; empty when it is not there. */
  file(node: string, name: string): string {
    const file = path.join(this.homeOf(node), name);
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }

  /** The link to a node breaks, once. */
  cut(node: string): void {
    for (const one of [...this.running.values()]) if (one.node === node) one.lose();
  }

  async exec(host: HostRef, command: Command, options: ExecOptions = {}): Promise<ExecResult> {
    const node = host.name;
    if (options.signal?.aborted) throw new VirtuError({ kind: "cancelled", what: "Cancelled" });
    this.sent.push({ node, line: command.line, stdin: String(options.stdin ?? "") });
    await this.before(node, command.line);
    if (this.down.has(node)) throw new VirtuError({ kind: "connection", what: "No link", why: "connection refused" });
    mkdirSync(this.homeOf(node), { recursive: true });
    const { PATH = "" } = process.env;
    const child = spawn("sh", ["-c", command.line], {
      cwd: this.homeOf(node),
      env: { HOME: this.homeOf(node), PATH, NODE: node },
      detached: true,
    });
    return new Promise((resolve, reject) => {
      const texts = { stdout: "", stderr: "" };
      const result = { status: null, signal: null, truncated: false, durationMs: 1 };
      const splitters = {
        stdout: new LineSplitter((line) => options.onLine?.("stdout", line)),
        stderr: new LineSplitter((line) => options.onLine?.("stderr", line)),
      };
      const end = (signal: NodeJS.Signals | null) => {
        this.running.delete(child);
        options.signal?.removeEventListener("abort", onAbort);
        child.stdout.removeAllListeners("data");
        child.stderr.removeAllListeners("data");
        try {
          if (signal && child.pid) process.kill(-child.pid, signal);
        } catch {
          // It has ended by itself.
        }
      };
      const lose = () => {
        end("SIGHUP");
        splitters.stdout.end();
        resolve({ ...result, ...texts, outcome: "lost" });
      };
      const onAbort = () => {
        end("SIGTERM");
        reject(new VirtuError({ kind: "cancelled", what: "Cancelled" }));
      };
      this.running.set(child, { node, lose });
      options.signal?.addEventListener("abort", onAbort);
      for (const name of ["stdout", "stderr"] as const) {
        child[name].on("data", (chunk: Buffer) => {
          if (texts[name].length < (options.maxBytes ?? 1 << 24)) texts[name] += chunk.toString();
          splitters[name].push(chunk);
        });
      }
      child.on("close", (status, signal) => {
        if (!this.running.has(child)) return;
        end(null);
        if (this.after(node, command.line) === "lost") return resolve({ ...result, ...texts, outcome: "lost" });
        splitters.stdout.end();
        resolve({ ...result, ...texts, outcome: signal ? "signalled" : "exited", status });
      });
      child.stdin.on("error", () => undefined);
      child.stdin.end(options.stdin ?? "");
    });
  }

  async forgetHostKeys(): Promise<void> {}
  pty(): Promise<PtyChannel> {
    throw new Error("no terminal here");
  }
  upload(): Promise<void> {
    throw new Error("no upload here");
  }
  forward(): Promise<Duplex> {
    throw new Error("no forwarding here");
  }
  sessions() {
    return [];
  }
  async reconnect(): Promise<void> {}
  close(): void {}

  /** Ends the steps that still run on the nodes, and removes their homes. */
  async end(): Promise<void> {
    for (const one of [...this.running.values()]) one.lose();
    for (const file of existsSync(this.root) ? readdirSync(this.root, { recursive: true, encoding: "utf8" }) : []) {
      if (!/\/\.virtu\/runs\/[^/]+\/[^/]+\/(pid|worker)$/.test(`/${file}`)) continue;
      const pid = Number(readFileSync(path.join(this.root, file), "utf8"));
      try {
        if (pid > 1 && !existsSync(path.join(this.root, path.dirname(file), "end"))) process.kill(-pid, "SIGKILL");
      } catch {
        // It has ended.
      }
    }
    rmSync(this.root, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }
}
