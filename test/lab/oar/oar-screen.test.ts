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
  teardown.add(() => lab.clear());
  await lab.clear();
});
afterAll(() => teardown.run());

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
  // It proposes half an hour, and knows what the site allows.
  await screen.waitFor("At most 2 h more");
  await screen.waitFor(`oarwalltime ${jobId} +0:30:00`);
  screen.press(keys.enter);
  await until("OAR has granted it", async () => (await lab.job(jobId))?.walltime === 9000);
  await screen.waitFor(/[Gg]ranted.*30 min/);

  await screen.waitFor("Esc goes back");
  screen.press(keys.escape);
  await screen.waitFor((lines) => !lines.join("\n").includes("How much"));
  screen.press("D");
  await screen.waitFor(/Release job/);
  expect((await lab.job(jobId))?.state).toBe("Running");
  screen.press(keys.down);
  await screen.waitFor(new RegExp(`❯ *Release job ${jobId}`));
  screen.press(keys.enter);
  await until("the job has ended", async () => (await lab.job(jobId))?.state === "Error");
  await screen.waitFor(/has ended|you released it/);
  screen.press("q");
  expect(await screen.exit).toBe(0);
}, 180_000);
