/** The demo's last part: the same way once more by a file, again, and back; each outcome held against the site's own state. */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { VirtuError } from "../errors.ts";
import { carryWay, readSource, type UpOptions } from "../journey/up.ts";
import { downWay, planDown } from "../journey/up-down.ts";
import { stageLine } from "../journey/up-report.ts";
import type { WayView } from "../journey/up-types.ts";
import { agree, type Play } from "./demo-check.ts";

const cluster = "cluster2.demo";
const names = ["web1", "web2"];

const plan = (site: string) => `site: ${site}
nodes: 2
walltime: 1:00
deploy: {environment: debian12-min}
configure: {upgrade: false}
install: {provider: ganeti, cluster: ${cluster}, storage: "lvm:/dev/sdb"}
instances: [{name: web, count: 2, memory: 256m, disk: 5g}]
`;

/** Goes the whole way by a plan's file, twice, and takes it back. */
export async function playUp(play: Play): Promise<void> {
  const { app, site, embedded, signal, step, say } = play;
  step("All of it in one go, from a file");
  const file = path.join(embedded.configDir, "way.yaml");
  await writeFile(file, plan(site.name));
  const options: UpOptions = { site: (name) => app.site(name), signal, pace: { backOff: 200 } };
  const go = async () => {
    const view = await carryWay(app, await readSource(app, { file }), options);
    for (const stage of view.stages) say(stageLine(stage));
    if (view.state !== "done") throw notDone(view);
    return view;
  };
  const view = await go();
  const real = () => embedded.world.clusters.all().find((one) => one.name === cluster);
  agree("the job's state", embedded.world.oar.jobs.get(view.jobId ?? 0)?.state, "Running");
  agree(
    "the instances of the file",
    real()
      ?.instances.map(({ name }) => name)
      .sort(),
    names,
  );
  const jobs = embedded.world.oar.jobs.size;
  say("once more: nothing is left to do");
  const again = await go();
  agree("the stages of the second time", [...new Set(again.stages.map(({ state }) => state))], ["already"]);
  agree("the jobs after the second time", embedded.world.oar.jobs.size, jobs);
  const down = { ...options, keepJob: false };
  const source = await readSource(app, { file });
  const undoing = await planDown(app, source, down);
  await downWay(app, source, undoing, down);
  agree("the job is given back", embedded.world.oar.jobs.get(view.jobId ?? 0)?.state !== "Running", true);
  say(`taken back: ${undoing.losses.join("; ")}`);
}

function notDone(view: WayView): VirtuError {
  const stage = view.stages.find(({ state }) => state === "failed" || state === "needs-you");
  return new VirtuError({
    kind: "failed",
    what: `${view.title}: ${view.state}`,
    where: stage?.title,
    why: stage?.text,
  });
}
