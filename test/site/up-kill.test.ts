import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, expect, test } from "vitest";
import { carryWay, listWays, readSource } from "../../source/journey/up.ts";
import { bundled, untilKilled } from "../child.ts";
import { briefly, type Opened, open } from "./site.ts";

let bundle: string;

beforeAll(async () => {
  bundle = await bundled("test/site/up-child.ts");
});

const plan = `
site: demo
nodes: 2
walltime: 2:00
deploy: {environment: debian12-min}
configure: {upgrade: false, pair: false, password: stdin}
install: {provider: ganeti, cluster: cluster1, storage: "lvm:/dev/sdb"}
instances: [{name: web, disk: 5g}]
`;

/** Goes the way in a process of its own until that kills itself. */
const killed = ({ embedded }: Opened, stopAt: string): Promise<void> =>
  untilKilled(bundle, [embedded.sshConfigFile, embedded.configDir, stopAt], plan);

async function goOn(opened: Opened) {
  const { context, site } = opened;
  const [way, ...others] = await listWays(context);
  expect(others).toEqual([]);
  expect(way?.view.state).toBe("interrupted");
  const source = await readSource(context, { way: way?.view.id ?? "" });
  const view = await carryWay(context, source, {
    site: () => site,
    pause: briefly,
    pace: { backOff: 50 },
    check: { pauseMs: 30 },
    password: async () => "correct horse battery",
  });
  return view;
}

/** What is so when the way was gone once and nothing was done twice. */
async function isWhole({ embedded, on }: Opened): Promise<void> {
  const { oar, testbed, clusters } = embedded.world;
  const mine = [...oar.jobs.values()].filter(({ name }) => name === "virtu");
  expect(mine.map(({ state }) => state)).toEqual(["Running"]);
  expect(testbed.nodes.filter(({ deployed }) => deployed !== null)).toHaveLength(2);
  expect((await on("ls -d .virtu/deployments/*")).stdout.trim().split("\n")).toHaveLength(1);
  const cluster = clusters.all().find(({ name }) => name === "cluster1");
  expect(cluster?.nodes).toHaveLength(2);
  expect(cluster?.instances.map(({ name, alive }) => ({ name, alive }))).toEqual([{ name: "web", alive: true }]);
}

/** Every file of the state directory, as one text. */
function kept(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), "latin1"))
    .join("\n");
}

/** One kill after the other, then to the end. */
async function throughKills(moments: readonly string[]): Promise<Opened> {
  const opened = await open({ nodes: 4 });
  for (const moment of moments) await killed(opened, moment);
  const view = await goOn(opened);
  expect(view.stages.map(({ id, state, text }) => `${id} ${/done|already/.test(state) ? "well" : text}`)).toEqual(
    ["reserve", "deploy", "configure", "install", "instances"].map((id) => `${id} well`),
  );
  await isWhole(opened);
  return opened;
}

test("killed in stage after stage: the way is gone on with, and nothing is done twice", async () => {
  await throughKills(["before-oarsub", "after-oarsub", "in-deployment", "in-packages", "after-add"]);
}, 90_000);

test("killed before and after the step that takes a secret: it is asked for again, and kept nowhere", async () => {
  const opened = await throughKills(["in-secret", "after-secret"]);
  expect(kept(opened.embedded.configDir)).not.toContain("correct horse battery");
}, 90_000);
