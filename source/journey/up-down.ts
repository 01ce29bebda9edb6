/** Takes a way back: the instances and the cluster that it has made, and its job. What is gone already is no failure. */
import { toVirtuError, VirtuError } from "../errors.ts";
import { count } from "../text.ts";
import { hasEnded } from "../tools/oar-jobs.ts";
import {
  clusterDestroyScript,
  clusterGoneCheck,
  ganetiGoneCheck,
  ganetiRemoveScript,
  libvirtGoneCheck,
  libvirtRemoveScript,
} from "../tools/take-back.ts";
import { defaultUri } from "../tools/virsh.ts";
import { cancelled } from "../waiting.ts";
import { newRunId } from "./detached.ts";
import { getJob, release, releaseCommands } from "./jobs.ts";
import { nodeRef } from "./nodes-ref.ts";
import type { Plan, PlanNode } from "./plan.ts";
import { cell, step, stepsOf } from "./plan-steps.ts";
import { findReserved } from "./reserve.ts";
import type { Context, Job } from "./types.ts";
import { OpenWay, openRuns, type UpSource } from "./up.ts";
import type { Learned } from "./up-model.ts";
import { cancelRun, carryAlone } from "./up-run.ts";
import type { UpOptions } from "./up-stage.ts";
import { readWay } from "./up-store.ts";
import type { StageId, UpPlan, WayView } from "./up-types.ts";

/** What taking back would do, in the order in which it is done. */
export interface Undoing {
  /** A sentence each, for the question. */
  losses: string[];
  /** What stays though the way has brought it. */
  stays: string[];
  /** On the nodes, where they are kept; null: nothing, or the job takes all with it. */
  plan: Plan | null;
  /** The job that is released; null: none. */
  jobId: number | null;
  /** The exact lines of the release. */
  commands: string[];
}

/** The running job of a way, or null: it has none, or that has ended or is unknown by now. */
async function jobOf(context: Context, plan: UpPlan, learned: Learned, options: UpOptions): Promise<Job | null> {
  const { nodes } = plan;
  if (nodes.kind === "hosts") return null;
  const { signal } = options;
  const site = options.site(nodes.site);
  let jobId = nodes.kind === "job" ? nodes.jobId : learned.jobId;
  // A virtu that was killed may have sent its request and not have heard of its job.
  if (jobId === null && nodes.kind === "reserve" && learned.asked) {
    jobId = await findReserved(context, site, nodes.request, learned.asked, { signal });
  }
  if (jobId === null) return null;
  try {
    const job = await getJob(context, site, jobId, { signal, priority: "user" });
    return hasEnded(job.state) ? null : job;
  } catch (thrown) {
    if (toVirtuError(thrown).kind === "refused") return null;
    throw thrown;
  }
}

/**
 * What `downWay` would do now. Rejects when the frontend does not answer: then nobody knows what is left.
 * @param keepJob The job and its nodes stay; what was made on them is taken away.
 */
export async function planDown(
  context: Context,
  source: UpSource,
  options: UpOptions & { keepJob: boolean },
): Promise<Undoing> {
  const none: Undoing = { losses: [], stays: [], plan: null, jobId: null, commands: [] };
  if (source.id === null) return none;
  const { learned } = await readWay(context, source.id);
  const { nodes, install } = source.plan;
  const job = await jobOf(context, source.plan, learned, options);
  if (nodes.kind !== "hosts" && job === null) return none;
  const made = learned.begun.length > 0 ? `instances ${learned.begun.join(", ")}, with their disks` : null;
  const cluster = install?.provider === "ganeti" && learned.master !== null ? `the cluster ${install.cluster}` : null;
  if (job !== null && !options.keepJob) {
    const with_ = [cluster, made].filter((text) => text !== null);
    const losses = [`job ${job.jobId}: ${count(job.nodes.length, "node")} with all that is on them`, ...with_];
    return { ...none, losses, jobId: job.jobId, commands: releaseCommands(job.jobId).map(({ line }) => line) };
  }
  const plan = undoPlan(context, source, learned, { options, job });
  return {
    ...none,
    losses: [made, cluster].filter((text) => text !== null),
    stays: ["packages, storage, bridge and configuration of the nodes"],
    plan,
  };
}

/** Removes what was made on the nodes; null: there is nothing. */
function undoPlan(
  context: Context,
  { plan }: UpSource,
  learned: Learned,
  { options, job }: { options: UpOptions; job: Job | null },
): Plan | null {
  const { install, nodes } = plan;
  const hostOf = (name: string): PlanNode =>
    nodes.kind === "hosts" || job === null
      ? { name, host: { name, user: "root" } }
      : { name, host: nodeRef(context, options.site(nodes.site), job.jobId, name) };
  const { begun, master } = learned;
  const isGaneti = install?.provider === "ganeti";
  const on = (isGaneti ? learned.installed.filter((name) => name === master) : learned.installed).map(hostOf);
  const drafts = [
    step({
      id: "instances",
      title: `Remove the instances ${begun.join(", ")}`,
      why: "The way has made them.",
      changes: "The instances end at once and are gone, with their disks.",
      limitSeconds: 1800,
      usualSeconds: 20,
      cells:
        begun.length === 0
          ? []
          : on.map(({ name }) => [
              name,
              isGaneti
                ? cell(ganetiGoneCheck(begun), ganetiRemoveScript(begun))
                : cell(libvirtGoneCheck(defaultUri, begun), libvirtRemoveScript(defaultUri, begun)),
            ]),
    }),
    step({
      id: "cluster",
      title: "Destroy the cluster",
      why: "The way has made it.",
      changes: "Every node leaves it. Instances that others have made keep it from being destroyed.",
      needs: ["instances"],
      limitSeconds: 1800,
      usualSeconds: 20,
      cells: isGaneti
        ? on.map(({ name }) => [name, cell(clusterGoneCheck(install.cluster), clusterDestroyScript())])
        : [],
    }),
  ];
  const steps = stepsOf(drafts);
  if (on.length === 0 || steps.length === 0) return null;
  return {
    kind: "take-back",
    title: `take back what was made on ${count(on.length, "node")}`,
    site: nodes.kind === "hosts" ? null : nodes.site,
    jobId: job?.jobId ?? null,
    nodes: on,
    steps,
    minimum: on.length,
  };
}

const madeOnNodes: readonly StageId[] = ["install", "instances"];

/**
 * Does what `planDown` says. Rejects when something can't be taken back, with what to do: it can be called again. The way is
 * closed when its job has gone, so that its file begins a new one.
 */
export async function downWay(
  context: Context,
  source: UpSource,
  undoing: Undoing,
  options: UpOptions & { keepJob: boolean },
): Promise<WayView> {
  const way = await OpenWay.open(context, source, options);
  const signal = options.signal ?? new AbortController().signal;
  const say = (text: string, stage: StageId) => options.onNote?.(text, stage);
  try {
    const { nodes } = source.plan;
    await endRuns(context, way, options, undoing.plan !== null);
    if (undoing.plan) {
      const id = newRunId("take-back");
      const carry = options.carryRun ?? carryAlone;
      const view = await carry(
        context,
        { id, plan: undoing.plan },
        {
          signal,
          takeLock: options.takeLock,
          pace: options.pace,
          onNotice: (text) => say(text, "instances"),
          onView: (now) => options.onRun?.(now, "instances"),
        },
      );
      if (view.state !== "done") throw notDone(view.problem ?? view.state, id);
    }
    const emptied: Partial<Learned> = { begun: [], made: [], installed: [], master: null };
    const isGone = undoing.jobId !== null || (nodes.kind !== "hosts" && undoing.plan === null && !options.keepJob);
    if (undoing.jobId !== null && nodes.kind !== "hosts") {
      const job = await release(context, options.site(nodes.site), undoing.jobId, {
        signal,
        pause: options.pause,
        onState: ({ state }) => say(`job ${undoing.jobId}: ${state}`, "reserve"),
      });
      options.onJob?.(job);
    }
    await way.keep({ kind: "learned", what: emptied });
    await way.keep({
      kind: "undone",
      stages: isGone ? ["reserve", "deploy", "configure", ...madeOnNodes] : madeOnNodes,
    });
    await way.keep({ kind: "over", state: "undone", closed: isGone || nodes.kind === "hosts" });
    return way.view();
  } catch (thrown) {
    if (signal.aborted) throw cancelled();
    throw thrown;
  } finally {
    await way.close();
  }
}

/** Runs of the way that are open hold its nodes, and would only fail when these are gone. */
async function endRuns(context: Context, way: OpenWay, options: UpOptions, nodesStay: boolean): Promise<void> {
  for (const id of await openRuns(context, way.facts.learned)) {
    if (nodesStay) await cancelRun(context, id, options);
    else await cancelRun(context, id, options).catch(() => undefined);
  }
}

function notDone(why: string, id: string): VirtuError {
  return new VirtuError({
    kind: "failed",
    what: "Not all could be taken back",
    why,
    hint: `virtu runs ${id} shows it; virtu down goes on once that is mended.`,
  });
}
