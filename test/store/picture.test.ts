/** How often the picture of all instances is drawn up: at once, unless thousands change all the time. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { fakeWorkspace } from "../ui/harness.tsx";
import { fakeInventory, rowOf } from "../ui/instance-fakes.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function world(count: number) {
  const rows = (memoryMiB: number) => Array.from({ length: count }, (_, index) => rowOf(`vm${index}`, { memoryMiB }));
  const inventory = fakeInventory({ instances: rows(1) });
  const workspace = fakeWorkspace({ inventory });
  const set = async (memoryMiB: number) => {
    inventory.set({ instances: rows(memoryMiB) });
    await Promise.resolve();
  };
  return { set, shown: () => workspace.state.inventory.instances[0]?.memoryMiB };
}

test("a change to a few is seen at once", async () => {
  const { set, shown } = world(30);
  for (const memory of [2, 3, 4]) {
    await set(memory);
    expect(shown()).toBe(memory);
  }
});

test("changes to thousands are gathered, and the last of them is seen", async () => {
  const { set, shown } = world(5000);
  expect(shown()).toBe(1);
  for (const memory of [2, 3, 4]) await set(memory);
  expect(shown()).toBe(1);
  await vi.advanceTimersByTimeAsync(100);
  expect(shown()).toBe(4);
  await vi.advanceTimersByTimeAsync(100);
  // It was quiet for long enough: the next one does not wait.
  await set(5);
  expect(shown()).toBe(5);
});
