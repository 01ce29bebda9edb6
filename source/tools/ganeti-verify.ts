/** What `gnt-cluster verify --error-codes` found, said in the words of somebody who installs. */

export interface Finding {
  level: "error" | "warning" | "note";
  /** Ganeti's code: `ENODESETUP`, or empty. */
  code: string;
  /** `node`, `instance`, `cluster`. */
  kind: string;
  /** Name of what it is about; null with the cluster as a whole. */
  item: string | null;
  text: string;
  /** What it means and what to do; null: Ganeti's text says it. */
  meaning: string | null;
}

/** By code, and where one code means several things, by its text. */
const meanings: readonly (readonly [code: string, text: RegExp, meaning: string])[] = [
  ["ENODENET", /bridge/i, "The node lacks the instances' bridge. Run the step that makes it again on this node."],
  ["ENODESETUP", /bridge/i, "The node lacks the instances' bridge. Run the step that makes it again on this node."],
  [
    "ENODESETUP",
    /sysrq|procfs/i,
    "The node's kernel has no magic SysRq, or /proc is not mounted. Harmless but for `gnt-node powercycle`.",
  ],
  ["ENODETIME", /./, "The node's clock is off by more than 150 s. Set it (configure does)."],
  ["ENODESSH", /./, "The nodes can't log in to one another as root by Ganeti's key."],
  ["ENODELVM", /./, "The volume group is missing on this node or too small."],
  ["ENODEHV", /./, "The hypervisor does not work on this node: is its package installed, is the kernel the right one?"],
  ["ENODERPC", /./, "The node's daemon does not answer: look at ganeti-noded there, and at the network on port 1811."],
  ["ENODEVERSION", /./, "The nodes run different versions of Ganeti: upgrade all of them to one."],
  ["ENODEN1", /./, "If this node fails, the others have not enough memory for its instances."],
  ["ENODEORPHANLV", /./, "A volume that belongs to no instance; what is in the group was there before."],
  ["ENODEOS", /./, "The OS definitions differ between nodes: install the same packages on all of them."],
  ["ENODEDRBDHELPER", /./, "DRBD is not set up; nothing needs it unless drbd disks are wanted."],
  ["ENODEFILECHECK", /./, "A file of Ganeti differs between nodes. `gnt-cluster redist-conf` brings them in line."],
  ["ECLUSTERFILECHECK", /./, "A file of Ganeti differs between nodes. `gnt-cluster redist-conf` brings them in line."],
  ["ECLUSTERCERT", /./, "A certificate of the cluster expires soon or is broken: `gnt-cluster renew-crypto`."],
  ["ENODEFILESTORAGEPATHS", /./, "The directories allowed for file storage differ: /etc/ganeti/file-storage-paths."],
  ["ECLUSTERDANGLINGNODES", /./, "A node is in the list but answers to nobody."],
];

/** A job of verify that broke off, on a line of its own: what it would have found is not known. */
function brokenOff(line: string): Finding[] {
  const [, text] = /^Job \d+ has failed: (.*)$/.exec(line) ?? [];
  if (text === undefined) return [];
  const [, guest] = /Instance data of instance '(.*)' not found/.exec(text) ?? [];
  // Ganeti 3.0.2 asks its configuration for every domain that it sees on a node, and does not bear that there is none.
  const meaning =
    guest === undefined
      ? null
      : `The guest ${guest} runs on a node and is not Ganeti's: this version can't verify a node beside such a guest. The cluster works; shut down all guests that are not its own for that time and try this step again, or skip it.`;
  return [{ level: "error", code: "", kind: "", item: null, text, meaning }];
}

const levels = { ERROR: "error", WARNING: "warning", NOTICE: "note" } as const;

/** Lines `  - ERROR:CODE:node:NAME:text` after a date; `None` stands for the cluster. Other lines tell of progress. */
export function parseFindings(lines: readonly string[]): Finding[] {
  return lines.flatMap((line) => {
    const [, word, rest = ""] = /(?:^|\s)- (ERROR|WARNING|NOTICE): ?(.*)$/.exec(line) ?? [];
    if (word === undefined) return brokenOff(line);
    const level = levels[word as keyof typeof levels];
    const [, code = "", kind = "", item = "", text] = /^(E[A-Z0-9]+):([a-z ]+):([^:]*):(.*)$/.exec(rest) ?? [];
    const said = (text ?? rest).trim();
    const meaning = meanings.find(([known, pattern]) => known === code && pattern.test(said))?.[2] ?? null;
    return [{ level, code, kind, item: item === "" || item === "None" ? null : item, text: said, meaning }];
  });
}
