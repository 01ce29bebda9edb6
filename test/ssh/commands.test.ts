import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { sh } from "../../source/ssh/command.ts";
import { h, home, poolOf, serve, simple, until } from "./simple.ts";

test("keeps the streams apart, passes standard input and gives the exit status", async () => {
  const { pool } = await simple();
  const result = await pool.exec(h, sh`cat; echo bad >&2; exit 3`, { stdin: "in\n" });
  expect(result).toMatchObject({
    outcome: "exited",
    status: 3,
    signal: null,
    stdout: "in\n",
    stderr: "bad\n",
    truncated: false,
  });
});

test("without standard input the command reads an end", async () => {
  const { pool } = await simple();
  expect((await pool.exec(h, sh`cat; echo end`)).stdout).toBe("end\n");
});

test("tells a signal from a status", async () => {
  const { pool } = await simple();
  expect(await pool.exec(h, sh`kill -9 $$`)).toMatchObject({ outcome: "signalled", status: null, signal: "KILL" });
});

test("gives lines as they come, characters whole, the last one without its newline", async () => {
  const { pool } = await simple();
  const lines: string[] = [];
  const command = sh`printf 'a\\r\\n\\303'; sleep 0.05; printf '\\251\\nlast'; echo err >&2`;
  const result = await pool.exec(h, command, { onLine: (stream, line) => lines.push(`${stream} ${line}`) });
  expect(lines.filter((line) => line.startsWith("stdout"))).toEqual(["stdout a", "stdout é", "stdout last"]);
  expect(lines).toContain("stderr err");
  expect(result.stdout).toBe("a\r\né\nlast");
});

test("keeps no more than it is told, and reads the rest all the same", async () => {
  const { pool } = await simple();
  const result = await pool.exec(h, sh`head -c 5000000 /dev/zero | tr '\\0' x >&2; echo done`, { maxBytes: 1000 });
  expect(result).toMatchObject({ status: 0, stdout: "done\n", truncated: true });
  expect(result.stderr).toHaveLength(1000);
});

test("everything to one host goes through one connection, asked for by whatever name", async () => {
  const { at, server, pool } = await simple();
  at.host("alias", server.port);
  await Promise.all([h, { name: "alias" }].map((name) => pool.exec(name, sh`true`)));
  await pool.exec(h, sh`true`);
  expect(server.connections).toBe(1);
  expect(pool.sessions()).toHaveLength(1);
  expect(pool.sessions()[0]).toMatchObject({ state: "open", via: null, channels: 0, queued: 0 });
});

test("a host that counts as another machine by its HostKeyAlias has a connection of its own", async () => {
  const { at, server, pool } = await simple();
  at.host("other", server.port, { HostKeyAlias: "other", StrictHostKeyChecking: "yes" });
  await pool.exec(h, sh`true`);
  await expect(pool.exec({ name: "other" }, sh`true`)).rejects.toMatchObject({ kind: "host-key" });
});

test("never has more channels open than the limit", async () => {
  const { server, pool } = await simple();
  await Promise.all(Array.from({ length: 25 }, () => pool.exec(h, sh`sleep 0.02`)));
  expect(server.mostSessions).toBe(8);
});

test("a host with room for fewer gets fewer, and every command runs once", async () => {
  const { server, pool } = await simple({ maxSessions: 3 });
  const results = await Promise.all(Array.from({ length: 12 }, (_one, n) => pool.exec(h, sh`echo ${n}`)));
  expect(results.map(({ stdout }) => Number(stdout))).toEqual(Array.from({ length: 12 }, (_one, n) => n));
  expect(server.commands).toHaveLength(12);
  expect(pool.sessions()[0]?.channelLimit).toBeLessThanOrEqual(3);
});

test("a host that allows no channel at all refuses, instead of waiting for ever", async () => {
  const { pool } = await simple({ maxSessions: 0 });
  await expect(pool.exec(h, sh`true`)).rejects.toMatchObject({ kind: "refused" });
});

test("what a user does goes before what a refresh does", async () => {
  const { server, pool } = await simple({}, { channelLimit: 1 });
  const blocker = pool.exec(h, sh`sleep 0.2`);
  await until(pool, () => pool.sessions()[0]?.channels === 1);
  const polls = [1, 2].map((n) => pool.exec(h, sh`echo poll ${n}`, { priority: "poll" }));
  const users = [1, 2].map((n) => pool.exec(h, sh`echo user ${n}`, { priority: "user" }));
  await Promise.all([blocker, ...polls, ...users]);
  expect(server.commands.slice(1)).toEqual(["echo user 1", "echo user 2", "echo poll 1", "echo poll 2"]);
});

test("cancelled while it waits, a command never starts", async () => {
  const { server, pool } = await simple({}, { channelLimit: 1 });
  const blocker = pool.exec(h, sh`sleep 0.2`);
  const abort = new AbortController();
  const waiting = pool.exec(h, sh`echo never`, { signal: abort.signal });
  await until(pool, () => pool.sessions()[0]?.queued === 1);
  abort.abort();
  await expect(waiting).rejects.toMatchObject({ kind: "cancelled" });
  await blocker;
  await pool.exec(h, sh`true`);
  expect(server.commands).toEqual(["sleep 0.2", "true"]);
});

test("cancelled while it runs, the remote process and what it started are ended", async () => {
  const at = home();
  const server = await serve();
  // As root, because the protocol's own signals reach no process through ssh2's server.
  at.host("h", server.port, { User: "root" });
  const pool = poolOf(at);
  const abort = new AbortController();
  const trace = path.join(at.directory, "trace");
  const command = sh`trap ${`echo ended > ${trace}; exit`} TERM; sh -c ${"echo up; exec sleep 30"} & wait`;
  const running = pool.exec(h, command, { signal: abort.signal, onLine: () => abort.abort() });
  await expect(running).rejects.toMatchObject({ kind: "cancelled" });
  // The place is given back only when the last process has gone.
  await until(pool, () => pool.sessions()[0]?.channels === 0);
  expect(readFileSync(trace, "utf8")).toBe("ended\n");
  expect(server.commands.filter((line) => line.startsWith("kill"))).toHaveLength(1);
});

test("the line that tells root's process number is not seen, and the rest of standard error is", async () => {
  const at = home();
  const server = await serve();
  at.host("h", server.port, { User: "root" });
  const lines: string[] = [];
  const result = await poolOf(at).exec(h, sh`echo one >&2; printf two >&2; exit 2`, {
    timeoutMs: 10_000,
    onLine: (_stream, line) => lines.push(line),
  });
  expect(result).toMatchObject({ status: 2, stdout: "", stderr: "one\ntwo" });
  expect(lines).toEqual(["one", "two"]);
});

test("a command that takes too long is ended, killed if it must be, and what it said is kept", async () => {
  const { pool } = await simple();
  const deaf = sh`trap '' TERM; echo begun; sleep 30 & wait; sleep 30`;
  const result = await pool.exec(h, deaf, { timeoutMs: 100 });
  expect(result).toMatchObject({ outcome: "timeout", status: null, signal: null, stdout: "begun\n" });
  await until(pool, () => pool.sessions()[0]?.channels === 0);
});
