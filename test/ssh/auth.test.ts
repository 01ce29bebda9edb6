import { chmodSync } from "node:fs";
import path from "node:path";
import type { AuthContext } from "ssh2";
import ssh2 from "ssh2";
import { expect, test } from "vitest";
import { sh } from "../../source/ssh/command.ts";
import type { Asker } from "../../source/ssh/types.ts";
import { type Home, type Keys, makeKey, TestAsker } from "./server.ts";
import { h, home, poolOf, serve } from "./simple.ts";

async function setUp(auth: (context: AuthContext) => void, asker: Asker, options: Record<string, string> = {}) {
  const at = home();
  const server = await serve({ auth });
  at.host("h", server.port, options);
  const pool = poolOf(at, asker, { backoffMs: () => 1 });
  return { at, server, pool };
}

/** Lets in who signs with one of these keys. */
function byKey(...keys: Keys[]): (context: AuthContext) => void {
  const allowed = keys.map((pair) => ssh2.utils.parseKey(pair.public) as ssh2.ParsedKey);
  return (context) => {
    if (context.method !== "publickey") return context.reject(["publickey"]);
    const key = allowed.find((own) => own.getPublicSSH().equals(context.key.data));
    if (!key) return context.reject(["publickey"]);
    if (!context.signature || !context.blob) return context.accept();
    if (key.verify(context.blob, context.signature, context.hashAlgo) === true) context.accept();
    else context.reject(["publickey"]);
  };
}

function byPassword(password: string, also: ssh2.AuthenticationType[] = []): (context: AuthContext) => void {
  return (context) => {
    if (context.method === "password" && context.password === password) context.accept();
    else context.reject(["password", ...also]);
  };
}

/** A home with a key file written before the server's configuration names it. */
function keyFile(at: Home, name: string, keys: Keys, withPublic = true): string {
  if (withPublic) at.write(`${name}.pub`, `${keys.public}\n`);
  return at.write(name, keys.private);
}

async function withKeys(auth: (context: AuthContext) => void, asker: Asker, files: Record<string, Keys>) {
  const made = await setUp(auth, asker);
  for (const [name, keys] of Object.entries(files)) keyFile(made.at, name, keys, false);
  const identities = Object.keys(files).map((name) => path.join(made.at.directory, name));
  made.at.write(
    "config",
    `Host h\n  HostName 127.0.0.1\n  Port ${made.server.port}\n  User tester\n  IdentityAgent none\n  StrictHostKeyChecking accept-new\n  UserKnownHostsFile ${made.at.knownHosts}\n${identities.map((file) => `  IdentityFile ${file}\n`).join("")}`,
  );
  return made;
}

test("tries the configured keys in turn and signs with the one that fits", async () => {
  const [wrong, right] = [makeKey(), makeKey()];
  const { pool } = await withKeys(byKey(right), new TestAsker(), { wrong, right });
  expect((await pool.exec(h, sh`echo in`)).stdout).toBe("in\n");
});

test.each([
  ["rsa", { bits: 2048 }],
  ["ecdsa", { bits: 256 }],
] as const)("signs with a key of type %s", async (type, options) => {
  const keys: Keys = ssh2.utils.generateKeyPairSync(type, options as never);
  const { pool } = await withKeys(byKey(keys), new TestAsker(), { keys });
  expect((await pool.exec(h, sh`echo in`)).stdout).toBe("in\n");
});

test("asks for a passphrase only when the host takes the key, again after a wrong one, and once for all sessions", async () => {
  const [locked, other] = [makeKey("open sesame"), makeKey("never asked")];
  const asker = new TestAsker(["wrong", "open sesame"]);
  const { pool, server } = await withKeys(byKey(locked), asker, { other, locked });
  expect((await pool.exec(h, sh`echo in`)).stdout).toBe("in\n");
  expect(asker.secrets.map(({ kind, failures, file }) => [kind, failures, path.basename(file ?? "")])).toEqual([
    ["passphrase", 0, "locked"],
    ["passphrase", 1, "locked"],
  ]);
  await pool.reconnect(pool.sessions()[0]?.key ?? "");
  expect(server.connections).toBe(2);
  expect(asker.secrets).toHaveLength(2);
});

test("says what was tried when the host takes none of it", async () => {
  const { pool, server } = await withKeys(byKey(makeKey()), new TestAsker(), { mine: makeKey() });
  await expect(pool.exec(h, sh`true`)).rejects.toMatchObject({
    kind: "authentication",
    where: `tester@h:${server.port}`,
    why: expect.stringMatching(/mine refused; the host takes: publickey/),
    hint: expect.stringContaining("ssh-add"),
  });
});

test("without an answer to a passphrase the key is named as locked", async () => {
  const locked = makeKey("secret");
  const { pool } = await withKeys(byKey(locked), new TestAsker(), { locked });
  await expect(pool.exec(h, sh`true`)).rejects.toMatchObject({
    kind: "authentication",
    why: expect.stringMatching(/locked: it is locked, and no passphrase was given/),
  });
});

test("asks for the password until it is right, and remembers it for the next connection", async () => {
  const asker = new TestAsker(["no", "right"]);
  const { pool } = await setUp(byPassword("right"), asker);
  expect((await pool.exec(h, sh`echo in`)).stdout).toBe("in\n");
  expect(asker.secrets.map(({ kind, failures, echo }) => [kind, failures, echo])).toEqual([
    ["password", 0, false],
    ["password", 1, false],
  ]);
  await pool.reconnect(pool.sessions()[0]?.key ?? "");
  expect(asker.secrets).toHaveLength(2);
});

test("gives up after three wrong passwords, and no secret stands in the error", async () => {
  const asker = new TestAsker(["hunter-a", "hunter-b", "hunter-c", "hunter-d"]);
  const { pool } = await setUp(byPassword("right"), asker);
  const failure = await pool.exec(h, sh`true`).catch((thrown: unknown) => thrown);
  expect(failure).toMatchObject({ kind: "authentication", why: expect.stringContaining("password refused 3 times") });
  expect(JSON.stringify(failure)).not.toContain("hunter");
  expect(asker.secrets).toHaveLength(3);
});

test("with nobody to answer it refuses at once, and a refresh does not ask again", async () => {
  const asker = new TestAsker();
  const { pool, server } = await setUp(byPassword("right"), asker);
  await expect(pool.exec(h, sh`true`)).rejects.toMatchObject({
    kind: "authentication",
    why: expect.stringContaining("password: no answer was given"),
  });
  await expect(pool.exec(h, sh`true`, { priority: "poll" })).rejects.toMatchObject({ kind: "authentication" });
  expect(server.connections).toBe(1);
  expect(pool.sessions()[0]?.state).toBe("failed");
});

test("a host that refuses without a question is not tried again in that way: the tries are the password's", async () => {
  const asker = new TestAsker(["wrong", "right"]);
  const methods: string[] = [];
  const { pool } = await setUp((context) => {
    methods.push(context.method);
    if (context.method === "password" && context.password === "right") context.accept();
    else context.reject(["keyboard-interactive", "password"]);
  }, asker);
  expect((await pool.exec(h, sh`echo in`)).stdout).toBe("in\n");
  expect(methods.filter((method) => method === "keyboard-interactive")).toHaveLength(1);
  expect(asker.secrets).toHaveLength(2);
});

test("shows the host's own questions, made safe, and answers all of them", async () => {
  const asker = new TestAsker(["12", "34"]);
  const { pool } = await setUp((context) => {
    if (context.method !== "keyboard-interactive") return context.reject(["keyboard-interactive"]);
    context.prompt(
      [
        { prompt: "Code\u001b[2J: ", echo: true },
        { prompt: "Pin: ", echo: false },
      ],
      (answers) => {
        if (answers.join() === "12,34") context.accept();
        else context.reject(["keyboard-interactive"]);
      },
    );
  }, asker);
  expect((await pool.exec(h, sh`echo in`)).stdout).toBe("in\n");
  expect(asker.secrets.map(({ kind, prompt, echo }) => [kind, prompt, echo])).toEqual([
    ["keyboard-interactive", "Code:", true],
    ["keyboard-interactive", "Pin:", false],
  ]);
});

test("goes on to the second factor when the first one is not enough", async () => {
  const key = makeKey();
  const needsKey = byKey(key);
  let first = false;
  const { pool } = await withKeys(
    (context) => {
      if (context.method === "password" && first) {
        if (context.password === "two") context.accept();
        else context.reject(["password"]);
      } else if (context.method === "publickey" && context.signature) {
        first = true;
        context.reject(["password"], true);
      } else if (first) context.reject(["password"]);
      else needsKey(context);
    },
    new TestAsker(["two"]),
    { key },
  );
  expect((await pool.exec(h, sh`echo in`)).stdout).toBe("in\n");
});

test("BatchMode asks nothing", async () => {
  const asker = new TestAsker(["right"]);
  const { pool } = await setUp(byPassword("right"), asker, { BatchMode: "yes" });
  await expect(pool.exec(h, sh`true`)).rejects.toMatchObject({ kind: "authentication" });
  expect(asker.secrets).toEqual([]);
});

test("a question is taken back when nobody wants the host any more", async () => {
  let withdrawn = false;
  const asker: Asker = {
    secret: (_question, signal) =>
      new Promise((resolve) => {
        signal.addEventListener("abort", () => {
          withdrawn = true;
          resolve(null);
        });
        abort.abort();
      }),
    hostKey: async () => "no",
  };
  const abort = new AbortController();
  const { pool } = await setUp(byPassword("right"), asker);
  await expect(pool.exec(h, sh`true`, { signal: abort.signal })).rejects.toMatchObject({ kind: "cancelled" });
  expect(withdrawn).toBe(true);
});

test("an agent that can't be reached is named, and the files are tried all the same", async () => {
  const { pool } = await setUp(byKey(makeKey()), new TestAsker(), { IdentityAgent: "/no/such/agent" });
  await expect(pool.exec(h, sh`true`)).rejects.toMatchObject({
    why: expect.stringContaining("the agent can't be reached"),
  });
});

test("a key file that can't be understood is named", async () => {
  const made = await setUp(byKey(makeKey()), new TestAsker());
  const file = made.at.write("none", "not a key\n");
  chmodSync(file, 0o600);
  await expect(made.pool.exec(h, sh`true`)).rejects.toMatchObject({ why: expect.stringContaining("can't be used") });
});
