/** What can be deployed, as a help beside the field in which its name is typed. Pure. */
import type { Environment } from "../../journey/types.ts";
import { plainLine } from "../../text.ts";
import type { Values } from "../components/form.tsx";
import { cell, paint } from "../theme.ts";

const nameOf = ({ kind, name, file }: Environment) => (kind === "image" ? (file ?? name) : name);

/** The environments that begin with what is typed, or all, in so many lines. */
export function environmentLines(all: readonly Environment[], values: Values, room: number): string[] {
  const typed = (values["environment"] ?? "").split(":")[0] ?? "";
  if (values["deploy"] !== "yes" || all.length === 0 || room < 2) return [];
  const fitting = all.filter((one) => nameOf(one).includes(typed));
  const shown = fitting.length > 0 ? fitting : all;
  const head = fitting.length > 0 ? `${fitting.length} of ${all.length} fit:` : "none has this name; there are:";
  const lines = shown.slice(0, room - 1).map((one) => {
    const version = one.version === null ? "" : ` ${one.version}`;
    return `${cell(plainLine(`${nameOf(one)}${version}`), 34)} ${paint(plainLine(one.description), "dim")}`;
  });
  return [paint(head, fitting.length > 0 ? "dim" : "yellow"), ...lines];
}
