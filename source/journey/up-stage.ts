/** What every stage of a way is given and gives. */
import type { VirtuError } from "../errors.ts";
import type { Pause } from "../waiting.ts";
import type { FollowOptions } from "./deploy.ts";
import { nodeRef } from "./nodes-ref.ts";
import type { PlanNode, RunView } from "./plan.ts";
import type { RunOptions } from "./run-types.ts";
import type { Context, Deployment, Job, Site } from "./types.ts";
import type { Learned, StageEnd } from "./up-model.ts";
import type { RunCarrier } from "./up-run.ts";
import type { StageId, UpMinimum, UpPassword, UpPlan, WayView } from "./up-types.ts";

export interface UpOptions {
  /** Ends the following; jobs, deployments and runs go on, and the way is found again. */
  signal?: AbortSignal;
  /** A site by its name. */
  site: (name: string) => Site;
  /** Told of every change. */
  onView?: (view: WayView) => void;
  /** What happens besides, a sentence at a time. */
  onNote?: (text: string, stage: StageId) => void;
  /** What the stages see of the job, the deployment and their runs. */
  onJob?: (job: Job) => void;
  onDeployment?: (deployment: Deployment) => void;
  onRun?: (view: RunView, stage: StageId) => void;
  /** Root's password, where the plan says that it comes from somebody; null: nobody gives one. */
  password?: (from: Exclude<UpPassword, "generate">, signal: AbortSignal) => Promise<string | null>;
  /** The password that virtu made, in force on some node by now. Told once, kept nowhere. */
  onPassword?: (password: string) => void;
  /** Who carries the runs; by default they are followed until they need somebody, and failed steps are tried again. */
  carryRun?: RunCarrier;
  engine?: RunOptions["engine"];
  takeLock?: boolean;
  clock?: () => number;
  /** Pauses; for tests. */
  pause?: Pause;
  /** For how long the job of a reservation is looked for whose sender was killed. */
  searchMs?: number;
  pace?: RunOptions["pace"];
  link?: FollowOptions["link"];
  check?: FollowOptions["check"];
}

/** What a stage works with. `learned` is always the newest. */
export interface Walk {
  readonly context: Context;
  readonly id: string;
  readonly plan: UpPlan;
  readonly options: UpOptions;
  readonly signal: AbortSignal;
  readonly learned: Learned;
  /** The running job, once the first stage has it. */
  job: Job | null;
  /** On disk when it resolves. */
  learn(what: Partial<Learned>): Promise<void>;
  /** What the stage does now, in a line. */
  say(text: string): void;
}

export interface Stage {
  readonly id: StageId;
  readonly title: string;
  /** Whether the plan has it. */
  isIn(plan: UpPlan): boolean;
  /** It is looked at each time the way is carried on: what it stands for may be gone. */
  readonly always?: boolean;
  /** Does it, or finds it done. Rejects with a `VirtuError`, which ends the way here. */
  carry(walk: Walk): Promise<StageEnd>;
}

export const ended = (state: StageEnd["state"], text: string, hint: string | null = null): StageEnd => ({
  state,
  text,
  hint,
});

/** An error as the end of a stage. */
export function failedBy(error: VirtuError): StageEnd {
  const where = error.where ? `${error.where}: ` : "";
  return ended("failed", `${where}${error.what}${error.why ? `: ${error.why}` : ""}`, error.hint ?? null);
}

/** How many of so many nodes are enough. */
export function enough(minimum: UpMinimum | null, nodes: number): number {
  if (minimum === null) return nodes;
  const wanted = minimum.kind === "nodes" ? minimum.nodes : Math.ceil(minimum.share * nodes);
  return Math.max(1, Math.min(wanted, nodes));
}

/** All nodes that the plan is about, in their order, as the pool takes them. */
export function allNodes({ context, plan, options, job }: Walk): PlanNode[] {
  const { nodes } = plan;
  if (nodes.kind === "hosts") return nodes.names.map((name) => ({ name, host: { name, user: "root" } }));
  const site = options.site(nodes.site);
  return (job?.nodes ?? []).map((name) => ({
    name,
    host: nodeRef(context, site, job?.jobId ?? 0, name),
  }));
}

/** Those that are up, and that no run has left out. */
export function goodNodes(walk: Walk): PlanNode[] {
  const { plan, learned } = walk;
  return allNodes(walk).filter(
    ({ name }) => (!plan.deploy || learned.deployed.includes(name)) && !learned.out.includes(name),
  );
}
