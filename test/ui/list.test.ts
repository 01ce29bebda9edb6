import { expect, test } from "vitest";
import { type ListState, listStart, type Move, matches, moved, viewOf } from "../../source/ui/list.ts";
import { randomOf } from "../random.ts";

const keysOf = (count: number) => Array.from({ length: count }, (_, index) => `k${index}`);

test("moves by rows and pages, to the ends and not beyond", () => {
  const keys = keysOf(30);
  const walk = (...moves: Move[]) =>
    viewOf(
      moves.reduce((state, move) => moved(state, keys, 10, move), listStart),
      keys,
      10,
    );
  expect(walk()).toEqual({ index: 0, offset: 0 });
  expect(walk("up")).toEqual({ index: 0, offset: 0 });
  expect(walk("down", "down")).toEqual({ index: 2, offset: 0 });
  expect(walk("pageDown")).toEqual({ index: 9, offset: 0 });
  expect(walk("pageDown", "down")).toEqual({ index: 10, offset: 1 });
  expect(walk("last")).toEqual({ index: 29, offset: 20 });
  expect(walk("last", "first")).toEqual({ index: 0, offset: 0 });
  expect(walk("last", "up")).toEqual({ index: 28, offset: 20 });
});

test("an empty list has no cursor, and gets one when rows come", () => {
  expect(viewOf(listStart, [], 5)).toEqual({ index: -1, offset: 0 });
  expect(moved(listStart, [], 5, "down")).toBe(listStart);
  expect(viewOf(listStart, ["a"], 5)).toEqual({ index: 0, offset: 0 });
});

test("the cursor stays on its row when others come and go, and near it when the row itself goes", () => {
  const on = moved(moved(listStart, ["a", "b", "c"], 5, "down"), ["a", "b", "c"], 5, "down");
  expect(viewOf(on, ["0", "1", "a", "b", "c"], 3).index).toBe(4);
  expect(viewOf(on, ["c"], 3).index).toBe(0);
  expect(viewOf(on, ["a", "b", "d", "e"], 3).index).toBe(2);
  expect(viewOf(on, ["a"], 3).index).toBe(0);
});

test("whatever is pressed and whatever the hosts say, the cursor is on a row and in the window", () => {
  const moves: Move[] = ["up", "down", "pageUp", "pageDown", "first", "last"];
  for (let seed = 1; seed <= 400; seed += 1) {
    const random = randomOf(seed);
    let keys = keysOf(random.below(40));
    let height = 1 + random.below(12);
    let state: ListState = listStart;
    for (let step = 0; step < 40; step += 1) {
      const before = viewOf(state, keys, height);
      const what = random.below(8);
      if (what === 0) keys = keysOf(50).filter(() => random.below(3) > 0);
      else if (what === 1) height = 1 + random.below(12);
      else state = moved(state, keys, height, random.pick(moves));
      const { index, offset } = viewOf(state, keys, height);
      if (keys.length === 0) {
        expect({ index, offset }).toEqual({ index: -1, offset: 0 });
        continue;
      }
      expect(index).toBeGreaterThanOrEqual(offset);
      expect(index).toBeLessThan(Math.min(keys.length, offset + height));
      expect(offset).toBeGreaterThanOrEqual(0);
      // No blank line at the end while there are rows above.
      expect(offset).toBeLessThanOrEqual(Math.max(0, keys.length - height));
      // A key moves the window only as far as the cursor needs it.
      if (what > 1 && index >= before.offset && index < before.offset + height) expect(offset).toBe(before.offset);
    }
  }
});

test("a filter wants every word and none of those with an exclamation mark", () => {
  const text = "Web1 running libvirt hv1";
  expect(matches(text, "")).toBe(true);
  expect(matches(text, " web  HV1 ")).toBe(true);
  expect(matches(text, "web hv2")).toBe(false);
  expect(matches(text, "web !stopped")).toBe(true);
  expect(matches(text, "web !running")).toBe(false);
  // One that is being typed leaves nothing out yet.
  expect(matches("what!", "!")).toBe(true);
  expect(matches("what", "!")).toBe(false);
});
