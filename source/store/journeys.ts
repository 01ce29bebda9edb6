/**
 * The journeys that the screen starts, in one place, so that a test can hand in others. What carries one is loaded when it
 * is first used: the first frame waits for none of them.
 */
import { access } from "node:fs/promises";
import path from "node:path";
import type { ComparisonSummary } from "../journey/compare.ts";
import { runIds } from "../journey/run-store.ts";
import type { RunSummary } from "../journey/run-types.ts";
import type { Context } from "../journey/types.ts";
import type { WaySummary } from "../journey/up.ts";
import { wayIds } from "../journey/up-store.ts";

type Journey<A extends unknown[], R> = (...args: A) => Promise<R>;

/** A journey whose module is loaded at its first call. */
const late =
  <A extends unknown[], R>(load: () => Promise<Journey<A, R>>): Journey<A, R> =>
  async (...args) =>
    (await load())(...args);

const asking = () => import("../journey/ask-nodes.ts");
const compare = () => import("../journey/compare.ts");
const comparePlan = () => import("../journey/compare-plan.ts");
const deploy = () => import("../journey/deploy.ts");
const environments = () => import("../journey/environments.ts");
const jobs = () => import("../journey/jobs.ts");
const nodes = () => import("../journey/nodes.ts");
const reserve = () => import("../journey/reserve.ts");
const run = () => import("../journey/run.ts");
const up = () => import("../journey/up.ts");
const down = () => import("../journey/up-down.ts");

// These are asked for at every start, and most often there are none.
async function listComparisons(context: Pick<Context, "stateDir">): Promise<ComparisonSummary[]> {
  const any = await access(path.join(context.stateDir, "comparisons")).then(
    () => true,
    () => false,
  );
  return any ? (await compare()).listComparisons(context) : [];
}
async function listRuns(context: Pick<Context, "stateDir">): Promise<RunSummary[]> {
  return (await runIds(context)).length > 0 ? (await run()).listRuns(context) : [];
}
async function listWays(context: Pick<Context, "stateDir">): Promise<WaySummary[]> {
  return (await wayIds(context)).length > 0 ? (await up()).listWays(context) : [];
}

export const realJourneys = {
  askNodes: late(async () => (await asking()).askNodes),
  cancelDeployment: late(async () => (await deploy()).cancelDeployment),
  carryComparison: late(async () => (await compare()).carryComparison),
  carryWay: late(async () => (await up()).carryWay),
  cleanComparison: late(async () => (await compare()).cleanComparison),
  downWay: late(async () => (await down()).downWay),
  environmentVersions: late(async () => (await environments()).environmentVersions),
  extend: late(async () => (await jobs()).extend),
  extensionLimits: late(async () => (await jobs()).extensionLimits),
  findDeployments: late(async () => (await deploy()).findDeployments),
  followDeployment: late(async () => (await deploy()).followDeployment),
  freeNodes: late(async () => (await jobs()).freeNodes),
  jobAddresses: late(async () => (await import("../journey/job-addresses.ts")).jobAddresses),
  getJob: late(async () => (await jobs()).getJob),
  listComparisons,
  listEnvironments: late(async () => (await environments()).listEnvironments),
  listJobs: late(async () => (await jobs()).listJobs),
  listRuns,
  listWays,
  nodeFacts: late(async () => (await nodes()).nodeFacts),
  planComparison: late(async () => (await comparePlan()).planComparison),
  planDown: late(async () => (await down()).planDown),
  readSource: late(async () => (await up()).readSource),
  release: late(async () => (await jobs()).release),
  reserve: late(async () => (await reserve()).reserve),
  resumeRun: late(async () => (await run()).resumeRun),
  startDeployment: late(async () => (await deploy()).startDeployment),
  startRun: late(async () => (await run()).startRun),
};

export type Journeys = typeof realJourneys;
