/** The session pool against real OpenSSH servers. What happened is asked of OpenSSH's tools and of the processes themselves. */
import { once } from "node:events";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { sh } from "../../../source/ssh/command.ts";
import { createPool, type PoolOptions } from "../../../source/ssh/pool.ts";
import type { Asker, Pool } from "../../../source/ssh/types.ts";
import { TestAsker } from "../../ssh/server.ts";
import { must, run, until } from "../lab.ts";
import { agentWith, type Lab, openLab, type Sshd } from "./servers.ts";

let lab: Lab;
let jump: Sshd;
let target: Sshd;
let narrow: Sshd;
let config: string;
let hashed: string;

beforeAll(async () => {
  lab = await openLab();
  [jump, target, narrow] = await Promise.all([
    lab.sshd("jump"),
    lab.sshd("target"),
    // Few channels, no SFTP, as some hardened hosts.
    lab.sshd("narrow", ["MaxSessions 3", "Subsystem sftp /no/such/program"]),
  ]);
  hashed = lab.file(
    "known_hosts",
    `[127.0.0.1]:${jump.port} ${jump.hostKey}\nthe-target ${target.hostKey}\n[127.0.0.1]:${narrow.port} ${narrow.hostKey}\n`,
  );
  await must("ssh-keygen", ["-q", "-H", "-f", hashed]);
  lab.file("included", `Host target\n  HostKeyAlias the-target\n  ProxyJump jump\n`);
  config = lab.file(
    "config",
    `Include ${lab.directory}/included
Host jump
  Port ${jump.port}
Host target piped
  Port ${target.port}
Host narrow
  Port ${narrow.port}
Host piped
  HostKeyAlias the-target
  ProxyCommand ssh -F ${lab.directory}/config -W %h:%p jump
Match originalhost target,piped exec "true"
  SetEnv LC_VIRTU=matched
Host *
  HostName 127.0.0.1
  User ${lab.user}
  IdentityFile ${lab.key}
  IdentityAgent none
  UserKnownHostsFile ${hashed}
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
`,
  );
});
afterAll(() => lab?.teardown.run());

const pools: Pool[] = [];
afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.end();
});

function poolOf(asker: Asker = new TestAsker(), options: Partial<PoolOptions> = {}): Pool {
  const pool = createPool({ sshConfig: config, asker, ...options });
  pools.push(pool);
  return pool;
}

/** A configuration of one host beside the common one. */
function variant(name: string, lines: string): string {
  return lab.file(name, `Host ${name}\n${lines}\nInclude ${config}\n`);
}

/** Processes with exactly this command line, by pgrep. */
async function running(commandLine: string): Promise<number> {
  return Number((await run("pgrep", ["-fxc", commandLine])).stdout.trim());
}

test.each(["jump", "target", "piped", "narrow"])("%s: gives what ssh gives", async (name) => {
  const line = 'whoami; echo "$SSH_CONNECTION" | cut -d" " -f3-; cat; echo err >&2; exit 7';
  const result = await poolOf().exec({ name }, sh`sh -c ${line}`, { stdin: "in\n" });
  const byShell = await run("ssh", ["-F", config, name, sh`sh -c ${line}`.line], { input: "in\n" });
  expect(result).toMatchObject({ outcome: "exited", status: 7, stdout: byShell.stdout });
  expect(byShell.status).toBe(7);
  expect(result.stdout).toContain(lab.user);
  expect(result.stderr).toBe("err\n");
});

test("one connection carries everything: sshd has one session process for 30 commands", async () => {
  const pool = poolOf();
  const parents = await Promise.all(Array.from({ length: 30 }, () => pool.exec({ name: "target" }, sh`echo $PPID`)));
  expect(new Set(parents.map(({ stdout }) => stdout)).size).toBe(1);
});

test("a host with MaxSessions 3 runs 20 commands, each once, on one connection", async () => {
  const pool = poolOf();
  const file = join(lab.directory, "home", "count");
  const command = sh`echo $PPID >> ${file}; sleep 0.05`;
  const results = await Promise.all(Array.from({ length: 20 }, () => pool.exec({ name: "narrow" }, command)));
  expect(results.every(({ status }) => status === 0)).toBe(true);
  const lines = readFileSync(file, "utf8").trim().split("\n");
  expect([lines.length, new Set(lines).size]).toEqual([20, 1]);
  expect(pool.sessions()[0]?.channelLimit).toBe(3);
});

test.each(["user", "root"])("a cancelled and a late command of %s are gone on the host", async (who) => {
  const pool = poolOf(undefined, {
    sshConfig: variant(`as-${who}`, who === "root" ? `User root\nPort ${jump.port}` : `Port ${jump.port}`),
  });
  const host = { name: `as-${who}` };
  const seconds = who === "root" ? 4321 : 4322;
  const abort = new AbortController();
  const cancelled = pool.exec(host, sh`sh -c ${`sleep ${seconds} & echo up; wait`}`, {
    signal: abort.signal,
    onLine: () => abort.abort(),
  });
  await expect(cancelled).rejects.toMatchObject({ kind: "cancelled" });
  const late = await pool.exec(host, sh`sleep ${seconds}`, { timeoutMs: 500 });
  expect(late).toMatchObject({ outcome: "timeout", stderr: "" });
  await until("no process is left", async () => (await running(`sleep ${seconds}`)) === 0, 10_000);
});

test("ended while a command runs, the pool takes the command with it", async () => {
  const pool = poolOf(undefined, { sshConfig: variant("ending", `User root\nPort ${jump.port}`) });
  const abort = new AbortController();
  const command = pool.exec({ name: "ending" }, sh`echo up; exec sleep 4323`, {
    signal: abort.signal,
    onLine: () => abort.abort(),
  });
  await expect(command).rejects.toMatchObject({ kind: "cancelled" });
  await pool.end();
  await until("no process is left", async () => (await running("sleep 4323")) === 0, 10_000);
});

test("a killed session is a lost command, and the next one opens a new session", async () => {
  const pool = poolOf();
  const lost = await pool.exec({ name: "jump" }, sh`echo $PPID; exec sleep 60`, {
    onLine: (_stream, pid) => process.kill(Number(pid), "SIGKILL"),
  });
  expect(lost).toMatchObject({ outcome: "lost", status: null, signal: null });
  expect((await pool.exec({ name: "jump" }, sh`echo back`)).stdout).toBe("back\n");
});

test("a stopped session is noticed", async () => {
  const pool = poolOf(undefined, { settings: { keepaliveMs: 200, keepaliveMisses: 3 } });
  let stopped = 0;
  const lost = await pool.exec({ name: "jump" }, sh`echo $PPID; exec sleep 60`, {
    onLine: (_stream, pid) => {
      stopped = Number(pid);
      process.kill(stopped, "SIGSTOP");
    },
  });
  process.kill(stopped, "SIGKILL");
  expect(lost.outcome).toBe("lost");
  expect((await pool.exec({ name: "jump" }, sh`echo back`)).stdout).toBe("back\n");
});

test("takes a key from an agent, and a locked one after its passphrase", async () => {
  const socket = await agentWith(lab, [lab.key]);
  const agent = poolOf(undefined, {
    sshConfig: variant("agent", `Port ${jump.port}\nIdentityAgent ${socket}\nIdentityFile none`),
  });
  expect((await agent.exec({ name: "agent" }, sh`whoami`)).stdout.trim()).toBe(lab.user);

  const asker = new TestAsker(["wrong", lab.passphrase]);
  const only = `Host locked\n  HostName 127.0.0.1\n  Port ${jump.port}\n  User ${lab.user}\n  IdentityAgent none\n  IdentityFile ${lab.lockedKey}\n  UserKnownHostsFile ${hashed}\n`;
  const locked = poolOf(asker, { sshConfig: lab.file("locked-config", only) });
  expect((await locked.exec({ name: "locked" }, sh`whoami`)).stdout.trim()).toBe(lab.user);
  expect(asker.secrets.map(({ kind }) => kind)).toEqual(["passphrase", "passphrase"]);
});

test.each([
  ["password", ["PasswordAuthentication yes"], "password"],
  ["keyboard-interactive", ["UsePAM yes", "KbdInteractiveAuthentication yes"], "keyboard-interactive"],
  ["publickey,password", ["PasswordAuthentication yes", "AuthenticationMethods publickey,password"], "password"],
] as const)("logs in by %s", async (name, options, kind) => {
  const server = await lab.sshd(`auth-${name.replace(",", "-")}`, options);
  const keys = name.startsWith("publickey") ? lab.key : "none";
  const text = `Host h\n  HostName 127.0.0.1\n  Port ${server.port}\n  User ${lab.user}\n  IdentityAgent none\n  IdentityFile ${keys}\n  StrictHostKeyChecking accept-new\n  UserKnownHostsFile ${lab.directory}/kh-${server.port}\n`;
  const file = lab.file(`config-${server.port}`, text);
  const asker = new TestAsker(["wrong", lab.password]);
  const pool = poolOf(asker, { sshConfig: file });
  expect((await pool.exec({ name: "h" }, sh`whoami`)).stdout.trim()).toBe(lab.user);
  expect(asker.secrets.map((question) => question.kind)).toEqual([kind, kind]);

  const headless = poolOf(undefined, { sshConfig: file });
  await expect(headless.exec({ name: "h" }, sh`true`)).rejects.toMatchObject({
    kind: "authentication",
    why: expect.stringContaining(`${kind}: no answer was given`),
  });
  await server.stop();
});

test("a key it has learned is one that ssh-keygen finds, hashed or not", async () => {
  for (const [hash, alias] of [
    ["yes", "learn-hashed"],
    ["no", "learn-plain"],
  ] as const) {
    const file = join(lab.directory, `${alias}-hosts`);
    const lines = `Port ${jump.port}\nStrictHostKeyChecking accept-new\nHashKnownHosts ${hash}\nUserKnownHostsFile ${file}`;
    await poolOf(undefined, { sshConfig: variant(alias, lines) }).exec({ name: alias }, sh`true`);
    const found = await must("ssh-keygen", ["-F", `[127.0.0.1]:${jump.port}`, "-f", file]);
    expect(found).toContain(jump.hostKey.split(" ")[1]);
    expect(found.includes("|1|")).toBe(hash === "yes");
  }
});

test("a reinstalled host is refused, as ssh refuses it, and welcome once the job's file has forgotten it", async () => {
  const server = await lab.sshd("reinstalled");
  const file = variant("node", `Port ${server.port}\nHostName 127.0.0.1`);
  const pool = poolOf(undefined, { sshConfig: file });
  const job = { name: "node", knownHostsFile: join(lab.directory, "job_hosts") };
  expect((await pool.exec(job, sh`echo first`)).stdout).toBe("first\n");
  await server.stop();
  // A session outlives its listener; a reinstalled node's does not.
  for (const { key } of pool.sessions()) pool.close(key);
  const hostKey = join(server.directory, "host_key");
  writeFileSync(hostKey, "");
  await must("sh", ["-c", 'rm -f "$1" "$1.pub" && ssh-keygen -q -t ed25519 -N "" -f "$1"', "sh", hostKey]);
  await server.start();
  const refusal = (await pool.exec(job, sh`true`).catch((thrown: unknown) => thrown)) as {
    kind: string;
    detail: string;
  };
  expect(refusal.kind).toBe("host-key");
  const shown = (await must("ssh-keygen", ["-lf", `${hostKey}.pub`])).split(" ")[1] ?? "";
  expect(refusal.detail).toContain(shown);
  const words = ["-F", file, "-o", `UserKnownHostsFile=${job.knownHostsFile}`, "-o", "BatchMode=yes", "node", "true"];
  expect((await run("ssh", words)).stderr).toContain("HAS CHANGED");
  await pool.forgetHostKeys(job.knownHostsFile, ["node"]);
  expect((await pool.exec(job, sh`echo second`)).stdout).toBe("second\n");
  expect((await run("ssh", words)).status).toBe(0);
});

test.each(["jump", "narrow"])("%s: a file arrives whole, with its mode, over an older one", async (name) => {
  const remote = join(lab.directory, "home", `upload ${name}`);
  const content = Buffer.alloc(3_000_000, "virtu\n");
  const local = lab.file("local", "");
  writeFileSync(local, content);
  const pool = poolOf();
  await pool.upload({ name }, Buffer.from("old"), remote);
  let last = 0;
  await pool.upload({ name }, { localFile: local }, remote, { mode: 0o750, onProgress: (sent) => (last = sent) });
  expect(readFileSync(remote).equals(content)).toBe(true);
  expect(statSync(remote).mode & 0o777).toBe(0o750);
  expect(last).toBe(content.length);
  expect(await must("sh", ["-c", 'ls "$1" | grep -c part || true', "sh", join(lab.directory, "home")])).toBe("0");
  await expect(pool.upload({ name }, content, "/proc/no/such")).rejects.toMatchObject({ kind: "refused" });
  await until("every channel is given back", () => pool.sessions()[0]?.channels === 0);
});

test("reaches TCP ports and Unix sockets behind the host", async () => {
  const pool = poolOf();
  const path = join(lab.directory, "home", "socket");
  const server = net.createServer((socket) => socket.end("over the socket")).listen(path);
  await once(server, "listening");
  await must("chmod", ["666", path]);
  const stream = await pool.forward({ name: "target" }, { socketPath: path });
  const [said] = (await once(stream, "data")) as [Buffer];
  expect(said.toString()).toBe("over the socket");
  server.close();
  const banner = await pool.forward({ name: "jump" }, { host: "127.0.0.1", port: target.port });
  const [hello] = (await once(banner, "data")) as [Buffer];
  expect(hello.toString()).toMatch(/^SSH-2.0-OpenSSH/);
  banner.destroy();
});

test("a terminal has the size it was given, and is hung up when it is closed", async () => {
  const pool = poolOf();
  const terminal = await pool.pty({ name: "target" }, sh`stty size; exec sleep 4324`, { columns: 91, rows: 27 });
  const [said] = (await once(terminal.stream, "data")) as [Buffer];
  expect(said.toString().trim()).toBe("27 91");
  terminal.close();
  expect((await terminal.ended).outcome).not.toBe("exited");
  await until("the command is gone", async () => (await running("sleep 4324")) === 0, 10_000);
});

test("the round trip of a warm command (printed, not judged)", async () => {
  const pool = poolOf();
  for (const name of ["jump", "target"]) {
    const times: number[] = [];
    for (let n = 0; n < 200; n += 1) {
      const since = performance.now();
      await pool.exec({ name }, sh`true`);
      times.push(performance.now() - since);
    }
    times.sort((a, b) => a - b);
    const at = (share: number) => times[Math.floor(times.length * share)]?.toFixed(1);
    console.log(`${name}: exec "true" min ${at(0)} ms, median ${at(0.5)} ms, p95 ${at(0.95)} ms`);
  }
  expect(pool.sessions().every(({ roundTripMs }) => roundTripMs !== null)).toBe(true);
});
