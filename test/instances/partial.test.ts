/** Commands that read many hosts, where some or parts of them fail: what is told, what is still printed, and the exit status. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { follow } from "../../source/commands/events.ts";
import type { Session } from "../../source/commands/run.ts";
import { listStores } from "../../source/commands/stores.ts";
import { type Script, ScriptedPool } from "./fake-pool.ts";
import { dead, domains, isDiscovery, isEvents, isPoll, libvirtHost } from "./script.ts";

let stderr = "";
beforeEach(() => {
  stderr = "";
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    stderr += String(text);
    return true;
  });
});
afterEach(() => vi.restoreAllMocks());

function open(script: Script, signal = new AbortController().signal) {
  const pool = new ScriptedPool(script);
  const printed: { value?: unknown; lines?: readonly string[] } = {};
  const notes: string[] = [];
  const session = {
    app: { pool, settings: { get: () => "" } },
    globals: { json: false, yes: false, dryRun: false },
    signal,
    out: {
      result: (value: unknown, lines: readonly string[]) => Object.assign(printed, { value, lines }),
      record: () => {},
      note: (text: string) => notes.push(text),
    },
  } as unknown as Session;
  return { session, printed, notes };
}

const pool = "@@virtu pool\n<pool type='dir'><name>fast</name><uuid>1</uuid></pool>\n";
const answers = (body: string, complaints = "") => ({
  stdout: `@@virtu pool-table\n@@virtu network-table\n${body}@@virtu end\n`,
  stderr: complaints,
});
const refused =
  "@@virtu part volumes\nerror: Failed to list volumes\nerror: cannot open directory '/srv'\n@@virtu status 1\n";

/** hv9 is dead; the question for storage is answered as `stores` says. */
const hosts =
  (stores: Record<string, ReturnType<Script>>): Script =>
  (call) => {
    const { host, line } = call;
    if (host.name === "hv9") return dead;
    if (isDiscovery(line)) return libvirtHost;
    if (isPoll(line)) return domains({});
    return stores[host.name] ?? answers("");
  };

test("virtu stores names the part that failed, on which host and why, and still prints the others", async () => {
  const { session, printed } = open(hosts({ hv1: answers(pool, refused) }));
  expect(await listStores(session, { host: ["hv1"] })).toBe(3);
  expect(printed.lines?.[0]).toMatch(/^hv1: pool fast/);
  expect(stderr).toMatch(/hv1: It did not tell the volumes in its pools\n {2}why: .*cannot open directory/);
});

test("virtu stores fails where nothing could be read, and says so where it printed nothing before", async () => {
  const nothing = open(hosts({ hv1: answers("", refused.replace("volumes", "pools")) }));
  expect(await listStores(nothing.session, { host: ["hv1"] })).toBe(1);
  expect(stderr).toMatch(/hv1: It did not tell its pools/);
  const silent = open(hosts({ hv1: { status: 1, stderr: "error: failed to connect to the hypervisor\n" } }));
  expect(await listStores(silent.session, { host: ["hv1"] })).toBe(1);
  expect(stderr).toMatch(/hv1: libvirt did not tell its storage and networks/);
  expect(await listStores(open(hosts({})).session, { host: ["hv1"] })).toBe(0);
});

test("one host that can't be asked does not hide the others", async () => {
  const { session, printed } = open(hosts({ hv1: answers(pool), hv2: { outcome: "lost" } }));
  expect(await listStores(session, { host: ["hv1", "hv2", "hv9"] })).toBe(3);
  expect(printed.value).toMatchObject([{ host: "hv1", pools: [{ name: "fast" }] }]);
  expect(stderr).toMatch(/hv2: .*\n[\s\S]*The host does not answer|The host does not answer[\s\S]*hv2: /);
});

test("virtu events says when a host falls silent, and ends with 3", async () => {
  let gone = false;
  const abort = new AbortController();
  const script: Script = ({ line, host }) => {
    if (host.name === "hv1" && gone) return dead;
    if (isDiscovery(line)) return libvirtHost;
    if (isEvents(line)) {
      // The stream of the host breaks, and it is asked again.
      return new Promise((resolve) => {
        if (host.name === "hv1") setImmediate(() => resolve({ outcome: "lost" }));
        gone = host.name === "hv1" || gone;
      });
    }
    return domains({});
  };
  const { session, notes } = open(script, abort.signal);
  const following = follow(session, { host: ["hv1", "hv2"] });
  await vi.waitFor(() => expect(notes).toContain("hv1: it is asked again by itself"));
  abort.abort();
  expect(await following).toBe(3);
  expect(stderr).toMatch(/The host does not answer/);
});
