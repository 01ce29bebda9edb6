/** JSON as Perl's JSON module pretty-prints it: three blanks a level, blanks around the colon. */

export type Json = string | number | null | readonly Json[] | { readonly [key: string]: Json };

export function perlJson(value: Json, indent = ""): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const inner = `${indent}   `;
  if (Array.isArray(value)) {
    if (value.length === 0) return "[]";
    return `[\n${value.map((item: Json) => `${inner}${perlJson(item, inner)}`).join(",\n")}\n${indent}]`;
  }
  const entries = Object.entries(value as Record<string, Json>);
  if (entries.length === 0) return "{}";
  return `{\n${entries.map(([key, item]) => `${inner}${JSON.stringify(key)} : ${perlJson(item, inner)}`).join(",\n")}\n${indent}}`;
}
