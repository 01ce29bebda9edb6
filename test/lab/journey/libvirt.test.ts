/** From a bare node to a libvirt host, by virtu alone. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { InstanceJson } from "../instances.ts";
import { Teardown, type VirtuOptions, virtu } from "../lab.ts";
import type { LabNode } from "../nodes.ts";
import { ownSuite } from "../roots.ts";
import { carry, stepsThat, unchanged, whatHappened } from "./carry.ts";
import { type BareHosts, openHosts } from "./hosts.ts";

const teardown = new Teardown();
let hosts: BareHosts;
let options: VirtuOptions;
let node: LabNode;

beforeAll(async () => {
  hosts = await openHosts(teardown, await ownSuite(), ["hv1"]);
  [node] = hosts.nodes as [LabNode];
  const home = teardown.directory("libvirt-home");
  options = { sshConfig: hosts.sshConfig, home, prefix: hosts.network.prefix, timeoutMs: 300_000 };
});
afterAll(() => teardown.run());

const install = ["install", "libvirt", "--nodes", "hv1", "--yes"];

it("installs libvirt with a network and a pool", async () => {
  const carried = await carry(teardown, install, options);
  expect(carried, whatHappened(carried)).toMatchObject({ status: 0, outcome: { ok: true, changed: true } });
  expect(stepsThat(carried.outcome, "failed", "skipped", "cancelled")).toEqual([]);
  const virsh = (words: string) => node.exec(`virsh -q -c qemu:///system ${words}`);
  expect(await virsh("net-list")).toMatch(/^ *default +active +yes/);
  expect(await virsh("pool-list")).toMatch(/^ *default +active +yes/);
});

it("lists an instance that is defined there", async () => {
  await node.exec("cat >/root/web1.xml; virsh -q -c qemu:///system define /root/web1.xml", {
    input: `<domain type='qemu'><name>web1</name><memory unit='MiB'>128</memory><vcpu>1</vcpu>
<os><type arch='x86_64'>hvm</type></os></domain>`,
  });
  const listed = await virtu(["instances", "--host", "hv1", "--json"], options);
  expect(listed, listed.stderr).toMatchObject({ status: 0 });
  expect(listed.json<InstanceJson[]>()).toEqual([
    expect.objectContaining({ name: "web1", provider: "libvirt", status: "stopped", memoryMiB: 128 }),
  ]);
});

it("changes nothing when it is run again", () => unchanged(teardown, install, options, hosts.nodes));
