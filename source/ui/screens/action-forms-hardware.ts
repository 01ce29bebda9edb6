/** Forms of what an instance is made of: memory, vCPUs, disks, network cards, media. Pure. */
import type { DiskInfo, InstanceDetails } from "../../instances/types.ts";
import { count, plainLine } from "../../text.ts";
import type { FormField, Values } from "../components/form.tsx";
import { parseSize } from "../sizes.ts";
import type { ActionForm, FormContext } from "./action-forms.ts";
import { firstDetails, whom } from "./action-forms-basic.ts";
import { mebibytes } from "./instances-rows.ts";

const value = (values: Values, id: string) => values[id] ?? "";

/** What is wrong with a size, or null; empty is only missing. */
function sizeError(text: string): string | null {
  const size = parseSize(text);
  return text === "" || !("error" in size) ? null : size.error;
}

function sizeOf(text: string): number | null {
  const size = parseSize(text);
  return "error" in size ? null : size.mebibytes;
}

/** `hv1 has 12G free of 64G`, or nothing where that is not known. */
function hostMemory({ node }: FormContext): string {
  if (!node || node.memoryFree === null) return "";
  const total = node.memoryTotal === null ? "" : ` of ${mebibytes(node.memoryTotal)}`;
  return `${plainLine(node.name)} has ${mebibytes(node.memoryFree)} free${total}`;
}

export const memoryForm: ActionForm = {
  title: (context) => `Memory of ${whom(context)}`,
  details: "each",
  fields: ({ rows }) => [
    { id: "size", label: "Memory", kind: "text", width: 10, initial: mebibytes(rows[0]?.memoryMiB ?? null) },
  ],
  errors: (values, context) => {
    const wrong = sizeError(value(values, "size"));
    const most = context.node?.memoryTotal ?? null;
    const size = sizeOf(value(values, "size"));
    return {
      size: wrong ?? (size !== null && most !== null && size > most ? `its host has ${mebibytes(most)}` : null),
    };
  },
  meanings: (_values, context) => ({ size: hostMemory(context) }),
  missing: (values) => (value(values, "size") === "" ? "a size is needed" : null),
  request: (values) => {
    const mib = sizeOf(value(values, "size"));
    return mib === null ? null : { do: "set-memory", mebibytes: mib };
  },
  about: (values, context) => {
    const most = firstDetails(context)?.memoryMaxMiB ?? null;
    const size = sizeOf(value(values, "size")) ?? 0;
    if (most === null) return [];
    const over = size > most && context.rows.some(({ status }) => status !== "stopped");
    return [
      over
        ? `It can have ${mebibytes(most)} while it runs; more needs a start anew.`
        : `${mebibytes(most)} at most while it runs.`,
    ];
  },
};

export const vcpuForm: ActionForm = {
  title: (context) => `vCPUs of ${whom(context)}`,
  details: "each",
  fields: ({ rows }) => [{ id: "count", label: "vCPUs", kind: "text", width: 5, initial: String(rows[0]?.vcpus ?? 1) }],
  errors: (values) => {
    const text = value(values, "count");
    const right = /^\d{1,4}$/.test(text) && Number(text) >= 1;
    return { count: text === "" || right ? null : "a whole number from 1 on" };
  },
  missing: (values) => (value(values, "count") === "" ? "a number is needed" : null),
  request: (values) => ({ do: "set-vcpus", count: Number(value(values, "count")) }),
  about: (_values, context) => {
    const most = firstDetails(context)?.vcpusMax ?? null;
    return most === null ? [] : [`${count(most, "vCPU")} at most while it runs; more needs a start anew.`];
  },
};

/** What the provider offers, and a field for what it does not know of; that alone where it offers nothing. */
function offered(id: string, label: string, names: readonly string[], other: string): FormField[] {
  const typed: FormField = { id: `${id}-typed`, label: names.length === 0 ? label : "", kind: "text", width: 40 };
  if (names.length === 0) return [typed];
  const choices = [
    ...names.map((name) => ({ value: name, label: plainLine(name) })),
    { value: otherwise, label: other },
  ];
  return [
    { id, label, kind: "choice", choices },
    { ...typed, shown: (values) => values[id] === otherwise },
  ];
}

/** No name of anything. */
const otherwise = "\u0000";

/** What was chosen or typed in such fields; empty as long as nothing was. */
function taken(values: Values, id: string): string {
  const chosen = value(values, id);
  return chosen === "" || chosen === otherwise ? value(values, `${id}-typed`) : chosen;
}

/** The provider's own choice of a pool. */
const ownPool = "";

export const diskAddForm: ActionForm = {
  title: (context) => `Add a disk to ${whom(context)}`,
  details: "first",
  fields: (context) => [
    { id: "size", label: "Size", kind: "text", width: 10, initial: "10G" },
    {
      id: "pool",
      label: "Where",
      kind: "choice",
      choices: [
        { value: ownPool, label: "where the provider puts them" },
        ...(firstDetails(context)?.pools ?? []).map(({ name, freeMiB }) => ({
          value: name,
          label: `${plainLine(name)}${freeMiB === null ? "" : ` (${mebibytes(freeMiB)} free)`}`,
        })),
      ],
    },
  ],
  errors: (values, context) => {
    const wrong = sizeError(value(values, "size"));
    const free = firstDetails(context)?.pools.find(({ name }) => name === value(values, "pool"))?.freeMiB ?? null;
    const size = sizeOf(value(values, "size"));
    return {
      size: wrong ?? (free !== null && size !== null && size > free ? `only ${mebibytes(free)} are free there` : null),
    };
  },
  missing: (values) => (value(values, "size") === "" ? "a size is needed" : null),
  request: (values) => {
    const mib = sizeOf(value(values, "size"));
    const pool = value(values, "pool");
    return mib === null ? null : { do: "disk-add", mebibytes: mib, pool: pool === ownPool ? null : pool };
  },
};

function diskOf(context: FormContext): DiskInfo | null {
  return firstDetails(context)?.disks.find(({ id }) => id === context.of) ?? null;
}

function diskLine({ id, source, sizeMiB, format }: DiskInfo): string {
  return [id, source ?? "empty", mebibytes(sizeMiB), format ?? ""].filter(Boolean).map(plainLine).join("  ");
}

export const diskGrowForm: ActionForm = {
  title: (context) => `Grow the disk ${plainLine(context.of ?? "")} of ${whom(context)}`,
  details: "first",
  fields: (context) => [
    { id: "size", label: "New size", kind: "text", width: 10, initial: mebibytes(diskOf(context)?.sizeMiB ?? null) },
  ],
  errors: (values, context) => {
    const wrong = sizeError(value(values, "size"));
    const now = diskOf(context)?.sizeMiB ?? null;
    const size = sizeOf(value(values, "size"));
    return {
      size:
        wrong ?? (now !== null && size !== null && size < now ? `it has ${mebibytes(now)}, and no disk shrinks` : null),
    };
  },
  meanings: (_values, context) => ({
    size: `it has ${mebibytes(diskOf(context)?.sizeMiB ?? null) || "a size that is not known"} now`,
  }),
  missing: (values, context) => (growRequest(values, context) ? null : "a size larger than now is needed"),
  request: growRequest,
  about: () => ["The guest sees a larger disk; its file system is grown from within."],
};

function growRequest(values: Values, context: FormContext) {
  const mib = sizeOf(value(values, "size"));
  const now = diskOf(context)?.sizeMiB ?? 0;
  return mib === null || mib <= now || context.of === null
    ? null
    : { do: "disk-grow" as const, disk: context.of, mebibytes: mib };
}

export const diskRemoveForm: ActionForm = {
  title: (context) => `Remove the disk ${plainLine(context.of ?? "")} of ${whom(context)}`,
  details: "first",
  fields: (context) => [
    {
      id: "volume",
      label: "What is on it",
      kind: "choice",
      choices: [
        { value: "keep", label: "is kept" },
        { value: "remove", label: "is deleted" },
      ],
    },
    {
      id: "typed",
      label: "To go on",
      kind: "text",
      width: 16,
      shown: (values) => values["volume"] === "remove",
      help: `type ${plainLine(context.of ?? "")}`,
    },
  ],
  errors: () => ({}),
  meanings: (values) => ({
    volume: value(values, "volume") === "keep" ? "its file or volume stays on the host" : "for good",
  }),
  missing: (values, { of }) =>
    value(values, "volume") === "remove" && value(values, "typed") !== of ? `type ${of} to delete what is on it` : null,
  request: (values, { of }) =>
    of === null ? null : { do: "disk-remove", disk: of, keepVolume: value(values, "volume") === "keep" },
  about: (_values, context) => {
    const disk = diskOf(context);
    return disk ? [diskLine(disk)] : [];
  },
  dangerous: true,
};

export const nicAddForm: ActionForm = {
  title: (context) => `Add a network card to ${whom(context)}`,
  details: "first",
  fields: (context) => offered("network", "Network", firstDetails(context)?.networks ?? [], "another one"),
  errors: () => ({}),
  meanings: () => ({ network: "a network or bridge of its host", "network-typed": "as its host names it" }),
  missing: (values) => (taken(values, "network") === "" ? "a network or bridge is needed" : null),
  request: (values) => {
    const network = taken(values, "network");
    return network === "" ? null : { do: "nic-add", network };
  },
};

export const nicRemoveForm: ActionForm = {
  title: (context) => `Remove the network card ${plainLine(context.of ?? "")} of ${whom(context)}`,
  details: "first",
  fields: () => [],
  errors: () => ({}),
  request: (_values, { of }) => (of === null ? null : { do: "nic-remove", nic: of }),
  about: (_values, context) => {
    const nic = firstDetails(context)?.nics.find(({ id }) => id === context.of);
    if (!nic) return [];
    const addresses = nic.addresses.length > 0 ? `, and is reached as ${nic.addresses.map(plainLine).join(", ")}` : "";
    return [
      `It is on ${plainLine(nic.network ?? "a network that is not known")}${addresses}.`,
      "Who works in the guest over it is cut off.",
    ];
  },
  dangerous: true,
};

/** Drives that a medium can be put into. */
function drives(details: InstanceDetails | null): DiskInfo[] {
  return details?.disks.filter(({ kind }) => kind !== "disk") ?? [];
}

export const mediaInsertForm: ActionForm = {
  title: (context) => `Insert a medium into ${whom(context)}`,
  details: "first",
  fields: (context) => {
    const details = firstDetails(context);
    const own = drives(details);
    const first = own.find(({ id }) => id === context.of) ?? own[0];
    const ordered = first ? [first, ...own.filter(({ id }) => id !== first.id)] : [];
    return [
      ...(ordered.length > 0
        ? [
            {
              id: "drive",
              label: "Drive",
              kind: "choice" as const,
              choices: ordered.map(({ id, source }) => ({
                value: id,
                label: `${plainLine(id)}${source === null ? ", empty" : `, holds ${plainLine(source)}`}`,
              })),
            },
          ]
        : []),
      ...offered("path", "ISO file", details?.media ?? [], "another file"),
    ];
  },
  errors: () => ({}),
  meanings: () => ({ path: "on its host", "path-typed": "as its host names it: /iso/debian.iso" }),
  missing: (values) => (taken(values, "path") === "" ? "a file is needed" : null),
  request: (values) => {
    const path = taken(values, "path");
    return path === "" ? null : { do: "media-insert", disk: value(values, "drive") || null, path };
  },
};

export const mediaEjectForm: ActionForm = {
  title: (context) => `Take the medium out of ${plainLine(context.of ?? "")} of ${whom(context)}`,
  details: "first",
  fields: () => [],
  errors: () => ({}),
  request: (_values, { of }) => (of === null ? null : { do: "media-eject", disk: of }),
  about: (_values, context) => {
    const disk = diskOf(context);
    return disk?.source ? [`It holds ${plainLine(disk.source)}; the file stays.`] : [];
  },
};
