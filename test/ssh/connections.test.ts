import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { expect, test } from "vitest";
import { sh } from "../../source/ssh/command.ts";
import { createPool } from "../../source/ssh/pool.ts";
import type { ExecResult } from "../../source/ssh/types.ts";
import { TestAsker } from "./server.ts";
import { atEnd, h, home, poolOf, serve, simple, until } from "./simple.ts";

test("a broken connection is a third outcome, and the next request opens a new one", async () => {
  const { server, pool } = await simple({}, { backoffMs: () => 1 });
  const running = pool.exec(h, sh`echo begun; sleep 30`, { onLine: () => server.cut() });
  expect(await running).toMatchObject({ outcome: "lost", status: null, signal: null, stdout: "begun\n" });
  expect((await pool.exec(h, sh`echo again`)).stdout).toBe("again\n");
  expect(server.connections).toBe(2);
});

test("after a loss it tries again by itself, ever more slowly, and no more once nobody has used it for long", async () => {
  const waits: number[] = [];
  const backoffMs = (n: number) => {
    waits.push(n);
    return 5;
  };
  const { server, pool } = await simple({}, { backoffMs, idleMs: 400 });
  await pool.exec(h, sh`true`);
  await server.stop();
  await until(pool, () => pool.sessions()[0]?.state === "failed");
  expect(waits.slice(0, 3)).toEqual([1, 2, 3]);
  expect(pool.sessions()[0]?.reason).toMatch(/nothing listens/);
});

test("a refresh waits for the next try, a user's request makes it at once", async () => {
  const at = home();
  const first = await serve();
  at.host("h", first.port);
  const pool = poolOf(at, undefined, { backoffMs: () => 3_600_000 });
  await pool.exec(h, sh`true`);
  await first.stop();
  await until(pool, () => pool.sessions()[0]?.state === "waiting");
  const poll = pool.exec(h, sh`echo poll`, { priority: "poll" });
  await until(pool, () => pool.sessions()[0]?.queued === 1);
  await serve({ hostKeys: first.hostKeys }, first.port);
  expect((await pool.exec(h, sh`echo user`)).stdout).toBe("user\n");
  expect((await poll).stdout).toBe("poll\n");
});

test("a user's request for a host behind a jump host cuts the jump host's back-off short, too", async () => {
  const at = home();
  const [gate, target] = [await serve(), await serve()];
  at.host("gate", gate.port);
  at.host("h", target.port, { ProxyJump: "gate" });
  const pool = poolOf(at, undefined, { backoffMs: (n) => (n > 1 ? 3_600_000 : 1) });
  const gateInfo = () => pool.sessions().find(({ label }) => label.includes("gate"));
  await pool.exec({ name: "gate" }, sh`true`);
  await gate.stop();
  await until(pool, () => (gateInfo()?.attempt ?? 0) > 1 && gateInfo()?.state === "waiting");
  const poll = pool.exec(h, sh`echo poll`, { priority: "poll" });
  await until(pool, () => gateInfo()?.queued === 1);
  await serve({ hostKeys: gate.hostKeys }, gate.port);
  expect((await pool.exec(h, sh`echo user`)).stdout).toBe("user\n");
  expect((await poll).stdout).toBe("poll\n");
});

test("a connection that has gone silent counts as lost", async () => {
  const { server, pool } = await simple({}, { keepaliveMs: 30, keepaliveMisses: 3 });
  const result = await pool.exec(h, sh`echo up; sleep 30`, { onLine: () => server.freeze() });
  expect(result.outcome).toBe("lost");
  expect(pool.sessions()[0]?.reason).toMatch(/no answer/);
});

test("a session that nobody uses is closed, one that carries others is not", async () => {
  const at = home();
  const [gate, target] = [await serve(), await serve()];
  at.host("gate", gate.port);
  at.host("h", target.port, { ProxyJump: "gate" });
  const pool = poolOf(at, undefined, { idleMs: 60, keepaliveMs: 20 });
  const state = (label: string) => pool.sessions().find((session) => session.label.includes(label))?.state;
  await pool.exec(h, sh`sleep 0.4`);
  expect(state("gate")).toBe("open");
  await until(pool, () => state("gate") === "closed");
  expect(state("h:")).toBe("closed");
  expect((await pool.exec(h, sh`echo again`)).stdout).toBe("again\n");
});

test("reaches a host through two jump hosts, shared by all behind them", async () => {
  const at = home();
  const [one, two, target] = [await serve(), await serve(), await serve()];
  at.host("one", one.port);
  at.host("two", two.port, { ProxyJump: "one" });
  at.host("h", target.port, { ProxyJump: "two" });
  const pool = poolOf(at);
  expect((await pool.exec(h, sh`echo deep`)).stdout).toBe("deep\n");
  await pool.exec({ name: "two" }, sh`true`);
  expect([one.connections, two.connections, target.connections]).toEqual([1, 1, 1]);
  const deepest = pool.sessions().find(({ label }) => label.startsWith("tester@h"));
  expect(deepest?.via).toContain("two");
});

test("a server sees no more than eight connections that are not logged in yet", async () => {
  const { server, pool } = await simple();
  const users = Array.from({ length: 30 }, (_one, n) => `user${n}@h`);
  const results = await Promise.all(users.map((name) => pool.exec({ name }, sh`true`)));
  expect(results.every(({ status }) => status === 0)).toBe(true);
  expect(server.connections).toBe(30);
  expect(server.mostStrangers).toBeLessThanOrEqual(8);
});

test("uses the gateway it is given only where the configuration names none", async () => {
  const at = home();
  const [gate, other, target] = [await serve(), await serve(), await serve()];
  at.host("gate", gate.port);
  at.host("other", other.port);
  at.host("plain", target.port);
  at.host("jumping", target.port, { ProxyJump: "other" });
  const pool = poolOf(at);
  const via = { name: "gate" };
  await pool.exec({ name: "plain", via }, sh`true`);
  expect([gate.connections, other.connections]).toEqual([1, 0]);
  await pool.exec({ name: "jumping", via }, sh`true`);
  expect([gate.connections, other.connections]).toEqual([1, 1]);
  await pool.exec({ name: "gate", via }, sh`true`);
  expect(gate.connections).toBe(1);
});

test("a jump host that can't be reached is named in the error", async () => {
  const at = home();
  at.host("gate", 1);
  at.host("h", 22, { ProxyJump: "gate" });
  await expect(poolOf(at).exec(h, sh`true`)).rejects.toMatchObject({
    kind: "connection",
    what: expect.stringContaining("gate"),
    why: expect.stringContaining("nothing listens"),
  });
});

test("jump hosts that jump over each other are a usage error", async () => {
  const at = home();
  at.host("a", 1, { ProxyJump: "b" });
  at.host("b", 1, { ProxyJump: "a" });
  await expect(poolOf(at).exec({ name: "a" }, sh`true`)).rejects.toMatchObject({ kind: "usage" });
});

test("runs a ProxyCommand for the connection, and tells why it failed", async () => {
  const at = home();
  const server = await serve();
  const pipe = at.write(
    "pipe.mjs",
    `import net from "node:net"; const s = net.connect(+process.argv[3], process.argv[2]); process.stdin.pipe(s); s.pipe(process.stdout);`,
  );
  at.host("h", server.port, { ProxyCommand: `${process.execPath} ${pipe} %h %p` });
  at.host("bad", server.port, { ProxyCommand: "sh -c 'echo no way to %h >&2; exit 7'" });
  const pool = poolOf(at);
  expect((await pool.exec(h, sh`echo piped`)).stdout).toBe("piped\n");
  await expect(pool.exec({ name: "bad" }, sh`true`)).rejects.toMatchObject({
    kind: "connection",
    why: expect.stringContaining("status 7"),
    detail: "no way to 127.0.0.1",
  });
});

test("opens connections from the host without using up channels", async () => {
  const { pool } = await simple({}, { channelLimit: 1 });
  const echo = net.createServer((socket) => socket.pipe(socket)).listen(0, "127.0.0.1");
  atEnd(() => echo.close());
  await once(echo, "listening");
  const blocker = pool.exec(h, sh`sleep 0.2`);
  const stream = await pool.forward(h, { host: "127.0.0.1", port: (echo.address() as net.AddressInfo).port });
  stream.write("ping");
  const [answer] = (await once(stream, "data")) as [Buffer];
  expect(answer.toString()).toBe("ping");
  stream.end();
  await blocker;
  await expect(pool.forward(h, { host: "127.0.0.1", port: 1 })).rejects.toMatchObject({ kind: "connection" });
});

test("gives a terminal that ends with its status", async () => {
  const { pool } = await simple();
  const terminal = await pool.pty(h, sh`read word; echo "got $word"; exit 5`, { columns: 80, rows: 24 });
  terminal.resize(100, 30);
  terminal.stream.write("hello\n");
  const [said] = (await once(terminal.stream, "data")) as [Buffer];
  expect(said.toString()).toContain("got hello");
  expect(await terminal.ended).toEqual({ outcome: "exited", status: 5, signal: null });
});

test("writes a file whole where there is no SFTP", async () => {
  const { at, pool } = await simple();
  const target = path.join(at.directory, "it's a file");
  const progress: number[] = [];
  await pool.upload(h, Buffer.from("content"), target, { mode: 0o640, onProgress: (sent) => progress.push(sent) });
  expect(readFileSync(target, "utf8")).toBe("content");
  expect(progress.at(-1)).toBe(7);
  await expect(pool.upload(h, Buffer.from("x"), path.join(at.directory, "no/such"))).rejects.toMatchObject({
    kind: "refused",
  });
  await expect(pool.upload(h, { localFile: "/no/such" }, target)).rejects.toMatchObject({ kind: "usage" });
});

test("closes and reopens a session when told to", async () => {
  const { server, pool } = await simple();
  await pool.exec(h, sh`true`);
  const key = pool.sessions()[0]?.key ?? "";
  const running: Promise<ExecResult> = pool.exec(h, sh`sleep 30`);
  await until(pool, () => pool.sessions()[0]?.channels === 1);
  pool.close(key);
  expect((await running).outcome).toBe("lost");
  expect(pool.sessions()[0]?.state).toBe("closed");
  await pool.reconnect(key);
  expect(pool.sessions()[0]?.state).toBe("open");
  expect(server.connections).toBe(2);
});

test("ended, it has closed everything and takes no request", async () => {
  const { server, pool } = await simple();
  await pool.exec(h, sh`true`);
  await pool.end();
  await expect(pool.exec(h, sh`true`)).rejects.toMatchObject({ kind: "cancelled" });
  while (server.peers.size > 0) await new Promise((resolve) => setImmediate(resolve));
});

test("refuses names that are no host names before anything runs", async () => {
  const at = home();
  const pool = poolOf(at);
  for (const name of ["-oProxyCommand=x", "", "a b", "a;b", "a\nb", "$(id)", "h:99999", "-u@h"]) {
    await expect(pool.exec({ name }, sh`true`), name).rejects.toMatchObject({ kind: "usage" });
  }
  expect(pool.sessions()).toEqual([]);
});

test("names a configuration file that can't be read", async () => {
  const file = path.join(home().directory, "missing");
  expect(existsSync(file)).toBe(false);
  const pool = createPool({ sshConfig: file, asker: new TestAsker() });
  atEnd(() => pool.end());
  await expect(pool.exec(h, sh`true`)).rejects.toMatchObject({ kind: "usage", where: file });
});

test("tells the log what a session does, and changes at most ten times a second", async () => {
  const { pool } = await simple();
  const texts: string[] = [];
  let changes = 0;
  pool.on("log", ({ text }) => texts.push(text));
  pool.on("change", () => {
    changes += 1;
  });
  const since = performance.now();
  await Promise.all(Array.from({ length: 40 }, () => pool.exec(h, sh`true`)));
  await once(pool, "change");
  expect(changes).toBeLessThanOrEqual(Math.ceil((performance.now() - since) / 100));
  expect(texts.some((text) => text.includes("open"))).toBe(true);
});
