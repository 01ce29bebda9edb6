/** What is done about a console that says nothing: a getty is woken, and in the end it is found out whether somebody else has it. */
import type { Way } from "./types.ts";

/** After so many times of that silence it is said that nothing is heard. */
const silences = 6;

const heardNothing = "nothing is heard: the guest prints nothing here";
/** Where nobody can tell: QEMU lets a second viewer wait without a word. */
const maybeHeld = `${heardNothing}, or somebody else has it`;

export interface SilenceOptions {
  way: Way;
  /** Milliseconds of silence after which a getty is woken. */
  wakeMs: number;
  isSilent: () => boolean;
  wake: (key: string) => void;
  /** It is still silent, and this is all that can be said. */
  onStill: (note: string) => void;
  /** It is silent because somebody else has it: who, in the provider's words. */
  onHeld: (who: string) => void;
}

export class Silence {
  private timer: NodeJS.Timeout | null = null;
  private abort = new AbortController();
  private woken = false;

  constructor(private readonly options: SilenceOptions) {}

  /** A getty that has printed its prompt long ago prints it again after a key; one who sees text needs none. */
  begin(): void {
    this.end();
    this.abort = new AbortController();
    const { way, wakeMs, isSilent, wake } = this.options;
    const key = way.wake;
    if (!key || this.woken || !isSilent()) return;
    this.timer = setTimeout(() => {
      if (!isSilent()) return;
      wake(key);
      this.wait();
    }, wakeMs);
  }

  /** Who types needs no waking. */
  typed(): void {
    if (this.timer !== null && !this.woken) this.wait();
  }

  private wait(): void {
    if (this.timer) clearTimeout(this.timer);
    this.woken = true;
    this.timer = setTimeout(() => void this.still(), silences * this.options.wakeMs);
  }

  /** Something came: what the remote program says by itself does not end the silence, and begins it anew before the key. */
  heard(): void {
    if (this.timer === null) return;
    if (!this.options.isSilent()) this.end();
    else if (!this.woken) this.begin();
  }

  end(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.abort.abort();
  }

  private async still(): Promise<void> {
    this.timer = null;
    const { way, isSilent, onStill, onHeld } = this.options;
    const { signal } = this.abort;
    onStill(maybeHeld);
    if (!way.heldBy) return;
    const who = await way.heldBy(signal).catch(() => undefined);
    // Who can't be asked leaves it open.
    if (who === undefined || signal.aborted || !isSilent()) return;
    if (who === null) onStill(heardNothing);
    else onHeld(who);
  }
}
