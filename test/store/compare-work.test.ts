/** The comparison that the screen carries: one at a time, and taken back to its end when the screen goes. */
import { expect, test } from "vitest";
import type { ComparisonPlan } from "../../source/journey/compare-plan.ts";
import type { ComparisonView } from "../../source/journey/compare-types.ts";
import { fakeWorkspace } from "../ui/harness.tsx";

const setup = { tag: "x", places: [], also: [], uri: null, rounds: 1, count: 1, together: false, limitSeconds: 60 };
const plan: ComparisonPlan = {
  ...{ id: "c1", setup, places: [], problems: [], silent: [] },
  reach: { pool: {} as never, homes: new Map(), all: [], silent: new Map() },
};
const view: ComparisonView = {
  ...{ id: "c1", setup, state: "cancelled", startedAt: 1, endedAt: 2, samples: [], made: [], now: [] },
};
const wish = {} as never;

test("leaving the screen takes the comparison back and waits for its clean-up", async () => {
  let cleaned = false;
  let finish = () => {};
  const workspace = fakeWorkspace({
    journeys: {
      planComparison: async () => plan,
      carryComparison: (_context, _plan, { signal } = {}) =>
        new Promise((resolve) => {
          signal?.addEventListener("abort", () => {
            finish = () => {
              cleaned = true;
              resolve(view);
            };
          });
        }),
    },
  });
  await workspace.comparing.plan(wish);
  expect(workspace.comparing.start()).toBe("c1");
  expect(workspace.state.comparisons.running).toBe("c1");
  let left = false;
  const ended = workspace.end().then(() => {
    left = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(left).toBe(false);
  finish();
  await ended;
  expect(cleaned).toBe(true);
});

test("one at a time, each plan once; a newer question takes the place of an older one", async () => {
  const answers: ((value: ComparisonPlan) => void)[] = [];
  const workspace = fakeWorkspace({
    journeys: { planComparison: () => new Promise((resolve) => answers.push(resolve)) },
  });
  const { comparing } = workspace;
  expect(comparing.start()).toBeNull();
  const [first, second] = [comparing.plan(wish), comparing.plan(wish)];
  answers[1]?.({ ...plan, id: "new" });
  answers[0]?.({ ...plan, id: "old" });
  await Promise.all([first, second]);
  expect(workspace.state.comparisons.plan.value?.id).toBe("new");
  expect(comparing.start()).toBe("new");
  expect(comparing.start()).toBeNull();
});
