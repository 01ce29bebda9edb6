/** Broadcasts by the real TakTuk, from a private sshd that stands for the frontend to others that stand for nodes. */
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { PlanNode } from "../../../source/journey/plan.ts";
import { startRun } from "../../../source/journey/run.ts";
import type { Broadcast } from "../../../source/journey/run-broadcast.ts";
import { chooseBroadcast } from "../../../source/journey/run-broadcast.ts";
import { taktukBroadcast, taktukRefusal } from "../../../source/journey/run-taktuk.ts";
import { sh } from "../../../source/ssh/command.ts";
import { createPool } from "../../../source/ssh/pool.ts";
import type { HostRef, Pool } from "../../../source/ssh/types.ts";
import { planOf } from "../../journey/plans.ts";
import { TestAsker } from "../../ssh/server.ts";
import { freePort, installPackages, must, until } from "../lab.ts";
import { type Lab, openLab, type Sshd } from "../openssh/servers.ts";

const names = ["tk-1", "tk-2", "tk-3", "tk-4"];
let lab: Lab;
let pool: Pool;
let frontend: HostRef;
let servers: Sshd[];
let broadcast: Broadcast;
/** Whom the broadcast asked for a command. */
const asked: string[] = [];

const nodeOf = (name: string): PlanNode => ({ name, host: { name: `root@${name}`, via: frontend } });

beforeAll(async () => {
  await installPackages("taktuk");
  lab = await openLab();
  const front = await lab.sshd("frontend");
  servers = await Promise.all(
    names.map((name) => {
      // Nodes have no home directory in common.
      mkdirSync(join(lab.directory, "homes", name), { recursive: true });
      return lab.sshd(name, [`SetEnv HOME=${join(lab.directory, "homes", name)}`]);
    }),
  );
  // Nobody listens there: a node that is down.
  const nowhere = await freePort();
  const home = join(lab.directory, "home");
  mkdirSync(join(home, ".ssh"), { mode: 0o700 });
  copyFileSync(lab.key, join(home, ".ssh", "id_ed25519"));
  chmodSync(join(home, ".ssh", "id_ed25519"), 0o600);
  const blocks = [...names.map((name, index) => [name, servers[index]?.port]), ["tk-down", nowhere]];
  const text = blocks.map(([name, port]) => `Host ${name}\n  HostName 127.0.0.1\n  Port ${port}\n`).join("");
  writeFileSync(join(home, ".ssh", "config"), text, { mode: 0o600 });
  await must("chown", ["-R", lab.user, join(home, ".ssh")]);
  const known = lab.file(
    "known_hosts",
    [["frontend", front], ...names.map((name, index) => [name, servers[index]] as const)]
      .map(([name, server]) => `${name} ${(server as Sshd).hostKey}\n`)
      .join(""),
  );
  const config = lab.file(
    "config",
    `Host frontend\n  HostKeyAlias frontend\n  Port ${front.port}\n  User ${lab.user}\n${names.map((name, index) => `Host ${name}\n  HostKeyAlias ${name}\n  Port ${servers[index]?.port}\n  User root\n`).join("")}Host *\n  HostName 127.0.0.1\n  IdentityFile ${lab.key}\n  IdentityAgent none\n  UserKnownHostsFile ${known}\n  GlobalKnownHostsFile /dev/null\n  StrictHostKeyChecking yes\n`,
  );
  pool = createPool({ sshConfig: config, asker: new TestAsker() });
  frontend = { name: "frontend" };
  const counting: Pool = Object.create(pool, {
    exec: {
      value: (...[host, ...rest]: Parameters<Pool["exec"]>) => {
        asked.push(host.name);
        return pool.exec(host, ...rest);
      },
    },
  });
  broadcast = taktukBroadcast(counting, frontend, { connectSeconds: 5 });
});
afterAll(async () => {
  await broadcast?.end();
  await pool?.end();
  await lab?.teardown.run();
});

/** One batch to these hosts; what came of each. */
const onAll = (hosts: readonly string[], command = sh`true`, options: Partial<Parameters<Broadcast["exec"]>[2]> = {}) =>
  Promise.all(hosts.map((name) => broadcast.exec(nodeOf(name), command, { batch: "test", ...options })));

test("every host runs the command as it stands, with its input, in one TakTuk", async () => {
  const command = sh`cat; printf '%s\\n' ${'it\'s ] a $HOME "test"\t.'}; echo "$SSH_CONNECTION" | cut -d ' ' -f 4; echo oops >&2; exit 3`;
  const results = await onAll(names, command, { stdin: "one\ntwo\n" });
  expect(results.map(({ outcome, status }) => [outcome, status])).toEqual(names.map(() => ["exited", 3]));
  expect(results.map(({ stdout }) => stdout)).toEqual(
    servers.map(({ port }) => `one\ntwo\nit's ] a $HOME "test"\t.\n${port}\n`),
  );
  expect(results.every(({ stderr }) => stderr === "oops\n")).toBe(true);
  // The frontend was asked once for all of them.
  expect(asked).toEqual(["frontend"]);
});

test("a signal, a program that is missing, a host that is down", async () => {
  const [killed, ...others] = await onAll(names.slice(0, 2), sh`kill -9 $$`);
  expect([killed, ...others].map((result) => result?.signal)).toEqual(["KILL", "KILL"]);
  const missing = await onAll(names.slice(0, 2), sh`nosuchprogram`);
  expect(missing.map(({ status }) => status)).toEqual([127, 127]);
  const settled = await Promise.allSettled(
    ["tk-down", ...names].map((name) => broadcast.exec(nodeOf(name), sh`echo here`, { batch: "down" })),
  );
  expect(settled[0]).toMatchObject({ status: "rejected", reason: { kind: "connection" } });
  expect(settled.slice(1).map((one) => (one.status === "fulfilled" ? one.value.stdout : one.reason))).toEqual(
    names.map(() => "here\n"),
  );
});

test("as a tree, nodes connect further nodes, and each one's outcome comes through", async () => {
  // They let one another in, as configured nodes do.
  for (const name of names) {
    const own = join(lab.directory, "homes", name, ".ssh");
    mkdirSync(own, { mode: 0o700 });
    for (const file of ["id_ed25519", "config"]) {
      copyFileSync(join(lab.directory, "home", ".ssh", file), join(own, file));
      chmodSync(join(own, file), 0o600);
    }
  }
  const plan = { nodes: names.map(nodeOf) } as unknown as Parameters<typeof chooseBroadcast>[1];
  const context = { pool, stateDir: lab.directory, taktukConnectSeconds: 5 };
  const { broadcast: tree } = await chooseBroadcast(context, plan, "taktuk-tree");
  try {
    expect(tree.engine).toBe("taktuk");
    const each = (command: ReturnType<typeof sh>, batch: string) =>
      Promise.all(names.map((name) => tree.exec(nodeOf(name), command, { batch })));
    const results = await each(sh`echo "$SSH_CONNECTION" | cut -d ' ' -f 4; exit 4`, "tree");
    expect(results.map(({ outcome, status, stdout }) => [outcome, status, stdout])).toEqual(
      servers.map(({ port }) => ["exited", 4, `${port}\n`]),
    );
  } finally {
    await tree.end();
  }
});

test("lines come as they are printed; a host that goes in the middle is lost, the others go on", async () => {
  const file = join(lab.directory, "go-on");
  const lines: string[] = [];
  const runs = names.map((name) =>
    broadcast.exec(nodeOf(name), sh`echo begun; while [ ! -e ${file} ]; do sleep 0.1; done; echo end`, {
      batch: "follow",
      onLine: (_stream, line) => lines.push(`${name} ${line}`),
    }),
  );
  await until("all have begun", async () => lines.length === names.length);
  // sshd's process of that connection, which knows its port.
  const port = servers[1]?.port;
  await must("sh", [
    "-c",
    `kill $(ss -Htnp state established "( sport = :${port} )" | grep -o 'pid=[0-9]*' | cut -d = -f 2 | sort -u)`,
  ]);
  const lost = await runs[1];
  expect(lost?.outcome).toBe("lost");
  writeFileSync(file, "");
  const rest = await Promise.all([runs[0], runs[2], runs[3]]);
  expect(rest.map((result) => [result?.outcome, result?.stdout])).toEqual(rest.map(() => ["exited", "begun\nend\n"]));
});

test("an abort ends one node's part alone; a limit ends a part as such", async () => {
  const stop = new AbortController();
  const [first, second] = ["tk-1", "tk-2"].map((name, index) =>
    broadcast.exec(nodeOf(name), sh`sleep 1; echo done`, {
      batch: "abort",
      signal: index === 0 ? stop.signal : undefined,
    }),
  );
  setTimeout(() => stop.abort(), 300);
  await expect(first).rejects.toMatchObject({ kind: "cancelled" });
  expect(await second).toMatchObject({ outcome: "exited", stdout: "done\n" });
  const late = await onAll(names.slice(0, 2), sh`sleep 30`, { timeoutMs: 1500 });
  expect(late.map(({ outcome }) => outcome)).toEqual(["timeout", "timeout"]);
});

test("chosen by name or above a number of nodes, and only where it works", async () => {
  const plan = { nodes: names.map(nodeOf) } as unknown as Parameters<typeof chooseBroadcast>[1];
  const context = { pool, stateDir: lab.directory };
  const engine = async (...[wanted, above]: ["pool" | "taktuk" | "auto", number?]) =>
    (await chooseBroadcast({ ...context, taktukAbove: above }, plan, wanted)).broadcast.engine;
  expect(await engine("taktuk")).toBe("taktuk");
  expect(await engine("auto")).toBe("pool");
  expect(await engine("auto", 3)).toBe("taktuk");
  expect(await engine("auto", 4)).toBe("pool");
  expect(await engine("pool", 3)).toBe("pool");
  expect(await taktukRefusal(pool, frontend, "tk-down")).toContain("can't log in on tk-down");
  const alone = { nodes: names.map((name) => ({ name, host: { name } })) } as unknown as typeof plan;
  const { broadcast: other, notice } = await chooseBroadcast(context, alone, "taktuk");
  expect([other.engine, notice]).toEqual(["pool", expect.stringContaining("none in common")]);
});

test("a whole run is carried by it: steps run once on each node, output and failures come through", async () => {
  const began = join(lab.directory, "began");
  const plan = planOf(
    names,
    [
      {
        id: "first",
        check: "[ -e ~/first ] || exit 1",
        script: `echo "$SSH_CONNECTION" >> ${began}; echo one; sleep 1; echo two; touch ~/first`,
      },
      {
        id: "second",
        script: "if [ -e ~/bad ]; then echo broken >&2; exit 5; fi; cat ~/.virtu/lock/owner | head -n 1",
        needs: ["first*"],
      },
    ],
    { nodes: names.map(nodeOf), minimum: 3 },
  );
  writeFileSync(join(lab.directory, "homes", "tk-3", "bad"), "");
  const handle = await startRun({ pool, stateDir: join(lab.directory, "state") }, plan, { engine: "taktuk" });
  const view = await handle.done;
  expect(view).toMatchObject({ state: "done", engine: "taktuk", out: ["tk-3"] });
  expect(view.cells["second"]?.["tk-3"]).toMatchObject({
    state: "failed",
    status: 5,
    text: expect.stringContaining("broken"),
  });
  for (const name of names) expect(await handle.output("first", name, 0, 10)).toEqual(["one", "two"]);
  expect(await handle.output("second", "tk-1", 0, 10)).toEqual([handle.id]);
  expect(readFileSync(began, "utf8").trim().split("\n").length).toBe(names.length);
  await handle.detach();
  const again = await startRun({ pool, stateDir: join(lab.directory, "state") }, plan, { engine: "taktuk" });
  expect((await again.done).cells["first"]?.["tk-1"]?.state).toBe("already");
  await again.detach();
});
