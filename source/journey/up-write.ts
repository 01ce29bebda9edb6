/** A plan's file, written from what was chosen. Pure. */
import { stringify } from "yaml";

export type Written =
  | string
  | number
  | boolean
  | null
  | readonly Written[]
  | { readonly [field: string]: Written | undefined };

/** Fields without a value are left out; a group with nothing in it stands there as `{}`. */
export function writeUpPlan(fields: { readonly [field: string]: Written | undefined }, head: string): string {
  const comment = head
    .split("\n")
    .map((line) => `# ${line}\n`)
    .join("");
  return comment + stringify(fields, { lineWidth: 0, version: "1.2" });
}
