import { expect, test } from "vitest";
import { onItsWay } from "../../source/instances/ganeti-rows.ts";
import type { Instance } from "../../source/instances/types.ts";

const row = (status: Instance["status"], statusDetail: string) => ({ status, statusDetail }) as Instance;

test.each([
  ["ERROR_up", "INSTANCE_SHUTDOWN(web1) (job 41)", "running"],
  ["ERROR_down", "INSTANCE_STARTUP(web1) (job 42)", "stopped"],
  ["ERROR_down", "INSTANCE_REBOOT(web1) (job 43)", "stopped"],
  // Nobody puts these right.
  ["ERROR_up", null, "error"],
  ["ERROR_up", "TAGS_SET(web1) (job 44)", "error"],
  ["ERROR_nodedown", "INSTANCE_SHUTDOWN(web1) (job 45)", "error"],
] as const)("%s while %s is %s", (detail, job, status) => {
  expect(onItsWay(row("error", detail), job)).toMatchObject({ status, statusDetail: detail });
});
