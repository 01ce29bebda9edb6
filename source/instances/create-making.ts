/** What the makers that run one command after the other share: what was made is remembered, and taken away after a failure. */
import { VirtuError } from "../errors.ts";
import type { Command } from "../ssh/command.ts";
import type { ExecOptions, ExecResult, HostRef, Pool } from "../ssh/types.ts";
import { isPassing } from "../waiting.ts";
import type { Made, MakeOptions } from "./create-maker.ts";

export interface MakingPlace {
  pool: Pool;
  host: HostRef;
  /** First pause before a lost answer is looked for again (default 1000 ms); doubles each time. */
  retryMs?: number;
}

/** What a command that failed means, in the user's words, and its own text under it. */
export interface Explained {
  why: string;
  hint?: string;
  detail: string;
}

/** How what a step makes is taken away again. */
export interface Undo {
  /** `file /srv/xen/web1.img`. */
  label: string;
  command: Command;
  /**
   * The command itself finds out whether it is ours (status 3: it is not, or not there), so that it may run although nobody
   * knows whether the step was done. With `find`: what is found is certainly ours.
   */
  knowsItsOwn: boolean;
  /** Asked first where nobody knows: status 0: it is there, 1: it is not. */
  find?: Command;
  /** Nothing of the instance's: only told where it stays. */
  aside?: boolean;
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

interface Remembered {
  undo: Undo;
  certain: boolean;
}

export class Making<Place extends MakingPlace = MakingPlace> {
  readonly notes: string[] = [];
  private undos: Remembered[] = [];
  private readonly cleanedUp: string[] = [];
  private readonly leftBehind: string[] = [];

  constructor(
    readonly place: Place,
    readonly options: MakeOptions,
    private readonly explain: (result: ExecResult) => Explained,
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

  exec(command: Command, more: ExecOptions): Promise<ExecResult> {
    const { pool, host } = this.place;
    return pool.exec(host, command, { priority: "user", signal: this.options.signal, ...more });
  }

  /** The answer of a command that has to end well; `undo` is remembered for what it makes. */
  async step(command: Command, more: ExecOptions, undo: Undo | null = null): Promise<ExecResult> {
    this.mustGoOn();
    try {
      const result = await this.exec(command, more);
      if (result.outcome !== "exited") throw new StepUnknown(lost(result), result.stderr);
      if (result.status !== 0) {
        const { why, hint, detail } = this.explain(result);
        throw new StepFailed(hint ? `${why}. ${hint}` : why, detail);
      }
      if (undo) this.remember(undo);
      return result;
    } catch (thrown) {
      if (undo && (isUnknown(thrown) || isCancelled(thrown))) this.remember(undo, false);
      throw thrown;
    }
  }

  /** Rejects when it was cancelled meanwhile. */
  mustGoOn(): void {
    if (this.options.signal?.aborted) throw new VirtuError({ kind: "cancelled", what: "Cancelled" });
  }

  /** Remembers what was made, or may have been (not `certain`), without a step of its own. */
  remember(undo: Undo, certain = true): void {
    this.undos.push({ undo, certain });
  }

  private async cleanUp(): Promise<void> {
    for (const remembered of [...this.undos].reverse()) await this.takeAway(remembered);
  }

  /** Takes away what was remembered and was only needed on the way. */
  async finish(undo: Undo): Promise<void> {
    const found = this.undos.find((one) => one.undo === undo);
    this.undos = this.undos.filter((one) => one !== found);
    if (found) await this.takeAway(found);
  }

  private async takeAway({ undo, certain }: Remembered): Promise<void> {
    const { label, command, knowsItsOwn, find, aside = false } = undo;
    if (!certain && find) {
      const { status, why } = await this.tidy(find);
      if (status === 1) return;
      if (status !== 0) this.leftBehind.push(`${label}, if it was made: ${why}`);
      else if (!knowsItsOwn) this.leftBehind.push(`${label}, if it is its own`);
      if (status !== 0 || !knowsItsOwn) return;
    } else if (!certain && !knowsItsOwn) {
      // It may also be somebody else's: the answer that would have told was lost.
      this.leftBehind.push(`${label}, if it was made`);
      return;
    }
    if (!aside) this.options.onStep("cleaning", `taking away the ${label}`);
    const { status, why } = await this.tidy(command);
    if (status === 0) {
      if (!aside) this.cleanedUp.push(label);
    } else if (status !== 3 || !knowsItsOwn) this.leftBehind.push(`${label}: ${why}`);
  }

  /** Status null: no answer. Not ended by the user's cancelling, which may be why it runs at all. */
  private async tidy(command: Command): Promise<{ status: number | null; why: string }> {
    const { pool, host } = this.place;
    try {
      const result = await pool.exec(host, command, { priority: "user", timeoutMs: 180_000 });
      if (result.outcome !== "exited") return { status: null, why: "the host gave no answer" };
      return { status: result.status, why: result.status === 0 ? "" : this.explain(result).why };
    } catch (thrown) {
      if (!(thrown instanceof VirtuError)) throw thrown;
      return { status: null, why: "the host can't be reached" };
    }
  }
}

/** Nobody knows whether what failed so was done. */
export function isUnknown(thrown: unknown): boolean {
  return thrown instanceof StepUnknown || isPassing(thrown);
}

export function isCancelled(thrown: unknown): boolean {
  return thrown instanceof VirtuError && thrown.kind === "cancelled";
}

function lost({ outcome }: ExecResult): string {
  return outcome === "timeout" ? "it took too long and was ended" : "the connection broke before the answer";
}
