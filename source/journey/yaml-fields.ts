/** A YAML text read field by field by our own rules. Pure. */
import { isMap, isScalar, isSeq, type Node, type Pair } from "yaml";
import { nearest, oneOf } from "../meant.ts";
import { given, offsetOf, type YamlText } from "../yaml-text.ts";

/** The fields of one group. Each method gives what stands there, or notes the fault and gives null. */
export class Fields {
  private readonly values = new Map<string, { value: Node | null; offset: number }>();
  private readonly offset: number;
  /** Fields that were likely meant by what is no field, so that nobody is told twice of one slip. */
  private readonly meant = new Set<string>();

  /**
   * @param what What the group is, for messages: `a plan`, `an instance`.
   * @param path Field of the group itself; empty for the whole text.
   */
  constructor(
    private readonly yaml: YamlText,
    node: Node | null,
    private readonly path: string,
    what: string,
    allowed: readonly string[],
    offset = 0,
  ) {
    this.offset = offsetOf(node) ?? offset;
    if (isMap(node)) for (const pair of node.items) this.take(pair, what, allowed);
    else if (node !== null && !(isScalar(node) && node.value === null)) {
      yaml.add(this.offset, path, `${given(node)} is not ${what}: it has fields (${allowed.join(", ")})`);
      for (const name of allowed) this.meant.add(name);
    }
  }

  private take({ key, value }: Pair, what: string, allowed: readonly string[]): void {
    const node = key as Node | null;
    const name = isScalar(node) ? String(node.value) : "";
    const offset = offsetOf(node) ?? this.offset;
    if (allowed.includes(name)) {
      this.values.set(name, { value: this.yaml.resolve(value as Node | null), offset });
      return;
    }
    const meant = nearest(name, allowed);
    if (meant) this.meant.add(meant);
    const hint = meant ? `did you mean "${meant}"?` : `there are ${allowed.join(", ")}`;
    this.yaml.add(offset, this.field(name), `${given(node)} is no field of ${what}: ${hint}`);
  }

  field(name: string): string {
    return this.path === "" ? name : `${this.path}.${name}`;
  }

  has(name: string): boolean {
    return this.values.has(name);
  }

  /** Notes what is wrong with a field; at the group where the field is missing. */
  fault(name: string, text: string): null {
    const found = this.values.get(name);
    this.yaml.add(found ? (offsetOf(found.value) ?? found.offset) : this.offset, this.field(name), text);
    return null;
  }

  /** Notes that a field is missing; one that stands there with a slip in its name was told already. */
  missing(name: string, text: string): null {
    if (this.meant.has(name)) return null;
    return this.fault(name, `"${name}" is missing: ${text}`);
  }

  private node(name: string): Node | null {
    return this.values.get(name)?.value ?? null;
  }

  /** What stands there, for a message of one's own. */
  given(name: string): string {
    return given(this.node(name));
  }

  private scalar(name: string, node: Node | null, wanted: string): string | null {
    if (isScalar(node) && node.value !== null) {
      const text = typeof node.value === "string" ? node.value : String(node.source ?? node.value);
      const strange = [...text].some((letter) => letter.charCodeAt(0) < 32 || letter.charCodeAt(0) === 127);
      if (text.trim() !== "" && !strange) return text.trim();
      if (strange) return this.fault(name, `control characters and line breaks can't stand in ${wanted}`);
    }
    return this.fault(name, `${given(node)} is not ${wanted}`);
  }

  /** One line of text; null where there is none. */
  text(name: string, wanted = "a text"): string | null {
    return this.has(name) ? this.scalar(name, this.node(name), wanted) : null;
  }

  /** A text of more than one line too; null where there is none. */
  block(name: string, wanted: string): string | null {
    if (!this.has(name)) return null;
    const node = this.node(name);
    if (isScalar(node) && typeof node.value === "string" && node.value.trim() !== "") return node.value;
    return this.scalar(name, node, wanted);
  }

  /** A text that keeps to a rule. `wanted` says the rule: `an absolute path, like /srv/images`. */
  matching(name: string, rule: RegExp, wanted: string): string | null {
    const text = this.text(name, wanted);
    return text === null || rule.test(text) ? text : this.fault(name, `${this.given(name)} is not ${wanted}`);
  }

  whole(name: string, low: number, high: number): number | null {
    const wanted = `a whole number from ${low} to ${high}`;
    const text = this.text(name, wanted);
    if (text === null) return null;
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    return value >= low && value <= high ? value : this.fault(name, `${this.given(name)} is not ${wanted}`);
  }

  flag(name: string, usual: boolean): boolean {
    if (!this.has(name)) return usual;
    const node = this.node(name);
    if (isScalar(node) && typeof node.value === "boolean") return node.value;
    this.fault(name, `${given(node)} is not true or false`);
    return usual;
  }

  choice<T extends string>(name: string, allowed: readonly T[]): T | null {
    const text = this.text(name, oneOf(allowed));
    const known = allowed.find((one) => one === text);
    if (text === null || known !== undefined) return known ?? null;
    const meant = nearest(text, allowed);
    return this.fault(name, `${this.given(name)} is not ${oneOf(allowed)}${meant ? `: did you mean "${meant}"?` : ""}`);
  }

  private items(name: string): readonly (Node | null)[] {
    const node = this.node(name);
    if (!this.has(name)) return [];
    return isSeq(node) ? node.items.map((item) => this.yaml.resolve(item as Node | null)) : [node];
  }

  isList(name: string): boolean {
    return isSeq(this.node(name));
  }

  /** A list of texts; a single text stands for a list of one. */
  texts(name: string, rule: RegExp = /./, wanted = "a text"): string[] {
    return this.items(name).flatMap((item) => {
      const at = offsetOf(item);
      const before = this.yaml.faults.length;
      const text = this.scalar(name, item, wanted);
      const added = this.yaml.faults.splice(before);
      if (text !== null && rule.test(text)) return [text];
      const why = added[0]?.text ?? `${given(item)} is not ${wanted}`;
      if (at === null) this.fault(name, why);
      else this.yaml.add(at, this.field(name), why);
      return [];
    });
  }

  choices<T extends string>(name: string, allowed: readonly T[]): T[] {
    const words = this.texts(name, /./, oneOf(allowed));
    return [...new Set(words)].flatMap((word) => {
      const known = allowed.find((one) => one === word);
      if (known !== undefined) return [known];
      this.fault(name, `"${word}" is not ${oneOf(allowed)}`);
      return [];
    });
  }

  /** This group once more, with fewer fields: those that have no place in it are noted. */
  only(what: string, allowed: readonly string[]): Fields {
    for (const [name, { offset }] of this.values) {
      if (allowed.includes(name)) continue;
      this.yaml.add(offset, this.field(name), `"${name}" is no field of ${what}: there are ${allowed.join(", ")}`);
    }
    return this;
  }

  /** A group of fields; null where there is none. An empty one is a group too. */
  group(name: string, what: string, allowed: readonly string[]): Fields | null {
    const found = this.values.get(name);
    return found ? new Fields(this.yaml, found.value, this.field(name), what, allowed, found.offset) : null;
  }

  /** A list of such groups. */
  groups(name: string, what: string, allowed: readonly string[]): Fields[] {
    const found = this.values.get(name);
    if (!found || (isScalar(found.value) && found.value.value === null)) return [];
    if (!isSeq(found.value)) {
      this.fault(name, `${given(found.value)} is not a list: write each with a dash before it`);
      return [];
    }
    return this.items(name).map(
      (item, index) => new Fields(this.yaml, item, `${this.field(name)}[${index + 1}]`, what, allowed, found.offset),
    );
  }
}
