/**
 * Data against a schema (a part of JSON Schema 2020-12), and YAML files with the line of each fault. The schema is the only
 * place that says what a file may hold: it is published as it stands.
 */
import { isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument, stringify } from "yaml";

export interface Schema {
  $schema?: string;
  $id?: string;
  title?: string;
  description?: string;
  type?: "object" | "array" | "string" | "integer" | "boolean" | "null";
  properties?: Readonly<Record<string, Schema>>;
  required?: readonly string[];
  additionalProperties?: false | Schema;
  items?: Schema;
  minItems?: number;
  enum?: readonly string[];
  const?: string | boolean;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  /** Exactly one of them holds. */
  oneOf?: readonly Schema[];
  default?: string | number | boolean;
}

export interface Fault {
  at: (string | number)[];
  text: string;
}

const kindOf = (value: unknown): string => {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return Number.isInteger(value) ? "integer" : typeof value;
};

const kinds: Readonly<Record<string, string>> = {
  ...{ object: "a group of fields", array: "a list", string: "a text", integer: "a whole number" },
  ...{ boolean: "true or false", null: "nothing" },
};

/** Every fault of a value; empty when it fits. */
export function faultsOf(value: unknown, schema: Schema, at: Fault["at"] = []): Fault[] {
  const fault = (text: string): Fault[] => [{ at, text }];
  if (schema.oneOf) return faultsOfOne(value, schema.oneOf, at);
  if (schema.const !== undefined && value !== schema.const) return fault(`must be ${schema.const}`);
  if (schema.type !== undefined && kindOf(value) !== schema.type) return fault(`must be ${kinds[schema.type]}`);
  if (schema.enum && !schema.enum.includes(String(value))) return fault(`must be one of ${schema.enum.join(", ")}`);
  if (typeof value === "string") {
    if (schema.pattern !== undefined && !new RegExp(schema.pattern, "u").test(value)) {
      return fault(schema.description ? `must be ${schema.description}` : "has the wrong form");
    }
  }
  if (typeof value === "number") {
    const { minimum = -Infinity, maximum = Infinity } = schema;
    if (value < minimum || value > maximum) return fault(`must be ${minimum} to ${maximum}`);
  }
  if (Array.isArray(value)) {
    if (value.length < (schema.minItems ?? 0)) return fault(`needs at least ${schema.minItems}`);
    return value.flatMap((item, index) => faultsOf(item, schema.items ?? {}, [...at, index]));
  }
  if (typeof value === "object" && value !== null) return faultsOfFields(value, schema, at);
  return [];
}

function faultsOfFields(value: object, schema: Schema, at: Fault["at"]): Fault[] {
  const { properties = {}, required = [], additionalProperties } = schema;
  const missing = required.filter((name) => !Object.hasOwn(value, name));
  const faults: Fault[] = missing.map((name) => ({ at, text: `needs "${name}"` }));
  for (const [name, entry] of Object.entries(value)) {
    const known = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (known) faults.push(...faultsOf(entry, known, [...at, name]));
    else if (additionalProperties === false) {
      const names = Object.keys(properties);
      faults.push({ at: [...at, name], text: `is not known here (known: ${names.join(", ")})` });
    } else if (additionalProperties) faults.push(...faultsOf(entry, additionalProperties, [...at, name]));
  }
  return faults;
}

/** The faults of the form that was meant: the one whose constants and needed fields are there; then the fewest faults. */
function faultsOfOne(value: unknown, forms: readonly Schema[], at: Fault["at"]): Fault[] {
  const tried = forms.map((form) => ({ form, faults: faultsOf(value, form, at) }));
  if (tried.some(({ faults }) => faults.length === 0)) return [];
  const has = (name: string) => typeof value === "object" && value !== null && Object.hasOwn(value, name);
  const constants = ({ properties = {} }: Schema) =>
    Object.entries(properties).filter(([, one]) => one.const !== undefined);
  const isMeant = (form: Schema) =>
    (form.type === undefined || kindOf(value) === form.type) &&
    constants(form).every(([name, one]) => (value as Record<string, unknown>)[name] === one.const);
  const isNamed = (form: Schema) => (form.required ?? []).length > 0 && (form.required ?? []).every(has);
  const meant = tried.filter(({ form }) => isMeant(form));
  const named = tried.filter(({ form }) => isNamed(form));
  const both = meant.filter(({ form }) => isNamed(form)).sort((one, other) => one.faults.length - other.faults.length);
  // Where every form has its constant, only that one tells them apart.
  const told = forms.every((form) => constants(form).length > 0);
  const best = both[0] ?? (meant.length === 1 ? meant[0] : named.length === 1 && !told ? named[0] : undefined);
  if (best) return best.faults;
  const ways = forms.map(({ properties = {}, required = [], description, type }) => {
    const constant = Object.entries(properties).find(
      ([name, one]) => one.const !== undefined && required.includes(name),
    );
    if (constant) return `${constant[0]}: ${constant[1].const}`;
    return required.join(" and ") || description || type || "";
  });
  return [{ at, text: `must have one of ${ways.join(", ")}` }];
}

/** Data as a file that `readChecked` reads. */
export function fileText(data: unknown): string {
  return stringify(data);
}

export interface FileFault extends Fault {
  /** From 1. */
  line: number;
}

/** Reads YAML (JSON is YAML): its data, or its faults with their lines. */
export function readChecked(text: string, schema: Schema): { data: unknown; faults: FileFault[] } {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, uniqueKeys: true });
  const lineAt = (offset: number) => counter.linePos(offset).line;
  if (document.errors.length > 0) {
    const faults = document.errors.map((error) => {
      // The library's message goes on with the source around the place.
      const [what = ""] = error.message.split("\n");
      return { at: [], text: what.replace(/ at line \d+, column \d+:?$/, ""), line: lineAt(error.pos[0]) };
    });
    return { data: null, faults };
  }
  const data: unknown = document.toJS();
  const faults = faultsOf(data, schema).map((fault) => ({
    ...fault,
    line: lineAt(offsetOf(document.contents, fault.at)),
  }));
  return { data, faults };
}

/** Where a field stands: its name in a map, its entry in a list; the nearest thing around it where it is missing. */
function offsetOf(root: Node | null, at: Fault["at"]): number {
  let node: unknown = root;
  let offset = root?.range?.[0] ?? 0;
  for (const step of at) {
    if (isMap(node)) {
      const pair = node.items.find(
        (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(step),
      );
      if (!pair) break;
      if (isScalar(pair.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      offset = (node as Node | undefined)?.range?.[0] ?? offset;
    } else break;
  }
  return offset;
}

/** `disks.0.size`, as it is named to people. */
export function fieldName(at: Fault["at"]): string {
  return at.join(".");
}
