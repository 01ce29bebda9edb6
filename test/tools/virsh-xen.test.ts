/** libvirt's Xen driver, which has no domstats and lists the host among its domains. */
import { expect, test } from "vitest";
import { LibvirtProvider } from "../../source/instances/libvirt.ts";
import { pollCommand, xenUri } from "../../source/tools/virsh.ts";
import { fixture, recorded, ScriptedPool } from "../instances/fake-pool.ts";
import { parsePoll } from "./poll.ts";

test("is asked once, for dominfo where domstats can't be had", () => {
  const [, numbers] = fixture("libvirt", "poll-xen.cmd").trim().split("; echo @@virtu dominfo; ");
  expect(pollCommand(xenUri).line.split("; echo @@virtu dominfo; ")).toEqual([
    expect.any(String),
    `${numbers}; exit $s`,
  ]);
  expect(pollCommand("qemu:///system").line).not.toContain("dominfo");
});

test("gives each domain its numbers, and the host is none of them", async () => {
  expect(parsePoll(fixture("libvirt", "poll-xen.stdout"))?.domains).toMatchObject([
    { name: "vweb", id: 2, word: "running", state: null, stats: { "cpu.time": "24600000000", "vcpu.current": "1" } },
  ]);
  const pool = new ScriptedPool(() => recorded("libvirt", "poll-xen"));
  const { instances, notes } = await new LibvirtProvider({ pool, host: { name: "xen1" }, uri: xenUri }).list({});
  expect(instances).toMatchObject([
    {
      name: "vweb",
      status: "running",
      statusDetail: "running",
      vcpus: 1,
      memoryMiB: 128,
      usage: { cpuNs: 24_600_000_000 },
    },
  ]);
  expect(notes).toEqual([]);
});
