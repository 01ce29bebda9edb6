/** oardel, oarwalltime, oarnodes, oarprint, and Grid'5000's own g5k-subnets and usagepolicycheck. */
import type { Call, Program } from "../machine/machine.ts";
import { Oar } from "../world/oar.ts";
import type { OarJob } from "../world/oar-job.ts";
import { oarDuration, walltimeSeconds } from "../world/oar-request.ts";
import { subnetAddress } from "../world/testbed.ts";
import { databaseDown } from "./oarstat.ts";
import { type Json, perlJson } from "./perl-json.ts";

export function oardel(oar: Oar): Program {
  return async ({ args, process, out, err }) => {
    const bad = args.find((arg) => !/^\d+$/.test(arg));
    if (args.length === 0 || bad !== undefined) {
      await err(
        bad === undefined
          ? "Usage: oardel [options] <job id(s)>\n"
          : `[ERROR] "${bad}" is not a valid job identifier\n`,
      );
      return 4;
    }
    const registered: string[] = [];
    let status = 0;
    for (const arg of args) {
      const job = oar.jobs.get(Number(arg));
      const mine = job && (job.owner === process.user || process.user === "root");
      const refusal = !mine
        ? "You are not the right user."
        : oar.remove(job, process.user)
          ? "This job was already killed."
          : null;
      await out(`Deleting the job = ${arg} ...${refusal === null ? "REGISTERED" : "ERROR"}.\n`);
      if (refusal === null) registered.push(arg);
      else {
        status = mine ? 6 : 1;
        await err(`Cannot frag ${arg} ; ${refusal}\n`);
      }
    }
    if (oar.isDown) {
      await err(`Could not connect to the socket ${oar.frontend.name}:6666\n`);
      return 2;
    }
    if (registered.length > 0)
      await out(`The job(s) [ ${registered.join(" ")} ] will be deleted in the near future.\n`);
    return status;
  };
}

function signed(seconds: number): string {
  return `${seconds > 0 ? "+" : seconds < 0 ? "-" : ""}${oarDuration(seconds)}`.padStart(9);
}

function changeStatus(job: OarJob): string {
  if (job.state !== "Running") return `Walltime change status for job ${job.id} (job is not running yet):\n  N/A\n`;
  return [
    `Walltime change status for job ${job.id} (job is running):`,
    `  Current walltime:   ${oarDuration(job.walltime ?? 0).padStart(9)}`,
    `  Possible increase:  ${signed(Oar.maximumIncrease)}`,
    `  Already granted:    ${signed(job.granted)}`,
    `  Pending/unsatisfied:${signed(job.pending)}`,
    "",
  ].join("\n");
}

const walltimeUsage = `Syntax error.

Usage:
  /usr/lib/oar/oarwalltime [options] <job_id> [<[+/-]new walltime>]

Manage walltime change requests for a job.
- If no new walltime is given, the command shows the current walltime change 
  status for the job.
- If a new walltime is given, the command requests a change of the walltime of the
  job, or update a previous request.
`;

export function oarwalltime(oar: Oar): Program {
  return async ({ args, process, out }) => {
    const words = args.filter((arg) => !arg.startsWith("--"));
    const [id = "", change] = words;
    const job = oar.jobs.get(Number(id));
    if (change === undefined) {
      await out(job ? changeStatus(job) : "UNKNOWN JOB\n");
      return job ? 0 : 2;
    }
    const seconds = walltimeSeconds(change.replace(/^[-+]/, ""));
    if (seconds === null) {
      await out(walltimeUsage);
      return 4;
    }
    if (!job) {
      await out(`Not found: could not find job ${id}.\n`);
      return 4;
    }
    const refuse = async (why: string) => {
      await out(`Forbidden: ${why}\n`);
      return 3;
    };
    if (job.owner !== process.user && process.user !== "root") return refuse(`job ${id} does not belong to you.`);
    if (job.state !== "Running") return refuse(`job ${id} is not running.`);
    const wished = change.startsWith("+") ? seconds : change.startsWith("-") ? -seconds : seconds - (job.walltime ?? 0);
    if (job.granted + wished > Oar.maximumIncrease) {
      return refuse(
        `request cannot be updated because the walltime cannot increase by more than ${oarDuration(Oar.maximumIncrease)}.`,
      );
    }
    const how = job.pending !== 0 || job.granted !== 0 ? "updated" : "accepted";
    oar.changeWalltime(job, wished);
    await out(`Accepted: walltime change request ${how} for job ${id}, it will be handled shortly.\n`);
    return 0;
  };
}

/** The job that has each taken resource. */
function takenResources(oar: Oar): Map<number, number> {
  const taken = new Map<number, number>();
  for (const job of oar.jobs.values()) {
    if (!["toLaunch", "Launching", "Running", "Finishing"].includes(job.state)) continue;
    for (const id of oar.resourceIds(job)) taken.set(id, job.id);
  }
  return taken;
}

function nodeRow(oar: Oar, id: number, job: number | undefined): Json {
  const resource = oar.testbed.resources[id - 1];
  if (!resource) return {};
  const state = resource.node?.state ?? "Alive";
  return {
    resource_id: id,
    ...oar.testbed.properties(resource),
    state,
    state_num: { Alive: 1, Absent: 2, Suspected: 3, Dead: 4 }[state],
    next_state: "UnChanged",
    finaud_decision: "NO",
    next_finaud_decision: "NO",
    suspended_jobs: "NO",
    scheduler_priority: 0,
    expiry_date: 0,
    last_job_date: 0,
    ...(job === undefined ? {} : { jobs: String(job) }),
  };
}

export function oarnodes(oar: Oar): Program {
  return async ({ args, out, err }) => {
    if (oar.isDown) {
      await err(databaseDown);
      return 25;
    }
    const names = args.filter((arg) => !arg.startsWith("-"));
    const letters = args.filter((arg) => arg.startsWith("-")).join("");
    const chosen = oar.testbed.resources.filter(
      ({ node }) => names.length === 0 || (node && names.includes(node.name)),
    );
    const hosts = [...new Set(chosen.map(({ node }) => node?.name ?? ""))].sort();
    if (letters.includes("l")) await out(hosts.map((host) => `${host}\n`).join(""));
    else if (letters.includes("s")) {
      const states = hosts.map((host): [string, Record<string, string>] => [
        host,
        Object.fromEntries(
          chosen
            .filter(({ node }) => (node?.name ?? "") === host)
            .map(({ id, node }) => [String(id), node?.state ?? "Alive"]),
        ),
      ]);
      if (letters.includes("J")) await out(`${perlJson(Object.fromEntries(states))}\n\n`);
      else
        for (const [host, rows] of states)
          await out(
            `${host}\n${Object.entries(rows)
              .map(([id, state]) => `    ${id} : ${state}\n`)
              .join("")}`,
          );
    } else if (chosen.length > 0) {
      const taken = takenResources(oar);
      const rows = Object.fromEntries(chosen.map(({ id }) => [String(id), nodeRow(oar, id, taken.get(id))]));
      await out(`${perlJson(rows)}\n`);
    }
    return 0;
  };
}

/** `oarprint host`: an empty line for a subnet. */
export const oarprint: Program = async ({ args, process, machine, out }) => {
  const file = process.env.get("OAR_RESOURCE_PROPERTIES_FILE");
  const fromInput = args.includes("-") && args.includes("-f");
  if (!file && !fromInput) return 255;
  const text = fromInput ? await process.readAll() : machine.files.readText(file ?? "");
  const property = args.find((arg) => !arg.startsWith("-")) ?? "host";
  const values = text.split("\n").flatMap((line) => new RegExp(` ${property} = '([^']*)' `).exec(line)?.[1] ?? []);
  await out([...new Set(values)].map((value) => `${value}\n`).join(""));
  return 0;
};

function jobOf(oar: Oar, { args, process }: Call): OarJob | undefined {
  const given = args.includes("-j") ? args[args.indexOf("-j") + 1] : process.env.get("OAR_JOB_ID");
  return oar.jobs.get(Number(given));
}

/** Mask, broadcast and gateway are those of the site's /14, not of the subnet. */
export function subnets(oar: Oar): Program {
  return async (call) => {
    const job = jobOf(oar, call);
    const numbers = job?.state === "Running" ? job.subnets.flatMap(({ subnet }) => subnet ?? []) : [];
    if (numbers.length === 0) {
      await call.err("No subnet was found for this job\n");
      return 1;
    }
    const letters = call.args.filter((arg) => arg.startsWith("-")).join("");
    for (const number of numbers) {
      const start = subnetAddress(number);
      const octets = start.split(".").map(Number);
      if (letters.includes("a")) {
        await call.out(
          `${start}/22\t10.159.255.255\t255.252.0.0\t10.159.255.254\t10.156.0.0\tdns.demo\t172.16.111.118\n`,
        );
      } else if (letters.includes("i")) {
        let rows = "";
        for (let offset = 1; offset < 1023; offset += 1) {
          const last = [octets[1], (octets[2] ?? 0) + Math.floor(offset / 256), offset % 256].map(
            (octet) => octet ?? 0,
          );
          const mac = last.map((octet) => octet.toString(16).padStart(2, "0").toUpperCase()).join(":");
          rows += `10.${last.join(".")}${letters.includes("m") ? `\t00:16:3E:${mac}` : ""}\n`;
        }
        await call.out(rows);
      } else await call.out(`${start}/22\n`);
    }
    return 0;
  };
}

export function usagePolicyCheck(oar: Oar): Program {
  return async ({ out }) => {
    const day = new Date(oar.clock.now()).toISOString().slice(0, 10);
    const answer = {
      start_time: `${day} 09:00:00 +0000`,
      stop_time: `${day} 19:00:00 +0000`,
      jobs: { demo: { paravance: 0, parasilo: 0 } },
      total_jobs: { demo: { paravance: 0, parasilo: 0 } },
      limits: { demo: { paravance: { time: 7200, nb_cores: 64 }, parasilo: { time: 7200, nb_cores: 32 } } },
    };
    await out(`${JSON.stringify(answer, null, 2)}\n`);
    return 0;
  };
}
