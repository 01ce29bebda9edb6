import { execFileSync } from "node:child_process";
import os from "node:os";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { parseHostName } from "../../source/ssh/host-name.ts";
import { splitFiles, sshTime } from "../../source/ssh/host-options.ts";
import { Resolver } from "../../source/ssh/resolve.ts";
import { Home } from "./server.ts";

const ends: (() => unknown)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

function hasSsh(): boolean {
  try {
    execFileSync("ssh", ["-V"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function configured(text: string, extra: Record<string, string> = {}) {
  const at = new Home();
  ends.push(() => at.remove());
  for (const [name, content] of Object.entries(extra)) at.write(name, content);
  at.write("config", text.replaceAll("$HERE", at.directory));
  return at;
}

const config = `
Include $HERE/more
Host bastion
  HostName 10.0.0.1
  User jump
Host node-* !node-9
  ProxyJump bastion,second
  User deploy
  IdentityFile ~/.ssh/id_a
  IdentityFile ~/.ssh/%n
Host *.example
  HostName %h.internal
  Port 2222
Host alias
  HostKeyAlias real
  HashKnownHosts yes
  StrictHostKeyChecking accept-new
  ConnectTimeout 7
  IdentitiesOnly yes
  IdentityAgent none
  PreferredAuthentications password,publickey
  PasswordAuthentication no
  UserKnownHostsFile ~/one /two
Host piped
  ProxyCommand relay %h %p %r %%
Host direct
  ProxyCommand none
`;
const more = "Host included\n  Port 2022\n";

// The same answers from ssh itself and from reading the files, wherever both can know.
describe.each([
  ["ssh -G", "ssh", hasSsh()],
  ["the files, without an ssh client", "/no/such/ssh", true],
])("by %s", (_name, program, possible) => {
  const resolve = async (name: string, user?: string) =>
    new Resolver({ configFile: configured(config, { more }).config, program }).resolve(parseHostName(name), user);

  test.runIf(possible)("applies patterns, and adds identity files up", async () => {
    const node = await resolve("node-1");
    expect(node).toMatchObject({
      alias: "node-1",
      hostname: "node-1",
      user: "deploy",
      port: 22,
      proxyJump: ["bastion", "second"],
    });
    expect(node.identityFiles).toEqual([path.join(os.homedir(), ".ssh/id_a"), path.join(os.homedir(), ".ssh/node-1")]);
    expect((await resolve("node-9")).proxyJump).toEqual([]);
  });

  test.runIf(possible)("what the name itself says goes first", async () => {
    expect(await resolve("me@bastion:2200")).toMatchObject({ hostname: "10.0.0.1", user: "me", port: 2200 });
  });

  test.runIf(possible)("replaces marks, follows Include, and knows ProxyCommand none", async () => {
    expect(await resolve("a.example")).toMatchObject({ hostname: "a.example.internal", port: 2222 });
    expect((await resolve("included")).port).toBe(2022);
    const own = os.userInfo().username;
    expect((await resolve("piped")).proxyCommand).toBe(`relay piped 22 ${own} %`);
    expect((await resolve("direct")).proxyCommand).toBeNull();
  });

  test.runIf(possible)("reads what trust and authentication need", async () => {
    expect(await resolve("alias")).toMatchObject({
      hostKeyAlias: "real",
      hashKnownHosts: true,
      strictHostKeyChecking: "accept-new",
      connectTimeoutMs: 7000,
      identitiesOnly: true,
      identityAgent: null,
      methods: ["publickey"],
      userKnownHostsFiles: [path.join(os.homedir(), "one"), "/two"],
    });
  });

  test.runIf(possible)("a default user counts only where nobody gives one", async () => {
    expect((await resolve("bastion", "root")).user).toBe("jump");
    expect((await resolve("me@included", "other")).user).toBe("me");
    expect((await resolve("included", "other")).user).toBe("other");
  });

  test.runIf(possible)("a configured user counts, even if it is one's own name", async () => {
    const own = os.userInfo().username;
    const resolver = new Resolver({ configFile: configured(`Host h\n  User ${own}\n`).config, program });
    expect((await resolver.resolve(parseHostName("h"), "other")).user).toBe(own);
  });
});

test.runIf(hasSsh())("a fault in the configuration is told with its line", async () => {
  const at = configured("Host h\n  Bogus yes\n");
  await expect(new Resolver({ configFile: at.config }).resolve(parseHostName("h"))).rejects.toMatchObject({
    kind: "usage",
    where: `${at.config}:2`,
    why: expect.stringContaining("bogus"),
  });
});

test.runIf(hasSsh())("asks ssh once for each host, and again after a failure", async () => {
  const at = configured("Host h\n  Bogus yes\n");
  const resolver = new Resolver({ configFile: at.config });
  await expect(resolver.resolve(parseHostName("h"))).rejects.toMatchObject({ kind: "usage" });
  at.write("config", "Host h\n  Port 3\n");
  expect((await resolver.resolve(parseHostName("h"))).port).toBe(3);
  at.write("config", "Host h\n  Port 4\n");
  expect((await resolver.resolve(parseHostName("h"))).port).toBe(3);
});

test.each([
  ["h", { user: null, host: "h", port: null }],
  ["u@h:22", { user: "u", host: "h", port: 22 }],
  ["user@domain@h", { user: "user@domain", host: "h", port: null }],
  ["::1", { user: null, host: "::1", port: null }],
  ["root@[fe80::1]:2222", { user: "root", host: "fe80::1", port: 2222 }],
  ["ssh://u@h:2222/", { user: "u", host: "h", port: 2222 }],
])("reads %s", (name, expected) => {
  expect(parseHostName(name)).toEqual(expected);
});

test.each(["-h", "u@-h", "", "u@", "@h", "h:", "h:0", "h:x", "h h", "h\u0007", "h'", "a`b`", "a$b", "-o@h"])(
  "refuses %j",
  (name) => {
    expect(() => parseHostName(name)).toThrow(expect.objectContaining({ kind: "usage" }));
  },
);

test("joins file names that ssh -G prints without their quotes", () => {
  expect(splitFiles("/root/k1 /tmp/with space/k2 ~/k3")).toEqual(["/root/k1", "/tmp/with space/k2", "~/k3"]);
  expect(splitFiles("none")).toEqual([]);
});

test("reads times as ssh does", () => {
  expect([sshTime("90"), sshTime("1m30s"), sshTime("2h"), sshTime("none"), sshTime(undefined)]).toEqual([
    90,
    90,
    7200,
    null,
    null,
  ]);
});
