/**
 * What is typed at a console: bytes for the guest, unchanged, but for the one key that leads back. What is pasted is the
 * guest's as a whole, whatever it holds.
 */

const pasteStart = Buffer.from("\u001b[200~", "latin1");
const pasteEnd = Buffer.from("\u001b[201~", "latin1");
/** So much of a mark at a chunk's end may be the beginning of one; less is a key. */
const least = 3;

export interface Taken {
  /** For the guest. */
  bytes: Buffer;
  /** The key that leads back was pressed after them. */
  left: boolean;
  /** What follows that key, not looked at yet. */
  rest: Buffer;
}

/** `ctrl+]` as the byte that a terminal sends for it; null for what is no such key. */
export function controlByte(key: string): number | null {
  const [, character] = /^ctrl\+([a-z\\\]^_])$/.exec(key.toLowerCase()) ?? [];
  return character === undefined ? null : (character.toUpperCase().codePointAt(0) ?? 0) & 0x1f;
}

export class GuestKeys {
  /** The guest reads the marks around what is pasted; another one never sees them. */
  marksPastes = false;
  private pasting = false;
  private held = Buffer.alloc(0);

  constructor(private readonly leave: number) {}

  /** Bytes are held back that may be the beginning of a mark: call `release` when nothing follows soon. */
  get pending(): boolean {
    return this.held.length > 0;
  }

  take(chunk: Buffer): Taken {
    const input = Buffer.concat([this.held, chunk]);
    this.held = Buffer.alloc(0);
    const parts: Buffer[] = [];
    let at = 0;
    while (at < input.length) {
      const mark = this.pasting ? pasteEnd : pasteStart;
      const found = input.indexOf(mark, at);
      const leave = this.pasting ? -1 : input.indexOf(this.leave, at);
      if (leave >= 0 && (found < 0 || leave < found)) {
        parts.push(input.subarray(at, leave));
        return { bytes: Buffer.concat(parts), left: true, rest: input.subarray(leave + 1) };
      }
      if (found < 0) {
        const kept = cutMark(input.subarray(at), mark);
        parts.push(input.subarray(at, input.length - kept));
        this.held = Buffer.from(input.subarray(input.length - kept));
        break;
      }
      parts.push(input.subarray(at, found));
      if (this.marksPastes) parts.push(mark);
      this.pasting = !this.pasting;
      at = found + mark.length;
    }
    return { bytes: Buffer.concat(parts), left: false, rest: Buffer.alloc(0) };
  }

  /** Gives what was held back: nothing followed. */
  release(): Buffer {
    const bytes = this.held;
    this.held = Buffer.alloc(0);
    return bytes;
  }
}

/** How many of the last bytes are the beginning of the mark. */
function cutMark(bytes: Buffer, mark: Buffer): number {
  for (let length = Math.min(mark.length - 1, bytes.length); length >= least; length -= 1) {
    if (bytes.subarray(bytes.length - length).equals(mark.subarray(0, length))) return length;
  }
  return 0;
}
