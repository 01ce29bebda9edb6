/** Reads what Python's `repr` prints of plain data: gnt-* show fields that hold lists or dictionaries in this form. */

const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", "\\": "\\", "'": "'", '"': '"' };
const words: Readonly<Record<string, unknown>> = { None: null, True: true, False: false };

class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  whole(): unknown {
    const value = this.value();
    this.blanks();
    if (this.at < this.text.length) throw this.wrong();
    return value;
  }

  private wrong(): SyntaxError {
    return new SyntaxError(`no Python literal at ${this.at}`);
  }

  private blanks(): void {
    while (/\s/.test(this.text[this.at] ?? "")) this.at += 1;
  }

  private take(sign: string): boolean {
    this.blanks();
    if (this.text[this.at] !== sign) return false;
    this.at += 1;
    return true;
  }

  private value(): unknown {
    if (this.take("[")) return this.items("]");
    if (this.take("(")) return this.items(")");
    if (this.take("{")) return this.entries();
    for (const quote of ["'", '"']) if (this.take(quote)) return this.string(quote);
    const found = /[\w.+-]+/y;
    found.lastIndex = this.at;
    const [word] = found.exec(this.text) ?? [];
    if (word === undefined) throw this.wrong();
    const value = Object.hasOwn(words, word) ? words[word] : Number(word);
    if (Number.isNaN(value)) throw this.wrong();
    this.at += word.length;
    return value;
  }

  private items(end: string): unknown[] {
    const items: unknown[] = [];
    while (!this.take(end)) {
      items.push(this.value());
      if (!this.take(",") && this.text[this.at] !== end) throw this.wrong();
    }
    return items;
  }

  private entries(): Record<string, unknown> {
    const entries: [string, unknown][] = [];
    while (!this.take("}")) {
      const key = String(this.value());
      if (!this.take(":")) throw this.wrong();
      entries.push([key, this.value()]);
      if (!this.take(",") && this.text[this.at] !== "}") throw this.wrong();
    }
    return Object.fromEntries(entries);
  }

  private string(quote: string): string {
    let text = "";
    for (;;) {
      const sign = this.text[this.at];
      if (sign === undefined) throw this.wrong();
      this.at += 1;
      if (sign === quote) return text;
      if (sign !== "\\") {
        text += sign;
        continue;
      }
      const [coded, x, u] = /^(?:x([0-9a-f]{2})|u([0-9a-f]{4}))/.exec(this.text.slice(this.at, this.at + 5)) ?? [];
      if (coded === undefined) {
        text += escapes[this.text[this.at] ?? ""] ?? `\\${this.text[this.at]}`;
        this.at += 1;
      } else {
        text += String.fromCharCode(Number.parseInt(x ?? u ?? "", 16));
        this.at += coded.length;
      }
    }
  }
}

/** The value as JSON would hold it (a tuple is a list); undefined for anything else than plain data. */
export function parsePython(text: string): unknown {
  try {
    return new Reader(text).whole();
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}
