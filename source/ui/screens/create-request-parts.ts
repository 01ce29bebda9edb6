/** What the forms of all providers share: values as a file has them. Pure. */
import type { CreateData } from "../../instances/create-file.ts";
import type { Values } from "../components/form.tsx";
import { typedRange } from "./create-field-kinds.ts";

export const valueAt = (values: Values, id: string): string => values[id] ?? "";

/** A field under its name, left out where nothing was typed: a file says only what is meant. */
export function given<K extends string>(name: K, text: string): Partial<Record<K, string>> {
  return text === "" ? {} : ({ [name]: text } as Record<K, string>);
}

/** The range that was typed, or what a job lends. */
function addressesOf(values: Values): CreateData["addresses"] {
  const of = valueAt(values, "addressesOf");
  if (of === typedRange) {
    const range = valueAt(values, "addresses");
    return range === "" ? undefined : { range };
  }
  return of === "" ? undefined : (JSON.parse(of) as CreateData["addresses"]);
}

/** The fields that every provider has. */
export function commonData(values: Values, host: string) {
  const by = valueAt(values, "ready");
  const count = Number(valueAt(values, "count"));
  const addresses = addressesOf(values);
  const waits = by === "ping" || by === "ssh" || by === "console";
  return {
    name: valueAt(values, "name"),
    ...(count > 1 ? { count } : {}),
    hosts: [host],
    memory: valueAt(values, "memory"),
    vcpus: Number(valueAt(values, "vcpus")),
    ...(valueAt(values, "start") === "no" ? { start: false } : waits ? { ready: { by } as const } : {}),
    ...(addresses === undefined ? {} : { addresses }),
  };
}
