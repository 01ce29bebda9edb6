/**
 * A YAML text (JSON is YAML) in which what is wrong is gathered, all of it: each fault with its line, column and field, what
 * stands there and what may. Those who read it bring the rules: `schema.ts` a schema, `journey/yaml-fields.ts` code. Pure.
 */
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import { VirtuError } from "./errors.ts";

/** Why a text is not what it should be. Lines and columns count from 1. */
export interface Fault {
  line: number;
  column: number;
  /** `install.storage`, `disks.0.size`; empty: the text as a whole. */
  field: string;
  /** One sentence, with what was given and what is allowed. */
  text: string;
}

/** Characters; nobody writes more by hand, and a wrong file must not be read into the night. */
const longest = 1_000_000;
/** Characters of a wrong value that are shown. */
const shown = 40;

export class YamlText {
  readonly faults: Fault[] = [];
  readonly root: Node | null;
  private readonly lines = new LineCounter();
  private readonly document;

  constructor(text: string) {
    const whole = text.length <= longest;
    this.document = parseDocument(whole ? text : "", { lineCounter: this.lines, prettyErrors: false });
    if (!whole) this.add(0, "", `the file is too long: more than ${longest} characters`);
    for (const { message, pos } of this.document.errors) this.add(pos[0], "", `it is not YAML: ${message}`);
    this.root = this.faults.length > 0 ? null : this.document.contents;
  }

  add(offset: number, field: string, text: string): void {
    const { line, col } = this.lines.linePos(offset);
    this.faults.push({ line: Math.max(1, line), column: Math.max(1, col), field, text });
  }

  /** What is wrong, in the order of the text. */
  sorted(): Fault[] {
    return [...this.faults].sort((a, b) => a.line - b.line || a.column - b.column);
  }

  /** The node that an alias stands for. */
  resolve(node: Node | null): Node | null {
    return isAlias(node) ? (node.resolve(this.document) ?? null) : node;
  }

  /** All of it as plain data; null where it is no YAML. */
  data(): unknown {
    return this.root === null ? null : this.document.toJS();
  }

  /**
   * Where a field stands: the value if it is a single one, else the name of the group or list; the name too when `name` is
   * set; what is around it where it is missing.
   */
  offsetOf(at: readonly (string | number)[], name = false): number {
    let node = this.root;
    let offset = offsetOf(node) ?? 0;
    for (const step of at) {
      if (isMap(node)) {
        const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
        if (!pair) return offset;
        offset = offsetOf(pair.key as Node) ?? offset;
        node = this.resolve(pair.value as Node | null);
      } else if (isSeq(node)) {
        node = this.resolve((node.items[Number(step)] as Node | undefined) ?? null);
        offset = offsetOf(node) ?? offset;
      } else return offset;
    }
    return !name && isScalar(node) && node.value !== null ? (offsetOf(node) ?? offset) : offset;
  }
}

export const offsetOf = (node: Node | null | undefined): number | null => node?.range?.[0] ?? null;

/** What stands there, for a message: a node, or its value. */
export function given(found: unknown): string {
  if (isMap(found)) return "a group of fields";
  if (isSeq(found) || Array.isArray(found)) return "a list";
  const value = isScalar(found) ? (found.source ?? found.value) : found;
  if (value === null || value === undefined || (isScalar(found) && found.value === null)) return "nothing";
  if (typeof value === "object") return "a group of fields";
  const text = String(value).replace(/\s+/g, " ");
  return `"${text.length > shown ? `${text.slice(0, shown - 1)}…` : text}"`;
}

/** A refusal of a file: its first fault in front, all of them under it where there are more. */
export function refusal(what: string, file: string, faults: readonly Fault[], hint?: string): VirtuError {
  const [first] = faults;
  const where = ({ line, column }: Fault) => `${file}:${line}:${column}`;
  const why = ({ field, text }: Fault) => (field === "" ? text : `${field}: ${text}`);
  return new VirtuError({
    ...{ kind: "usage", what, hint, where: first ? where(first) : file, why: first && why(first) },
    detail: faults.length > 1 ? faults.map((fault) => `${where(fault)}: ${why(fault)}`).join("\n") : undefined,
  });
}
