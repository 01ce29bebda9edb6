/** The way's first stage: a job that runs. It is looked at each time, as a job may end at any moment. */
import { toVirtuError, VirtuError } from "../errors.ts";
import { count, momentText } from "../text.ts";
import { cancelled, pause } from "../waiting.ts";
import { findReserved, followJob, type ReserveEvent, reserve } from "./reserve.ts";
import type { Job, Site } from "./types.ts";
import type { StageEnd } from "./up-model.ts";
import { ended, type Stage, type Walk } from "./up-stage.ts";

/** Milliseconds for which a job may yet come of a request whose sender is gone: oarsub goes on by itself for some seconds. */
const usualSearchMs = 20_000;
const searchEvery = 1500;

export const reserveStage: Stage = {
  id: "reserve",
  title: "Reserve the nodes",
  isIn: ({ nodes }) => nodes.kind !== "hosts",
  always: true,
  carry: reserveNodes,
};

async function reserveNodes(walk: Walk): Promise<StageEnd> {
  const { nodes } = walk.plan;
  if (nodes.kind === "hosts") return ended("already", "");
  const site = walk.options.site(nodes.site);
  const known = nodes.kind === "job" ? nodes.jobId : (walk.learned.jobId ?? (await reserved(walk, site)));
  // Until the job is noted as running, it is one that this way still makes.
  const fresh = known === null || walk.learned.asked !== null;
  const job = known === null ? await submit(walk, site) : await follow(walk, site, known);
  walk.job = job;
  walk.options.onJob?.(job);
  if (fresh || walk.learned.jobId !== job.jobId) await walk.learn({ jobId: job.jobId, asked: null });
  // Kept with the way, and read at any time: when it ends, not how long that is yet.
  const until = job.endsAt === null ? "" : `, until ${momentText(job.endsAt, Date.now() / 1000)}`;
  const subnet = job.subnet === null ? "" : `, subnet ${job.subnet}`;
  const text = `job ${job.jobId} runs on ${count(job.nodes.length, "node")}${subnet}${until}`;
  return ended(fresh ? "done" : "already", text);
}

const tell = (walk: Walk) => (event: ReserveEvent) => {
  walk.say(event.text);
  if (event.job) walk.options.onJob?.(event.job);
  // Also when OAR puts the job in again under another number.
  if (event.jobId !== null && event.jobId !== walk.learned.jobId) void walk.learn({ jobId: event.jobId });
};

async function submit(walk: Walk, site: Site): Promise<Job> {
  const { plan, context, signal, options } = walk;
  if (plan.nodes.kind !== "reserve") throw cancelled();
  return reserve(context, site, plan.nodes.request, {
    signal,
    pause: options.pause,
    onEvent: tell(walk),
    onSubmit: (before) => walk.learn({ asked: before }),
  });
}

/** The job that an earlier virtu has asked for and not heard of any more. */
async function reserved(walk: Walk, site: Site): Promise<number | null> {
  const { asked } = walk.learned;
  const { nodes } = walk.plan;
  if (asked === null || nodes.kind !== "reserve") return null;
  walk.say("looking for the job of the reservation that was interrupted");
  const sleep = walk.options.pause ?? pause;
  for (;;) {
    const found = await findReserved(walk.context, site, nodes.request, asked, { signal: walk.signal });
    if (found !== null) {
      await walk.learn({ jobId: found });
      return found;
    }
    // The frontend's clock is what the note was made by; a difference of some seconds only makes this longer or shorter.
    if (Date.now() / 1000 - asked.now > (walk.options.searchMs ?? usualSearchMs) / 1000) return null;
    await sleep(searchEvery, walk.signal);
  }
}

async function follow(walk: Walk, site: Site, jobId: number): Promise<Job> {
  try {
    return await followJob(walk.context, site, jobId, {
      signal: walk.signal,
      pause: walk.options.pause,
      onEvent: tell(walk),
    });
  } catch (thrown) {
    const error = toVirtuError(thrown);
    if (walk.signal.aborted || (error.kind !== "refused" && error.kind !== "failed")) throw error;
    const { what, where, why, detail } = error;
    const again =
      walk.plan.nodes.kind === "job"
        ? "Name another job in the file."
        : "Its nodes are gone, and all that was on them: virtu down forgets it, then virtu up reserves anew.";
    throw new VirtuError({ kind: "refused", what, where, why, detail, hint: again });
  }
}
