import { expect, test } from "vitest";
import { Lanes, type LaneTask } from "../../source/instances/lanes.ts";
import { hostLimit, limitsOf, placeLimit } from "../../source/instances/limits.ts";

type Named = LaneTask & { name: string };

const task = (name: string, own: Partial<LaneTask> = {}): Named => ({
  name,
  run: 1,
  place: "p1",
  host: "h1",
  limits: { place: 2, host: null },
  ...own,
});

function takeAll(lanes: Lanes<Named>): string[] {
  const taken: string[] = [];
  for (let next = lanes.next(); next; next = lanes.next()) taken.push(next.name);
  return taken;
}

const filled = (...tasks: Named[]) => {
  const lanes = new Lanes<Named>();
  for (const one of tasks) lanes.add(one);
  return lanes;
};

test("places take turns, each up to its limit", () => {
  const other = { place: "p2", host: "h2" };
  const lanes = filled(task("a1"), task("a2"), task("a3"), task("b1", other), task("b2", other), task("b3", other));
  expect(takeAll(lanes)).toEqual(["a1", "b1", "a2", "b2"]);
});

test("a later small run does not wait for a large one before it on the same place", () => {
  const many = Array.from({ length: 5 }, (_, index) => task(`old${index}`));
  const lanes = filled(...many);
  const first = lanes.next();
  lanes.add(task("new", { run: 2 }));
  expect(takeAll(lanes)).toEqual(["old1"]);
  if (first) lanes.ended(first);
  expect(takeAll(lanes)).toEqual(["new"]);
});

test("a host's limit counts all its places", () => {
  const limits = { place: 2, host: 1 };
  const one = task("a", { limits });
  const lanes = filled(one, task("b", { place: "p2", limits }), task("c", { place: "p3", host: "h2", limits }));
  expect(takeAll(lanes)).toEqual(["a", "c"]);
  lanes.ended(one);
  expect(takeAll(lanes)).toEqual(["b"]);
});

test("a run with a limit of its own holds back no other run", () => {
  const lanes = filled(
    task("slow1", { limits: { place: 1, host: null } }),
    task("slow2", { limits: { place: 1, host: null } }),
  );
  lanes.add(task("quick", { run: 2 }));
  expect(takeAll(lanes)).toEqual(["slow1", "quick"]);
});

test("what is taken back never begins, and only what waits can be", () => {
  const [a, b] = [task("a"), task("b")];
  const lanes = filled(a, b);
  expect(lanes.remove(a)).toBe(true);
  expect(lanes.remove(a)).toBe(false);
  expect(takeAll(lanes)).toEqual(["b"]);
  expect(lanes.remove(b)).toBe(false);
});

test("the settings' limits: the host's own before its provider's before the default", () => {
  const limits = limitsOf({ default: 3, providers: { ganeti: 4 }, hosts: { gnt2: 1 } });
  expect(placeLimit(limits, "libvirt", "hv1")).toBe(3);
  expect(placeLimit(limits, "ganeti", "gnt1")).toBe(4);
  expect(placeLimit(limits, "ganeti", "gnt2")).toBe(1);
  expect(hostLimit(limits, "gnt1")).toBeNull();
  expect(hostLimit(limits, "gnt2")).toBe(1);
  expect(limitsOf().default).toBe(2);
});
