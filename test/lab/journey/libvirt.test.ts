/** From a bare node to a libvirt host, by virtu alone. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
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

describe("the same by a file, with an instance", () => {
  let up: string[];
  const domains = () => node.exec("virsh -q -c qemu:///system list --all --name | sort");

  beforeAll(() => {
    const file = join(teardown.directory("libvirt-up"), "up.yaml");
    const instance = "{name: web2, memory: 128m, vcpus: 2, disk: 1g, start: false}";
    writeFileSync(file, `nodes: [hv1]\ninstall: {provider: libvirt}\ninstances:\n  - ${instance}\n`);
    up = ["up", file, "--yes"];
  });

  it("finds libvirt there and makes the instance", async () => {
    const carried = await carry(teardown, up, options);
    expect(carried, whatHappened(carried)).toMatchObject({ status: 0, outcome: { ok: true, changed: true } });
    expect(stepsThat(carried.outcome, "done", "failed", "skipped", "cancelled")).toEqual([]);
    expect((await domains()).split("\n").filter(Boolean)).toEqual(["web1", "web2"]);
    expect(await node.exec("virsh -q -c qemu:///system dominfo web2")).toMatch(/CPU\(s\): +2\nMax memory: +131072 KiB/);
    expect(await node.exec("virsh -q -c qemu:///system domblklist web2")).toMatch(/web2.*\.qcow2/);
  });

  it("changes nothing when it is gone again", () => unchanged(teardown, up, options, hosts.nodes));

  it("is taken back: its instance goes with the disk, what others have made stays", async () => {
    const down = await virtu(["down", up[1] ?? "", "--yes", "--json"], options);
    expect(down, down.stderr).toMatchObject({ status: 0 });
    expect((await domains()).split("\n").filter(Boolean)).toEqual(["web1"]);
    expect(await node.exec("ls /var/lib/libvirt/images")).toBe("");
  });
});
