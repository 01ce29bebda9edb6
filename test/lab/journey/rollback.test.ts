/** A bridge that nobody confirms: the node goes back to its former network by itself, and the run says so and goes on. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { Teardown, until, type VirtuOptions, virtu } from "../lab.ts";
import type { LabNode } from "../nodes.ts";
import { ownSuite } from "../roots.ts";
import { carry, stepsThat, whatHappened } from "./carry.ts";
import { type BareHosts, openHosts } from "./hosts.ts";

const teardown = new Teardown();
let hosts: BareHosts;
let options: VirtuOptions;
let node: LabNode;

beforeAll(async () => {
  hosts = await openHosts(teardown, await ownSuite(), ["solo"]);
  [node] = hosts.nodes as [LabNode];
  const home = teardown.directory("rollback-home");
  options = { sshConfig: hosts.sshConfig, home, prefix: hosts.network.prefix, timeoutMs: 300_000 };
});
afterAll(() => teardown.run());

const install = [
  ...["install", "ganeti", "--nodes", "solo", "--yes", "--hypervisor", "fake", "--storage", "diskless"],
  ...["--cluster-name", "cluster1.lab.example.org", "--cluster-address", "10.99.0.100"],
];
const holder = () => node.exec("ip -brief -4 address | grep -F ' 10.99.0.11/24' | cut -d ' ' -f 1 | cut -d @ -f 1");

it("goes back by itself when virtu is gone, and is made anew by its resume", async () => {
  const before = await node.exec("cat /etc/network/interfaces");
  let reached: Promise<unknown> | null = null;
  const killed = await carry(teardown, install, options, ({ step, state }, kill) => {
    if (step !== "bridge" || state !== "running" || reached) return;
    reached = until("the bridge has the node's address", async () =>
      (await node.try("ip -4 addr show br0")).stdout.includes("10.99.0.11/"),
    );
    void reached.then(kill);
  });
  await reached;
  expect(killed, whatHappened(killed)).toMatchObject({ status: null, outcome: null });
  expect(await holder()).toBe("br0");

  await until("the node has its address on eth0 again", async () => (await holder()) === "eth0", 90_000);
  await until("the former file is back", async () => (await node.exec("cat /etc/network/interfaces")) === before);

  const resumed = await carry(teardown, ["resume"], options);
  expect(resumed, whatHappened(resumed)).toMatchObject({ status: 1, outcome: { ok: false } });
  expect(stepsThat(resumed.outcome, "failed")).toEqual(["bridge-keep solo"]);
  const run = resumed.outcome?.run ?? "";
  const told = await virtu(["runs", run, "--output", "bridge-keep", "solo"], options);
  expect(told.stdout).toMatch(/went back to its former configuration/);

  const again = await carry(teardown, ["resume", run, "--retry", "bridge-keep"], options);
  expect(again, whatHappened(again)).toMatchObject({ status: 0, outcome: { ok: true } });
  expect(await holder()).toBe("br0");
  expect(await node.exec("gnt-node list --no-headers -o name")).toBe("solo.lab.example.org");
});
