import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { withPatience } from "../../source/instances/ganeti-patience.ts";
import type { ActionEvent, ActionOutcome } from "../../source/instances/types.ts";

const done: ActionOutcome = { ok: true, job: "41", text: "Ganeti job 41 done", error: null, detail: null };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A shutdown whose guest takes so many seconds, after the job has waited as long as it says. */
async function shutDown(seconds: number, { limitSeconds, waits = 0 }: { limitSeconds?: number; waits?: number } = {}) {
  const texts: string[] = [];
  const onEvent = ({ text }: ActionEvent) => texts.push(text);
  const work = withPatience({ limitSeconds, onEvent }, async (tell) => {
    tell({ text: "the connection broke: looking whether Ganeti has the job" });
    await vi.advanceTimersByTimeAsync(waits * 1000);
    tell({ text: "Ganeti job 41", job: "41" });
    await vi.advanceTimersByTimeAsync(seconds * 1000);
    return done;
  });
  return { outcome: await work, texts: texts.slice(2) };
}

test("a guest that shuts down in time is no matter for words", async () => {
  expect(await shutDown(10)).toEqual({ outcome: done, texts: [] });
});

test("one that takes long: what comes is said, and in the end what has come", async () => {
  const said = "it has not shut down yet: Ganeti forces it off after 120 s";
  expect(await shutDown(60)).toEqual({ outcome: done, texts: [said] });
  const { outcome, texts } = await shutDown(125);
  expect(outcome).toMatchObject({ ok: true, text: "Ganeti forced it off: it had not shut down after 120 s" });
  expect(texts).toEqual([said]);
});

test("the limit that was given counts, from the job on", async () => {
  const { outcome, texts } = await shutDown(5, { limitSeconds: 4 });
  expect(outcome.text).toBe("Ganeti forced it off: it had not shut down after 4 s");
  expect(texts).toEqual([]);
  expect((await shutDown(3, { limitSeconds: 4, waits: 60 })).outcome).toEqual(done);
});
