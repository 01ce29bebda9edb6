/** What a way would do, stage by stage, with every command that can be known before the nodes are there. */
import { libvirtSteps, stepLine } from "../instances/create-libvirt-steps.ts";
import { count } from "../text.ts";
import { addCommand } from "../tools/ganeti-create.ts";
import { defaultUri } from "../tools/virsh.ts";
import { deployCommandPreview } from "./deploy.ts";
import { ganetiPackagesFor } from "./install-ganeti.ts";
import { reserveCommand } from "./reserve.ts";
import { requestsOf } from "./up-requests.ts";
import { stagesOf } from "./up-stages.ts";
import type { StageId, UpConfigure, UpGaneti, UpLibvirt, UpPlan } from "./up-types.ts";
import { readDuration } from "./walltime.ts";

export interface StagePreview {
  stage: StageId;
  title: string;
  /** Sentences about it. */
  notes: string[];
  /** The exact lines that run; `NODE1` and so on stand for nodes that are not known yet. */
  commands: string[];
}

export function previewUp(plan: UpPlan): StagePreview[] {
  return stagesOf(plan).map(({ id, title }) => ({ stage: id, title, ...parts[id](plan) }));
}

type Part = Pick<StagePreview, "notes" | "commands">;

const later = "The nodes are asked first; every command is planned by what they say and kept with the run.";

const parts: Record<StageId, (plan: UpPlan) => Part> = {
  reserve: ({ nodes }) => {
    if (nodes.kind === "job") return { notes: [`job ${nodes.jobId} of ${nodes.site}, once it runs`], commands: [] };
    if (nodes.kind === "hosts") return { notes: [], commands: [] };
    const { request, site } = nodes;
    const long = readDuration(request.walltimeSeconds);
    return {
      notes: [`${count(request.nodes, "node")} of ${site} for ${long}`],
      commands: [reserveCommand(request).line],
    };
  },
  deploy: ({ deploy, nodes }) => {
    if (!deploy) return { notes: [], commands: [] };
    const jobId = nodes.kind === "job" ? nodes.jobId : 0;
    const { environment, key, retries } = deploy;
    const request = { jobId, nodes: ["NODE1"], environment, keyFile: key ?? undefined, minimum: 1, retries };
    return { notes: ["all that is on the nodes is erased"], commands: deployCommandPreview(request) };
  },
  configure: ({ configure }) => ({ notes: configure ? [...configureNotes(configure), later] : [], commands: [] }),
  install: ({ install }) => ({
    notes: install ? [...(install.provider === "ganeti" ? ganetiNotes(install) : libvirtNotes(install)), later] : [],
    commands: [],
  }),
  instances: (plan) => ({
    notes: plan.instances.map(({ name, vcpus, memoryMiB, disksGiB }) => {
      const disks = disksGiB.length === 0 ? "no disk" : `${disksGiB.join(" + ")} GiB`;
      return `${name}: ${vcpus} CPU, ${memoryMiB} MiB, ${disks}`;
    }),
    commands: instanceCommands(plan),
  }),
};

function configureNotes(configure: UpConfigure): string[] {
  const { keys, pair, copyKey, upgrade, password, timezone, locale, run, scripts } = configure;
  return [
    keys.length > 0 ? `keys let in as root: ${keys.join(", ")}` : "",
    pair ? "a key pair among the nodes" : "",
    copyKey ? `your private key ${copyKey} is copied onto every node` : "",
    upgrade ? "all packages upgraded" : "packages left as they are",
    password === null ? "" : `root's password: ${password === "generate" ? "made, and shown once" : password}`,
    timezone ? `time zone ${timezone}` : "",
    locale ? `locale ${locale}` : "",
    ...[...run, ...scripts].map((text) => `runs ${text}`),
  ].filter(Boolean);
}

function ganetiNotes(install: UpGaneti): string[] {
  const { cluster, address, hypervisors, storage, group, disks, erase, bridge, systems } = install;
  const kind = storage.split(":")[0] as "lvm" | "file" | "diskless";
  const packages = ganetiPackagesFor({ hypervisors, systems, storage: { kind } });
  return [
    `cluster ${cluster}${address ? ` at ${address}` : ""}, ${hypervisors.join(", ")}, storage ${storage}${kind === "lvm" ? ` in ${group}` : ""}`,
    disks.length > 0 ? `disks: ${disks.join(", ")}` : "",
    erase.length > 0 ? `erased: ${erase.join(", ")}` : "",
    bridge ? `bridge ${bridge}` : "",
    `packages ${packages.join(" ")}`,
  ].filter(Boolean);
}

function libvirtNotes({ users, pool }: UpLibvirt): string[] {
  return [`libvirt, storage pool default in ${pool}`, users.length > 0 ? `usable by ${users.join(", ")}` : ""].filter(
    Boolean,
  );
}

function instanceCommands(plan: UpPlan): string[] {
  return requestsOf(plan, nodeNames(plan)).flatMap((request) => {
    if (request.provider === "ganeti") return [addCommand({ directory: "", sudo: false }, request, null).line];
    return request.provider === "libvirt" ? libvirtSteps(defaultUri, request, null).map(stepLine) : [];
  });
}

function nodeNames({ nodes }: UpPlan): string[] {
  if (nodes.kind === "hosts") return [...nodes.names];
  const many = nodes.kind === "reserve" ? nodes.request.nodes : 1;
  return Array.from({ length: many }, (_, index) => `NODE${index + 1}`);
}
