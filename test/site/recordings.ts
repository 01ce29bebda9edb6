/** Recordings of the real programs, and how two outputs are compared that differ in names, numbers and times only. */
import { existsSync, readFileSync } from "node:fs";
import type { Ran } from "./machine.ts";

/** A recording by `PROGRAM/NAME`, in bytes. */
export function recording(name: string): Ran {
  const read = (extension: string) => {
    const file = new URL(`../../fixtures/${name}.${extension}`, import.meta.url);
    return existsSync(file) ? readFileSync(file, "latin1") : "";
  };
  return { stdout: read("stdout"), stderr: read("stderr"), status: Number(read("rc")) };
}

const masks: readonly (readonly [RegExp, string])[] = [
  [/\/tmp\/g5krun\/img\/key\.pub|\/home\/jdoe\/\.ssh\/authorized_keys/g, "KEYFILE"],
  [/D-[0-9a-f-]{36}/g, "WORKFLOW"],
  [/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "UUID"],
  [/[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}/g, "DATE"],
  [/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, "MOMENT"],
  [/(?:grisou|dahu|paravance|parasilo|troll|frontend)[\w[\],-]*(?:\.(?:nancy|grenoble)\.grid5000\.fr|\.demo)/g, "HOST"],
  [/[\w-]+\.(?:example\.org|demo)\b/g, "NAME"],
  [/\b(?:dahu|paravance)\b/g, "CLUSTER"],
  [/[-+]?\d+(?::\d+)+/g, "T"],
  [/ +(?=[T\d])/g, " "],
  [/\d+/g, "N"],
  // A number's own column.
  [/N +(?=[A-Z] \w)/g, "N "],
];

export function masked(text: string): string {
  return masks.reduce((all, [pattern, by]) => all.replace(pattern, by), text);
}

/** The kinds of a JSON value: keys and types, never the values. An empty list agrees with any. */
export function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? "list" : ["list", shape(value[0])];
  if (value === null || typeof value !== "object") return typeof value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, shape(inner)]),
  );
}
