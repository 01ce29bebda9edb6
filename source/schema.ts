/**
 * Data against a schema (a part of JSON Schema 2020-12), and YAML files by it. The schema is the only place that says what a
 * file may hold: it is published as it stands.
 */
import { stringify } from "yaml";
import { nearest, oneOf } from "./meant.ts";
import { type Fault, given, YamlText } from "./yaml-text.ts";

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

export interface Misfit {
  at: (string | number)[];
  text: string;
  /** What is wrong: a value, or a name that is not known there; or a field is not there at all. */
  of: "value" | "name" | "missing";
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

function numberText({ minimum, maximum }: Schema): string {
  const range = maximum === undefined ? ` of at least ${minimum}` : ` from ${minimum ?? 0} to ${maximum}`;
  return `${kinds["integer"]}${minimum === undefined && maximum === undefined ? "" : range}`;
}

/** What a value must be, when it is no group, list or choice of forms. */
function wantedText(schema: Schema): string {
  if (schema.const !== undefined) return String(schema.const);
  if (schema.enum) return oneOf(schema.enum);
  if (schema.pattern !== undefined && schema.description) return schema.description;
  return schema.type === "integer" ? numberText(schema) : (kinds[schema.type ?? ""] ?? "");
}

function fits(value: unknown, { const: only, type, enum: words, pattern, minimum, maximum }: Schema): boolean {
  if (only !== undefined && value !== only) return false;
  if (type !== undefined && kindOf(value) !== type) return false;
  if (words && !words.includes(String(value))) return false;
  if (typeof value === "string") return pattern === undefined || new RegExp(pattern, "u").test(value);
  return typeof value !== "number" || (value >= (minimum ?? -Infinity) && value <= (maximum ?? Infinity));
}

/** Everything that is wrong with a value; empty when it fits. */
export function misfitsOf(value: unknown, schema: Schema, at: Misfit["at"] = []): Misfit[] {
  if (schema.oneOf) return misfitsOfOne(value, schema.oneOf, at);
  if (!fits(value, schema)) {
    const meant = schema.enum ? nearest(String(value), schema.enum) : null;
    const hint = meant ? `: did you mean "${meant}"?` : "";
    return [{ at, text: `${given(value)} is not ${wantedText(schema)}${hint}`, of: "value" }];
  }
  if (Array.isArray(value)) {
    const least = schema.minItems ?? 0;
    if (value.length < least) return [{ at, text: `the list needs at least ${least}`, of: "value" }];
    return value.flatMap((item, index) => misfitsOf(item, schema.items ?? {}, [...at, index]));
  }
  if (typeof value === "object" && value !== null) return misfitsOfFields(value, schema, at);
  return [];
}

function misfitsOfFields(value: object, schema: Schema, at: Misfit["at"]): Misfit[] {
  const { properties = {}, required = [], additionalProperties } = schema;
  const found: Misfit[] = [];
  // Fields that were likely meant by what is no field, so that nobody is told twice of one slip.
  const slips = new Set<string>();
  for (const [name, entry] of Object.entries(value)) {
    const known = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (known) found.push(...misfitsOf(entry, known, [...at, name]));
    else if (additionalProperties === false) {
      const free = Object.keys(properties).filter((one) => !Object.hasOwn(value, one));
      const meant = nearest(name, free);
      if (meant) slips.add(meant);
      const hint = meant ? `did you mean "${meant}"?` : `there are ${Object.keys(properties).join(", ")}`;
      found.push({ at: [...at, name], text: `${given(name)} is no field here: ${hint}`, of: "name" });
    } else if (additionalProperties) found.push(...misfitsOf(entry, additionalProperties, [...at, name]));
  }
  const missing = required.filter((name) => !Object.hasOwn(value, name) && !slips.has(name));
  return [...found, ...missing.map((name) => missingField([...at, name], name, properties[name]))];
}

function missingField(at: Misfit["at"], name: string, schema: Schema | undefined): Misfit {
  return { at, text: `"${name}" is missing${schema?.description ? `: ${schema.description}` : ""}`, of: "missing" };
}

/** The misfits of the form that was meant: the one whose constants and needed fields are there; then the fewest. */
function misfitsOfOne(value: unknown, forms: readonly Schema[], at: Misfit["at"]): Misfit[] {
  const tried = forms.map((form) => ({ form, misfits: misfitsOf(value, form, at) }));
  if (tried.some(({ misfits }) => misfits.length === 0)) return [];
  const has = (name: string) => typeof value === "object" && value !== null && Object.hasOwn(value, name);
  const constants = ({ properties = {} }: Schema) =>
    Object.entries(properties).filter(([, one]) => one.const !== undefined);
  const isMeant = (form: Schema) =>
    (form.type === undefined || kindOf(value) === form.type) &&
    constants(form).every(([name, one]) => (value as Record<string, unknown>)[name] === one.const);
  const isNamed = (form: Schema) => (form.required ?? []).length > 0 && (form.required ?? []).every(has);
  const meant = tried.filter(({ form }) => isMeant(form));
  const named = tried.filter(({ form }) => isNamed(form));
  const both = meant
    .filter(({ form }) => isNamed(form))
    .sort((one, other) => one.misfits.length - other.misfits.length);
  // Where every form has its constant, only that one tells them apart.
  const told = forms.every((form) => constants(form).length > 0);
  const best = both[0] ?? (meant.length === 1 ? meant[0] : named.length === 1 && !told ? named[0] : undefined);
  if (best) return best.misfits;
  if (forms.every(({ properties }) => properties === undefined)) {
    return [{ at, text: `${given(value)} is not ${oneOf(forms.map(wantedText))}`, of: "value" }];
  }
  const ways = forms.map(({ properties = {}, required = [], description, type }) => {
    const constant = Object.entries(properties).find(
      ([name, one]) => one.const !== undefined && required.includes(name),
    );
    if (constant) return `${constant[0]}: ${constant[1].const}`;
    return required.join(" and ") || description || type || "";
  });
  return [{ at, text: `must have one of ${ways.join(", ")}`, of: "value" }];
}

/** Data as a file that `readBySchema` reads. */
export function fileText(data: unknown): string {
  return stringify(data);
}

/**
 * Reads YAML: its data, and all that is wrong with it, in the order of the text. `without` names fields of the whole that may
 * be missing although the schema wants them.
 */
export function readBySchema(
  text: string,
  schema: Schema,
  without: readonly string[] = [],
): { data: unknown; faults: Fault[] } {
  const yaml = new YamlText(text);
  const data = yaml.data();
  if (yaml.faults.length > 0) return { data, faults: yaml.faults };
  for (const { at, text: why, of } of misfitsOf(data, schema)) {
    if (of === "missing" && at.length === 1 && without.includes(String(at[0]))) continue;
    yaml.add(yaml.offsetOf(at, of === "name"), fieldName(at), why);
  }
  return { data, faults: yaml.sorted() };
}

/** `disks.0.size`, as it is named to people. */
export function fieldName(at: Misfit["at"]): string {
  return at.join(".");
}
