/** Everything known of one instance, as lines of text: its fields, where they come from, its latest action, the commands. Pure. */

import { shortVerbOf, verbOf } from "../../instances/action-words.ts";
import type { ActionItem, InstanceRow } from "../../instances/inventory-types.ts";
import type { ActionName, InstanceDetails } from "../../instances/types.ts";
import type { FeedLine } from "../../store/instance-known.ts";
import type { Loaded } from "../../store/loaded.ts";
import { age, plain, plainLine } from "../../text.ts";
import { cell, glyph, paint, state, symbol, toneStyles } from "../theme.ts";
import { wrapped } from "../wrap.ts";
import { isPending, mebibytes, statusTones } from "./instances-rows.ts";
import { timeOf } from "./instances-trouble.ts";
import { holds, snapshotTree } from "./snapshots-rows.ts";

/** Names of facts as people say them; any other is shown as the provider's field with blanks between its words. */
const factNames: Record<string, string> = {
  uri: "libvirt URI",
  uuid: "UUID",
  domainId: "domain id",
  managedSave: "managed save",
  os: "OS",
  ip: "IP addresses",
  mac: "MAC addresses",
  nics: "network cards",
  answers: "QEMU answers",
  memoryMaxKiB: "memory at most, KiB",
  hostMemoryKiB: "host's memory used, KiB",
  cpuTimeNs: "CPU time, ns",
  cpuSeconds: "CPU time, s",
  vcpusMax: "vCPUs at most",
  memoryMaxMiB: "memory at most, MiB",
  managedBy: "looked after by",
  autostartEntry: "started by",
  diskVolumes: "disk volumes",
  otherDisks: "disks that stay",
  disksMiB: "disks, MiB",
};

function factName(name: string): string {
  return (
    factNames[name] ?? name.replace(/([a-z])([A-Z])/g, (_, low: string, high: string) => `${low} ${high.toLowerCase()}`)
  );
}

function factValue(value: string | number | boolean): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "number" ? value.toLocaleString("en") : plainLine(value);
}

/** Columns for the names of the lines. */
export const nameWidth = 22;

function field(name: string, value: string, width: number): string[] {
  const [first = "", ...more] = wrapped(value, width - nameWidth - 1);
  return [
    `${paint(cell(name, nameWidth), "dim")} ${first}`,
    ...more.map((line) => `${" ".repeat(nameWidth + 1)}${line}`),
  ];
}

function actionState(item: ActionItem): string {
  const job = item.job === null ? "" : `, Ganeti job ${item.job}`;
  if (isPending(item)) return state("busy", `${item.state}${job}`);
  if (item.state === "done") return `${paint(glyph.done, "green")} done${job}`;
  if (item.state === "cancelled") return state("idle", "taken back before it started");
  return state("bad", `failed${job}`);
}

function actionLines(item: ActionItem, width: number): string[] {
  const time = (at: number | null) => (at === null ? "–" : (new Date(at).toLocaleString("sv").split(" ")[1] ?? ""));
  const seconds =
    item.startedAt !== null && item.endedAt !== null ? ` in ${age((item.endedAt - item.startedAt) / 1000)}` : "";
  const lines = [
    ...field(shortVerbOf(item.action), actionState(item), width),
    ...field(
      "asked for",
      `${time(item.queuedAt)}, started ${time(item.startedAt)}, ended ${time(item.endedAt)}${seconds}`,
      width,
    ),
    ...field("status", `${item.statusBefore} before, ${item.statusAfter ?? "not seen yet"} after`, width),
    ...field("report", plainLine(item.error ?? item.text), width),
  ];
  const detail = item.detail ? plain(item.detail).trimEnd() : "";
  if (detail === "") return lines;
  return [
    ...lines,
    paint("In the provider's own words:", "dim"),
    ...wrapped(detail, width - 4).map((line) => `  | ${line}`),
  ];
}

/** What was read of it alone, or why that can't be had: which host, and what it said. */
function detailLines(
  { value, error }: Loaded<InstanceDetails | null>,
  host: string,
  now: number,
  width: number,
): string[] {
  if (!value) {
    if (!error)
      return [
        "",
        paint(
          `${symbol("busy")} asking ${plainLine(host)} for disks, network cards and snapshots`,
          ...toneStyles("busy"),
        ),
      ];
    const why = plainLine([error.where ?? host, error.what, error.why].filter(Boolean).join(": "));
    return [
      "",
      ...wrapped(`${symbol("bad")} disks, network cards and snapshots are not known: ${why}`, width).map((line) =>
        paint(line, ...toneStyles("bad")),
      ),
      ...(error.hint ? wrapped(`  ${plainLine(error.hint)}`, width) : []),
    ];
  }
  const head = (text: string) => ["", paint(text, "bold")];
  const old = error
    ? [paint(`${symbol("warning")} not read anew: ${plainLine(error.message)}`, ...toneStyles("warning"))]
    : [];
  const disks = value.disks.flatMap(({ id, kind, source, sizeMiB, format }) =>
    field(
      kind === "disk" || id.startsWith(kind) ? plainLine(id) : `${plainLine(id)} (${kind})`,
      plainLine([mebibytes(sizeMiB), format, source ?? (kind === "disk" ? "" : "empty")].filter(Boolean).join(" · ")),
      width,
    ),
  );
  const nics = value.nics.flatMap(({ id, mac, network, addresses }) =>
    field(plainLine(id), plainLine([network, mac, ...addresses].filter(Boolean).join(" · ")), width),
  );
  const snapshots = snapshotTree(value.snapshots).flatMap(({ snapshot, depth }) =>
    field(
      `${"  ".repeat(Math.min(depth, 4))}${plainLine(snapshot.name)}`,
      plainLine(
        [
          holds(snapshot.state),
          snapshot.at === null ? "" : `${age(now / 1000 - snapshot.at)} old`,
          snapshot.current ? "current" : "",
          snapshot.description,
        ]
          .filter(Boolean)
          .join(" · "),
      ),
      width,
    ),
  );
  const note =
    value.note.trim() === "" ? [] : wrapped(plain(value.note).trimEnd(), width - 2).map((line) => `  ${line}`);
  return [
    ...old,
    ...head("Disks  (h changes them)"),
    ...(disks.length > 0 ? disks : ["none"]),
    ...head("Network cards"),
    ...(nics.length > 0 ? nics : ["none"]),
    ...(snapshots.length > 0 ? [...head("Snapshots  (z shows them)"), ...snapshots] : []),
    ...(value.tags.length > 0 ? [...head("Tags"), ...wrapped(value.tags.map(plainLine).join(" "), width)] : []),
    ...(note.length > 0 ? [...head("Note"), ...note] : []),
    ...(value.more.length > 0 ? head("More") : []),
    ...value.more.flatMap(([name, text]) => field(plainLine(name), plainLine(text), width)),
  ];
}

/** Events of the feed that are shown with it, newest first. */
const eventLimit = 5;

function eventLines(feed: readonly FeedLine[], now: number, width: number): string[] {
  const latest = feed.slice(-eventLimit).reverse();
  if (latest.length === 0) return [];
  return [
    "",
    paint("What was told of it lately  (7 shows all)", "bold"),
    ...latest.flatMap(({ at, text, by }) =>
      field(`${age((now - at) / 1000)} ago`, `${text}${by === null ? "" : `, by ${by}`}`, width),
    ),
  ];
}

export interface Preview {
  action: ActionName;
  /** Why it can't be done now, or null. */
  refusal: string | null;
  lines: readonly string[];
}

/** What is known besides the row. */
export interface Besides {
  /** Null where nobody asks for them: they cost a command. */
  details: Loaded<InstanceDetails | null> | null;
  previews: readonly Preview[];
  /** Of this instance, oldest first. */
  feed: readonly FeedLine[];
}

/** All of it in lines of at most `width` columns. */
export function instanceLines(row: InstanceRow, besides: Besides, now: number, width: number): string[] {
  const { details, previews, feed } = besides;
  const tone = statusTones[row.status];
  const head = (text: string) => ["", paint(text, "bold")];
  const fields: [string, string][] = [
    ["status", `${state(tone, row.status)}  (${plainLine(row.statusDetail)}, says the provider)`],
    ["on", plainLine(row.node ?? "not known")],
    ["vCPU", String(row.vcpus ?? "not known")],
    [
      "memory",
      row.memoryMiB === null ? "not known" : `${mebibytes(row.memoryMiB)} (${row.memoryMiB.toLocaleString("en")} MiB)`,
    ],
    ["id", plainLine(row.id)],
  ];
  const seen = `${age((now - row.seenAt) / 1000)} ago`;
  const silent = row.late
    ? `${plainLine(row.late.node)} has not answered in time since ${timeOf(row.late.since, now)}`
    : "the host does not answer since";
  const origin: [string, string][] = [
    ["provider", row.provider],
    ...(row.cluster === null ? [] : [["cluster", plainLine(row.cluster)] as [string, string]]),
    ["reached through", plainLine(row.host)],
    ["seen", row.stale ? paint(`${symbol("bad")} ${seen}: ${silent}`, ...toneStyles("bad")) : seen],
  ];
  const facts = Object.entries(row.facts).filter(([, value]) => value !== null && value !== "");
  return [
    paint(plainLine(row.name), "bold"),
    ...fields.flatMap(([name, value]) => field(name, value, width)),
    ...(row.action ? [...head("Latest action"), ...actionLines(row.action, width)] : []),
    ...(details ? detailLines(details, row.host, now, width) : []),
    ...eventLines(feed, now, width),
    ...(facts.length > 0 ? head("What the provider knows") : []),
    ...facts.flatMap(([name, value]) => field(factName(name), factValue(value ?? ""), width)),
    ...head("Where this comes from"),
    ...origin.flatMap(([name, value]) => field(name, value, width)),
    ...(previews.length > 0 ? head("What the actions run  (m shows all that can be done)") : []),
    ...previews.flatMap(({ action, refusal, lines }) => [
      `${verbOf(action)}${refusal === null ? "" : paint(`  not now: ${refusal}`, "dim")}`,
      ...lines.flatMap((line) => wrapped(plainLine(line), width - 4).map((part) => `    ${part}`)),
    ]),
  ];
}
