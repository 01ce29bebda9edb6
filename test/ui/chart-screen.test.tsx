import { expect, test, vi } from "vitest";
import type { InstanceRow } from "../../source/instances/inventory-types.ts";
import { openUi } from "./harness.tsx";
import { fakeInventory, hostOf, now, rowOf } from "./instance-fakes.ts";

/** An instance that used `share` of its one vCPU and `net` bytes a second until `at`. */
function usedUntil(name: string, at: number, share: number, net: number): InstanceRow {
  const seconds = (at - now) / 1000 + 1000;
  const usage = {
    cpuNs: seconds * share * 1e9,
    memoryMiB: 128,
    memorySource: "balloon" as const,
    diskReadBytes: 0,
    diskWrittenBytes: 0,
    netInBytes: seconds * net,
    netOutBytes: 0,
  };
  return rowOf(name, { seenAt: at, vcpus: 1, memoryMiB: 512, usage });
}

async function open() {
  const watched: (number | undefined)[] = [];
  const inventory = fakeInventory(
    { instances: [] },
    {
      watch: ({ everyMs } = {}) => {
        watched.push(everyMs);
        return () => void watched.splice(watched.indexOf(everyMs), 1);
      },
    },
  );
  const ui = openUi({
    place: { screen: "instances" },
    above: [{ screen: "chart", keys: ["libvirt/hv1/web1", "libvirt/hv1/db1"] }],
    inventory,
    hosts: ["hv1"],
    site: null,
  });
  for (let at = now - 120_000; at <= now; at += 12_000) {
    const instances = [usedUntil("web1", at, 0.75, 2_000_000), usedUntil("db1", at, 0.25, 0), rowOf("off")];
    inventory.set({ hosts: [hostOf("hv1", { seenAt: at })], instances });
    // A picture that took long is followed by a rest, in which others are left out.
    await vi.waitFor(() => expect(ui.workspace.monitor.seenAt).toBe(at));
  }
  return { ui, watched };
}

test("draws the instances it was opened for, with the value of now and the highest, and asks often meanwhile", async () => {
  const { ui, watched } = await open();
  const lines = await ui.waitFor(/web1 +now +75 % +highest +75 %/);
  const text = lines.join("\n");
  expect(text).toMatch(/db1 +now +25 % +highest +25 %/);
  expect(text).not.toContain("off");
  expect(text).toContain("CPU, of its vCPUs");
  const rowsOf = (pattern: RegExp) => lines.flatMap((line, row) => (pattern.test(line) ? [row] : []));
  const [upper = 0, lower = 0, ...others] = rowsOf(/[\u2801-\u28ff]{20}/);
  const [top = 0] = rowsOf(/100%/);
  const [bottom = 0] = rowsOf(/└/);
  expect(others).toEqual([]);
  const share = (row: number) => Math.round(((row - top) / (bottom - top)) * 4);
  expect([share(upper), share(lower)]).toEqual([1, 3]);
  expect(watched).toContain(2000);
  await ui.press("\u001b");
  await ui.waitFor("3 instances");
  expect(watched).not.toContain(2000);
});

test("turns through the numbers, and over longer and shorter times", async () => {
  const { ui } = await open();
  await ui.waitFor("last 5 min");
  await ui.press("-");
  await ui.waitFor("last 1 min");
  await ui.press("-");
  await ui.waitFor("a minute is the shortest");
  await ui.press("\t", "\t", "\t", "\t");
  await ui.waitFor(/network, in · last 1 min/);
  await ui.waitFor(/web1 +now +2 MB\/s/);
  for (let n = 0; n < 5; n += 1) await ui.press("+");
  await ui.waitFor("last 24 h");
});

test("fits into 60 columns and into 200", async () => {
  const { ui } = await open();
  await ui.waitFor("last 5 min");
  for (const columns of [60, 200]) {
    ui.resize(columns, 20);
    await vi.waitFor(() => {
      const { length = 0 } = ui.screen().find((line) => line.includes("└")) ?? "";
      expect(length).toBeGreaterThan(columns - 10);
      expect(length).toBeLessThan(columns);
    });
  }
});
