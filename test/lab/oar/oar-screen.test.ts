import { afterAll, beforeAll, expect, it } from "vitest";
import { keys } from "../../terminal.ts";
import { Teardown, until, virtuTerminal } from "../lab.ts";
import { type OarLab, oarLab } from "./oar.ts";

const teardown = new Teardown();
let lab: OarLab;
let home: string;

beforeAll(async () => {
  home = teardown.directory("oar-screen-home");
  lab = await oarLab(teardown);
  await lab.clear();
});
afterAll(async () => {
  await lab?.clear();
  await teardown.run();
});

it("reserves, sees the nodes, extends and releases with the keyboard alone", async () => {
  const screen = virtuTerminal(teardown, ["--site", "frontend"], { home, sshConfig: lab.sshConfig });
  await screen.waitFor("Reserve nodes");
  screen.press(keys.enter);
  // OAR's own count of the nodes.
  await screen.waitFor("4 of 4 free now");
  screen.press(keys.backspace, "2");
  await screen.waitFor("nodes=2,walltime=");
  screen.press(keys.enter);
  await screen.waitFor("This is what will be asked for");
  expect(await lab.alive()).toEqual([]);
  screen.press(keys.enter);
  await screen.waitFor(/paravance-1[\s\S]*paravance-2/, 60_000);
  const [jobId = 0] = await lab.alive();
  const job = await lab.job(jobId);
  expect(job).toMatchObject({ state: "Running", walltime: 7200, owner: lab.user });
  expect(job?.assigned_network_address).toHaveLength(2);

  screen.press("2");
  await screen.waitFor(new RegExp(`${jobId}.*[rR]unning`));
  screen.press("e");
  await screen.waitFor("asking what may be asked for").catch(() => {});
  await screen.waitFor("oarwalltime");
  screen.press("0:30", keys.enter);
  await until("OAR has granted it", async () => (await lab.job(jobId))?.walltime === 9000);
  await screen.waitFor(/30 min granted|granted/);

  screen.press(keys.escape);
  await screen.waitFor(new RegExp(`${jobId}.*[rR]unning`));
  screen.press("D");
  await screen.waitFor(/Release job/);
  expect((await lab.job(jobId))?.state).toBe("Running");
  screen.press(keys.right, keys.enter);
  await until("the job has ended", async () => (await lab.job(jobId))?.state === "Error");
  await screen.waitFor(/has ended|you released it/);
  screen.press("q");
  expect(await screen.exit).toBe(0);
}, 180_000);
