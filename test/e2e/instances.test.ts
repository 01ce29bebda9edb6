import { expect, test } from "vitest";
import { keys } from "../terminal.ts";
import { domains, openInTest, openVirtu } from "./virtu.ts";

test("list, filter, mark, shut down after asking, start: the hosts really did it", async () => {
  const { terminal, hosts } = await openVirtu([
    { name: "hv1", domains: [...domains(3), { name: "web1", running: true }, { name: "web2", running: true }] },
    { name: "hv2", domains: [{ name: "db1", running: false }] },
  ]);
  await terminal.waitFor("6 instances · 5 ● running  1 ○ stopped");
  // Everything in one write, as a slow line brings it: each key acts on what the one before has changed.
  terminal.press("/", "web !db", keys.enter, keys.space, keys.space, "t");
  await terminal.waitFor("Shut down 2 instances?");
  await terminal.waitFor(/web1 +libvirt +hv1\b[\s\S]*web2 +libvirt +hv1\b/);
  expect(hosts.asked).toEqual([]);
  terminal.press(keys.down, keys.enter);
  await terminal.waitFor(/web1 +○ stopped ✓[\s\S]*web2 +○ stopped ✓/);
  expect(hosts.asked).toEqual(["hv1: shutdown web1", "hv1: shutdown web2"]);
  expect(hosts.isRunning("hv1", "web1")).toBe(false);
  await terminal.waitFor("shut down 2 instances · ended");
  terminal.press("s");
  await terminal.waitFor(/web1 +● running ✓[\s\S]*web2 +● running ✓/);
  expect(hosts.isRunning("hv1", "web2")).toBe(true);
  terminal.press(keys.escape);
  await terminal.waitFor("6 instances · 2 marked");
});

test("force off: nothing is lost by leaving, all of it by choosing it", async () => {
  const { terminal, hosts } = await openVirtu([{ name: "hv1", domains: domains(3) }]);
  await terminal.waitFor("3 instances");
  terminal.press(keys.down, "x");
  await terminal.waitFor("Force off vm2?");
  await terminal.waitFor("unsaved data is lost");
  terminal.press(keys.enter);
  await terminal.waitFor("3 instances");
  terminal.press("x");
  await terminal.waitFor("Force off vm2?");
  terminal.press("2", keys.down, keys.enter);
  await terminal.waitFor(/vm2 +○ stopped ✓/);
  expect(hosts.asked).toEqual(["hv1: destroy vm2"]);
});

test("a host that dies leaves its rows with their age, and stops no other one", async () => {
  const { terminal, hosts } = await openVirtu([
    { name: "hv1", domains: domains(2) },
    { name: "hv2", domains: [{ name: "db1", running: true }] },
  ]);
  await terminal.waitFor("3 instances");
  hosts.setAlive("hv2", false);
  terminal.press("R");
  await terminal.waitFor(/hv2: not answering since \d\d:\d\d: .*H tells more/);
  await terminal.waitFor(/db1 +● running +hv2 .*min ago/);
  const polled = hosts.nextPoll();
  terminal.press("R");
  await polled;
  terminal.press(keys.down, "x", keys.down, keys.enter);
  await terminal.waitFor(/vm1 +○ stopped ✓/);
  hosts.setAlive("hv2", true);
  terminal.press("R");
  await terminal.waitFor((lines) => !lines.some((line) => line.includes("not answering")));
});

test("describes an instance with the exact commands, and comes back to its row", async () => {
  const { terminal } = await openVirtu([{ name: "hv1", domains: domains(5) }], { rows: 50 });
  await terminal.waitFor("5 instances");
  terminal.press(keys.down, keys.down, "d");
  await terminal.waitFor("▸ instances ▸ vm3");
  await terminal.waitFor("virsh -c qemu:///system destroy vm3");
  terminal.press(keys.escape);
  await terminal.waitFor(/^❯ {2}vm3/m);
});

test("two thousand instances: the end, a filter and the widest terminal", async () => {
  const { terminal } = await openVirtu([{ name: "hv1", domains: domains(2000, (index) => index % 2 === 0) }], {
    columns: 200,
    rows: 50,
  });
  await terminal.waitFor("2000 instances · 1000 ● running  1000 ○ stopped", 30_000);
  terminal.press(keys.end);
  await terminal.waitFor(/^❯ {2}vm2000 /m);
  terminal.press("/", "vm1999");
  await terminal.waitFor("1 of 2000 · 1 ●");
  // Not in one write: an escape and a letter after it are another key.
  terminal.press(keys.escape);
  await terminal.waitFor("2000 instances");
  terminal.press("o", "O");
  await terminal.waitFor("by status, from the end");
});

/** `virtu demo` with this scenario, on its instance table. */
async function openDemo(...args: string[]) {
  // All of its instances have room.
  const terminal = openInTest(["demo", ...args], { columns: 120, rows: 50 });
  await terminal.waitFor("[1 Home]");
  terminal.press("4");
  return terminal;
}

test("on the embedded site: a Ganeti cluster and two libvirt hosts in one table, Ganeti's job on the row", async () => {
  const terminal = await openDemo();
  await terminal.waitFor(/^ \d+ instances · /m);
  await terminal.waitFor(/ganeti · gnt[\s\S]*libvirt · hv1/);
  terminal.press("/", "db1.demo", keys.enter);
  await terminal.waitFor(/^❯ {2}db1\.demo +● running/m);
  terminal.press("t");
  await terminal.waitFor(/db1\.demo +◐ stopping #\d+/);
  await terminal.waitFor(/db1\.demo +○ stopped ✓/);
  await terminal.waitFor(/shutdown: Ganeti job \d+ done/);
  terminal.press("s");
  await terminal.waitFor(/db1\.demo +● running ✓/);
});

test("on the embedded site: a host that accepts no connection is told, the others are listed", async () => {
  const terminal = await openDemo("--scenario", "dead-host");
  await terminal.waitFor(/✗ hv2\.demo: .*; H tells more/);
  await terminal.waitFor(/libvirt · hv1/);
  terminal.press("H");
  await terminal.waitFor(/hv2\.demo +✗ error/);
});
