/** What is asked of one instance: `show`, `definition`, and the lists of snapshots, disks and network cards. */
import type { Command } from "commander";
import { VirtuError } from "../errors.ts";
import type { Inventory } from "../instances/inventory.ts";
import { select } from "../instances/select.ts";
import type { Instance, InstanceDetails } from "../instances/types.ts";
import { iso } from "../text.ts";
import { commandGroup } from "./action-declare.ts";
import { type HostOptions, readHosts, reportSilent, silentHosts, withHosts } from "./hosts.ts";
import { type ExitStatus, exit, run, type Session, withJson } from "./run.ts";
import { table } from "./table.ts";

interface Question {
  /** `snapshot list`: below the word of the actions. */
  words: string;
  text: string;
  answer: (session: Session, instance: Instance, details: InstanceDetails) => void;
}

const size = (mebibytes: number | null) => (mebibytes === null ? "-" : `${mebibytes}M`);

const questions: readonly Question[] = [
  { words: "show", text: "Shows all that is known of an instance.", answer: show },
  {
    words: "definition",
    text: "Prints an instance's definition.",
    answer: ({ out, globals }, { name, host }, { definition }) => {
      if (globals.json) out.result({ name, host, ...definition }, []);
      else out.result(null, [definition.text.replace(/\n$/, "")]);
    },
  },
  {
    words: "snapshot list",
    text: "Lists snapshots, parents first.",
    answer: ({ out }, _instance, { snapshots }) =>
      out.result(
        snapshots.map((snapshot) => ({ ...snapshot, at: iso(snapshot.at) })),
        table(
          ["SNAPSHOT", "TAKEN", "STATE", "PARENT", "NOW", "DESCRIPTION"],
          snapshots.map(({ name, at, state, parent, current, description }) => [
            ...[name, iso(at) ?? "-", state, parent ?? "-", current ? "here" : "-", description],
          ]),
        ),
      ),
  },
  {
    words: "disk list",
    text: "Lists disks and drives.",
    answer: ({ out }, _instance, { disks }) =>
      out.result(
        disks,
        table(
          ["DISK", "KIND", "SIZE", "FORMAT", "SOURCE"],
          disks.map(({ id, kind, sizeMiB, format, source }) => [id, kind, size(sizeMiB), format ?? "-", source ?? "-"]),
        ),
      ),
  },
  {
    words: "nic list",
    text: "Lists network cards.",
    answer: ({ out }, _instance, { nics }) =>
      out.result(
        nics,
        table(
          ["NIC", "MAC", "NETWORK", "ADDRESSES"],
          nics.map(({ id, mac, network, addresses }) => [id, mac ?? "-", network ?? "-", addresses.join(",") || "-"]),
        ),
      ),
  },
];

/** Of how much there could be, where that is known. */
function of(value: string, most: number | string | null): string {
  return most === null ? value : `${value} of ${most}`;
}

function show({ out }: Session, instance: Instance, details: InstanceDetails): void {
  const { definition, ...more } = details;
  const facts = Object.entries(instance.facts).filter(([, value]) => value !== null);
  const pairs: (readonly [string, string])[] = [
    ["name", instance.name],
    ["status", `${instance.status} (${instance.statusDetail})`],
    ["provider", instance.provider],
    ["host", instance.host],
    ["node", instance.node ?? "-"],
    ["vcpus", of(String(instance.vcpus ?? "-"), details.vcpusMax)],
    ["memory", of(size(instance.memoryMiB), details.memoryMaxMiB === null ? null : size(details.memoryMaxMiB))],
    ["tags", details.tags.join(", ") || "-"],
    ["note", details.note || "-"],
    ...details.disks.map((disk) => [`disk ${disk.id}`, `${size(disk.sizeMiB)} ${disk.source ?? "empty"}`] as const),
    ...details.nics.map((nic) => [`nic ${nic.id}`, [nic.network, nic.mac, ...nic.addresses].join(" ")] as const),
    ...details.snapshots.map(({ name, at, state }) => [`snapshot ${name}`, `${iso(at) ?? "-"} ${state}`] as const),
    ...details.more,
  ];
  // What the details tell better is not told again.
  const told = new Set(pairs.map(([name]) => name));
  for (const [name, value] of facts) if (!told.has(name)) pairs.push([name, String(value)]);
  const width = Math.max(...pairs.map(([name]) => name.length));
  out.result(
    { ...instance, details: { ...more, definitionLanguage: definition.language } },
    pairs.map(([name, value]) => `${name.padEnd(width)}  ${value}`),
  );
}

export function declare(program: Command, word: string): void {
  for (const question of questions) {
    const [first = "", second] = question.words.split(" ");
    if (first !== word) continue;
    const parent = second === undefined ? program : commandGroup(program, first);
    withJson(withHosts(parent.command(second ?? first)))
      .description(question.text)
      .argument("<name>", "the instance; HOST/NAME where several hosts have one of that name")
      .action((name: string, options: HostOptions, command: Command) =>
        run((session) => ask(session, question, name, command.optsWithGlobals()))(options, command),
      );
  }
}

async function ask(session: Session, question: Question, name: string, options: HostOptions): Promise<ExitStatus> {
  const inventory = await readHosts(session, options);
  try {
    reportSilent(session, inventory);
    const instance = oneNamed(inventory, name);
    const found = inventory.find(instance.key);
    if (found?.kind !== "instance") return exit.failed;
    const details = await found.provider.details(found.instance, { signal: session.signal, priority: "user" });
    question.answer(session, found.instance, details);
    return exit.done;
  } finally {
    inventory.end();
  }
}

function oneNamed(inventory: Inventory, name: string): Instance {
  const silent = silentHosts(inventory).map(({ host }) => host);
  const { found } = select(inventory.view().instances, [name], silent);
  const [only] = found;
  if (only) return only;
  const why = `not on the hosts that answered; ${silent.join(", ")} did not`;
  throw new VirtuError({ kind: "connection", what: "The instance was not seen", where: name, why });
}
