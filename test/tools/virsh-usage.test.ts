import { expect, test } from "vitest";
import { usageOf } from "../../source/tools/virsh-usage.ts";
import { fixture } from "../instances/fake-pool.ts";
import { parsePoll } from "./poll.ts";

const stats = (name: string) =>
  parsePoll(fixture("libvirt", "poll-qemu.stdout"))?.domains.find((domain) => domain.name === name)?.stats ?? {};

test("a guest with a balloon driver tells what it uses itself; a running one without is told by its process", () => {
  const web1 = stats("web1");
  expect(usageOf(web1)).toEqual({
    cpuNs: Number(web1["cpu.time"]),
    memoryMiB: (Number(web1["balloon.available"]) - Number(web1["balloon.usable"])) / 1024,
    memorySource: "balloon",
    diskReadBytes: Number(web1["block.0.rd.bytes"]),
    diskWrittenBytes: Number(web1["block.0.wr.bytes"]),
    netInBytes: Number(web1["net.0.rx.bytes"]),
    netOutBytes: Number(web1["net.0.tx.bytes"]),
  });
  expect(usageOf({ ...web1, "balloon.last-update": "0" })).toMatchObject({
    memoryMiB: Number(web1["balloon.rss"]) / 1024,
    memorySource: "resident",
  });
});

test("all disks and cards count together; what a driver leaves out is not zero", () => {
  const two = {
    "state.state": "1",
    "cpu.time": "7",
    "block.count": "2",
    "block.0.rd.bytes": "5",
    "block.1.rd.bytes": "6",
  };
  expect(usageOf(two)).toMatchObject({
    diskReadBytes: 11,
    diskWrittenBytes: null,
    netInBytes: null,
    memorySource: null,
  });
});

test("one that is off uses nothing; the test driver has no numbers", () => {
  expect(usageOf({ "state.state": "5", "cpu.time": "9" })).toBeNull();
  expect(usageOf({ "state.state": "1" })).toBeNull();
});
