/** The main job in plain lines, each outcome held against what the embedded site really did. */
import { VirtuError } from "../errors.ts";
import { createInventory, type Inventory } from "../instances/inventory.ts";
import type { PlainActionName } from "../instances/types.ts";
import { deploy } from "../journey/deploy.ts";
import { deployNews } from "../journey/deploy-news.ts";
import { listEnvironments } from "../journey/environments.ts";
import { extend, release } from "../journey/jobs.ts";
import { nodeFacts } from "../journey/nodes.ts";
import { reserve, reserveCommand } from "../journey/reserve.ts";
import type { Deployment, Job, ReserveRequest } from "../journey/types.ts";
import type { EmbeddedSite } from "../site/index.ts";
import { clock, count } from "../text.ts";
import { agree, type Play } from "./demo-check.ts";
import { configureNodes, installGaneti } from "./demo-journeys.ts";
import { playUp } from "./demo-up.ts";
import { type ExitStatus, exit, type Session } from "./run.ts";

/** So many nodes are named; of more, the number. */
const shown = 8;

function shorten(names: readonly string[]): string {
  return names.length > shown
    ? `${names.slice(0, shown).join(", ")} and ${names.length - shown} more`
    : names.join(", ");
}

const environmentName = "debian12-min";

/**
 * @param nodes So many are reserved, if the site has them.
 * @param again The same way once more by a file: with trouble that was asked for, it is the main job that is to be seen.
 */
export async function playMainJob(
  session: Session,
  embedded: EmbeddedSite,
  { site: siteName, nodes, again }: { site: string; nodes: number; again: boolean },
): Promise<ExitStatus> {
  const began = Date.now();
  const line = (text: string) => session.out.record({ text }, text);
  let number = 0;
  const play: Play = {
    ...session,
    embedded,
    nodes: Math.min(nodes, embedded.nodes.length),
    site: session.app.site(siteName),
    step: (title) => {
      number += 1;
      line(`${number}. ${title}`);
    },
    say: (text) => line(`   ${clock((Date.now() - began) / 1000)}  ${text}`),
  };
  const job = await reserveNodes(play);
  await chooseEnvironment(play);
  await deployNodes(play, job);
  await lookAtNodes(play, job);
  await installGaneti(play, job, await configureNodes(play, job));
  await driveInstances(play);
  await prolong(play, job);
  await giveBack(play, job);
  if (again) await playUp(play);
  line(`All of it worked, in ${clock((Date.now() - began) / 1000)}.`);
  return exit.done;
}

async function reserveNodes({ app, site, embedded, nodes, signal, step, say }: Play): Promise<Job> {
  const request: ReserveRequest = { nodes, walltimeSeconds: 7200, subnet: 22, name: "virtu" };
  step(`Reserve ${count(nodes, "node")} on ${embedded.frontend}`);
  say(reserveCommand(request).line);
  const job = await reserve(app, site, request, {
    signal,
    onEvent: ({ kind, text }) => {
      if (kind !== "submitting") say(text);
    },
  });
  const real = embedded.world.oar.jobs.get(job.jobId);
  agree("the job's state", job.state, real?.state);
  agree("the job's nodes", [...job.nodes].sort(), real?.nodes.map(({ name }) => name).sort());
  agree("the number of nodes", job.nodes.length, nodes);
  say(`${shorten(job.nodes)}${job.subnet ? ` and the subnet ${job.subnet}` : ""}`);
  return job;
}

async function chooseEnvironment({ app, site, signal, step, say }: Play): Promise<void> {
  step("Choose an environment");
  const { environments, problem } = await listEnvironments(app, site, { signal });
  if (problem) throw problem;
  const images = environments.filter(({ kind }) => kind === "image").length;
  say(`${count(environments.length - images, "recorded environment")}, ${count(images, "image file")}`);
  const chosen = environments.find(({ kind, name }) => kind === "environment" && name === environmentName);
  if (!chosen) throw new VirtuError({ kind: "failed", what: `${environmentName} is not among the environments` });
  say(`${chosen.name} ${chosen.version}: ${chosen.description}`);
}

async function deployNodes({ app, site, embedded, signal, step, say }: Play, job: Job): Promise<void> {
  step(`Deploy ${environmentName} on ${count(job.nodes.length, "node")}`);
  const news = deployNews();
  const tell = (deployment: Deployment) => {
    for (const text of news(deployment)) say(text);
  };
  const environment = { kind: "environment", name: environmentName } as const;
  const request = { jobId: job.jobId, nodes: job.nodes, environment, minimum: job.nodes.length, retries: 2 };
  const result = await deploy(app, site, request, { signal, onUpdate: tell, onNotice: say });
  const real = embedded.world.testbed.nodes.filter(({ deployed }) => deployed?.environment === environmentName);
  agree("the deployed nodes", [...result.deployed].sort(), real.map(({ name }) => name).sort());
  say(
    `${result.deployed.length} of ${count(job.nodes.length, "node")} deployed in ${count(result.attempts, "attempt")}`,
  );
  const lost = [
    ...result.failed.map(({ node, reason }) => `${node}: ${reason}`),
    ...result.missing.map((node) => `${node}: missing`),
  ];
  if (lost.length > 0)
    throw new VirtuError({ kind: "failed", what: `${count(lost.length, "node")} not deployed`, why: lost.join("; ") });
}

async function lookAtNodes({ app, site, signal, step, say }: Play, job: Job): Promise<void> {
  step("Look at the nodes");
  const facts = await nodeFacts(app, site, job, { signal });
  for (const node of facts.slice(0, shown)) {
    say(
      `${node.name}  ${node.state}  ${node.os ?? "?"}, ${node.kernel ?? "?"}, ${node.cpus ?? "?"} CPUs, ${node.memoryMiB ?? "?"} MiB`,
    );
  }
  if (facts.length > shown) say(`and ${facts.length - shown} more`);
  agree(
    "the nodes that answer",
    facts.map(({ state }) => state),
    job.nodes.map(() => "reachable"),
  );
}

interface Turn {
  action: PlainActionName;
  name: string;
  /** Whether it runs afterwards. */
  runs: boolean;
}

const turns: readonly Turn[] = [
  { action: "start", name: "db2.demo", runs: true },
  { action: "shutdown", name: "web2.demo", runs: false },
  { action: "reboot", name: "mail.demo", runs: true },
  { action: "start", name: "old-wiki", runs: true },
  { action: "shutdown", name: "vpn", runs: false },
  { action: "reboot", name: "git", runs: true },
  { action: "force-off", name: "staging", runs: false },
];

async function driveInstances(play: Play): Promise<void> {
  const { app, embedded, signal, step } = play;
  step(`Drive the instances of ${embedded.hosts.join(", ")}`);
  const inventory = createInventory({ pool: app.pool, hosts: embedded.hosts.map((name) => ({ name })) });
  try {
    await inventory.refresh(undefined, { signal });
    showInstances(play, inventory);
    for (const turn of turns) await takeTurn(play, inventory, turn);
  } finally {
    inventory.end();
  }
}

function showInstances({ embedded, say }: Play, inventory: Inventory): void {
  const { hosts, instances, nodes } = inventory.view();
  const silent = hosts.find(({ state }) => state !== "ok");
  if (silent) {
    throw silent.error ?? new VirtuError({ kind: "failed", what: "The host did not answer", where: silent.host });
  }
  const { ganeti, libvirt, xen, xenPool } = embedded.world;
  const guests = [...ganeti.instances, ...libvirt.flatMap(({ domains }) => domains), ...xen.files, ...xenPool.guests];
  const real = guests.map(({ name }) => name);
  agree("the instances", instances.map(({ name }) => name).sort(), real.sort());
  const running = instances.filter(({ status }) => status === "running").length;
  say(`${count(instances.length, "instance")}, ${running} running, on ${count(nodes.length, "host")}`);
}

/** Whether the site has it running, whoever provides it. */
function reallyRuns({ embedded }: Play, name: string): boolean | undefined {
  const { ganeti, libvirt } = embedded.world;
  const domain = libvirt.flatMap(({ domains }) => domains).find((one) => one.name === name);
  return domain ? domain.state === "running" : ganeti.instances.find((one) => one.name === name)?.alive;
}

async function takeTurn(play: Play, inventory: Inventory, { action, name, runs }: Turn): Promise<void> {
  const instance = inventory.view().instances.find((one) => one.name === name);
  if (!instance) throw new VirtuError({ kind: "failed", what: `${name} is not in the table` });
  const [item] = await inventory.act({ do: action }, [instance.key], { signal: play.signal }).done;
  const job = item?.job ? `, Ganeti job ${item.job}` : "";
  play.say(`${action} ${name}: ${item?.state}, ${item?.statusBefore} → ${item?.statusAfter}${job}`);
  if (item?.state !== "done") {
    throw new VirtuError({
      kind: "failed",
      what: `${action} of ${name} ended as ${item?.state}`,
      why: item?.error ?? undefined,
      detail: item?.detail ?? undefined,
    });
  }
  agree(`${name} after its ${action}`, item.statusAfter, runs ? "running" : "stopped");
  agree(`${name} after its ${action}`, reallyRuns(play, name), runs);
}

async function prolong({ app, site, embedded, signal, step, say }: Play, job: Job): Promise<void> {
  step("Extend the job by half an hour");
  const { walltime, granted, pending } = await extend(app, site, job.jobId, "+0:30:00", { signal });
  say(`walltime ${clock(walltime)}, granted ${clock(granted)}, pending ${clock(pending)}`);
  agree("the walltime", walltime, embedded.world.oar.jobs.get(job.jobId)?.walltime);
  agree("the walltime granted", granted, 1800);
}

async function giveBack({ app, site, embedded, signal, step, say }: Play, job: Job): Promise<void> {
  step("Release the job");
  const ended = await release(app, site, job.jobId, { signal });
  agree("the job's end", ended.state, embedded.world.oar.jobs.get(job.jobId)?.state);
  agree("the nodes given back", embedded.world.testbed.nodes.filter(({ deployed }) => deployed !== null).length, 0);
  say(`job ${job.jobId} is over: ${ended.end?.text ?? ended.state}`);
}
