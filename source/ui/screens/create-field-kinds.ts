/** What the fields of the five steps are made of. Pure. */
import { plainLine } from "../../text.ts";
import type { FormField, Values } from "../components/form.tsx";

/** virt-manager's steps. */
export const stepTitles = ["System", "Memory and CPU", "Storage", "Name and network", "Summary"] as const;
export type StepNumber = 0 | 1 | 2 | 3 | 4;

export interface StepField extends FormField {
  step: StepNumber;
}

/** Addresses of a range that is typed. */
export const typedRange = "range";

export type Choice = { value: string; label: string };

export const choices = (values: readonly string[]): Choice[] =>
  values.map((value) => ({ value, label: plainLine(value) }));
/** Shown while that field has one of these values. */
export const either =
  (id: string, ...values: string[]) =>
  (form: Values) =>
    values.includes(form[id] ?? "");

export function text(
  step: StepNumber,
  id: string,
  label: string,
  width: number,
  own: Partial<FormField> = {},
): StepField {
  return { step, id, label, kind: "text", width, ...own };
}

export function choice(
  step: StepNumber,
  id: string,
  label: string,
  of: readonly Choice[],
  own: Partial<FormField> = {},
): StepField {
  return { step, id, label, kind: "choice", choices: of, initial: of[0]?.value ?? "", ...own };
}
