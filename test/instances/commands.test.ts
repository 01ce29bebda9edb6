import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { actOn } from "../../source/commands/actions.ts";
import { hostNames, wholeOption } from "../../source/commands/hosts.ts";
import { listInstances } from "../../source/commands/instances.ts";
import type { Session } from "../../source/commands/run.ts";
import { type Reply, type Script, ScriptedPool } from "./fake-pool.ts";
import { dead, domains, ganetiHost, ganetiList, isDiscovery, isGanetiList, isPoll, libvirtHost } from "./script.ts";

let stderr = "";
beforeEach(() => {
  stderr = "";
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    stderr += String(text);
    return true;
  });
});
afterEach(() => vi.restoreAllMocks());

/** A session as the commands get it, on these hosts. */
function open(script: Script, flags: Partial<Session["globals"]> = {}, hosts: string[] = []) {
  const pool = new ScriptedPool(script);
  const printed: { value: unknown; lines: readonly string[] } = { value: undefined, lines: [] };
  const notes: string[] = [];
  const settings = { get: (key: string) => (key === "hosts" ? hosts : "") };
  const session = {
    app: { pool, settings },
    globals: { json: true, yes: false, dryRun: false, ...flags },
    signal: new AbortController().signal,
    out: {
      result: (value: unknown, lines: readonly string[]) => Object.assign(printed, { value, lines }),
      record: () => {},
      note: (text: string) => notes.push(text),
    },
  } as unknown as Session;
  return { session, pool, printed, notes };
}

/** libvirt hosts; hv9 is dead. Actions are carried out. */
function hosts(): Script {
  const running: Record<string, Record<string, boolean>> = {
    hv1: { web1: true, db1: false },
    hv2: { web1: false },
  };
  return ({ host, line }): Reply => {
    const here = running[host.name];
    if (!here) return dead;
    if (isDiscovery(line)) return libvirtHost;
    if (isPoll(line)) return domains(here);
    const [, verb, name = ""] = /virsh -c \S+ (\w+) (\S+)$/.exec(line) ?? [];
    if (verb === "domstate") return { stdout: here[name] ? "running\n" : "shut off\n" };
    if (name === "db1") return { status: 1, stderr: "error: Failed to start domain 'db1'\nerror: no disk\n" };
    here[name] = verb === "start";
    return {};
  };
}

test("lists with the documented keys", async () => {
  const { session, printed } = open(hosts());
  expect(await listInstances(session, { host: ["hv1"] })).toBe(0);
  const keys = ["name", "id", "provider", "cluster", "host", "node", "status", "statusDetail", "vcpus", "memoryMiB"];
  const [db1, web1] = printed.value as Record<string, unknown>[];
  expect(Object.keys(web1 ?? {}).slice(0, keys.length)).toEqual(keys);
  expect([db1?.["name"], web1?.["name"], web1?.["status"]]).toEqual(["db1", "web1", "running"]);
  expect(printed.lines[0]).toMatch(/^NAME +STATUS +PROVIDER/);
  expect(stderr).toBe("");
});

test("lists the nodes with Ganeti's own columns", async () => {
  const script: Script = ({ line }) =>
    isGanetiList(line) ? ganetiList({ "web1.example.org": "running" }) : ganetiHost("node1", "node1.example.org");
  const { session, printed } = open(script);
  expect(await listInstances(session, { host: ["node1"], nodes: true })).toBe(0);
  expect(printed.value).toMatchObject([{ name: "node1.example.org", roles: ["master"], primaryInstances: 1 }]);
  expect(printed.lines[0]).toMatch(/DTotal +DFree +MTotal +MNode +MFree +Pinst +Sinst/);
});

test("shows what the living hosts have, tells of the dead one on stderr, and ends with 3", async () => {
  const { session, printed } = open(hosts());
  expect(await listInstances(session, { host: ["hv1,hv9", "hv2"] })).toBe(3);
  expect((printed.value as { host: string }[]).map(({ host }) => host)).toEqual(["hv1", "hv1", "hv2"]);
  expect(JSON.parse(stderr)).toMatchObject({ error: { kind: "connection" } });
});

test("fails when no host answers, and prints no empty list", async () => {
  const { session, printed } = open(hosts());
  expect(await listInstances(session, { host: ["hv9"] })).toBe(1);
  expect(printed.value).toBeUndefined();
  expect(stderr).not.toBe("");
});

test("takes the hosts of the settings, and wants one", async () => {
  const { session, printed } = open(hosts(), {}, ["hv2"]);
  await listInstances(session, {});
  expect(printed.value).toMatchObject([{ host: "hv2" }]);
  await expect(listInstances(open(hosts()).session, {})).rejects.toMatchObject({ kind: "usage", where: "--host" });
});

test("acts, and reports each instance as it was and as it is seen afterwards", async () => {
  const { session, printed, notes } = open(hosts());
  expect(await actOn(session, { do: "shutdown" }, ["hv1/web1"], { host: ["hv1", "hv2"] })).toBe(0);
  expect(printed.value).toEqual([
    {
      ...{ name: "web1", host: "hv1", ok: true, statusBefore: "running", statusAfter: "stopped" },
      ...{ job: null, error: null, text: null },
    },
  ]);
  expect(notes[0]).toBe("hv1/web1: started");
});

test("says the exact command to go on with after a shutdown that nobody heard", async () => {
  const deaf: Script = ({ line }) => {
    if (isDiscovery(line)) return libvirtHost;
    if (isPoll(line)) return domains({ web1: true });
    return line.includes(" domstate ") ? { stdout: "running\n" } : {};
  };
  const { session, printed, notes } = open(deaf);
  expect(await actOn(session, { do: "shutdown" }, ["web1"], { host: ["hv1"], timeout: "1" })).toBe(1);
  expect(printed.value).toMatchObject([
    { name: "web1", ok: false, statusAfter: "running", next: "virtu force-off --host hv1 hv1/web1" },
  ]);
  expect(notes.slice(-2)).toEqual([
    "1 instance did not hear the shutdown. By force:\n  virtu force-off --host hv1 hv1/web1",
    "Once more, with a longer wait:\n  virtu shutdown --timeout 300 --host hv1 hv1/web1",
  ]);
});

test("ends with 3 when some failed, with 1 when all did", async () => {
  const some = open(hosts());
  expect(await actOn(some.session, { do: "start" }, ["db1", "hv2/web1"], { host: ["hv1", "hv2"] })).toBe(3);
  expect(some.printed.value).toMatchObject([
    { name: "db1", ok: false, statusBefore: "stopped", statusAfter: "stopped", error: "no disk" },
    { name: "web1", ok: true, statusAfter: "running" },
  ]);
  expect(await actOn(open(hosts()).session, { do: "start" }, ["db1"], { host: ["hv1"] })).toBe(1);
});

test("has nothing to do where the state is there already", async () => {
  const { session, pool, printed } = open(hosts());
  expect(await actOn(session, { do: "start" }, ["web1"], { host: ["hv1"] })).toBe(0);
  expect(printed.value).toMatchObject([{ ok: true, statusBefore: "running", statusAfter: "running" }]);
  expect(pool.lines().filter((line) => line.includes(" start "))).toEqual([]);
});

test("acts on what it sees when a host is dead, and reports the names that may be there", async () => {
  const { session, printed } = open(hosts());
  expect(await actOn(session, { do: "shutdown" }, ["web1", "mail1"], { host: ["hv1", "hv9"] })).toBe(3);
  expect(printed.value).toMatchObject([
    { name: "web1", ok: true },
    { name: "mail1", host: null, ok: false, error: expect.stringMatching(/hv9 did not/) },
  ]);
});

test("does nothing at all when a name is unknown", async () => {
  const { session, pool } = open(hosts());
  const acting = actOn(session, { do: "shutdown" }, ["web1", "nosuch"], { host: ["hv1"] });
  await expect(acting).rejects.toMatchObject({ kind: "usage", where: "nosuch" });
  expect(pool.lines().filter((line) => line.includes(" shutdown "))).toEqual([]);
});

test("forces off only after a yes", async () => {
  const refused = open(hosts());
  await expect(actOn(refused.session, { do: "force-off" }, ["web1"], { host: ["hv1"] })).rejects.toMatchObject({
    kind: "usage",
    detail: expect.stringContaining("hv1/web1"),
  });
  expect(refused.pool.lines().filter((line) => line.includes(" destroy "))).toEqual([]);
  const { session } = open(hosts(), { yes: true });
  expect(await actOn(session, { do: "force-off" }, ["web1"], { host: ["hv1"] })).toBe(0);
});

test("with --dry-run prints the exact commands and where they would run, and runs none", async () => {
  const script: Script = ({ line }) =>
    isGanetiList(line) ? ganetiList({ "web1.example.org": "running" }) : ganetiHost("node2", "node1.example.org");
  const { session, pool, printed } = open(script, { dryRun: true });
  expect(await actOn(session, { do: "shutdown" }, ["web1"], { host: ["node2"], timeout: "30" })).toBe(0);
  expect(printed.lines).toEqual([
    "node1.example.org: LC_ALL=C /usr/sbin/gnt-instance shutdown --timeout=30 --submit web1.example.org",
  ]);
  expect(pool.lines().filter((line) => line.includes("--submit"))).toEqual([]);
});

test("checks its options before it asks anybody", async () => {
  const { session, pool } = open(hosts());
  const acting = actOn(session, { do: "start" }, ["web1"], { host: ["hv1"], timeout: "soon" });
  await expect(acting).rejects.toMatchObject({ kind: "usage", where: "--timeout" });
  expect(pool.calls).toEqual([]);
  expect(() => wholeOption("--parallel", "0")).toThrow(/from 1/);
  expect(hostNames(["a, b", "b", ",c"])).toEqual(["a", "b", "c"]);
});
