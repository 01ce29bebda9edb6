/** The form of a comparison, and what it asks for. Pure. */
import type { ReadyWanted } from "../../instances/create-types.ts";
import type { Provider } from "../../instances/types.ts";
import { usualSizes } from "../../journey/compare-defaults.ts";
import type { ComparisonWish } from "../../journey/compare-plan.ts";
import type { FormField, Values } from "../components/form.tsx";
import { parseSize } from "./create-sizes.ts";

/** `providers`: those of the places that take part. */
export function compareFields(providers: readonly Provider[]): FormField[] {
  const has = (name: Provider["name"]) => () => providers.some((provider) => provider.name === name);
  return [
    { id: "memory", label: "Memory", kind: "text", width: 8, initial: `${usualSizes.memoryMiB}M` },
    { id: "vcpus", label: "vCPUs", kind: "text", width: 4, initial: String(usualSizes.vcpus) },
    { id: "disk", label: "Disk", kind: "text", width: 8, initial: "1G" },
    {
      ...{ id: "image", label: "Image", kind: "text", width: 30, shown: has("libvirt") },
      help: "libvirt: a file there; empty: nothing boots",
    },
    {
      id: "os",
      label: "System",
      kind: "text",
      width: 24,
      shown: has("ganeti"),
      help: "Ganeti; empty: noop, or its first",
    },
    { id: "count", label: "Instances", kind: "text", width: 4, initial: "1", help: "at once on each place" },
    { id: "rounds", label: "Rounds", kind: "text", width: 4, initial: "1", help: "several show how the times spread" },
    {
      ...{ id: "order", label: "Places", kind: "choice" },
      choices: [
        { value: "after", label: "one after another" },
        { value: "together", label: "all at the same time" },
      ],
    },
    {
      ...{ id: "also", label: "Migrate to", kind: "choice", shown: has("libvirt") },
      choices: [
        { value: "places", label: "the chosen places alone" },
        { value: "hosts", label: "any libvirt host that is shown" },
      ],
    },
    {
      ...{ id: "ready", label: "Wait for", kind: "choice" },
      choices: [
        { value: "", label: "the provider alone" },
        { value: "console", label: "a login at its console, too" },
        { value: "ping", label: "an answer to ping, too" },
        { value: "ssh", label: "an answer at its SSH port, too" },
      ],
    },
    { id: "limit", label: "Shutdown", kind: "text", width: 5, initial: "60", help: "seconds that a guest gets for it" },
  ];
}

const whole = (text: string | undefined, most: number): string | null =>
  /^[1-9]\d{0,5}$/.test(text ?? "") && Number(text) <= most ? null : `a whole number from 1 to ${most}`;

export function compareErrors(values: Values): Record<string, string | null> {
  const size = (text = "") => (parseSize(text) === null ? "a size like 512M or 2G" : null);
  const { image = "" } = values;
  return {
    ...{ memory: size(values["memory"]), disk: size(values["disk"]), vcpus: whole(values["vcpus"], 4096) },
    ...{ count: whole(values["count"], 50), rounds: whole(values["rounds"], 100), limit: whole(values["limit"], 3600) },
    image: image === "" || image.startsWith("/") ? null : "an absolute path on the host",
  };
}

/** What a form without errors asks for. `hosts`: all that are shown. */
export function wishOf(
  values: Values,
  providers: readonly Provider[],
  hosts: readonly Provider[],
  uri: string,
): ComparisonWish {
  const of = (id: string) => values[id] ?? "";
  const places = providers.map(({ attachment, name }) => ({ host: attachment.host, provider: name }));
  const others = hosts.filter(({ name }) => name === "libvirt").map(({ attachment }) => attachment.host);
  const also =
    of("also") === "hosts" ? others.filter(({ name }) => !places.some(({ host }) => host.name === name)) : [];
  const by = of("ready");
  const waits = by === "console" || by === "ping" || by === "ssh";
  const ready: ReadyWanted | null = waits ? { by, pattern: null, address: null, limitSeconds: 300 } : null;
  return {
    ...{ hosts: [], on: places, also, uri: uri === "" ? null : uri, files: [], ready },
    sizes: {
      memoryMiB: parseSize(of("memory")) ?? usualSizes.memoryMiB,
      diskMiB: parseSize(of("disk")) ?? usualSizes.diskMiB,
      ...{ vcpus: Number(of("vcpus")), image: of("image") || null, os: of("os") || null },
    },
    ...{ rounds: Number(of("rounds")), count: Number(of("count")), together: of("order") === "together" },
    limitSeconds: Number(of("limit")),
  };
}
