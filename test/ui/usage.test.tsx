/** Use and limits as a user meets them: marked rows, lines of the feed, nodes with their pools, charts of nodes. */
import { expect, test, vi } from "vitest";
import type { NodeRow, WatchOptions } from "../../source/instances/inventory-types.ts";
import { keys, openUi } from "./harness.tsx";
import { fakeInventory, hostOf, nodeRowOf, now, rowOf } from "./instance-fakes.ts";

const gap = "the fake hypervisor runs nothing";

function countedRow(name: string, at: number, cpuNs: number) {
  const none = { diskReadBytes: null, diskWrittenBytes: null, netInBytes: null, netOutBytes: null };
  const usage = { cpuNs, memoryMiB: 128, memorySource: "balloon" as const, ...none };
  return rowOf(name, { seenAt: at, vcpus: 1, memoryMiB: 512, usage });
}

function nodeAt(at: number, share: number, free: number, own: Partial<NodeRow> = {}): NodeRow {
  const seconds = (at - now) / 1000 + 1000;
  const cpu = { busyNs: seconds * share * 16e9, totalNs: seconds * 16e9 };
  const pools = [
    { name: "images", totalMiB: 1000, freeMiB: free },
    { name: "isos", totalMiB: 2000, freeMiB: 1500 },
  ];
  return nodeRowOf("hv1", { seenAt: at, cpu, pools, diskTotal: 3000, diskFree: free + 1500, ...own });
}

function open(place: "instances" | "hosts" = "instances") {
  const watched: WatchOptions[] = [];
  const watch = (options: WatchOptions = {}) => {
    watched.push(options);
    return () => void watched.splice(watched.indexOf(options), 1);
  };
  const inventory = fakeInventory({ instances: [] }, { watch });
  const settings = { thresholds: { cpu: 80, seconds: 10 } };
  const ui = openUi({ place: { screen: place }, inventory, settings, hosts: ["hv1", "hv2"], site: null });
  let [last, worked] = [now - 100_000, 0];
  const look = async (at: number, busy: number, free: number) => {
    worked += ((at - last) / 1000) * busy * 1e9;
    last = at;
    const instances = [
      countedRow("web1", at, worked),
      countedRow("db1", at, (at - now + 1_000_000) * 1e5),
      rowOf("fake", { host: "hv2", provider: "ganeti", seenAt: at, usageGap: gap }),
      rowOf("off", { status: "stopped", seenAt: at }),
    ];
    inventory.set({
      hosts: [hostOf("hv1", { seenAt: at }), hostOf("hv2", { seenAt: at })],
      instances,
      nodes: [nodeAt(at, 0.25, free)],
    });
    // A picture that took long is followed by a rest, in which others are left out.
    await vi.waitFor(() => expect(ui.workspace.monitor.seenAt).toBe(at));
  };
  return { ui, look, watched };
}

test("one above its limit for long enough is marked and told, and told again when it is well", async () => {
  const { ui, look } = open();
  for (let at = now - 20_000; at <= now; at += 4000) await look(at, 0.95, 500);
  const lines = await ui.waitFor(/web1 .*! 95 %/);
  expect(lines.find((line) => line.includes("db1"))).toMatch(/ 10 %/);
  expect(lines.join("\n")).toContain("web1: CPU at 95 %, above 80 % for 10 s");
  await look(now + 4000, 0.9, 500);
  await look(now + 8000, 0.2, 500);
  await ui.press("7");
  const feed = (await ui.waitFor(/CPU is below 80 % again/)).join("\n");
  expect(feed).toMatch(/hv1\/web1 +CPU at 95 %, above 80 % for 10 s/);
  expect(feed.match(/web1 +CPU at/g)).toHaveLength(1);
});

test("a pool that fills up is told at once and marks its node", async () => {
  const { ui, look } = open();
  await look(now - 8000, 0.1, 500);
  await look(now - 4000, 0.1, 110);
  await ui.press("n");
  let lines = await ui.waitFor(/images +█████████░ {2}89 % {2}110M free of 1000M/);
  expect(lines.find((line) => /hv1 .*1\.6G/.test(line))).toBeDefined();
  await look(now, 0.1, 60);
  lines = await ui.waitFor(/images +█████████░! 94 % {2}60M free of 1000M/);
  expect(lines.join("\n")).toMatch(/isos +███░░░░░░░ {2}25 % {2}1\.5G free of 2\.0G|isos +███░/);
  expect(lines.find((line) => line.includes("!1G"))).toMatch(/hv1 .* 25 %/);
  await ui.press("7");
  expect((await ui.waitFor(/pool images 94 % full, above 90 %/)).join("\n")).toContain("hv1");
});

test("the chart of a node draws its CPU and memory, and each of its pools; that of an instance its node beside it", async () => {
  const { ui, look } = open();
  for (let at = now - 40_000; at <= now; at += 4000) await look(at, 0.5, 500);
  await ui.waitFor(/web1 .* 50 %/);
  await ui.press("n");
  await ui.waitFor(/hv1 .* 25 %/);
  await ui.press("u");
  await ui.waitFor(/hv1 +now +25 % +highest +25 %/);
  await ui.press("\t");
  await ui.waitFor(/hv1 +now +81 %/);
  await ui.press("\t");
  const storage = (await ui.waitFor(/hv1 images +now +50 %/)).join("\n");
  expect(storage).toMatch(/hv1 isos +now +25 %/);
  await ui.press("\t", keys.esc);
  await ui.waitFor("MTotal");
  await ui.press("n");
  await ui.waitFor(/web1 .* 50 %/);
  await ui.press("u");
  await ui.waitFor(/web1 +now +50 %/);
  expect(ui.screen().join("\n")).not.toMatch(/hv1 +now/);
  await ui.press("n");
  expect((await ui.waitFor(/hv1 +now +25 %/)).join("\n")).toMatch(/web1 +now +50 %/);
});

test("only hosts whose rows are shown are asked at the short interval, and only while they are", async () => {
  const { ui, look, watched } = open();
  await look(now - 4000, 0.5, 500);
  await look(now, 0.5, 500);
  await ui.waitFor(/web1 .* 50 %/);
  const often = () => watched.filter(({ usage }) => usage && watched.length > 0).filter(({ hosts }) => hosts);
  expect(often()).toEqual([{ everyMs: 10_000, usage: true, hosts: ["hv1", "hv2"] }]);
  await ui.press("/", ..."web1", keys.enter);
  await ui.waitFor("1 of 4");
  expect(often()).toEqual([{ everyMs: 10_000, usage: true, hosts: ["hv1"] }]);
  await ui.press("1");
  await ui.waitFor("From nothing to VMs");
  expect(often()).toEqual([]);
});

test("what can't be known is a dash, and the details say why", async () => {
  const { ui, look } = open();
  await look(now - 4000, 0.5, 500);
  await look(now, 0.5, 500);
  const lines = await ui.waitFor(/web1 .* 50 %/);
  expect(lines.find((line) => line.includes(" fake "))).toMatch(/running .*–/);
  expect(lines.find((line) => line.includes(" off "))).not.toContain("–");
  await ui.press("\t");
  await ui.waitFor("─ web1 ─");
  await ui.press(keys.down, keys.down);
  await ui.waitFor(`– ${gap}`);
  await ui.press("d");
  await ui.waitFor(/usage +– the fake hypervisor runs nothing/);
  await ui.press(keys.esc, keys.up, "d");
  await ui.waitFor(/CPU +10 % of its vCPUs/);
});

test("the hosts' screen tells what the host under the cursor uses", async () => {
  const { ui, look } = open("hosts");
  await look(now - 4000, 0.5, 500);
  await look(now, 0.5, 40);
  const lines = (await ui.waitFor(/images +██████████! 96 %/)).join("\n");
  expect(lines).toMatch(/CPU .* 25 %/);
  expect(lines).toMatch(/memory .* 81 % {2}52G used of 64G/);
});
