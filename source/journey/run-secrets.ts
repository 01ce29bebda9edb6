/** Secrets of a run: asked once each, in memory only for as long as the run is carried. */
import type { RunOptions } from "./run-types.ts";

export class Secrets {
  private readonly asked = new Map<string, Promise<string | null>>();

  constructor(
    private readonly ask: RunOptions["secrets"],
    private readonly signal: AbortSignal,
  ) {}

  async get(name: string): Promise<string | null> {
    if (!this.ask) return null;
    let answer = this.asked.get(name);
    if (!answer) {
      answer = this.ask(name, this.signal);
      this.asked.set(name, answer);
      // One that nobody gave is asked for again when the step is tried again.
      answer.then(
        (value) => value === null && this.asked.delete(name),
        () => this.asked.delete(name),
      );
    }
    return answer;
  }

  /** It may have been wrong. */
  forget(name: string): void {
    this.asked.delete(name);
  }
}
