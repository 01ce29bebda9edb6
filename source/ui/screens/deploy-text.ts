/** What the deployment wizard shows and says. Pure. */
import path from "node:path";
import type { DeployRequest, Environment, Job } from "../../journey/types.ts";
import { count, plainLine } from "../../text.ts";
import type { FormField, Values } from "../components/form.tsx";
import { headerLine, layout } from "../components/table.tsx";
import { cell, paint } from "../theme.ts";

export const environmentKey = ({ kind, user, name, version, file }: Environment): string =>
  [kind, user, name, version, file].join("/");

/** What the filter looks at. */
export const environmentText = ({ kind, name, version, user, description, file }: Environment): string =>
  [kind, name, version, user, description, file].filter(Boolean).join(" ");

const columnsAt = (width: number) =>
  layout(
    [
      { title: "KIND", width: 11 },
      { title: "NAME", width: 20, grow: 2 },
      { title: "VERSION", width: 10 },
      { title: "USER", width: 8 },
      { title: "DESCRIPTION", width: 20, grow: 3 },
    ],
    width,
  );

export const environmentHeader = (width: number): string => headerLine(columnsAt(width));

/** One row in `width` columns; one that can't be deployed is dim and says why. */
export function environmentRow(environment: Environment, width: number): string {
  const [kind = 0, name = 0, version = 0, user = 0, description = 0] = columnsAt(width).map((one) => one.width);
  const text = [
    cell(environment.kind, kind),
    cell(plainLine(environment.name), name),
    cell(environment.version ?? "", version, "right"),
    cell(environment.user ?? "", user),
    cell(plainLine(environment.problem ?? environment.description), description),
  ].join(" ");
  return environment.problem ? paint(text, "dim") : text;
}

/** `debian12-min 2024102413`, or an image's file. */
export function titleOf(environment: Environment): string {
  return environment.version ? `${environment.name} ${environment.version}` : environment.name;
}

/** Nodes that must be up, from `3`, `75 %` or nothing (all). */
export function parseMinimum(text: string, nodes: number): { minimum: number } | { error: string } {
  const parts = /^(\d+)\s*(%?)$/.exec(text.trim());
  if (text.trim() === "") return { minimum: nodes };
  if (!parts) return { error: "a number of nodes, or a share like 75%" };
  const value = Number(parts[1]);
  if (parts[2] === "%") {
    if (value < 1 || value > 100) return { error: "a share is 1% to 100%" };
    return { minimum: Math.max(1, Math.ceil((nodes * value) / 100)) };
  }
  if (value < 1) return { error: "at least one node" };
  return value > nodes ? { error: `the job has ${count(nodes, "node")}` } : { minimum: value };
}

/** Tries after the first one. */
export function parseRetries(text: string): { retries: number } | { error: string } {
  if (!/^\d+$/.test(text.trim())) return { error: "a whole number, 0 for none" };
  const retries = Number(text);
  return retries > 9 ? { error: "9 at most" } : { retries };
}

/** Fields of the options; `keys` are paths of local public keys, `home` the user's home. */
export function optionFields(keys: readonly string[], home: string): FormField[] {
  const short = (file: string) => (file.startsWith(`${home}${path.sep}`) ? `~${file.slice(home.length)}` : file);
  return [
    {
      id: "key",
      label: "Key for root",
      kind: "choice",
      choices: [
        { value: "", label: "the frontend's ~/.ssh/authorized_keys" },
        ...keys.map((file) => ({ value: file, label: `${short(file)} of this machine` })),
      ],
    },
    { id: "minimum", label: "Enough when", kind: "text", width: 7, initial: "100%" },
    { id: "retries", label: "Retries", kind: "text", width: 7, initial: "1" },
  ];
}

const of = (values: Values, id: string): string => values[id] ?? "";

export function optionErrors(values: Values, nodes: number): Record<string, string | null> {
  const minimum = parseMinimum(of(values, "minimum"), nodes);
  const retries = parseRetries(of(values, "retries"));
  return {
    minimum: "error" in minimum ? minimum.error : null,
    retries: "error" in retries ? retries.error : null,
  };
}

export function optionMeanings(values: Values, nodes: number): Record<string, string> {
  const minimum = parseMinimum(of(values, "minimum"), nodes);
  const retries = parseRetries(of(values, "retries"));
  const tries = "retries" in retries ? retries.retries : 0;
  return {
    minimum: "minimum" in minimum ? `${minimum.minimum} of ${count(nodes, "node")} are up` : "",
    retries:
      tries === 0
        ? "failed nodes are not tried again"
        : `failed nodes are tried again, alone, ${tries === 1 ? "once" : `up to ${tries} times`}`,
  };
}

/** The request that the wizard makes, or null while something is wrong. */
export function deployRequestOf(job: Job, environment: Environment, values: Values): DeployRequest | null {
  const minimum = parseMinimum(of(values, "minimum"), job.nodes.length);
  const retries = parseRetries(of(values, "retries"));
  if ("error" in minimum || "error" in retries) return null;
  const { name, version, user, file } = environment;
  return {
    jobId: job.jobId,
    nodes: job.nodes,
    environment:
      file !== null
        ? { kind: "image", file }
        : { kind: "environment", name, version: version ?? undefined, user: user ?? undefined },
    keyFile: of(values, "key") || undefined,
    minimum: minimum.minimum,
    retries: retries.retries,
  };
}
