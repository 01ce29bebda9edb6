/** Reads what oarsub said: the job's number, or why there is none. */

export type Refusal =
  /** No nodes like these, or not so many. */
  | "resources"
  /** A column that OAR does not have: a property or kind of resource that is unknown here. */
  | "property"
  /** The condition is no SQL. */
  | "condition"
  | "queue"
  /** A rule of the site. */
  | "rule"
  | "root"
  /** The reservation's date can't be met. */
  | "reservation"
  | "date"
  /** oarsub did not understand its own command line. */
  | "syntax"
  | "other";

export interface Submission {
  /** The job's number, whatever became of it; null when OAR gave none (it prints negative ones for refusals). */
  jobId: number | null;
  /** What the site's rules changed or said, without their marks. */
  notes: string[];
  /** Its server does not answer; the job is queued all the same, although oarsub says that it is killed. */
  serverDown: boolean;
  refusal: Refusal | null;
  /** The name or words that the refusal is about: a property, a queue, a rule's text. */
  about: string | null;
  /** `YYYY-MM-DD HH:MM:SS` when OAR could give the reservation, in the frontend's time. */
  possibleStart: string | null;
  /** OAR's own text, without the lines that say nothing. */
  text: string;
}

const rule = /^(?:# ?)?\[ADMISSION RULE\]\s*/;

/**
 * `status` is oarsub's exit status, or null when it is not known (lost, timed out): a refusal is then only what the text
 * proves. Grid'5000 writes its rules' messages behind `# `, older sites behind `[ADMISSION RULE]`.
 */
export function parseSubmission(stdout: string, stderr: string, status: number | null): Submission {
  const out = stdout.split("\n").map((line) => line.trim());
  const lines = `${stdout}\n${stderr}`.split("\n").filter((line) => line.trim() !== "");
  const id = out.map((line) => /^OAR_JOB_ID=(-?\d+)$/.exec(line)?.[1]).find((found) => found !== undefined);
  const jobId = id !== undefined && Number(id) > 0 ? Number(id) : null;
  const notes = out
    .filter((line) => rule.test(line) || /^# /.test(line))
    .map((line) => line.replace(rule, "").replace(/^# /, ""))
    .filter(
      (line) =>
        !/^(Advance reservation request|Reservation (mode|valid|not valid)|Modify resource description)/.test(line),
    );
  const text = lines
    .filter((line) => !/^OAR_JOB_ID=|^perl: warning|please verify your request syntax/.test(line))
    .join("\n");
  const ko = /Reservation not valid --> KO \((.*)\)\s*$/m.exec(stdout);
  const serverDown = status === 9 || /Cannot connect to executor/.test(stderr);
  const [refusal, about] =
    serverDown && jobId !== null ? [null, null] : refused(stdout, stderr, status, ko?.[1] ?? null);
  const possibleStart = /could run at (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)/.exec(ko?.[1] ?? "")?.[1] ?? null;
  return { jobId, notes, serverDown, refusal, about, possibleStart, text };
}

function refused(
  stdout: string,
  stderr: string,
  status: number | null,
  ko: string | null,
): [Refusal | null, string | null] {
  const both = `${stdout}\n${stderr}`;
  const column = /column "?([^"\s]+)"? does not exist/i.exec(both) ?? /Unknown column '([^']+)'/i.exec(both);
  const queue = /queue (\S+) does not exist/i.exec(both);
  const ruled = new RegExp(`${rule.source}(.*)`, "m").exec(stderr);
  const cannot = /Cannot recognize (?:the resource description : |-- )(.*?)(?: -- resource)?$/m.exec(stderr);
  if (ko !== null || status === 10) return ["reservation", ko];
  if (column) return ["property", column[1] ?? null];
  if (/DBD::|Bad resource request|SQL syntax/i.test(stderr))
    return ["condition", /ERROR:\s*(.*)/.exec(stderr)?.[1] ?? null];
  if (/not enough resources/i.test(both)) return ["resources", null];
  if (queue) return ["queue", queue[1] ?? null];
  if (/root and oar users are not allowed/i.test(stderr)) return ["root", null];
  if (ruled) return ["rule", (ruled[1] ?? "").replace(/^Error:\s*/i, "")];
  if (status === 0 || status === null) return [null, null];
  if (/reservation date|near the -r/i.test(stderr) || status === 7) return ["date", null];
  if (cannot) return ["syntax", cannot[1] ?? null];
  if (status === 254) return ["rule", /^(?:# )?(?:Error:\s*)?(.+)$/im.exec(stderr.trim())?.[1] ?? null];
  if (/^Unknown option/m.test(stderr) || /^Usage:/m.test(stdout)) return ["syntax", null];
  return ["other", null];
}
