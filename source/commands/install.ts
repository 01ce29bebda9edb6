/** `virtu install ganeti` and `virtu install libvirt`. */
import type { Command } from "commander";
import { VirtuError } from "../errors.ts";
import { planInstallGaneti } from "../journey/install-ganeti.ts";
import { chooseStorage, readStorage, subnetAddress } from "../journey/install-ganeti-choose.ts";
import { findingLines, verifyFindings } from "../journey/install-ganeti-findings.ts";
import type { GanetiHypervisor, GanetiRequest, PlanProblem } from "../journey/install-ganeti-types.ts";
import { planInstallLibvirt } from "../journey/install-libvirt.ts";
import { askedNodes, type TargetOptions, withNodes } from "./asked-nodes.ts";
import { carry } from "./carry.ts";
import { collect, confirm, type ExitStatus, run, type Session } from "./run.ts";

interface GanetiOptions extends TargetOptions {
  clusterName: string;
  clusterAddress?: string;
  master?: string;
  hypervisor: string;
  storage?: string;
  vg: string;
  disk?: string[];
  erase?: string[];
  bridge?: string;
  os: string;
}

const hypervisors: readonly GanetiHypervisor[] = ["kvm", "xen-pvm", "xen-hvm", "fake"];
const systems = ["noop", "debootstrap"] as const;

const usage = (what: string, where: string, hint: string) => new VirtuError({ kind: "usage", what, where, hint });

/** Words of a list, each one of those allowed. */
function chosen<T extends string>(text: string, allowed: readonly T[], option: string): T[] {
  const words = text.split(",").map((word) => word.trim());
  return [...new Set(words)].map((word) => {
    const known = allowed.find((one) => one === word);
    if (known === undefined) throw usage(`There is no "${word}"`, option, `One or more of ${allowed.join(", ")}.`);
    return known;
  });
}

function refuse(problems: readonly PlanProblem[]): never {
  const [first] = problems;
  throw new VirtuError({
    kind: "usage",
    what: "A cluster can't be made so",
    where: first?.node ?? undefined,
    why: first?.text,
    hint: first?.hint ?? undefined,
    detail:
      problems.length > 1
        ? problems.map(({ node, text }) => (node === null ? text : `${node}: ${text}`)).join("\n")
        : undefined,
  });
}

async function installGaneti(session: Session, options: GanetiOptions): Promise<ExitStatus> {
  const wanted = readStorage({ storage: options.storage, group: options.vg, disks: options.disk ?? [] });
  if (wanted === null) {
    throw usage(
      "This is no storage",
      `--storage ${options.storage}`,
      "file, file:/DIRECTORY, lvm, lvm:/dev/DISK or diskless.",
    );
  }
  const chosenHypervisors = chosen(options.hypervisor, hypervisors, "--hypervisor");
  const chosenSystems = options.os === "none" ? [] : chosen(options.os, systems, "--os");
  const asked = await askedNodes(session, options, wanted.devices);
  const { targets, job, answers } = asked;
  const nodes = targets.nodes.filter(({ name }) => answers.states.has(name));
  const master = options.master ?? nodes[0]?.name ?? "";
  const storage = chooseStorage(wanted, nodes, answers.states, options.erase ?? []);
  const request: GanetiRequest = {
    site: targets.site,
    jobId: targets.jobId,
    nodes,
    minimum: Math.min(asked.minimum, nodes.length),
    clusterName: options.clusterName,
    clusterAddress: options.clusterAddress ?? (job?.subnet ? subnetAddress(job.subnet) : null),
    master,
    hypervisors: chosenHypervisors,
    storage,
    bridge: options.bridge ?? null,
    systems: chosenSystems,
  };
  const plan = planInstallGaneti(request, answers.states);
  if ("problems" in plan) refuse(plan.problems);
  if (storage.kind === "lvm" && storage.erase.length > 0 && !session.globals.dryRun) {
    await confirm(session, "Erase these disks?", storage.erase);
  }
  return carry(session, plan, {
    ...asked.carry,
    atRest: async (handle, view) => {
      for (const finding of await verifyFindings(handle, view)) {
        session.out.record({ finding }, findingLines(finding).join("\n"));
      }
    },
  });
}

interface LibvirtOptions extends TargetOptions {
  user?: string[];
  pool: string;
}

async function installLibvirt(session: Session, options: LibvirtOptions): Promise<ExitStatus> {
  if (!/^\/\S+$/.test(options.pool))
    throw usage("A pool is an absolute path", `--pool ${options.pool}`, "Like /srv/images.");
  const asked = await askedNodes(session, options);
  const { site, jobId, nodes } = asked.targets;
  const plan = planInstallLibvirt(
    {
      site,
      jobId,
      nodes,
      minimum: Math.min(asked.minimum, asked.answers.states.size),
      users: options.user ?? [],
      poolDirectory: options.pool,
    },
    asked.answers.states,
  );
  return carry(session, plan, asked.carry);
}

const told = `
What is done already is left alone: a second run changes nothing. With --json: a line an event {time, step, node, state, …},
then {run, ok, changed, steps: [{step, node, state, seconds, error}]}; state is done, already, failed, skipped or cancelled.`;

export function declare(program: Command): void {
  const install = program.command("install").description("Installs what runs virtual machines on nodes.");
  withNodes(install.command("ganeti"))
    .description("Makes a Ganeti cluster of the nodes.")
    .requiredOption("--cluster-name <name>", "name of the cluster; every node learns it in /etc/hosts")
    .option("--cluster-address <ip>", "address of the cluster, used by nobody (default: the first of the job's subnet)")
    .option("--master <node>", "the node that becomes the master (default: the first)")
    .option("--hypervisor <list>", `one or more of ${hypervisors.join(", ")}; the first is the default`, "kvm")
    .option("--storage <how>", "file, file:/DIRECTORY, lvm, lvm:/dev/DISK or diskless (default: file)")
    .option("--vg <name>", "volume group, with lvm", "xenvg")
    .option("--disk <[node:]device>", "disk for the volume group, for all nodes or one; repeatable", collect)
    .option("--erase <device>", "repeat the name of a disk that is not empty: its content is lost; repeatable", collect)
    .option("--bridge <name>", "bridge for instances (default: xen-br0 for Xen, else br0)")
    .option("--os <list>", `OS definitions: ${systems.join(", ")} or none`, "noop")
    .addHelpText(
      "after",
      `${told}\nWhat gnt-cluster verify finds comes before that, as {finding: {level, code, kind, item, text, meaning}} each.`,
    )
    .action((options: GanetiOptions, command: Command) =>
      run((session) => installGaneti(session, options))(options, command),
    );
  withNodes(install.command("libvirt"))
    .description("Makes each node a host of libvirt, with its default network and storage pool.")
    .option("--user <account>", "an account that may use libvirt beside root; repeatable", collect)
    .option("--pool <directory>", "directory of the default storage pool", "/var/lib/libvirt/images")
    .addHelpText("after", told)
    .action((options: LibvirtOptions, command: Command) =>
      run((session) => installLibvirt(session, options))(options, command),
    );
}
