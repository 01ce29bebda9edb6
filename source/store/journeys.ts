/** The journeys that the screen starts, in one place, so that a test can hand in others. */
import { askNodes } from "../journey/ask-nodes.ts";
import { carryComparison, cleanComparison, listComparisons } from "../journey/compare.ts";
import { planComparison } from "../journey/compare-plan.ts";
import { cancelDeployment, findDeployments, followDeployment, startDeployment } from "../journey/deploy.ts";
import { environmentVersions, listEnvironments } from "../journey/environments.ts";
import { extend, extensionLimits, freeNodes, getJob, listJobs, release } from "../journey/jobs.ts";
import { nodeFacts } from "../journey/nodes.ts";
import { reserve } from "../journey/reserve.ts";
import { listRuns, resumeRun, startRun } from "../journey/run.ts";
import { carryWay, listWays, readSource } from "../journey/up.ts";
import { downWay, planDown } from "../journey/up-down.ts";
import { makeFirst } from "../journey/up-instances.ts";

export const realJourneys = {
  askNodes,
  cancelDeployment,
  carryComparison,
  carryWay,
  cleanComparison,
  downWay,
  environmentVersions,
  extend,
  extensionLimits,
  findDeployments,
  followDeployment,
  freeNodes,
  getJob,
  listComparisons,
  listEnvironments,
  listJobs,
  listRuns,
  listWays,
  makeFirst,
  nodeFacts,
  planComparison,
  planDown,
  readSource,
  release,
  reserve,
  resumeRun,
  startDeployment,
  startRun,
};

export type Journeys = typeof realJourneys;
