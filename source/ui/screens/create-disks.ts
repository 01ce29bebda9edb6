/** The disks of a new instance in the storage step: one after the other, added and removed. Pure. */
import { plainLine } from "../../text.ts";
import type { Values } from "../components/form.tsx";
import { type Choice, choice, type StepField } from "./create-field-kinds.ts";

/** A disk of the form. Its fields bear the ids of a disk's fields and its number; the first one's bear none. */
export interface DiskSlot {
  id: number;
  /** Values that its fields begin with, instead of the usual ones. */
  begin: Values;
}

export interface Disks {
  slots: readonly DiskSlot[];
  /** A number that no disk had yet: what was typed for one that was removed must not come back. */
  next: number;
}

export const oneDisk: Disks = { slots: [{ id: 0, begin: {} }], next: 1 };

/** As many as a screen of 24 lines shows. */
export const mostDisks = 12;

/** The field whose value says what a disk is. */
const kindField = "disk";
const none = "none";

const suffixOf = (id: number): string => (id === 0 ? "" : `.${id}`);
const own = /^([a-z]+)(\.\d+)?$/i;

/** The part of a field's id that says which disk it is of: `.3`; empty for the first one's. */
function suffixIn(field: string): string {
  return own.exec(field)?.[2] ?? "";
}

/** What tells the disks of a form apart, in their order. */
export function disksIn(values: Values): string[] {
  return Object.keys(values).flatMap((id) => (own.exec(id)?.[1] === kindField ? [suffixIn(id)] : []));
}

/** The disks that there are: one that is to be none is no disk. */
export function realDisks(values: Values): string[] {
  return disksIn(values).filter((suffix) => values[`${kindField}${suffix}`] !== none);
}

/** The values as though this disk were the only one. */
export function valuesOfDisk(values: Values, suffix: string): Values {
  if (suffix === "") return values;
  const of = Object.entries(values).filter(([id]) => suffixIn(id) === suffix);
  return { ...values, ...Object.fromEntries(of.map(([id, value]) => [id.slice(0, -suffix.length), value])) };
}

/**
 * The field that a problem belongs to. `number`: which disk, from 0; empty: one that several instances can't share. `isOne`
 * says of a kind of disk that there is one of it only, `fieldOf` which field such a problem is about.
 */
export function diskFieldOf(
  number: string,
  values: Values,
  isOne: (kind: string) => boolean,
  fieldOf: (kind: string) => string,
): string {
  const all = realDisks(values);
  const kindOf = (suffix: string) => values[`${kindField}${suffix}`] ?? "";
  const suffix = (number === "" ? all.find((one) => isOne(kindOf(one))) : all[Number(number)]) ?? all[0];
  if (suffix === undefined) return `${kindField}${disksIn(values)[0] ?? ""}`;
  return `${fieldOf(kindOf(suffix))}${suffix}`;
}

/** Another host may have no such choice. */
function beginOf({ id, choices, initial }: StepField, begin: Values): string | undefined {
  const value = begin[id];
  const isOne = value !== undefined && (!choices || choices.some((choice) => choice.value === value));
  return isOne ? value : initial;
}

/**
 * The fields of all disks: what each is, `more` of one of them, and what stands for one while the cursor is elsewhere. Only
 * a single one can be none.
 */
export function diskFields(
  { slots }: Disks,
  kinds: readonly Choice[],
  more: readonly StepField[],
  summary: (values: Values) => string,
): StepField[] {
  const several = slots.length > 1;
  return slots.flatMap(({ id, begin }, index) => {
    const suffix = suffixOf(id);
    const kind = choice(2, kindField, "Disk", several ? kinds.filter(({ value }) => value !== none) : kinds);
    return [kind, ...more].map((field): StepField => {
      const { shown } = field;
      const isFirst = field.id === kindField;
      return {
        ...field,
        ...{ id: `${field.id}${suffix}`, part: `${kindField}${suffix}`, initial: beginOf(field, begin) },
        ...(shown ? { shown: (values: Values) => shown(valuesOfDisk(values, suffix)) } : {}),
        ...(isFirst && several ? { label: `${field.label} ${index + 1}` } : {}),
        ...(isFirst ? { summary: (values: Values) => plainLine(summary(valuesOfDisk(values, suffix))) } : {}),
      };
    });
  });
}

/** Why that can't be done, or null. */
export function refusesDisks(what: "add" | "remove", values: Values): string | null {
  const there = realDisks(values).length;
  if (what === "remove") return there === 0 ? "it has no disk" : null;
  return there >= mostDisks ? `${mostDisks} are the most here; a file for virtu create -f takes more` : null;
}

/** What a further disk takes over from the one before it. */
const alike: readonly string[] = [kindField, "pool", "format", "directory", "group"];

/** A disk more, after the one with the cursor and of its kind; `focus` is the field that the cursor goes to. */
export function addDisk(
  { slots, next }: Disks,
  values: Values,
  field: string,
  fields: readonly StepField[],
): { disks: Disks; focus: string } {
  const focus = `${kindField}${suffixOf(next)}`;
  if (realDisks(values).length === 0) return { disks: { slots: [{ id: next, begin: {} }], next: next + 1 }, focus };
  const suffix = suffixIn(field);
  const at = Math.max(
    0,
    slots.findIndex(({ id }) => suffixOf(id) === suffix),
  );
  const before = valuesOfDisk(values, suffixOf(slots[at]?.id ?? 0));
  const begin = Object.fromEntries(alike.flatMap((id) => (before[id] === undefined ? [] : [[id, before[id] ?? ""]])));
  // Each begins with another volume that is there, also one that becomes such a disk only later.
  const taken = realDisks(values).map((one) => values[`volume${one}`]);
  const free = fields.find(({ id }) => id.startsWith("volume"))?.choices?.find(({ value }) => !taken.includes(value));
  const slot: DiskSlot = { id: next, begin: free ? { ...begin, volume: free.value } : begin };
  return { disks: { slots: [...slots.slice(0, at + 1), slot, ...slots.slice(at + 1)], next: next + 1 }, focus };
}

/** Without the disk of the field with the cursor. The last one becomes none. */
export function removeDisk({ slots, next }: Disks, field: string): { disks: Disks; focus: string } {
  const suffix = suffixIn(field);
  const at = slots.findIndex(({ id }) => suffixOf(id) === suffix);
  const rest = slots.filter((_, index) => index !== at);
  const near = rest[Math.min(Math.max(at, 0), rest.length - 1)];
  if (near) return { disks: { slots: rest, next }, focus: `${kindField}${suffixOf(near.id)}` };
  const empty: DiskSlot = { id: next, begin: { [kindField]: none } };
  return { disks: { slots: [empty], next: next + 1 }, focus: `${kindField}${suffixOf(next)}` };
}
