/** Every action as a subcommand: its words, what it takes and the request that comes of it. A table, nothing else. */
import { readFileSync } from "node:fs";
import { reasonOf, VirtuError } from "../errors.ts";
import type { Request } from "../instances/target.ts";
import { wholeOption } from "./hosts.ts";

/** What was typed: the arguments besides the instances, and the options of this action. */
export interface Input {
  args: readonly string[];
  options: Readonly<Record<string, unknown>>;
}

export interface ActionCommand {
  /** `snapshot create`: the second word is a subcommand of the first. */
  words: string;
  text: string;
  /** What it is done to: several by name or selector, one instance that is named, or nodes. */
  on: "several" | "one" | "nodes";
  /** Further arguments: before the names of several, after the name of one. */
  args?: readonly (readonly [syntax: string, text: string])[];
  options?: readonly (readonly [flags: string, text: string])[];
  /** What `--timeout` means, where it is more than not to wait any longer. */
  timeout?: string;
  request: (input: Input) => Request;
}

/** MiB of `2048`, `512M`, `2G`, `1.5T`. */
export function mebibytesOf(name: string, value = ""): number {
  const match = /^(\d+(?:\.\d+)?)\s*([MGT])?(?:iB|B)?$/i.exec(value);
  const unit = { M: 1, G: 1024, T: 1024 * 1024 }[(match?.[2] ?? "M").toUpperCase()] ?? 1;
  const mebibytes = Math.round(Number(match?.[1] ?? 0) * unit);
  if (mebibytes > 0) return mebibytes;
  throw new VirtuError({
    kind: "usage",
    what: `${name} takes a size: 2048 (MiB), 512M, 2G`,
    where: name,
    why: `it was given ${JSON.stringify(value)}`,
  });
}

function onOff(value: string | undefined): boolean {
  if (value === "on" || value === "off") return value === "on";
  throw new VirtuError({ kind: "usage", what: "Say on or off", where: "on|off", why: `it was given ${value}` });
}

const text = (value: unknown) => (typeof value === "string" ? value : null);
const texts = (value: unknown) =>
  (Array.isArray(value) ? value : []).flatMap((one) => String(one).split(",")).filter(Boolean);

/** A file, or standard input for `-`. */
function contentOf(file: string): string {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (thrown) {
    throw new VirtuError({
      kind: "usage",
      what: "The file can't be read",
      where: file,
      why: reasonOf(thrown),
    });
  }
}

const to = ["--to <node>", "where it goes (default: the provider chooses)"] as const;

export const lifeCommands: readonly ActionCommand[] = [
  { words: "start", text: "Starts instances.", on: "several", request: () => ({ do: "start" }) },
  {
    words: "shutdown",
    text: "Shuts instances down cleanly.",
    on: "several",
    timeout: "seconds that a shutdown may take (default 120); Ganeti then ends the instance by force",
    request: () => ({ do: "shutdown" }),
  },
  {
    words: "reboot",
    text: "Asks instances to reboot.",
    on: "several",
    options: [["--hard", "without asking the guest"]],
    request: ({ options }) => ({ do: "reboot", how: options["hard"] === true ? "hard" : "clean" }),
  },
  {
    words: "reset",
    text: "Resets instances, like the button: nothing is saved.",
    on: "several",
    request: () => ({ do: "reset" }),
  },
  {
    words: "force-off",
    text: "Ends instances at once, like pulling the plug.",
    on: "several",
    request: () => ({ do: "force-off" }),
  },
  { words: "pause", text: "Stops instances where they stand.", on: "several", request: () => ({ do: "pause" }) },
  {
    words: "unpause",
    text: "Lets paused instances go on (`resume` carries on with a run of steps).",
    on: "several",
    request: () => ({ do: "resume" }),
  },
  { words: "save", text: "Saves memory to disk, then off.", on: "several", request: () => ({ do: "save" }) },
  { words: "restore", text: "Goes on where `save` stopped.", on: "several", request: () => ({ do: "restore" }) },
  {
    words: "discard-save",
    text: "Forgets saved memory: the next start boots.",
    on: "several",
    request: () => ({ do: "discard-save" }),
  },
  {
    words: "migrate",
    text: "Moves instances to other nodes as they run.",
    on: "several",
    options: [to, ["--offline", "stop them meanwhile"]],
    request: ({ options }) => ({ do: "migrate", to: text(options["to"]), live: options["offline"] !== true }),
  },
  {
    words: "failover",
    text: "Starts instances on their secondary node.",
    on: "several",
    options: [to],
    request: ({ options }) => ({ do: "failover", to: text(options["to"]) }),
  },
  {
    words: "move",
    text: "Copies an instance's disks to another node; off meanwhile.",
    on: "one",
    args: [["<node>", "where it goes"]],
    request: ({ args: [node = ""] }) => ({ do: "move", to: node }),
  },
];

export const changeCommands: readonly ActionCommand[] = [
  {
    words: "autostart",
    text: "Starts instances with their host, or no more.",
    on: "several",
    args: [["<on|off>", "on or off"]],
    request: ({ args: [value] }) => ({ do: "autostart", on: onOff(value) }),
  },
  {
    words: "rename",
    text: "Gives an instance another name.",
    on: "one",
    args: [["<new-name>", "its name from then on"]],
    request: ({ args: [name = ""] }) => ({ do: "rename", to: name }),
  },
  {
    words: "clone",
    text: "Copies an instance with its disks.",
    on: "one",
    args: [["<new-name>", "name of the copy"]],
    request: ({ args: [name = ""] }) => ({ do: "clone", to: name }),
  },
  {
    words: "remove",
    text: "Removes instances and their disks for good.",
    on: "several",
    options: [["--keep-disks", "keep the disks"]],
    request: ({ options }) => ({ do: "remove", keepDisks: options["keepDisks"] === true }),
  },
  {
    words: "set-memory",
    text: "Changes the memory of instances.",
    on: "several",
    args: [["<size>", "MiB, or 512M, 2G"]],
    request: ({ args: [size] }) => ({ do: "set-memory", mebibytes: mebibytesOf("SIZE", size) }),
  },
  {
    words: "set-vcpus",
    text: "Changes the virtual CPUs of instances.",
    on: "several",
    args: [["<count>", "how many"]],
    request: ({ args: [value] }) => ({ do: "set-vcpus", count: wholeOption("COUNT", value) ?? 1 }),
  },
  {
    words: "tag",
    text: "Adds and removes tags.",
    on: "several",
    options: [
      ["--add <tag...>", "tags to add"],
      ["--remove <tag...>", "tags to remove"],
    ],
    request: ({ options }) => {
      const [add, remove] = [texts(options["add"]), texts(options["remove"])];
      if (add.length + remove.length > 0) return { do: "tag", add, remove };
      throw new VirtuError({
        kind: "usage",
        what: "No tag is named",
        where: "--add",
        hint: "Add --add TAG or --remove TAG.",
      });
    },
  },
  {
    words: "note",
    text: "Sets the note of an instance.",
    on: "one",
    args: [["<text>", 'what it says; "" takes it away']],
    request: ({ args: [value = ""] }) => ({ do: "note", text: value }),
  },
  {
    words: "define",
    text: "Replaces an instance's definition by a file's.",
    on: "one",
    args: [["<file>", "as `virtu definition` prints it; - reads standard input"]],
    request: ({ args: [file = ""] }) => ({ do: "define", text: contentOf(file) }),
  },
  {
    words: "snapshot create",
    text: "Takes a snapshot.",
    on: "several",
    args: [["<snapshot>", "its name"]],
    options: [
      ["--description <text>", "what it is for"],
      ["--no-memory", "disks only, without what runs"],
    ],
    request: ({ args: [name = ""], options }) => ({
      do: "snapshot-create",
      name,
      description: text(options["description"]) ?? "",
      memory: options["memory"] !== false,
    }),
  },
  {
    words: "snapshot revert",
    text: "Goes back to a snapshot; what came after it is lost.",
    on: "several",
    args: [["<snapshot>", "its name"]],
    request: ({ args: [name = ""] }) => ({ do: "snapshot-revert", name }),
  },
  {
    words: "snapshot delete",
    text: "Deletes a snapshot.",
    on: "several",
    args: [["<snapshot>", "its name"]],
    request: ({ args: [name = ""] }) => ({ do: "snapshot-delete", name }),
  },
  {
    words: "disk add",
    text: "Adds a disk.",
    on: "one",
    args: [["<size>", "MiB, or 512M, 20G"]],
    options: [["--pool <pool>", "where the provider keeps volumes"]],
    request: ({ args: [size], options }) => ({
      do: "disk-add",
      mebibytes: mebibytesOf("SIZE", size),
      pool: text(options["pool"]),
    }),
  },
  {
    words: "disk grow",
    text: "Makes a disk larger by so much.",
    on: "one",
    args: [
      ["<disk>", "as `disk list` names it"],
      ["<size>", "MiB, or 512M, 20G"],
    ],
    request: ({ args: [disk = "", size] }) => ({ do: "disk-grow", disk, mebibytes: mebibytesOf("SIZE", size) }),
  },
  {
    words: "disk remove",
    text: "Takes a disk out, and what it holds with it.",
    on: "one",
    args: [["<disk>", "as `disk list` names it"]],
    options: [["--keep-volume", "keep what it holds"]],
    request: ({ args: [disk = ""], options }) => ({
      do: "disk-remove",
      disk,
      keepVolume: options["keepVolume"] === true,
    }),
  },
  {
    words: "nic add",
    text: "Adds a network card.",
    on: "one",
    args: [["<network>", "network or bridge"]],
    request: ({ args: [network = ""] }) => ({ do: "nic-add", network }),
  },
  {
    words: "nic remove",
    text: "Takes a network card out.",
    on: "one",
    args: [["<nic>", "as `nic list` names it"]],
    request: ({ args: [nic = ""] }) => ({ do: "nic-remove", nic }),
  },
  {
    words: "media insert",
    text: "Puts an ISO file into a drive.",
    on: "one",
    args: [["<path>", "the file, on the host"]],
    options: [["--disk <disk>", "which drive (default: the first)"]],
    request: ({ args: [path = ""], options }) => ({ do: "media-insert", disk: text(options["disk"]), path }),
  },
  {
    words: "media eject",
    text: "Takes the medium out of a drive.",
    on: "one",
    args: [["<disk>", "which drive"]],
    request: ({ args: [disk = ""] }) => ({ do: "media-eject", disk }),
  },
];

export const nodeCommands: readonly ActionCommand[] = [
  {
    words: "node evacuate",
    text: "Takes all instances away from nodes.",
    on: "nodes",
    options: [["--which <instances>", "primary, secondary or all (default)"]],
    request: ({ options }) => {
      const which = text(options["which"]) ?? "all";
      if (which === "primary" || which === "secondary" || which === "all") return { do: "evacuate", which };
      throw new VirtuError({ kind: "usage", what: "--which takes primary, secondary or all", where: "--which" });
    },
  },
  { words: "node drain", text: "Puts nothing new on nodes.", on: "nodes", request: () => ({ do: "drain", on: true }) },
  { words: "node undrain", text: "Uses nodes again.", on: "nodes", request: () => ({ do: "drain", on: false }) },
  { words: "node offline", text: "Marks nodes as gone.", on: "nodes", request: () => ({ do: "offline", on: true }) },
  { words: "node online", text: "Marks nodes as back.", on: "nodes", request: () => ({ do: "offline", on: false }) },
  { words: "node master", text: "Makes a node the master.", on: "nodes", request: () => ({ do: "master" }) },
];

export const actionCommands: readonly ActionCommand[] = [...lifeCommands, ...changeCommands, ...nodeCommands];
