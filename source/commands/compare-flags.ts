/** The flags of `virtu compare` and its files, as what is to be compared. */
import type { Command } from "commander";
import { VirtuError } from "../errors.ts";
import { type CreateData, mebibytesOf, type Wanted, wantedOf } from "../instances/create-file.ts";
import { createSchema } from "../instances/create-file-schema.ts";
import type { ReadyWanted } from "../instances/create-types.ts";
import { providerNames } from "../instances/selector.ts";
import { usualSizes } from "../journey/compare-defaults.ts";
import type { ComparisonWish } from "../journey/compare-plan.ts";
import type { Schema } from "../schema.ts";
import { readDataFile } from "./data-file.ts";
import { type HostOptions, hostNames, wholeOption, withHosts } from "./hosts.ts";
import { collect, type Session } from "./run.ts";

export interface CompareOptions extends HostOptions {
  on?: string[];
  to?: string[];
  file?: string[];
  memory?: string;
  vcpus?: string;
  disk?: string;
  image?: string;
  os?: string;
  repeat?: string;
  count?: string;
  together?: boolean;
  ready?: string;
  readyLimit?: string;
  readyPattern?: string;
  limit?: string;
  output?: string;
  list?: boolean;
  show?: string | true;
  clean?: string | true;
}

export function withCompareFlags(command: Command): Command {
  return withHosts(command)
    .option("--on <host:provider>", "this provider of a host, where it has several; repeatable", collect)
    .option("--to <host>", "instances may migrate to this host, too; repeatable", collect)
    .option("-f, --file <file>", "what to make on its hosts, as for virtu create -f; repeatable", collect)
    .option("--repeat <n>", "rounds (default 1); the places change with each")
    .option("--count <n>", "instances at once on each place (default 1)")
    .option("--together", "all places at once; else one after another, so that they don't slow each other down")
    .option("--memory <size>", "of an instance, where no file says otherwise (default 256M)")
    .option("--vcpus <n>", "CPUs of an instance (default 1)")
    .option("--disk <size>", "its disk (default 1G)")
    .option("--image <path>", "libvirt: copy this image of the host; else the disk is empty and nothing boots")
    .option("--os <name>", "Ganeti: OS definition (default noop, or the first one)")
    .option("--ready <how>", "after start and reboot wait until it answers: console, ping or ssh")
    .option("--ready-limit <seconds>", "how long to wait for that (default 300)")
    .option("--ready-pattern <regex>", "the line of the console to wait for (default login:)")
    .option("--limit <seconds>", "what a guest gets to shut down (default 60)")
    .option("--output <file>", "write it into a new file as well: .csv (every time), .json, .md (the table)")
    .optionsGroup("What was compared:")
    .option("--list", "list the comparisons of this machine")
    .option("--show [id]", "show one again (the newest); with --output export it")
    .option("--clean [id]", "take away what one (or any) has left behind");
}

/** A request for `virtu create -f`, but for its name: that is virtu's own here. One, or a list of them. */
const requests = (createSchema.oneOf ?? []).map(
  (form): Schema => ({ ...form, required: form.required?.filter((name) => name !== "name") }),
);
const schema: Schema = { oneOf: [...requests, { type: "array", items: { oneOf: requests }, minItems: 1 }] };

const hint = "It is the same as for virtu create -f (docs/create.schema.json), or a list of those.";

function readFile(file: string): Wanted[] {
  const data = readDataFile(file, schema, [], hint);
  const all = (Array.isArray(data) ? data : [data]) as CreateData[];
  return all.map((one) => wantedOf({ ...one, name: "virtu-compare", count: 1 }));
}

function onOf(values: readonly string[]): ComparisonWish["on"] {
  return hostNames(values).map((value) => {
    const [, host = "", name = ""] = /^(.*):([^:]*)$/.exec(value) ?? [];
    const provider = providerNames.find((one) => one === name);
    if (provider && host !== "") return { host: { name: host }, provider };
    throw new VirtuError({
      ...{ kind: "usage", what: `"${value}" names no provider of a host`, where: "--on" },
      hint: `Write HOST:PROVIDER; the providers are ${providerNames.join(", ")}.`,
    });
  });
}

function sizeOption(name: string, value: string | undefined, usual: number): number {
  if (value === undefined) return usual;
  if (/^\d+(\.\d+)?\s*([MGT](i?B)?)?$/.test(value)) return mebibytesOf(/\D$/.test(value) ? value : Number(value));
  throw new VirtuError({ kind: "usage", what: `${name} takes a size like 512M or 2G`, where: name });
}

function readyOf({ ready, readyLimit, readyPattern }: CompareOptions): ReadyWanted | null {
  if (ready === undefined) return null;
  if (ready !== "console" && ready !== "ping" && ready !== "ssh") {
    throw new VirtuError({ kind: "usage", what: "--ready takes console, ping or ssh", where: "--ready" });
  }
  const limitSeconds = wholeOption("--ready-limit", readyLimit) ?? 300;
  return { by: ready, pattern: readyPattern ?? null, address: null, limitSeconds };
}

/** What the flags and files ask for. Without any host the settings' hosts take part. */
export function wishOf(session: Session, options: CompareOptions): ComparisonWish {
  const { settings } = session.app;
  const on = onOf(options.on ?? []);
  const files = (options.file ?? []).flatMap(readFile);
  const named = options.host ?? (on.length > 0 ? [] : files.flatMap(({ hosts }) => hosts));
  const hosts = hostNames(options.host || on.length > 0 || named.length > 0 ? named : settings.get("hosts"));
  const refs = (names: readonly string[]) => names.map((name) => ({ name }));
  return {
    ...{ hosts: refs(hosts), on, also: refs(hostNames(options.to ?? [])), files },
    uri: options.uri ?? (settings.get("libvirtUri") || null),
    sizes: {
      memoryMiB: sizeOption("--memory", options.memory, usualSizes.memoryMiB),
      vcpus: wholeOption("--vcpus", options.vcpus) ?? usualSizes.vcpus,
      diskMiB: sizeOption("--disk", options.disk, usualSizes.diskMiB),
      ...{ image: options.image ?? null, os: options.os ?? null },
    },
    rounds: wholeOption("--repeat", options.repeat) ?? 1,
    count: wholeOption("--count", options.count) ?? 1,
    together: options.together === true,
    limitSeconds: wholeOption("--limit", options.limit) ?? 60,
    ready: readyOf(options),
  };
}
