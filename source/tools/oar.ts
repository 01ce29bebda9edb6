/**
 * OAR's commands, built from words. What each prints is read in the files beside this one: `oar-submit.ts` (oarsub),
 * `oar-jobs.ts` (oarstat), `oar-nodes.ts` (oarnodes and a job's resources), `oar-change.ts` (oardel, oarwalltime).
 */
import type { ReserveRequest } from "../journey/types.ts";
import { type Command, sh } from "../ssh/command.ts";

/** `h:mm:ss`, the only form that every OAR understands alike. */
function walltime(seconds: number): string {
  const two = (n: number) => String(n).padStart(2, "0");
  return `${Math.floor(seconds / 3600)}:${two(Math.floor((seconds % 3600) / 60))}:${two(seconds % 60)}`;
}

/** The condition on the nodes: cluster and properties in one, or null for any node. */
function condition(request: ReserveRequest): string | null {
  const cluster = request.cluster ? `cluster='${request.cluster}'` : null;
  const properties = request.properties?.trim() || null;
  if (cluster && properties) return `${cluster} AND (${properties})`;
  return cluster ?? properties;
}

/**
 * What the group of resources asks for. Without a condition this is the plain `slash_22=1+nodes=4,walltime=2:30:00`. A
 * condition beside a subnet stands inside the nodes' own group: given with `-p` it would hold for the subnet too, which
 * has no cluster and no properties, and nothing would fit.
 */
function resources(request: ReserveRequest): Command {
  const time = walltime(request.walltimeSeconds);
  if (request.subnet === null) return sh`nodes=${request.nodes},walltime=${time}`;
  const where = condition(request);
  if (where) return sh`${`slash_${request.subnet}=1+{${where}}/nodes=${request.nodes},walltime=${time}`}`;
  return sh`slash_${request.subnet}=1+nodes=${request.nodes},walltime=${time}`;
}

/**
 * `oarsub` for a passive deploy job that lives until its walltime or `oardel`. Passive, because an interactive one dies
 * with its connection; `sleep infinity` is one word, because oarsub takes exactly one.
 */
export function submit(request: ReserveRequest): Command {
  const where = request.subnet === null ? condition(request) : null;
  const options: Command[] = [sh`-t deploy`, sh`-n ${request.name}`];
  if (request.queue) options.push(sh`-q ${request.queue}`);
  if (request.project) options.push(sh`--project ${request.project}`);
  if (where) options.push(sh`-p ${where}`);
  if (request.start) options.push(sh`-r ${request.start}`);
  return sh`oarsub ${options} -l ${resources(request)} ${"sleep infinity"}`;
}

export interface JobsQuery {
  /** Only this job, alive or ended; absent: the user's own jobs that are alive. */
  jobId?: number;
  /** Running jobs whose resources are not asked for (their subnet is known). */
  known: readonly number[];
  /** For a frontend without Perl's JSON module. */
  text: boolean;
}

/** What the lines begin with that part the answers to one `jobs` command. */
export const marks = { now: sh`==virtu now`, resources: sh`==virtu resources` } as const;

/**
 * Everything about jobs in one round trip: the frontend's clock, `oarstat -f`, and for each running job its resources
 * (the only place that tells the subnet). Ends with oarstat's own status. Text dates carry no zone, so they are asked
 * for in UTC.
 */
export function jobs(query: JobsQuery): Command {
  const which = query.jobId === undefined ? sh`-u` : sh`-j ${query.jobId}`;
  const oarstat = query.text ? sh`TZ=UTC0 oarstat -f ${which}` : sh`oarstat -f -J ${which}`;
  const known = ` ${query.known.join(" ")} `;
  return sh`export LC_ALL=C; echo "${marks.now} $(date +%s)=="; o=$(${oarstat}) || exit $?
printf '%s\\n' "$o"; j=; s=
printf '%s\\n' "$o" | while read -r k c v; do
case $k in '"Job_Id"') j=\${v%,};; Job_Id:) j=$c;; '"state"'|state) s=$v;; esac
if [ -n "$j" ] && [ -n "$s" ]; then
case $s in *Running*) case ${known} in *" $j "*) ;; *) echo "${marks.resources} $j=="; oarstat -p -j "$j" </dev/null;; esac;; esac
j=; s=; fi; done`;
}

/** Asks OAR to end a job; it ends some seconds later. */
export function remove(jobId: number): Command {
  return sh`LC_ALL=C oardel ${jobId}`;
}

/** The state of a job's walltime, as `parseWalltimeForm` reads it. */
export function walltimeForm(jobId: number): Command {
  return sh`LC_ALL=C oarwalltime ${jobId}`;
}

/** Asks for more walltime (seconds). Accepted is not granted: read the form afterwards. */
export function addWalltime(jobId: number, seconds: number): Command {
  return sh`LC_ALL=C oarwalltime ${jobId} ${`+${walltime(seconds)}`}`;
}

/** Every resource of the site, with the jobs on it. Large on a large site (some kB a core): not for polling. */
export function nodes(): Command {
  return sh`LC_ALL=C oarnodes -J`;
}
