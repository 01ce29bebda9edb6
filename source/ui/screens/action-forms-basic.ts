/** Forms of what is done to an instance as a whole: shut down, rename, remove, clone, tags, note, snapshot. Pure. */
import type { InstanceRow } from "../../instances/inventory-types.ts";
import type { InstanceDetails } from "../../instances/types.ts";
import { count, plainLine } from "../../text.ts";
import type { Values } from "../components/form.tsx";
import type { ActionForm, FormContext } from "./action-forms.ts";
import { mebibytes } from "./instances-rows.ts";
import { lossLines } from "./loss-lines.ts";

/** `web1`, or `3 instances`. */
export function whom({ rows }: FormContext): string {
  const [only] = rows;
  return rows.length === 1 && only ? plainLine(only.name) : count(rows.length, "instance");
}

function nameNow(rows: readonly InstanceRow[]): string {
  return plainLine(rows[0]?.name ?? "");
}

export function firstDetails({ rows, details }: FormContext): InstanceDetails | null {
  return details.get(rows[0]?.key ?? "") ?? null;
}

const value = (values: Values, id: string) => values[id] ?? "";

export const shutdownForm: ActionForm = {
  title: (context) => `Shut down ${whom(context)} within a time limit`,
  fields: () => [{ id: "seconds", label: "Seconds", kind: "text", width: 6, initial: "120" }],
  errors: (values) => {
    const seconds = Number(value(values, "seconds"));
    return { seconds: Number.isInteger(seconds) && seconds >= 1 && seconds <= 86_400 ? null : "1 to 86400 seconds" };
  },
  meanings: (_values, { rows }) => ({
    seconds: rows.every(({ provider }) => provider === "ganeti")
      ? "Ganeti itself forces off what runs on after that"
      : "what runs on after that counts as failed; f then offers force, or a longer wait",
  }),
  request: () => ({ do: "shutdown" }),
  options: (values) => ({ limitSeconds: Number(value(values, "seconds")) }),
  about: (_values, { rows }) => lossLines({ do: "shutdown" }, rows),
  namesThem: true,
};

/** Those at the same place as this one: there names are taken. */
function neighbours(row: InstanceRow, all: readonly InstanceRow[]): InstanceRow[] {
  const place = row.key.slice(0, row.key.lastIndexOf("/"));
  return all.filter(({ key }) => key.slice(0, key.lastIndexOf("/")) === place);
}

/** What is wrong with a new name, or null. Ganeti's are host names; the others take what a file name takes. */
function nameError(name: string, { rows, all }: FormContext): string | null {
  const [row] = rows;
  if (name === "" || !row) return null;
  if (row.provider === "ganeti" && !/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(name)) {
    return "a host name: small letters, digits, - and .";
  }
  if (!/^[\p{L}\p{N}_][\p{L}\p{N}_.+:@-]*$/u.test(name)) return "letters, digits and _ . + : @ -, not first a mark";
  if (name === plainLine(row.name)) return "that is its name now";
  return neighbours(row, all).some((other) => other.name === name)
    ? `${row.cluster ?? row.host} has one of that name`
    : null;
}

export const renameForm: ActionForm = {
  title: (context) => `Rename ${whom(context)}`,
  fields: ({ rows }) => [{ id: "to", label: "New name", kind: "text", width: 34, initial: nameNow(rows) }],
  // The name that stands there at first is no mistake yet.
  errors: (values, context) => ({
    to: value(values, "to") === nameNow(context.rows) ? null : nameError(value(values, "to"), context),
  }),
  meanings: (_values, { rows }) => ({
    to: rows[0]?.provider === "ganeti" ? "it must resolve" : "",
  }),
  missing: (values, context) =>
    value(values, "to") === "" ? "a name is needed" : nameError(value(values, "to"), context),
  request: (values, context) =>
    value(values, "to") === "" || nameError(value(values, "to"), context)
      ? null
      : { do: "rename", to: value(values, "to") },
};

export const cloneForm: ActionForm = {
  title: (context) => `Clone ${whom(context)}`,
  details: "each",
  fields: ({ rows }) => [{ id: "to", label: "Its name", kind: "text", width: 34, initial: `${nameNow(rows)}-clone` }],
  errors: (values, context) => ({ to: nameError(value(values, "to"), context) }),
  missing: (values) => (value(values, "to") === "" ? "a name is needed" : null),
  request: (values, context) =>
    value(values, "to") === "" || nameError(value(values, "to"), context)
      ? null
      : { do: "clone", to: value(values, "to") },
  about: (_values, context) => {
    const disks = firstDetails(context)?.disks.filter(({ kind, source }) => kind === "disk" && source !== null) ?? [];
    if (disks.length === 0) return [];
    return [
      `All of it is copied: ${disks.map(({ id, sizeMiB }) => `${plainLine(id)} ${mebibytes(sizeMiB)}`).join(", ")}.`,
    ];
  },
};

/** What is typed before something is removed for good. */
export function wordToType({ rows }: FormContext): string {
  return rows.length === 1 ? nameNow(rows) : `remove ${rows.length}`;
}

export const removeForm: ActionForm = {
  title: (context) => `Remove ${whom(context)} for good`,
  details: "each",
  fields: (context) => [
    {
      id: "disks",
      label: "Its disks",
      kind: "choice",
      choices: [
        { value: "remove", label: "are deleted" },
        { value: "keep", label: "are kept" },
      ],
    },
    { id: "typed", label: "To go on", kind: "text", width: Math.min(34, Math.max(12, wordToType(context).length + 1)) },
  ],
  errors: (values, context) => {
    const typed = value(values, "typed");
    return { typed: typed === "" || wordToType(context).startsWith(typed) ? null : `it is ${wordToType(context)}` };
  },
  meanings: (values, context) => ({
    disks:
      value(values, "disks") === "keep" ? "the files and volumes stay where they are" : "all that is on them is lost",
    typed: `type ${wordToType(context)}`,
  }),
  missing: (values, context) =>
    value(values, "typed") === wordToType(context) ? null : `type ${wordToType(context)} to remove ${whom(context)}`,
  request: (values) => ({ do: "remove", keepDisks: value(values, "disks") === "keep" }),
  about: (values, { rows, details }) => {
    const keep = value(values, "disks") === "keep";
    return rows.flatMap((row) => {
      const known = details.get(row.key);
      const name = plainLine(row.name);
      if (!known) return [`${name}: which disks it has is not known; the host decides`];
      const disks = known.disks.filter(({ kind, source }) => kind === "disk" && source !== null);
      const snapshots =
        known.snapshots.length > 0 ? [`${name}: ${count(known.snapshots.length, "snapshot")} go with it`] : [];
      if (disks.length === 0) return [`${name}: it has no disk`, ...snapshots];
      return [
        ...disks.map(({ id, source, sizeMiB, stays }) => {
          const fate = keep ? "stays" : stays ? "stays: it is not its own" : "is deleted";
          const words = [`${name}:`, plainLine(id), plainLine(source ?? ""), mebibytes(sizeMiB), fate];
          return words.filter(Boolean).join(" ");
        }),
        ...snapshots,
      ];
    });
  },
  namesThem: true,
  dangerous: true,
};

/** Ganeti's rule for tags; libvirt and the others take them as text. */
const tagRule = /^[\w.+*/:@-]{1,128}$/;

/** Words of a field, each once. */
function wordsOf(text: string): string[] {
  return [...new Set(text.split(/[\s,]+/).filter(Boolean))];
}

function tagsError(text: string): string | null {
  const wrong = wordsOf(text).find((tag) => !tagRule.test(tag));
  return wrong === undefined ? null : `${wrong}: letters, digits and . + * / : @ - _`;
}

/** For one its tags are edited as they are; for several some are added and some taken away. */
export const tagForm: ActionForm = {
  title: (context) => `Tags of ${whom(context)}`,
  details: "first",
  fields: (context) =>
    context.rows.length === 1
      ? [
          {
            id: "tags",
            label: "Tags",
            kind: "text",
            width: 40,
            initial: (firstDetails(context)?.tags ?? []).map(plainLine).join(" "),
          },
        ]
      : [
          { id: "add", label: "Add", kind: "text", width: 40 },
          { id: "away", label: "Take away", kind: "text", width: 40 },
        ],
  errors: (values) => ({
    tags: tagsError(value(values, "tags")),
    add: tagsError(value(values, "add")),
    away: tagsError(value(values, "away")),
  }),
  meanings: () => ({ tags: "with blanks between", add: "with blanks between" }),
  missing: (values, context) => (tagRequest(values, context) ? null : "nothing would change"),
  request: tagRequest,
};

function tagRequest(values: Values, context: FormContext) {
  const [add, remove] = tagChange(values, context);
  if (add.length + remove.length === 0 || [...add, ...remove].some((tag) => tagsError(tag))) return null;
  return { do: "tag" as const, add, remove };
}

function tagChange(values: Values, context: FormContext): [add: string[], remove: string[]] {
  if (context.rows.length !== 1) return [wordsOf(value(values, "add")), wordsOf(value(values, "away"))];
  const before = firstDetails(context)?.tags ?? [];
  const after = wordsOf(value(values, "tags"));
  return [after.filter((tag) => !before.includes(tag)), before.filter((tag) => !after.includes(plainLine(tag)))];
}

export const noteForm: ActionForm = {
  title: (context) => `Note on ${whom(context)}`,
  details: "first",
  fields: (context) => [
    {
      id: "text",
      label: "Note",
      kind: "text",
      width: 56,
      initial: context.rows.length === 1 ? plainLine(firstDetails(context)?.note ?? "") : "",
    },
  ],
  errors: () => ({}),
  request: (values) => ({ do: "note", text: value(values, "text") }),
  about: (values, context) => {
    const lines = (firstDetails(context)?.note ?? "").trimEnd().split("\n").length;
    if (context.rows.length > 1) return ["It takes the place of the note of each."];
    if (lines > 1) return [`Its note has ${lines} lines; they become one.`];
    return value(values, "text") === "" ? ["Empty: the note is taken away."] : [];
  },
};

/** A name that sorts by time: `20261125-0312`. */
function snapshotName(now: number): string {
  const [day = "", time = ""] = new Date(now).toLocaleString("sv").split(" ");
  return `${day.replaceAll("-", "")}-${time.slice(0, 5).replace(":", "")}`;
}

export const snapshotForm: ActionForm = {
  title: (context) => `Take a snapshot of ${whom(context)}`,
  details: "each",
  fields: ({ rows, now }) => [
    { id: "name", label: "Name", kind: "text", width: 30, initial: snapshotName(now) },
    { id: "description", label: "Description", kind: "text", width: 44 },
    ...(rows.some(({ status }) => status === "running" || status === "paused")
      ? [
          {
            id: "memory",
            label: "Memory",
            kind: "choice" as const,
            choices: [
              { value: "with", label: "with it" },
              { value: "without", label: "disks only" },
            ],
          },
        ]
      : []),
  ],
  errors: (values, { details }) => {
    const name = value(values, "name");
    const taken = [...details.values()].some(({ snapshots }) => snapshots.some((other) => other.name === name));
    const wrong = name !== "" && !/^[\p{L}\p{N}_][\p{L}\p{N}_.:-]*$/u.test(name);
    return { name: wrong ? "letters, digits and _ . : -" : taken ? "there is one of that name" : null };
  },
  meanings: (values) => ({
    memory:
      value(values, "memory") === "without"
        ? "going back boots it, as after a power cut"
        : "it goes on where it was; takes more room",
  }),
  missing: (values) => (value(values, "name") === "" ? "a name is needed" : null),
  request: (values) => {
    const name = value(values, "name");
    if (name === "") return null;
    return {
      do: "snapshot-create",
      name,
      description: value(values, "description"),
      memory: value(values, "memory") === "with",
    };
  },
};
