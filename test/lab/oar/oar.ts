/** The OAR lab for tests: brings it up, looks at it with OAR's own commands, never through virtu. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { must, run, shell, type Teardown, until } from "../lab.ts";

const scripts = dirname(fileURLToPath(import.meta.url));

/** What `oarstat -f -J` says of a job, as far as the tests compare it. */
export interface OarstatJob {
  state: string;
  name: string;
  command: string;
  types: string[];
  walltime: number | null;
  owner: string;
  startTime: number;
  assigned_network_address: string[];
  initial_request: string;
}

export interface OarLab {
  stateDir: string;
  /** For `-F`: hosts `frontend` (an ordinary user) and `frontend-root`. */
  sshConfig: string;
  user: string;
  /** One job by OAR's own word, or null. */
  job(id: number): Promise<OarstatJob | null>;
  /** Numbers of all jobs that have not ended, of anybody. */
  alive(): Promise<number[]>;
  /** Waits for a state of a job. */
  state(id: number, wanted: string): Promise<void>;
  /** Stops or starts a part alone. */
  server(action: "up" | "down"): Promise<void>;
  database(action: "up" | "down"): Promise<void>;
  /** Ends every SSH session of the frontend, as a lost link does. Gives how many of their processes there were. */
  cutLinks(): Promise<number>;
  /** Removes every job. */
  clear(): Promise<void>;
}

/** The machine has one OAR: a second run of these tests waits here until the first has ended, or died. */
async function alone(teardown: Teardown): Promise<void> {
  mkdirSync("/var/tmp/virtu-lab", { recursive: true });
  const lock = spawn("flock", ["/var/tmp/virtu-lab/oar.lock", "sh", "-c", "echo locked; cat >/dev/null"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => lock.once("close", () => resolve()));
  teardown.add(() => {
    lock.stdin.end();
    return ended;
  });
  const locked = new Promise<void>((resolve) => lock.stdout.once("data", () => resolve()));
  await Promise.race([locked, ended.then(() => Promise.reject(new Error("flock ended without the lock")))]);
}

/**
 * Up from nothing in under a minute with packages to install, in seconds without. A lab that was up before stays up.
 * @param bare So many nodes with nothing behind their names; for that, one that was up is taken down.
 */
export async function oarLab(teardown: Teardown, bare?: number): Promise<OarLab> {
  await alone(teardown);
  const stateDir = "/var/tmp/virtu-lab/oar";
  const pidFile = join(stateDir, "almighty.pid");
  const wasUp = existsSync(pidFile) && existsSync(`/proc/${readFileSync(pidFile, "utf8").split(" ")[0]}`);
  const down = () => must("bash", [join(scripts, "down.sh"), stateDir, "--purge"]);
  if (wasUp && bare !== undefined) await down();
  if (!wasUp || bare !== undefined) teardown.add(down);
  const env = bare === undefined ? {} : { BARE: "yes", NODES: String(bare) };
  await must("bash", [join(scripts, "up.sh"), stateDir], { timeoutMs: 900_000, env });

  const oarstat = async (...args: string[]): Promise<Record<string, OarstatJob>> => {
    const out = await must("oarstat", ["-f", "-J", ...args]);
    return out === "" ? {} : (JSON.parse(out) as Record<string, OarstatJob>);
  };
  const part = (name: string) => (action: "up" | "down") =>
    must("bash", [join(scripts, "server.sh"), name, action, stateDir]).then(() => {});
  const lab: OarLab = {
    stateDir,
    sshConfig: join(stateDir, "ssh_config"),
    user: "virtulab",
    job: async (id) => (await oarstat("-j", String(id)))[String(id)] ?? null,
    alive: async () => Object.keys(await oarstat()).map(Number),
    async state(id, wanted) {
      await until(`job ${id} is ${wanted}`, async () => (await lab.job(id))?.state === wanted, 90_000);
    },
    server: part("server"),
    database: part("database"),
    async cutLinks() {
      const pid = readFileSync(join(stateDir, "sshd-frontend.pid"), "utf8").split(" ")[0];
      // A session is a child of our own sshd and the child's child; what the user runs there is left alone.
      const killed = await shell(`for p in $(ps -o pid= --ppid ${pid}); do
        for q in $(ps -o pid=,comm= --ppid "$p" | awk '$2 == "sshd" {print $1}') $p; do
          ! kill -9 "$q" 2>/dev/null || echo "$q"
        done
      done`);
      return killed.split("\n").filter(Boolean).length;
    },
    async clear() {
      const ids = await lab.alive();
      if (ids.length === 0) return;
      await run("oardel", ids.map(String));
      await until("every job has ended", async () => (await lab.alive()).length === 0, 60_000);
    },
  };
  return lab;
}
