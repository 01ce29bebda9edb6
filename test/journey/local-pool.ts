/**
 * A pool for tests of what runs on a frontend: its commands go to the local `sh` in a home directory of their own, with stand-ins of
 * Kadeploy's programs in PATH. Nodes answer what the test says.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { EventEmitter } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Duplex } from "node:stream";
import { VirtuError } from "../../source/errors.ts";
import type { Command } from "../../source/ssh/command.ts";
import type { ExecOptions, ExecResult, HostRef, Pool, PoolEvents, PtyChannel } from "../../source/ssh/types.ts";

export const frontend = "frontend";

/**
 * kadeploy3 as its runs are told in `$HOME/fake/N/{output,ok,ko,status}`. A line `@wait NAME` waits for the pipe NAME,
 * `@part TEXT` prints a text without its newline.
 */
const kadeploy3 = `#!/bin/sh
trap 'if [ -f "$run/late" ]; then cat "$run/ko" > "$ko"; fi; printf "\\nSIGINT trapped\\n"; exit 1' INT
echo "$*" >> "$HOME/fake/calls"
run="$HOME/fake/$(wc -l < "$HOME/fake/calls" | tr -d ' ')"
while [ $# -gt 0 ]; do
  case "$1" in
    -f) cp "$2" "$run/nodes"; shift ;;
    -o) ok=$2; shift ;;
    -n) ko=$2; shift ;;
    -k) case "$2" in -*) ;; *) cp "$2" "$run/key"; shift ;; esac ;;
    --write-workflow-id) printf D-1 > "$2"; shift ;;
  esac
  shift
done
echo "$RUBYOPT" > "$run/rubyopt"
true > "$ok"
true > "$ko"
while IFS= read -r line; do
  case "$line" in
    '@wait '*) cat "$HOME/fake/\${line#@wait }" > /dev/null ;;
    '@part '*) printf '%s' "\${line#@part }" ;;
    *) printf '%s\\n' "$line" ;;
  esac
done < "$run/output"
cat "$run/ok" > "$ok"
cat "$run/ko" > "$ko"
exit "$(cat "$run/status")"
`;

export interface FakeRun {
  output: readonly string[];
  ok?: readonly string[];
  ko?: readonly string[];
  status?: number;
  /** Interrupted, it has written its list of failed nodes already. */
  late?: boolean;
}

type NodeAnswer = (node: string, command: string) => Partial<ExecResult> | VirtuError;

const exited = {
  outcome: "exited",
  status: 0,
  signal: null,
  stdout: "",
  stderr: "",
  truncated: false,
  durationMs: 1,
} as const;

export class LocalPool extends EventEmitter<PoolEvents> implements Pool {
  readonly home = mkdtempSync(path.join(os.tmpdir(), "virtu-home-"));
  readonly stateDir = path.join(this.home, "state");
  /** Commands sent to the frontend, and nodes asked. */
  readonly sent: string[] = [];
  readonly asked: string[] = [];
  readonly forgotten: { file: string; hosts: readonly string[] }[] = [];
  /** What the nodes answer. */
  answer: NodeAnswer = () => ({});
  /** The next so many requests find no link. */
  refusals = 0;
  /** Standard input is cut off after so many bytes, and the link lost. */
  cutInputAfter: number | null = null;
  /** Emits `part` when an unfinished line has arrived. */
  readonly arrivals = new EventEmitter<{ part: [] }>();
  private readonly running = new Map<ChildProcess, () => void>();

  constructor() {
    super();
    mkdirSync(path.join(this.home, "bin"));
    mkdirSync(path.join(this.home, "fake"));
    this.program("kadeploy3", kadeploy3);
  }

  /** Puts a stand-in into PATH. */
  program(name: string, script: string): void {
    writeFileSync(path.join(this.home, "bin", name), script);
    chmodSync(path.join(this.home, "bin", name), 0o755);
  }

  /** The next runs of kadeploy3, in order. */
  runs(...runs: FakeRun[]): void {
    runs.forEach((run, index) => {
      const folder = path.join(this.home, "fake", String(index + 1));
      mkdirSync(folder);
      const lines = (names: readonly string[] = []) => names.map((name) => `${name}\n`).join("");
      writeFileSync(path.join(folder, "output"), lines(run.output));
      writeFileSync(path.join(folder, "ok"), lines(run.ok));
      writeFileSync(path.join(folder, "ko"), lines(run.ko));
      if (run.late) writeFileSync(path.join(folder, "late"), "");
      writeFileSync(path.join(folder, "status"), `${run.status ?? 0}\n`);
    });
  }

  /** A file below the home directory; empty when it is not there. */
  file(name: string): string {
    const file = path.join(this.home, name);
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }

  /** The link breaks: whatever runs gets a hang-up, and nobody learns how it ended. */
  cut(): void {
    for (const lose of [...this.running.values()]) lose();
  }

  async exec(host: HostRef, command: Command, options: ExecOptions = {}): Promise<ExecResult> {
    if (options.signal?.aborted) throw new VirtuError({ kind: "cancelled", what: "Cancelled" });
    if (host.name !== frontend) {
      const node = host.name.replace(/^root@/, "");
      this.asked.push(node);
      const answer = this.answer(node, command.line);
      if (answer instanceof VirtuError) throw answer;
      return { ...exited, ...answer };
    }
    this.sent.push(command.line);
    if (this.refusals > 0) {
      this.refusals -= 1;
      throw new VirtuError({ kind: "connection", what: "No link", why: "connection refused" });
    }
    return this.local(command, options);
  }

  private local(command: Command, options: ExecOptions): Promise<ExecResult> {
    const { PATH = "" } = process.env;
    const child = spawn("sh", ["-c", command.line], {
      cwd: this.home,
      env: { HOME: this.home, PATH: `${path.join(this.home, "bin")}:${PATH}` },
      detached: true,
    });
    const hangUp = (signal: NodeJS.Signals) => {
      try {
        if (child.pid) process.kill(-child.pid, signal);
      } catch {
        // It has ended by itself.
      }
    };
    return new Promise((resolve, reject) => {
      let stdout = "";
      let stderr = "";
      let rest = "";
      const result = { ...exited, status: null as number | null };
      const end = () => {
        this.running.delete(child);
        options.signal?.removeEventListener("abort", onAbort);
        child.stdout.removeAllListeners("data");
        if (rest !== "") options.onLine?.("stdout", rest);
      };
      const lose = () => {
        end();
        hangUp("SIGHUP");
        resolve({ ...result, outcome: "lost", stdout, stderr });
      };
      const onAbort = () => {
        end();
        hangUp("SIGTERM");
        reject(new VirtuError({ kind: "cancelled", what: "Cancelled" }));
      };
      this.running.set(child, lose);
      options.signal?.addEventListener("abort", onAbort);
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        stdout += text;
        const lines = (rest + text).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) options.onLine?.("stdout", line);
        if (rest !== "") this.arrivals.emit("part");
      });
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        stderr += text;
      });
      child.on("close", (status, signal) => {
        if (!this.running.has(child)) return;
        end();
        resolve({ ...result, outcome: signal ? "signalled" : "exited", status, stdout, stderr });
      });
      const input = Buffer.from(options.stdin ?? "");
      child.stdin.on("error", () => undefined);
      if (this.cutInputAfter !== null && input.length > 0) {
        child.stdin.end(input.subarray(0, this.cutInputAfter));
        this.cutInputAfter = null;
        child.once("exit", lose);
      } else child.stdin.end(input);
    });
  }

  async forgetHostKeys(file: string, hosts: readonly string[]): Promise<void> {
    this.forgotten.push({ file, hosts: [...hosts] });
  }

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

  /** Ends what still runs and removes the home directory. */
  async end(): Promise<void> {
    this.cut();
    const folder = path.join(this.home, ".virtu", "deployments");
    for (const id of existsSync(folder) ? readdirSync(folder) : []) {
      const pid = Number(this.file(`.virtu/deployments/${id}/pid`));
      try {
        if (pid > 1) process.kill(-pid, "SIGKILL");
      } catch {
        // It has ended.
      }
    }
    rmSync(this.home, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }
}
