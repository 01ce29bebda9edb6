/** oarsub 2.5: submissions. Interactive jobs are not served: virtu's are passive. */
import type { Call } from "../machine/machine.ts";
import type { ScenarioName } from "../options.ts";
import type { Oar } from "../world/oar.ts";
import { checkPossible, notEnough, parseRequest, Refused, type Wanted } from "../world/oar-request.ts";

const takesValue: Readonly<Record<string, string>> = {
  "-l": "resource",
  "--resource": "resource",
  "-q": "queue",
  "--queue": "queue",
  "-p": "property",
  "--property": "property",
  "-r": "reservation",
  "--reservation": "reservation",
  "-t": "type",
  "--type": "type",
  "-n": "name",
  "--name": "name",
  "-d": "directory",
  "--directory": "directory",
  "--project": "project",
  "--notify": "notify",
  "-O": "stdout",
  "--stdout": "stdout",
  "-E": "stderr",
  "--stderr": "stderr",
  "-a": "anterior",
};
const flags: Readonly<Record<string, string>> = {
  "-J": "json",
  "--json": "json",
  "-I": "interactive",
  "--interactive": "interactive",
  "--hold": "hold",
  "-V": "version",
  "--version": "version",
};
const queues = ["default", "besteffort", "admin"];
const jobTypes = ["deploy", "besteffort", "cosystem", "noop", "timesharing", "container", "day", "night"];

interface Parsed {
  values: Map<string, string>;
  types: string[];
  words: string[];
}

/** Options as Getopt::Long takes them; throws the unknown one. */
function parse(args: readonly string[]): Parsed {
  const parsed: Parsed = { values: new Map(), types: [], words: [] };
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? "";
    const [name = "", ...inline] = arg.startsWith("--") ? arg.split("=") : [arg];
    const short = /^-[a-zA-Z]./.test(arg) && !arg.startsWith("--") ? arg.slice(0, 2) : null;
    const key = takesValue[name] ?? (short ? takesValue[short] : undefined);
    if (key) {
      const value = takesValue[name]
        ? inline.length > 0
          ? inline.join("=")
          : (args[++index] ?? "")
        : arg.slice(2).replace(/^=/, "");
      if (key === "type") parsed.types.push(...value.split(","));
      else parsed.values.set(key, value);
    } else if (flags[name]) parsed.values.set(flags[name], "");
    else if (/^-./.test(arg)) throw new Refused(1, `Unknown option: ${arg.replace(/^-+/, "")}\n`);
    else parsed.words.push(arg);
  }
  return parsed;
}

const usage = `Usage: /usr/lib/oar/oarsub [options] [-I|-C|<script>]
Submit a job the OAR batch scheduler
Options are:
 -I, --interactive             Request an interactive job. Open a login shell
                               on the first node of the reservation instead of
                               running a script.
 -C, --connect=<job id>        Connect to a running job
 -l, --resource=<list>         Set the requested resources for the job.
 -q, --queue=<queue>           Set the queue to submit the job to
 -p, --property="<list>"       Add constraints to properties for the job.
                               (format is a WHERE clause from the SQL syntax)
 -r, --reservation=<date>      Request a job start time reservation, 
                               instead of a submission. The date format is
                               "YYYY-MM-DD HH:MM:SS".
 -t, --type=<type>             Specify a specific type (deploy, besteffort,
                               cosystem, checkpoint, timesharing)
 -n, --name=<txt>              Specify an arbitrary name for the job
 -h, --help                    Print this help message
 -V, --version                 Print OAR version number
`;

function reservationStart(text: string, now: number): number {
  const match = /^\s*(\d{4})-(\d\d?)-(\d\d?)\s+(\d\d?):(\d\d?)(?::(\d\d?))?/.exec(text);
  if (text === "now") return now;
  if (!match) {
    throw new Refused(
      7,
      '[ERROR] Syntax error near the -r or --reservation option. The reservation date synstax is : "2027-03-25 17:32:12".\n',
    );
  }
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = match
    .slice(1)
    .map((part) => Number(part ?? 0));
  return Date.UTC(year, month - 1, day, hour, minute, second) / 1000;
}

export function oarsub(oar: Oar, hasScenario: (name: ScenarioName) => boolean): (call: Call) => Promise<number> {
  const submit = async (call: Call): Promise<number> => {
    const { values, types, words } = parse(call.args);
    if (values.has("version")) {
      await call.out("OAR version : 2.5.9 (Canicule)\n");
      return 0;
    }
    if (call.process.user === "root") {
      throw new Refused(254, "[ADMISSION RULE] root and oar users are not allowed to submit jobs.\n\n");
    }
    const start = values.has("reservation")
      ? reservationStart(values.get("reservation") ?? "", oar.clock.seconds())
      : null;
    if (words.length > 1 || (words.length === 0 && start === null && !values.has("interactive"))) {
      await call.out(usage);
      return 5;
    }
    if (values.has("interactive")) throw new Refused(11, "[ERROR] This site takes no interactive jobs.\n");
    const unknown = types.find((type) => !jobTypes.includes(type.split("=")[0] ?? ""));
    if (unknown !== undefined) throw new Refused(254, `[ADMISSION RULE] Error: unknown job type: ${unknown}\n\n`);
    const constraints = "[ADMISSION RULE] Modify resource description with type constraints\n";
    let wanted: Wanted;
    try {
      wanted = parseRequest(values.get("resource") ?? "nodes=1", values.get("property") ?? null, oar.testbed);
    } catch (thrown) {
      // What only the database refuses has passed the site's rules before.
      if (thrown instanceof Refused && thrown.negativeId) await call.out(constraints);
      throw thrown;
    }
    if (wanted.defaultWalltime) await call.out("[ADMISSION RULE] Set default walltime to 7200.\n");
    await call.out(constraints);
    const queue = values.get("queue") ?? "default";
    if (!queues.includes(queue)) throw new Refused(248, `ERROR : The queue ${queue} does not exist\n`);
    if (hasScenario("refused-reservation")) throw notEnough();
    checkPossible(wanted, oar.testbed);
    // What the user typed, blanks and all: OAR keeps it without its quotes.
    const request = ["oarsub", ...call.args].join(" ");
    const job = oar.submit({
      owner: call.process.user,
      name: values.get("name") ?? null,
      project: values.get("project") ?? "default",
      queue,
      types: types.length > 0 ? types : [],
      command: words[0] ?? "",
      directory: values.get("directory") ?? call.process.directory,
      request,
      wanted,
      hold: values.has("hold"),
      start,
    });
    await call.out(`OAR_JOB_ID=${job.id}\n`);
    if (values.has("json")) await call.out(`\n##########\n{\n   "job_id" : ${job.id}\n}\n\n##########\n\n`);
    if (oar.isDown) {
      await call.err(`[ERROR] Cannot connect to executor ${oar.frontend.name}:6666. Job is killed.\n`);
      return 9;
    }
    if (start === null) return 0;
    await call.out("Reservation mode: waiting validation...\n");
    await call.process.work(20);
    const refusal = oar.decide(job);
    await call.out(`Reservation ${refusal === null ? "valid --> OK" : `not valid --> KO (${refusal})`}\n`);
    return refusal === null ? 0 : 10;
  };
  return async (call) => {
    try {
      return await submit(call);
    } catch (thrown) {
      if (!(thrown instanceof Refused)) throw thrown;
      if (thrown.negativeId) await call.out("OAR_JOB_ID=-5\n");
      await call.err(thrown.stderr);
      return thrown.status;
    }
  };
}
