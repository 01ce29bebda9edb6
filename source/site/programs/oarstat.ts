/** oarstat 2.5: what OAR knows of jobs, as JSON, text and table. */
import type { Call } from "../machine/machine.ts";
import { dateTime } from "../utilities/about.ts";
import type { Oar } from "../world/oar.ts";
import type { OarJob } from "../world/oar-job.ts";
import { oarDuration } from "../world/oar-request.ts";
import { propertyLine, resourcesOf } from "../world/oar-run.ts";
import { type Json, perlJson } from "./perl-json.ts";

const defaultProperties = "((deploy = 'YES') AND desktop_computing = 'NO') AND drain='NO'";
const letters: Readonly<Record<string, string>> = {
  Waiting: "W",
  toAckReservation: "W",
  Hold: "H",
  toLaunch: "L",
  Launching: "L",
  Running: "R",
  Finishing: "F",
  Terminated: "T",
  Error: "E",
  toError: "E",
};

function hasResources(job: OarJob): boolean {
  return job.state !== "Waiting" && job.state !== "Hold" && job.nodes.length > 0;
}

function message(oar: Oar, job: OarJob): string {
  const kind = job.reservation === "None" ? (job.command === "" ? "I" : "B") : "R";
  const name = job.name === null ? "" : `,N=${job.name}`;
  const types = job.types.length > 0 ? `,T=${job.types.join("|")}` : "";
  const count = hasResources(job)
    ? oar.resourceIds(job).length
    : job.wanted.nodes * 4 + (job.wanted.subnets << (22 - job.wanted.subnetBits));
  const karma = job.reservation === "None" ? " (Karma=0.000,quota_ok)" : "";
  return `R=${count},W=${oarDuration(job.wanted.walltime)},J=${kind}${name}${types}${karma}`;
}

function wantedText(job: OarJob): string {
  return `-l "${job.wanted.groups},walltime=${oarDuration(job.walltime ?? job.wanted.walltime)}" `;
}

/** `startTime`: 0 while it waits, except for a reservation that was granted. */
function startTime(job: OarJob): number {
  const waits = job.state === "Waiting" || job.state === "Hold";
  return waits && job.reservation !== "Scheduled" ? 0 : job.startedAt;
}

function brief(oar: Oar, job: OarJob): Record<string, Json> {
  const stem = `OAR.${job.name === null ? "" : `${job.name}.`}${job.id}`;
  const assigned = hasResources(job);
  const fields: Record<string, Json> = {
    Job_Id: job.id,
    name: job.name,
    state: job.state,
    owner: job.owner,
    project: job.project,
    queue: job.queue,
    types: job.types,
    command: job.command,
    jobType: job.command === "" ? "INTERACTIVE" : "PASSIVE",
    launchingDirectory: job.directory,
    stdout_file: `${stem}.stdout`,
    stderr_file: `${stem}.stderr`,
    array_id: job.id,
    array_index: 1,
    cpuset_name: null,
    dependencies: [],
    properties: defaultProperties,
    reservation: job.reservation,
    resubmit_job_id: 0,
    message: message(oar, job),
    submissionTime: job.submittedAt,
    startTime: startTime(job),
    assigned_network_address: assigned ? job.nodes.map((node) => node.name).sort() : [],
    assigned_resources: assigned ? oar.resourceIds(job) : [],
  };
  if (job.state === "Waiting" && job.reservation === "Scheduled") {
    fields["reserved_resources"] = Object.fromEntries(
      resourcesOf(oar, job).map((one) => [
        String(one.id),
        { current_state: "Alive", network_address: one.node?.name ?? "" },
      ]),
    );
  }
  return fields;
}

function full(oar: Oar, job: OarJob, asker: string): Record<string, Json> {
  const waits = job.state === "Waiting" || job.state === "Hold";
  return {
    ...brief(oar, job),
    events: job.events.map((event) => ({
      event_id: event.id,
      job_id: job.id,
      type: event.type,
      description: event.description,
      date: event.date,
      to_check: "NO",
    })),
    exit_code: job.exitCode,
    initial_request: job.owner === asker ? job.request : "",
    job_user: job.owner,
    scheduledStart: job.predicted ?? null,
    stopTime: waits ? 0 : job.stoppedAt,
    walltime: job.walltime,
    wanted_resources: wantedText(job),
  };
}

function fullText(oar: Oar, job: OarJob, asker: string): string {
  const moment = (seconds: number | null) => (seconds ? dateTime(seconds) : "");
  const assigned = hasResources(job);
  const stem = `OAR.${job.name === null ? "" : `${job.name}.`}${job.id}`;
  const exit = job.exitCode;
  const rows: [string, string | null][] = [
    ["job_array_id", String(job.id)],
    ["job_array_index", "1"],
    ["name", job.name ?? ""],
    ["project", job.project],
    ["owner", job.owner],
    ["state", job.state],
    ["wanted_resources", wantedText(job)],
    ["types", job.types.join(", ")],
    ["dependencies", ""],
    ["assigned_resources", assigned ? oar.resourceIds(job).join("+") : ""],
    [
      "assigned_hostnames",
      assigned
        ? job.nodes
            .map((node) => node.name)
            .sort()
            .join("+")
        : "",
    ],
    ["queue", job.queue],
    ["command", job.command],
    ["exit_code", exit === null ? null : `${exit} (${exit >> 8},${exit & 127},0)`],
    ["launchingDirectory", job.directory],
    ["stdout_file", `${stem}.stdout`],
    ["stderr_file", `${stem}.stderr`],
    ["jobType", job.command === "" ? "INTERACTIVE" : "PASSIVE"],
    ["properties", defaultProperties],
    ["reservation", job.reservation],
    ["walltime", job.walltime === null ? "" : oarDuration(job.walltime)],
    ["submissionTime", moment(job.submittedAt)],
    ["startTime", startTime(job) === 0 ? null : moment(startTime(job))],
    ["stopTime", job.stoppedAt === 0 ? null : moment(job.stoppedAt)],
    ["initial_request", job.owner === asker ? job.request : ""],
    ["message", message(oar, job)],
    ["scheduledStart", job.predicted === null ? "no prediction" : moment(job.predicted)],
    ["resubmit_job_id", "0"],
    ["events", job.events.map((event) => `\n${dateTime(event.date)}> ${event.type}:${event.description}`).join("")],
  ];
  const lines = rows.filter(([, value]) => value !== null).map(([key, value]) => `    ${key} = ${value}\n`);
  return `Job_Id: ${job.id}\n${lines.join("")}\n`;
}

function table(oar: Oar, jobs: readonly OarJob[]): string {
  if (jobs.length === 0) return "";
  const now = oar.clock.seconds();
  const rows = jobs.map((job) => {
    const ran = startTime(job) === 0 || job.state === "Waiting" ? 0 : (job.stoppedAt || now) - job.startedAt;
    const [hours, minutes, seconds] = [Math.floor(ran / 3600), Math.floor(ran / 60) % 60, ran % 60];
    const duration = `${hours}:${String(minutes).padStart(2, "0")}:${String(seconds).padStart(2, "0")}`;
    const head = `${String(job.id).padEnd(9)} ${letters[job.state]} ${job.owner.slice(0, 8).padEnd(8)}`;
    return `${head} ${duration.padStart(10)} ${message(oar, job)}\n`;
  });
  return `Job id    S User     Duration   System message\n--------- - -------- ---------- ------------------------------------------------\n${rows.join("")}`;
}

interface Options {
  full: boolean;
  json: boolean;
  state: boolean;
  properties: boolean;
  user: string | null;
  ids: number[] | null;
}

function parse(call: Call): Options | null {
  const { args } = call;
  const options: Options = { full: false, json: false, state: false, properties: false, user: null, ids: null };
  // -fJ and -Jj are split; the value of -j may stand at once behind it.
  const split = args.flatMap((arg) =>
    /^-[a-zA-Z]{2,}$/.test(arg) ? [...arg.slice(1)].map((letter) => `-${letter}`) : [arg],
  );
  for (let index = 0; index < split.length; index += 1) {
    const arg = split[index] ?? "";
    if (arg === "-f" || arg === "--full") options.full = true;
    else if (arg === "-J" || arg === "--json") options.json = true;
    else if (arg === "-s" || arg === "--state") options.state = true;
    else if (arg === "-p" || arg === "--properties") options.properties = true;
    else if (arg === "-u" || arg === "--user") {
      const next = split[index + 1];
      if (next !== undefined && !next.startsWith("-")) index += 1;
      options.user = next !== undefined && !next.startsWith("-") ? next : call.process.user;
    } else {
      const id = /^(?:-j|--job=?)(.*)$/.exec(arg)?.[1];
      const word = id === undefined ? arg : id === "" ? (split[++index] ?? "") : id;
      if (!/^\d+$/.test(word)) return null;
      options.ids = [...(options.ids ?? []), Number(word)];
    }
  }
  return options;
}

export const databaseDown = `DBI connect('database=oar;host=127.0.0.1;port=5433','oar_ro',...) failed: connection to server at "127.0.0.1", port 5433 failed: Connection refused
\tIs the server running on that host and accepting TCP/IP connections? at /usr/share/perl5/OAR/IO.pm line 307.
DB connection error, exiting.
`;

export function oarstat(oar: Oar): (call: Call) => Promise<number> {
  return async (call) => {
    const options = parse(call);
    if (!options) {
      await call.err("/!\\ ERROR: No job id provided in command line or environment variables\n");
      return 255;
    }
    if (oar.isDown) {
      await call.err(databaseDown);
      return 25;
    }
    const alive = (job: OarJob) => job.state !== "Terminated" && job.state !== "Error";
    const all = [...oar.jobs.values()];
    const jobs = options.ids
      ? options.ids.flatMap((id) => oar.jobs.get(id) ?? [])
      : all.filter((job) => alive(job) && (options.user === null || job.owner === options.user));
    if (options.properties) {
      for (const job of jobs) {
        if (alive(job))
          await call.out(
            resourcesOf(oar, job)
              .map((one) => propertyLine(oar.testbed, one))
              .join(""),
          );
      }
    } else if (options.state) {
      const states = Object.fromEntries(jobs.map((job) => [String(job.id), job.state]));
      await call.out(options.json ? `${perlJson(states)}\n` : jobs.map((job) => `${job.id}: ${job.state}\n`).join(""));
    } else if (options.json) {
      // No job at all: nothing, not even an empty object.
      const asker = call.process.user;
      const objects = jobs.map((job) => [String(job.id), options.full ? full(oar, job, asker) : brief(oar, job)]);
      if (jobs.length > 0) await call.out(`${perlJson(Object.fromEntries(objects))}\n`);
    } else if (options.full) {
      for (const job of jobs) await call.out(fullText(oar, job, call.process.user));
    } else await call.out(table(oar, jobs));
    return 0;
  };
}
