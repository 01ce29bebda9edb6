/** Reads what oardel and oarwalltime said. */

export interface Removal {
  outcome:
    | "registered"
    /** It had been deleted before, or has ended. */
    | "already"
    /** Somebody else's, or no such job: oardel says the same of both. */
    | "not-yours"
    /** Registered, but OAR's server does not run now. */
    | "server-down"
    | "other";
}

export function parseRemoval(stdout: string, stderr: string, status: number | null): Removal {
  const registered = /\.\.\.REGISTERED/.test(stdout);
  if (/already killed/i.test(stderr) || status === 6) return { outcome: "already" };
  if (/not the right user/i.test(stderr)) return { outcome: "not-yours" };
  if (registered && /Could not connect to the socket/i.test(stderr)) return { outcome: "server-down" };
  if (registered && status === 0) return { outcome: "registered" };
  return { outcome: "other" };
}

/** The query form of oarwalltime, seconds. */
export interface WalltimeForm {
  running: boolean;
  /** Now in force; null while the job does not run. */
  walltime: number | null;
  /** How much it may grow altogether; null without a limit. */
  possible: number | null;
  /** Given so far over the job's life; negative when it was shortened. */
  granted: number;
  /** Asked for and not given (yet). */
  pending: number;
}

/** null when this is not the form (an unknown job, a disabled function). Its durations are not zero-padded: `+0:8:47`. */
export function parseWalltimeForm(stdout: string): WalltimeForm | null {
  if (!/^Walltime change status for job \d+/m.test(stdout)) return null;
  const value = (name: string) => new RegExp(`^\\s*${name}:\\s*(\\S+)`, "mi").exec(stdout)?.[1] ?? "";
  return {
    running: /\(job is running\)/.test(stdout),
    walltime: seconds(value("Current walltime")),
    possible: seconds(value("Possible increase")),
    granted: seconds(value("Already granted")) ?? 0,
    pending: seconds(value("Pending/unsatisfied")) ?? 0,
  };
}

function seconds(text: string): number | null {
  const parts = /^([+-]?)(\d+):(\d+):(\d+)$/.exec(text);
  if (!parts) return null;
  const length = Number(parts[2]) * 3600 + Number(parts[3]) * 60 + Number(parts[4]);
  return parts[1] === "-" ? -length : length;
}

export interface WalltimeAnswer {
  outcome: "accepted" | "not-running" | "too-much" | "too-short" | "not-yours" | "unknown-job" | "disabled" | "other";
  /** OAR's sentence. */
  text: string;
}

/** oarwalltime says everything on stdout. */
export function parseWalltimeAnswer(stdout: string, status: number | null): WalltimeAnswer {
  const text = stdout.trim().split("\n")[0] ?? "";
  const outcome = (() => {
    if (/^Accepted:/m.test(stdout) && status === 0) return "accepted";
    if (/is not running/.test(text)) return "not-running";
    if (/cannot increase by more/.test(text)) return "too-much";
    if (/could not find job|UNKNOWN JOB/i.test(text)) return "unknown-job";
    if (/disabled/i.test(text)) return "disabled";
    if (/not allowed for a job with walltime/.test(text)) return "too-short";
    if (/does not belong/.test(text)) return "not-yours";
    return "other";
  })();
  return { outcome, text };
}
