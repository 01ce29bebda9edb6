import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import ssh2 from "ssh2";
import { expect, test } from "vitest";
import { sh } from "../../source/ssh/command.ts";
import { fingerprint, matchesHost, parseKnownHosts } from "../../source/ssh/known-hosts.ts";
import { createPool } from "../../source/ssh/pool.ts";
import { type Keys, makeKey, TestAsker } from "./server.ts";
import { atEnd, h, home, poolOf, serve } from "./simple.ts";

const publicPart = (keys: Keys) => keys.public.split(" ").slice(0, 2).join(" ");
const fingerprintOf = (keys: Keys) => fingerprint(Buffer.from(keys.public.split(" ")[1] ?? "", "base64"));

async function setUp(strict: string, asker = new TestAsker(), options: Record<string, string> = {}, hostKeys?: Keys[]) {
  const at = home();
  const server = await serve(hostKeys ? { hostKeys } : {});
  at.host("h", server.port, { ...options, StrictHostKeyChecking: strict });
  const pool = poolOf(at, asker, { backoffMs: () => 1 });
  return { at, server, pool, asker, name: `[127.0.0.1]:${server.port}`, key: server.hostKeys[0] as Keys };
}

test("a host whose key is known is let through without a question", async () => {
  const { at, pool, asker, name, key } = await setUp("yes");
  at.write("known_hosts", `other ssh-ed25519 AAAA\n${name} ${publicPart(key)}\n`);
  expect((await pool.exec(h, sh`echo in`)).stdout).toBe("in\n");
  expect(asker.hostKeys).toEqual([]);
});

test("an unknown key is asked about with its fingerprint; 'always' keeps it", async () => {
  const { at, pool, asker, name, key } = await setUp("ask", new TestAsker([], "always"));
  await pool.exec(h, sh`true`);
  expect(asker.hostKeys).toEqual([
    { host: name, alias: "h", keyType: "ssh-ed25519", fingerprint: fingerprintOf(key), knownHostsFile: at.knownHosts },
  ]);
  expect(readFileSync(at.knownHosts, "utf8")).toBe(`${name} ${publicPart(key)}\n`);
  expect(statSync(at.knownHosts).mode & 0o777).toBe(0o600);
});

test("'once' holds for this run and writes nothing", async () => {
  const { at, pool, asker } = await setUp("ask", new TestAsker([], "once"));
  await pool.exec(h, sh`true`);
  await pool.reconnect(pool.sessions()[0]?.key ?? "");
  expect(asker.hostKeys).toHaveLength(1);
  expect(() => readFileSync(at.knownHosts)).toThrow();
});

test("'no', and nobody to ask, refuse with the fingerprint in the error", async () => {
  const { pool, key, server } = await setUp("ask");
  await expect(pool.exec(h, sh`true`)).rejects.toMatchObject({
    kind: "host-key",
    where: `tester@h:${server.port}`,
    why: expect.stringContaining(fingerprintOf(key)),
  });
  expect(server.commands).toEqual([]);
});

test("StrictHostKeyChecking yes takes no unknown key and asks nothing", async () => {
  const { pool, asker } = await setUp("yes", new TestAsker([], "always"));
  await expect(pool.exec(h, sh`true`)).rejects.toMatchObject({ kind: "host-key" });
  expect(asker.hostKeys).toEqual([]);
});

test.each(["accept-new", "no"])(
  "StrictHostKeyChecking %s learns it, behind a line without its newline",
  async (strict) => {
    const { at, pool, name, key } = await setUp(strict);
    at.write("known_hosts", "# last line");
    await pool.exec(h, sh`true`);
    expect(readFileSync(at.knownHosts, "utf8")).toBe(`# last line\n${name} ${publicPart(key)}\n`);
  },
);

test("HashKnownHosts hides the name, and it is found again", async () => {
  const { at, pool, name } = await setUp("accept-new", undefined, { HashKnownHosts: "yes" });
  await pool.exec(h, sh`true`);
  const [line] = parseKnownHosts(readFileSync(at.knownHosts, "utf8"), "kh");
  expect(line?.hosts).toMatch(/^\|1\|/);
  expect(matchesHost(line?.hosts ?? "", name)).toBe(true);
  await pool.reconnect(pool.sessions()[0]?.key ?? "");
  expect(parseKnownHosts(readFileSync(at.knownHosts, "utf8"), "kh")).toHaveLength(1);
});

test("HostKeyAlias is the name that counts", async () => {
  const { at, pool } = await setUp("accept-new", undefined, { HostKeyAlias: "my-alias" });
  await pool.exec(h, sh`true`);
  expect(readFileSync(at.knownHosts, "utf8")).toMatch(/^my-alias ssh-ed25519 /);
});

test("a changed key is refused, whatever anybody would answer, with both fingerprints, the line and the way out", async () => {
  const before = makeKey();
  const { at, pool, name, key, server } = await setUp("accept-new", new TestAsker([], "always"));
  at.write("known_hosts", `# one\n${name} ${publicPart(before)}\n`);
  const failure = await pool.exec(h, sh`true`).catch((thrown: unknown) => thrown);
  expect(failure).toMatchObject({
    kind: "host-key",
    hint: expect.stringContaining(`ssh-keygen -R '${name}' -f ${at.knownHosts}`),
  });
  const { detail } = failure as { detail: string };
  expect(detail).toContain(fingerprintOf(before));
  expect(detail).toContain(fingerprintOf(key));
  expect(detail).toContain(`${at.knownHosts}:2`);
  expect(server.commands).toEqual([]);
  expect(pool.sessions()[0]?.state).toBe("failed");
});

test("StrictHostKeyChecking no goes on after a change, but asks for no password", async () => {
  const { at, pool, name } = await setUp("no");
  at.write("known_hosts", `${name} ${publicPart(makeKey())}\n`);
  const logged: string[] = [];
  pool.on("log", ({ text }) => logged.push(text));
  expect((await pool.exec(h, sh`echo in`)).stdout).toBe("in\n");
  expect(logged.join("\n")).toContain("its host key has changed");

  const asker = new TestAsker(["secret"]);
  const guarded = await serve({ auth: (context) => context.reject(["password"]) });
  at.host("guarded", guarded.port, { StrictHostKeyChecking: "no" });
  at.write("known_hosts", `[127.0.0.1]:${guarded.port} ${publicPart(makeKey())}\n`);
  const second = createPool({ sshConfig: at.config, asker });
  atEnd(() => second.end());
  await expect(second.exec({ name: "guarded" }, sh`true`)).rejects.toMatchObject({ kind: "authentication" });
  expect(asker.secrets).toEqual([]);
});

test("a revoked key is refused", async () => {
  const { at, pool, name, key } = await setUp("no");
  at.write("known_hosts", `${name} ${publicPart(key)}\n@revoked * ${publicPart(key)}\n`);
  await expect(pool.exec(h, sh`true`)).rejects.toMatchObject({ kind: "host-key", why: expect.stringContaining(":2") });
});

test("only known types are offered: a second type of key is no false alarm", async () => {
  const rsa: Keys = ssh2.utils.generateKeyPairSync("rsa", { bits: 2048 });
  const ed = makeKey();
  const { at, pool, name } = await setUp("yes", undefined, {}, [ed, rsa]);
  at.write("known_hosts", `${name} ${publicPart(rsa)}\n`);
  expect((await pool.exec(h, sh`echo in`)).stdout).toBe("in\n");
});

test("a host that has no key of the known type any more counts as changed", async () => {
  const rsa: Keys = ssh2.utils.generateKeyPairSync("rsa", { bits: 2048 });
  const { at, pool, name } = await setUp("accept-new");
  at.write("known_hosts", `${name} ${publicPart(rsa)}\n`);
  await expect(pool.exec(h, sh`true`)).rejects.toMatchObject({
    kind: "host-key",
    detail: expect.stringContaining(fingerprintOf(rsa)),
  });
});

test("a trusted certificate authority is recognised and said to be of no use", async () => {
  const { at, pool, name } = await setUp("ask");
  at.write("known_hosts", `@cert-authority ${name} ${publicPart(makeKey())}\n`);
  await expect(pool.exec(h, sh`true`)).rejects.toMatchObject({ detail: expect.stringContaining("certificate") });
});

test("several sessions to one unknown host ask once", async () => {
  const { at, server, pool, asker } = await setUp("ask", new TestAsker([], "once"));
  at.host("h2", server.port, { User: "second", StrictHostKeyChecking: "ask" });
  await Promise.all([pool.exec(h, sh`true`), pool.exec({ name: "h2" }, sh`true`)]);
  expect(server.connections).toBe(2);
  expect(asker.hostKeys).toHaveLength(1);
});

test("a known_hosts file that can't be written is logged, and the work goes on", async () => {
  const { at, pool } = await setUp("accept-new");
  at.write("known_hosts", "");
  const blocked = path.join(at.directory, "config");
  at.write("config", readFileSync(blocked, "utf8").replace(at.knownHosts, `${blocked}/below`));
  const logged: string[] = [];
  pool.on("log", ({ text }) => logged.push(text));
  expect((await pool.exec(h, sh`echo in`)).stdout).toBe("in\n");
  expect(logged.join("\n")).toContain("could not be kept");
});

test("a job's file learns without a question, refuses a change, and forgets only what it is told", async () => {
  const { at, server, pool, asker } = await setUp("yes");
  const other = await serve();
  at.host("other", other.port, { StrictHostKeyChecking: "yes", HostKeyAlias: "other" });
  const file = path.join(at.directory, "job", "known_hosts");
  const job = { name: "h", knownHostsFile: file };
  const jobOther = { name: "other", knownHostsFile: file };
  await Promise.all([pool.exec(job, sh`true`), pool.exec(jobOther, sh`true`)]);
  expect(asker.hostKeys).toEqual([]);
  expect(parseKnownHosts(readFileSync(file, "utf8"), file)).toHaveLength(2);
  expect(() => readFileSync(at.knownHosts)).toThrow();

  await server.stop();
  await serve({}, server.port);
  await expect(pool.exec(job, sh`true`)).rejects.toMatchObject({ kind: "host-key" });

  await pool.forgetHostKeys(file, ["root@h"]);
  expect(parseKnownHosts(readFileSync(file, "utf8"), file).map(({ hosts }) => hosts)).toEqual(["other"]);
  expect((await pool.exec(job, sh`echo new`)).stdout).toBe("new\n");
  expect(other.connections).toBe(1);
});

test("the job's sessions and the user's own are two, because their trust differs", async () => {
  const { at, server, pool } = await setUp("accept-new");
  await pool.exec(h, sh`true`);
  await pool.exec({ name: "h", knownHostsFile: path.join(at.directory, "job") }, sh`true`);
  expect(server.connections).toBe(2);
});
