/** What the output of a step says: its end, values, progress, and its last lines, for the reason of a failure. */

import { plainLine } from "../text.ts";
import { aptShare, isAptStatus } from "../tools/apt-progress.ts";
import type { Step } from "./plan.ts";
import { readEnd, type StepEnd } from "./run-remote.ts";

/** So many of the last lines are searched for a reason. */
const tailLines = 12;
const textColumns = 200;

/** Whether people see a line of a step's output. */
export function isShown(step: Step, line: string): boolean {
  return !line.startsWith("#virtu ") && !(step.progress === "apt" && isAptStatus(line));
}

/** The value that a line gives, if the step has announced its name. */
export function readGive(step: Step, line: string): [name: string, value: string] | null {
  const [, name, value] = /^#virtu give ([A-Za-z_]\w*) (.*)$/.exec(line) ?? [];
  return name !== undefined && value !== undefined && step.gives.includes(name) ? [name, value] : null;
}

export class StepReader {
  end: StepEnd | null = null;
  share: number | null = null;
  shown = 0;
  readonly gives: Record<string, string> = {};
  private readonly last: string[] = [];
  private tellEnd: () => void = () => undefined;
  /** Resolves once the line that tells the end was read. */
  readonly ended = new Promise<void>((resolve) => {
    this.tellEnd = resolve;
  });

  constructor(
    private readonly step: Step,
    private readonly run: string,
    private readonly remote: string,
  ) {}

  readonly read = (line: string): boolean => {
    const end = readEnd(this.run, this.remote, line);
    if (end) {
      this.end = end;
      this.tellEnd();
      return false;
    }
    const give = readGive(this.step, line);
    if (give) this.gives[give[0]] = give[1];
    if (this.step.progress === "apt") {
      const share = aptShare(line);
      // Several calls of apt in one step each begin at nothing.
      if (share !== null) this.share = Math.max(this.share ?? 0, share);
    }
    if (!isShown(this.step, line)) return false;
    this.shown += 1;
    if (line.trim() !== "") {
      this.last.push(line);
      if (this.last.length > tailLines) this.last.shift();
    }
    return true;
  };

  /** Names that the step should have given and has not. */
  missing(): string[] {
    return this.step.gives.filter((name) => this.gives[name] === undefined);
  }

  /** What it found: the values that it gave. */
  found(): string {
    return shorten(Object.values(this.gives).join(", "));
  }

  /** The line that says best why it failed. */
  reason(): string {
    return reasonIn(this.last);
  }
}

/** apt, dpkg and most others say what is wrong in a line that begins so; else the last line stands for it. */
export function reasonIn(lines: readonly string[]): string {
  const telling = lines.findLast((line) =>
    /^\s*(?:E:|error\b|fatal\b|failure\b|[\w./-]+: (?:error|fatal)\b)/i.test(line),
  );
  return shorten(plainLine(telling ?? lines.findLast((line) => line.trim() !== "") ?? "").trim());
}

function shorten(text: string): string {
  return text.length > textColumns ? `${text.slice(0, textColumns - 1)}…` : text;
}

function limitText(seconds: number): string {
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

/** Why a script failed, in a line. */
function failureText(step: Step, end: StepEnd, reason: string): string {
  const late = (end.status === 124 || end.status === 137) && end.seconds >= step.limitSeconds;
  const how = late
    ? `took longer than its limit of ${limitText(step.limitSeconds)} and was ended`
    : end.status > 128
      ? `ended by signal ${end.status - 128}`
      : `exit status ${end.status}`;
  return reason === "" ? how : `${how}: ${reason}`;
}

/** How a script ended that said so. One that does not give what it promises has failed, as later steps can't do without. */
export function outcomeOf(
  step: Step,
  end: StepEnd,
  reader: StepReader,
): { ok: boolean; status: number; text: string; seconds: number } {
  const { status, seconds } = end;
  const missing = reader.missing();
  if (status !== 0) return { ok: false, status, seconds, text: failureText(step, end, reader.reason()) };
  if (missing.length === 0) return { ok: true, status, seconds, text: reader.found() };
  return { ok: false, status, seconds, text: `it ended well but did not give ${missing.join(", ")}` };
}
