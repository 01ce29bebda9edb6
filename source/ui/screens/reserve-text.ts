/** What the reservation form shows and says, from what is typed. Pure. */
import type { FreeNodes } from "../../journey/jobs.ts";
import { checkRequest, hasUsagePolicy, policyWarnings, type ReserveErrors } from "../../journey/reserve.ts";
import type { ReserveRequest, Site } from "../../journey/types.ts";
import { parseWalltime, readDuration } from "../../journey/walltime.ts";
import { count } from "../../text.ts";
import type { FormField, Values } from "../components/form.tsx";
import { timeOf } from "./job-text.ts";

const of = (values: Values, id: string): string => values[id] ?? "";

/** The values of the form as the journey checks them. */
function checked(values: Values) {
  return checkRequest({
    nodes: of(values, "nodes"),
    walltime: of(values, "walltime"),
    subnet: of(values, "subnet"),
    cluster: of(values, "cluster"),
    properties: of(values, "properties"),
    queue: of(values, "queue"),
    project: of(values, "project"),
    name: of(values, "name"),
    start: of(values, "when") === "date" ? of(values, "start") : "",
  });
}

/** The request that the form makes, or null while something is wrong. */
export function requestOf(values: Values): ReserveRequest | null {
  const result = checked(values);
  return "request" in result && !missingStart(values) ? result.request : null;
}

const missingStart = (values: Values) => of(values, "when") === "date" && of(values, "start") === "";

export function reserveErrors(values: Values): ReserveErrors {
  const result = checked(values);
  const errors = "errors" in result ? result.errors : {};
  return missingStart(values)
    ? { ...errors, start: "When? Write it as 2026-03-02 19:00, in the site's time." }
    : errors;
}

/** Addresses for VMs in a subnet: all but its own and its broadcast. */
export function addressesIn(prefix: number): string {
  return (2 ** (32 - prefix) - 2).toLocaleString("en");
}

function hidden(values: Values): boolean {
  const errors = reserveErrors(values);
  return of(values, "more") !== "open" && !errors.properties && !errors.queue && !errors.project;
}

/** The fields, with the site's clusters as choices. `now` in epoch seconds gives the date that is proposed. */
export function reserveFields(free: FreeNodes | null, now: number): FormField[] {
  const clusters = (free?.clusters ?? []).filter(({ name }) => name !== "");
  const shownMore = (values: Values) => !hidden(values);
  const isDate = (values: Values) => of(values, "when") === "date";
  const evening = new Date(now * 1000);
  evening.setHours(19, 0, 0, 0);
  if (evening.getTime() / 1000 <= now) evening.setDate(evening.getDate() + 1);
  const two = (n: number) => String(n).padStart(2, "0");
  const proposed = `${evening.getFullYear()}-${two(evening.getMonth() + 1)}-${two(evening.getDate())} 19:00`;
  return [
    { id: "nodes", label: "Nodes", kind: "text", width: 7, initial: "4" },
    { id: "walltime", label: "Walltime", kind: "text", width: 7, initial: "2:00" },
    {
      id: "subnet",
      label: "Subnet",
      kind: "choice",
      choices: [
        ...[22, 21, 20, 19, 18, 17, 16].map((prefix) => ({ value: String(prefix), label: `/${prefix}` })),
        { value: "none", label: "none" },
      ],
    },
    {
      id: "cluster",
      label: "Cluster",
      kind: "choice",
      choices: [{ value: "", label: "any" }, ...clusters.map(({ name }) => ({ value: name, label: name }))],
    },
    {
      id: "when",
      label: "Start",
      kind: "choice",
      choices: [
        { value: "", label: "as soon as possible" },
        { value: "date", label: "at a date" },
      ],
    },
    { id: "start", label: "  at", kind: "text", width: 20, initial: proposed, shown: isDate },
    { id: "name", label: "Name", kind: "text", width: 16, initial: "virtu" },
    {
      id: "more",
      label: "More",
      kind: "choice",
      choices: [
        { value: "", label: "▸ closed" },
        { value: "open", label: "▾ open" },
      ],
    },
    { id: "properties", label: "  properties", kind: "text", width: 30, shown: shownMore },
    { id: "queue", label: "  queue", kind: "text", width: 16, shown: shownMore },
    { id: "project", label: "  project", kind: "text", width: 16, shown: shownMore },
  ];
}

function freeMeaning(values: Values, free: FreeNodes | null, siteName: string): string {
  if (!free) return "";
  const wanted = Number(of(values, "nodes"));
  const cluster = free.clusters.find(({ name }) => name !== "" && name === of(values, "cluster"));
  const { total, free: now } = cluster ?? free;
  const where = cluster ? `${cluster.name} of ${siteName}` : siteName;
  if (wanted > total) return `more than the ${total} that ${where} has`;
  if (cluster) return `${now} of ${total} free now on ${cluster.name}`;
  const parts = free.clusters
    .filter(({ name, free: n }) => name !== "" && n > 0)
    .map(({ name, free: n }) => `${n} ${name}`);
  return `${now} of ${total} free now${parts.length > 1 ? `: ${parts.join(", ")}` : ""}`;
}

function walltimeMeaning(values: Values, now: number): string {
  const parsed = parseWalltime(of(values, "walltime"));
  if ("error" in parsed) return "";
  const length = readDuration(parsed.seconds);
  return of(values, "when") === "date"
    ? length
    : `${length}: until ${timeOf(now + parsed.seconds, now)} if it starts now`;
}

/** What each value means. `now` in epoch seconds. */
export function reserveMeanings(values: Values, free: FreeNodes | null, siteName: string, now: number) {
  const prefix = Number(of(values, "subnet"));
  const cluster = free?.clusters.find(({ name }) => name === of(values, "cluster"));
  const more = ["properties", "queue", "project"].map(
    (id) => of(values, id) || (id === "queue" ? "default queue" : `no ${id}`),
  );
  return {
    nodes: freeMeaning(values, free, siteName),
    walltime: walltimeMeaning(values, now),
    subnet: prefix > 0 ? `${addressesIn(prefix)} addresses for your VMs` : "no addresses for VMs",
    cluster: cluster && cluster.name !== "" ? `${cluster.free} of ${cluster.total} free now` : "",
    when: of(values, "when") === "date" ? "" : "OAR starts it when the nodes are free",
    start: "in the site's own time",
    name: "what oarstat shows",
    more: hidden(values) ? more.join(" · ") : "",
    properties: "SQL, like memnode > 100000",
    queue: "empty: the default one",
    project: "empty: none",
  };
}

/** What the site's usage policy says of this request; none where there is no known policy. */
export function warningsOf(request: ReserveRequest | null, site: Site | null, now: number): string[] {
  return request && site && hasUsagePolicy(site) ? policyWarnings(request, now) : [];
}

/** The request in words, for the summary. */
export function requestLines(request: ReserveRequest, site: Site): string[] {
  const of = request.cluster ? `of ${request.cluster}` : "of any cluster";
  const lines = [
    `${count(request.nodes, "node")} ${of} on ${site.name}, for ${readDuration(request.walltimeSeconds)}`,
    request.start ? `from ${request.start}, in the site's time` : "as soon as they are free",
    request.subnet === null
      ? "no subnet: no addresses for VMs"
      : `a /${request.subnet} subnet: ${addressesIn(request.subnet)} addresses for your VMs`,
    `job ${request.name}, ${request.queue ? `queue ${request.queue}` : "default queue"}${request.project ? `, project ${request.project}` : ""}`,
  ];
  return request.properties ? [...lines, `only nodes with ${request.properties}`] : lines;
}
