/** What the makers that run one command after the other share: what was made is remembered, and taken away after a failure. */
import { VirtuError } from "../errors.ts";
import type { Command } from "../ssh/command.ts";
import type { ExecResult, HostRef, Pool } from "../ssh/types.ts";
import type { Made, MakeOptions } from "./create-libvirt.ts";
import { isPassing } from "./exec.ts";

export interface MakingPlace {
  pool: Pool;
  host: HostRef;
  /** First pause before a lost answer is looked for again (default 1000 ms); doubles each time. */
  retryMs?: number;
  explain: (text: string, status: number | null) => { why: string; hint?: string };
}

/** How what a step makes is taken away again. */
export interface Undo {
  /** `file /srv/xen/web1.img`. */
  label: string;
  command: Command;
  /**
   * The command itself finds out whether it is ours (status 3: it is not, or not there), so that it may run although nobody
   * knows whether the step was done.
   */
  knowsItsOwn: boolean;
}

/** A step that failed, in the user's words. */
export class StepFailed extends Error {
  constructor(
    message: string,
    readonly detail: string,
  ) {
    super(message);
  }
}

/** Nobody knows whether the step was done. */
export class StepUnknown extends StepFailed {}

export class Making {
  readonly notes: string[] = [];
  private readonly undos: { undo: Undo; certain: boolean }[] = [];
  private readonly cleanedUp: string[] = [];
  private readonly leftBehind: string[] = [];

  constructor(
    readonly place: MakingPlace,
    readonly options: MakeOptions,
  ) {}

  /** Carries `work` out; when it fails or is cancelled, everything that it made is taken away, the last first. */
  async carry(work: () => Promise<void>): Promise<Made> {
    try {
      await work();
      return this.made(true, null, null);
    } catch (thrown) {
      const isKnown = thrown instanceof StepFailed || thrown instanceof VirtuError;
      if (!isKnown) throw thrown;
      await this.cleanUp();
      const why = thrown instanceof VirtuError ? (thrown.why ?? thrown.what) : thrown.message;
      return this.made(false, why, thrown.detail?.trim() || null);
    }
  }

  private made(ok: boolean, error: string | null, detail: string | null): Made {
    const { notes, cleanedUp, leftBehind } = this;
    return { ok, error, detail, node: null, job: null, notes, cleanedUp, leftBehind };
  }

  exec(command: Command, seconds: number, signal = this.options.signal): Promise<ExecResult> {
    const { pool, host } = this.place;
    return pool.exec(host, command, { priority: "user", timeoutMs: seconds * 1000, signal });
  }

  /** The answer of a command that has to end well; `undo` is remembered for what it makes. */
  async step(command: Command, seconds: number, undo: Undo | null = null): Promise<string> {
    if (this.options.signal?.aborted) throw new VirtuError({ kind: "cancelled", what: "Cancelled" });
    try {
      const result = await this.exec(command, seconds);
      if (result.outcome !== "exited") throw new StepUnknown(lost(result), result.stderr);
      if (result.status !== 0) {
        const text = `${result.stderr}${result.stdout}`;
        const { why, hint } = this.place.explain(text, result.status);
        throw new StepFailed(hint ? `${why}. ${hint}` : why, text);
      }
      if (undo) this.undos.push({ undo, certain: true });
      return result.stdout;
    } catch (thrown) {
      const unknown =
        thrown instanceof StepUnknown ||
        isPassing(thrown) ||
        (thrown instanceof VirtuError && thrown.kind === "cancelled");
      if (undo && unknown) this.undos.push({ undo, certain: false });
      throw thrown;
    }
  }

  /** Remembers what was made, or may have been (not `certain`), without a step of its own. */
  remember(undo: Undo, certain = true): void {
    this.undos.push({ undo, certain });
  }

  private async cleanUp(): Promise<void> {
    for (const { undo, certain } of this.undos.reverse()) {
      // It may also be somebody else's: the answer that would have told was lost.
      if (!certain && !undo.knowsItsOwn) {
        this.leftBehind.push(`${undo.label}, if it was made`);
        continue;
      }
      this.options.onStep("cleaning", `taking away the ${undo.label}`);
      const { status, why } = await this.tidy(undo.command);
      if (status === 0) this.cleanedUp.push(undo.label);
      else if (status !== 3 || !undo.knowsItsOwn) this.leftBehind.push(`${undo.label}: ${why}`);
    }
  }

  /** Status null: no answer. Not ended by the user's cancelling, which may be why it runs at all. */
  private async tidy(command: Command): Promise<{ status: number | null; why: string }> {
    const { pool, host } = this.place;
    try {
      const result = await pool.exec(host, command, { priority: "user", timeoutMs: 180_000 });
      if (result.outcome !== "exited") return { status: null, why: "the host gave no answer" };
      return { status: result.status, why: this.place.explain(result.stderr, result.status).why };
    } catch (thrown) {
      if (!(thrown instanceof VirtuError)) throw thrown;
      return { status: null, why: "the host can't be reached" };
    }
  }
}

export function lost({ outcome }: ExecResult): string {
  return outcome === "timeout" ? "it took too long and was ended" : "the connection broke before the answer";
}
