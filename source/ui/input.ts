/**
 * Bytes from the terminal as named keys. Ink's own decoder takes a whole chunk for one key, so fast typing and pasting
 * would lose keys; this one splits a chunk, knows bracketed paste, and keeps an escape that may still become a sequence.
 */

export interface KeyEvent {
  /** `a`, `A`, `up`, `enter`, `esc`, `space`, `shift+tab`, `ctrl+c`, `alt+x`, `pgdn`, `f1`, `paste`, … */
  name: string;
  /** What it writes into a field: one character, or the pasted text. */
  text: string | null;
  /** The bytes as they came, for handing on. */
  raw: string;
}

const ESC = "\u001b";
/** How what a terminal says of itself begins (kitty's graphics, its name and settings, colours): an APC, DCS or OSC string. */
const reportStart = /^\u001b(?:_G|P>\||P[01][$+]r|\]\d+;)/;
const report = /^\u001b[P_\]^][^\u0007\u001b]*(?:\u0007|\u001b\\)/;
/** No report is longer. */
const longestReport = 4096;
const pasteStart = `${ESC}[200~`;
const pasteEnd = `${ESC}[201~`;

const sequences: Record<string, string> = {
  "[A": "up",
  "[B": "down",
  "[C": "right",
  "[D": "left",
  "[H": "home",
  "[F": "end",
  OA: "up",
  OB: "down",
  OC: "right",
  OD: "left",
  OH: "home",
  OF: "end",
  "[1~": "home",
  "[7~": "home",
  "[4~": "end",
  "[8~": "end",
  "[2~": "insert",
  "[3~": "delete",
  "[5~": "pgup",
  "[6~": "pgdn",
  "[Z": "shift+tab",
  OP: "f1",
  OQ: "f2",
  OR: "f3",
  OS: "f4",
};
const modified: Record<string, string> = { "2": "shift+", "3": "alt+", "5": "ctrl+", "6": "ctrl+shift+" };
const letters: Record<string, string> = { A: "up", B: "down", C: "right", D: "left", H: "home", F: "end" };

function nameOfSequence(body: string): string {
  const known = sequences[body];
  if (known) return known;
  const withModifier = /^\[1;(\d)([A-DHF])$/.exec(body);
  if (withModifier) return `${modified[withModifier[1] ?? ""] ?? ""}${letters[withModifier[2] ?? ""] ?? "unknown"}`;
  return "unknown";
}

function single(character: string): KeyEvent {
  const code = character.codePointAt(0) ?? 0;
  if (character === "\r" || character === "\n") return { name: "enter", text: null, raw: character };
  if (character === "\t") return { name: "tab", text: null, raw: character };
  if (character === " ") return { name: "space", text: " ", raw: character };
  if (code === 0x7f || code === 0x08) return { name: "backspace", text: null, raw: character };
  if (code === 0) return { name: "ctrl+space", text: null, raw: character };
  if (code < 0x20) return { name: `ctrl+${String.fromCharCode(code + 0x60)}`, text: null, raw: character };
  return { name: character, text: character, raw: character };
}

/** A decoder with its memory of what has not ended yet. Feed it chunks; call `timeout` when nothing followed an escape. */
export class KeyDecoder {
  private rest = "";
  private paste: string | null = null;

  /** True when an escape waits for what may follow it. */
  get pending(): boolean {
    return this.paste === null && this.rest !== "";
  }

  feed(chunk: string): KeyEvent[] {
    let input = this.rest + chunk;
    this.rest = "";
    const events: KeyEvent[] = [];
    while (input !== "") {
      if (this.paste !== null) {
        const end = input.indexOf(pasteEnd);
        if (end < 0) {
          // The end mark itself may be cut by the chunk's border.
          const keep = Math.min(input.length, pasteEnd.length - 1);
          this.paste += input.slice(0, input.length - keep);
          this.rest = input.slice(input.length - keep);
          return events;
        }
        const text = this.paste + input.slice(0, end);
        events.push({ name: "paste", text, raw: text });
        this.paste = null;
        input = input.slice(end + pasteEnd.length);
        continue;
      }
      if (input.startsWith(pasteStart)) {
        this.paste = "";
        input = input.slice(pasteStart.length);
        continue;
      }
      if (input[0] === ESC) {
        const taken = this.escape(input);
        if (!taken) {
          this.rest = input;
          return events;
        }
        events.push(taken);
        input = input.slice(taken.raw.length);
        continue;
      }
      const character = String.fromCodePoint(input.codePointAt(0) ?? 0);
      events.push(single(character));
      input = input.slice(character.length);
    }
    return events;
  }

  /** What an escape is that nothing followed: the Esc key. */
  timeout(): KeyEvent[] {
    if (!this.pending) return [];
    const input = this.rest;
    this.rest = "";
    if (reportStart.test(input)) return [{ name: "unknown", text: null, raw: input }];
    const events: KeyEvent[] = [{ name: "esc", text: null, raw: ESC }];
    return input.length > 1 ? [...events, ...this.feed(input.slice(1))] : events;
  }

  private escape(input: string): KeyEvent | null {
    if (input.length === 1) return null;
    const next = input[1] ?? "";
    if (next === ESC) return { name: "esc", text: null, raw: ESC };
    if (next === "[" || next === "O") {
      // CSI: parameters, then one final byte; SS3: one byte.
      const match = next === "[" ? /^\[[0-?]*[ -/]*[@-~]/.exec(input.slice(1)) : /^O[ -~]/.exec(input.slice(1));
      if (match) return { name: nameOfSequence(match[0]), text: null, raw: ESC + match[0] };
      // Longer than any real sequence: not one. Give the escape alone.
      return input.length > 32 ? { name: "esc", text: null, raw: ESC } : null;
    }
    const told = report.exec(input)?.[0];
    if (told !== undefined) return { name: "unknown", text: null, raw: told };
    if (reportStart.test(input) && input.length < longestReport) return null;
    const character = String.fromCodePoint(input.codePointAt(1) ?? 0);
    return { name: `alt+${single(character).name}`, text: null, raw: ESC + character };
  }
}
