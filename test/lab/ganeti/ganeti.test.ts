import { afterAll, beforeAll, expect, test } from "vitest";
import { must, Teardown } from "../lab.ts";
import { type GanetiLab, openGaneti } from "./cluster.ts";

const teardown = new Teardown();
let lab: GanetiLab;

beforeAll(async () => {
  lab = await openGaneti(teardown);
});
afterAll(() => teardown.run());

test("up", async () => {
  const [a = "", ...b] = lab.network.prefix;
  console.log(await lab.master.exec("gnt-instance list; gnt-node list; gnt-job list"));
  console.log(await must(a, [...b, "ssh", "-F", lab.sshConfig, "node2", "hostname; gnt-cluster getmaster"]));
  console.log(await lab.ask("web1", "status"), await lab.job("3", "status,summary"));
  expect(1).toBe(1);
});
