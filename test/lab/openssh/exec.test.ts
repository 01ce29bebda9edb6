/** `virtu exec` as it is built, without a terminal, against real OpenSSH servers; compared with ssh itself. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { must, run, until, virtu } from "../lab.ts";
import { type Lab, openLab, type Sshd } from "./servers.ts";

interface Line {
  host: string;
  status: number | null;
  signal: string | null;
  lost: boolean;
  stdout: string;
  stderr: string;
  durationMs: number;
  error: { kind: string; why?: string; detail?: string } | null;
}

let lab: Lab;
let jump: Sshd;
let target: Sshd;
let guarded: Sshd;
let config: string;

beforeAll(async () => {
  lab = await openLab();
  [jump, target, guarded] = await Promise.all([
    lab.sshd("jump"),
    lab.sshd("target"),
    lab.sshd("guarded", ["PubkeyAuthentication no", "PasswordAuthentication yes"]),
  ]);
  const changed = (
    await must("sh", [
      "-c",
      'ssh-keygen -q -t ed25519 -N "" -f "$1" && cat "$1.pub"',
      "sh",
      join(lab.directory, "other"),
    ])
  ).trim();
  const known = lab.file(
    "known_hosts",
    `[127.0.0.1]:${jump.port} ${jump.hostKey}\nthe-target ${target.hostKey}\n[127.0.0.1]:${guarded.port} ${guarded.hostKey}\nchanged ${changed}\n`,
  );
  await must("ssh-keygen", ["-q", "-H", "-f", known]);
  config = lab.file(
    "config",
    `Host jump unknown changed
  Port ${jump.port}
Host target
  Port ${target.port}
  HostKeyAlias the-target
  ProxyJump jump
Host guarded
  Port ${guarded.port}
Host dead
  Port 1
Host unknown
  HostKeyAlias unknown
Host changed
  HostKeyAlias changed
Host *
  HostName 127.0.0.1
  User ${lab.user}
  IdentityFile ${lab.key}
  UserKnownHostsFile ${known}
  GlobalKnownHostsFile /dev/null
`,
  );
});
afterAll(() => lab?.teardown.run());

const exec = (...words: string[]) =>
  virtu(["exec", ...words], { home: join(lab.directory, "home"), sshConfig: config });

test("answers for each host by itself, with what ssh gets, and 3 when some failed", async () => {
  const line = "hostname; id -un; echo to-stderr >&2; exit $(echo $SSH_CONNECTION | grep -c nothing)";
  const ran = await exec("--hosts", "jump,target,dead,guarded,unknown,changed", "--json", "--", line);
  const lines = Object.fromEntries(ran.records<Line>().map((record) => [record.host, record]));
  expect(ran.status).toBe(3);
  for (const host of ["jump", "target"]) {
    const byShell = await run("ssh", ["-F", config, "-o", "BatchMode=yes", host, line]);
    const { status, signal, lost, stdout, stderr, error } = lines[host] as Line;
    expect({ status, signal, lost, stdout, stderr, error }).toEqual({
      status: byShell.status,
      signal: null,
      lost: false,
      stdout: byShell.stdout,
      stderr: "to-stderr\n",
      error: null,
    });
  }
  const failed = { status: null, signal: null, lost: true, stdout: "", stderr: "" };
  expect(lines["dead"]).toMatchObject({ ...failed, error: { kind: "connection" } });
  expect(lines["guarded"]).toMatchObject({
    ...failed,
    error: { kind: "authentication", why: expect.stringContaining("password: no answer was given") },
  });
  const fingerprint = (await must("ssh-keygen", ["-lf", join(jump.directory, "host_key.pub")])).split(" ")[1];
  expect(lines["unknown"]).toMatchObject({
    ...failed,
    error: { kind: "host-key", why: expect.stringContaining(fingerprint ?? "?") },
  });
  expect(lines["changed"]).toMatchObject({
    ...failed,
    error: { kind: "host-key", detail: expect.stringContaining(fingerprint ?? "?") },
  });
});

test("0 when all gave 0, 1 when none did, 2 when it was asked for nonsense", async () => {
  expect((await exec("--hosts", "jump,target", "--", "true")).status).toBe(0);
  expect((await exec("--hosts", "jump,target", "--", "false")).status).toBe(1);
  expect((await exec("--", "true")).status).toBe(2);
  expect((await exec("--hosts", "jump")).status).toBe(2);
  expect((await exec("--hosts", "-oX,a b", "--", "true")).status).toBe(2);
});

test("joins words by blanks, as ssh does, and sends nothing with --dry-run", async () => {
  const words = ["printf", "'%s|'", "a", "'b c'"];
  const ran = await exec("--host", "jump", "--json", "--", ...words);
  const byShell = await run("ssh", ["-F", config, "jump", ...words]);
  expect(ran.records<Line>()[0]?.stdout).toBe(byShell.stdout);
  const mark = join(lab.directory, "home", "mark");
  const dry = await exec("--host", "jump", "--dry-run", "--", "touch", mark);
  expect([dry.status, dry.stdout.trim()]).toEqual([0, `jump: touch ${mark}`]);
  expect((await run("test", ["-e", mark])).status).toBe(1);
});

test("a command that takes too long is ended on the host, and a lost one is no success", async () => {
  const slow = (
    await exec("--hosts", "jump", "--timeout", "1", "--json", "--", "echo begun; exec sleep 5321")
  ).records<Line>()[0];
  expect(slow).toMatchObject({ status: null, lost: false, stdout: "begun\n", error: { kind: "timeout" } });
  await until("no process is left", async () => (await run("pgrep", ["-fx", "sleep 5321"])).status === 1, 10_000);
  const ran = await exec("--hosts", "jump", "--json", "--", "kill -9 $PPID; sleep 5");
  expect(ran.status).toBe(1);
  expect(ran.records<Line>()[0]).toMatchObject({
    status: null,
    signal: null,
    lost: true,
    error: { kind: "connection" },
  });
});

test("as text, it shows each host's ending and output, free of control sequences", async () => {
  const ran = await exec("--hosts", "jump,dead", "--", "printf 'one\\033[2Jtwo\\n'");
  expect(ran.stdout).toContain("jump: status 0");
  expect(ran.stdout).toContain("  onetwo\n");
  expect(ran.stdout).toMatch(/dead: The host can't be reached[^\n]*\n {2}why: nothing listens on port 1/);
});
