import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Looking } from "../../source/store/looking.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("reads at once and again while anybody looks, whoever looks, and no more when the last has gone", async () => {
  const look = vi.fn(async () => {});
  const looking = new Looking(look, 1000);
  const first = looking.watch();
  const second = looking.watch();
  expect(look).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(2000);
  expect(look).toHaveBeenCalledTimes(3);
  first();
  first();
  await vi.advanceTimersByTimeAsync(1000);
  expect([look.mock.calls.length, looking.isOn]).toEqual([4, true]);
  second();
  await vi.advanceTimersByTimeAsync(5000);
  expect([look.mock.calls.length, looking.isOn]).toEqual([4, false]);
});

test("one that takes long is followed by a longer wait, where that is wanted", async () => {
  const look = vi.fn(() => new Promise<void>((resolve) => setTimeout(resolve, 300)));
  const looking = new Looking(look, (tookMs) => Math.max(1000, tookMs * 10));
  const stop = looking.watch();
  await vi.advanceTimersByTimeAsync(3200);
  expect(look).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(200);
  expect(look).toHaveBeenCalledTimes(2);
  stop();
});

test("somebody who comes back during a slow look starts no second round beside it", async () => {
  const ends: (() => void)[] = [];
  const look = vi.fn(() => new Promise<void>((resolve) => ends.push(resolve)));
  const looking = new Looking(look, 1000);
  looking.watch()();
  looking.watch();
  for (const end of ends.splice(0)) end();
  await vi.advanceTimersByTimeAsync(1000);
  expect(look).toHaveBeenCalledTimes(3);
  looking.end();
  for (const end of ends.splice(0)) end();
  await vi.advanceTimersByTimeAsync(5000);
  expect(look).toHaveBeenCalledTimes(3);
});
