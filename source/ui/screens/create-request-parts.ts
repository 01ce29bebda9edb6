/** What the forms of all providers share: values as a file has them. Pure. */
import type { Values } from "../components/form.tsx";

export const valueAt = (values: Values, id: string): string => values[id] ?? "";

/** A field under its name, left out where nothing was typed: a file says only what is meant. */
export function given<K extends string>(name: K, text: string): Partial<Record<K, string>> {
  return text === "" ? {} : ({ [name]: text } as Record<K, string>);
}

/** The fields that every provider has. */
export function commonData(values: Values, host: string) {
  const by = valueAt(values, "ready");
  const count = Number(valueAt(values, "count"));
  const range = valueAt(values, "addresses");
  const waits = by === "ping" || by === "ssh" || by === "console";
  return {
    name: valueAt(values, "name"),
    ...(count > 1 ? { count } : {}),
    hosts: [host],
    memory: valueAt(values, "memory"),
    vcpus: Number(valueAt(values, "vcpus")),
    ...(valueAt(values, "start") === "no" ? { start: false } : waits ? { ready: { by } as const } : {}),
    ...(range === "" ? {} : { addresses: { range } }),
  };
}
