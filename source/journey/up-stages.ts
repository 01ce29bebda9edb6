/** The stages of a way, in their order: the table that the engine goes through. */
import { configureStage } from "./up-configure.ts";
import { deployStage } from "./up-deploy.ts";
import { installStage } from "./up-install.ts";
import { instancesStage } from "./up-instances.ts";
import { reserveStage } from "./up-reserve.ts";
import type { Stage } from "./up-stage.ts";
import type { StageId, UpPlan } from "./up-types.ts";

const stages: readonly Stage[] = [reserveStage, deployStage, configureStage, installStage, instancesStage];

/** Those that a plan has. */
export function stagesOf(plan: UpPlan): Stage[] {
  return stages.filter((stage) => stage.isIn(plan));
}

export function titlesOf(plan: UpPlan): Map<StageId, string> {
  return new Map(stagesOf(plan).map(({ id, title }) => [id, title]));
}
