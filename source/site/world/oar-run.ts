/** A deploy job's command, which runs on the frontend, and the files that OAR keeps there while the job runs. */
import { NullFile } from "../machine/open-file.ts";
import type { Process } from "../machine/process.ts";
import type { Oar } from "./oar.ts";
import type { OarJob } from "./oar-job.ts";
import { coresOf } from "./oar-plan.ts";
import { oarDuration } from "./oar-request.ts";
import type { Resource, Testbed } from "./testbed.ts";

const commands = new WeakMap<OarJob, Process>();

/** One resource as `oarstat -p` prints it; empty for what it has not. */
export function propertyLine(testbed: Testbed, resource: Resource): string {
  const cells = Object.entries(testbed.properties(resource)).map(([key, value]) => ` ${key} = '${value ?? ""}' `);
  return `${cells.join(",")}\n`;
}

export function resourcesOf(oar: Oar, job: OarJob): Resource[] {
  return [...coresOf(oar.testbed, job.nodes), ...job.subnets];
}

export function startCommand(oar: Oar, job: OarJob, ended: (exitCode: number | null) => void): void {
  const { frontend } = oar;
  if (!frontend.account(job.owner)) return;
  const nodeFile = `/var/lib/oar/${job.id}`;
  frontend.files.makeDirectory("/var/lib/oar", "oar", { parents: true });
  frontend.files.writeText(
    nodeFile,
    coresOf(oar.testbed, job.nodes)
      .map(({ node }) => `${node?.name}\n`)
      .join(""),
    "oar",
  );
  frontend.files.writeText(
    `${nodeFile}_resources`,
    resourcesOf(oar, job)
      .map((one) => propertyLine(oar.testbed, one))
      .join(""),
    "oar",
  );
  if (job.command === "") return;
  const env = frontend.loginEnvironment(job.owner);
  for (const name of ["OAR_NODE_FILE", "OAR_NODEFILE", "OAR_FILE_NODES", "OAR_RESOURCE_FILE"]) env.set(name, nodeFile);
  env.set("OAR_RESOURCE_PROPERTIES_FILE", `${nodeFile}_resources`);
  env
    .set("OAR_JOB_ID", String(job.id))
    .set("OAR_JOBID", String(job.id))
    .set("OAR_JOB_NAME", job.name ?? "");
  env
    .set("OAR_JOB_WALLTIME", oarDuration(job.walltime ?? 0))
    .set("OAR_JOB_WALLTIME_SECONDS", String(job.walltime ?? 0));
  env.set("OAR_WORKDIR", job.directory).set("OAR_PROJECT_NAME", job.project);
  const output = (stream: string) => {
    const path = `${job.directory}/OAR.${job.name ? `${job.name}.` : ""}${job.id}.${stream}`;
    return frontend.files.open(path, "append", job.owner);
  };
  const process = frontend.create({
    user: job.owner,
    title: job.command,
    env,
    directory: job.directory,
    newSession: true,
    files: new Map([
      [0, new NullFile()],
      [1, output("stdout")],
      [2, output("stderr")],
    ]),
  });
  commands.set(job, process);
  const shell = frontend.lookUp("sh", "/usr/bin");
  if (!shell) return;
  void frontend
    .run(process, () => shell.program(frontend.call(process, "sh", ["-c", job.command])))
    .then((exit) => {
      for (const path of [nodeFile, `${nodeFile}_resources`])
        if (frontend.files.find(path)) frontend.files.remove(path);
      ended(exit.signal === null ? exit.status * 256 : null);
    });
}

export function endCommand(oar: Oar, job: OarJob): void {
  const process = commands.get(job);
  if (process) oar.frontend.kill(-process.group, "KILL");
}
