import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createStore } from "../../source/store/store.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const counter = () => createStore<number, number>((state, by) => state + by, 0, 250);

test("the first event after a quiet time is shown at once, a stream of them at most every 250 ms", () => {
  const store = counter();
  const shown: number[] = [];
  store.subscribe(() => shown.push(store.shown()));
  store.dispatch(1);
  expect(store.get()).toBe(1);
  expect(store.shown()).toBe(0);
  vi.advanceTimersByTime(0);
  expect(shown).toEqual([1]);
  for (let step = 0; step < 100; step += 1) {
    store.dispatch(1);
    vi.advanceTimersByTime(10);
  }
  // A second of events every 10 ms: four times, not a hundred.
  expect(shown.length).toBe(5);
  vi.advanceTimersByTime(250);
  expect(shown.at(-1)).toBe(101);
});

test("a flush shows all of it now, and no second time later", () => {
  const store = counter();
  const listener = vi.fn();
  store.subscribe(listener);
  store.dispatch(1);
  store.dispatch(1);
  store.flush();
  expect(store.shown()).toBe(2);
  expect(listener).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(1000);
  store.flush();
  expect(listener).toHaveBeenCalledTimes(1);
});

test("an event that changes nothing tells nobody, and who has gone is not told", () => {
  const store = counter();
  const listener = vi.fn();
  const stop = store.subscribe(listener);
  store.dispatch(0);
  vi.advanceTimersByTime(1000);
  expect(listener).not.toHaveBeenCalled();
  stop();
  store.dispatch(1);
  store.flush();
  expect(listener).not.toHaveBeenCalled();
});
