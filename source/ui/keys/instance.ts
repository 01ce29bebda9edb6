/** Keys of one instance: what it is and what is done to it; of storage and networks, which it stands on. */
import type { Binding } from "./binding.ts";

export const instanceKeys = {
  instance: {
    hardware: { keys: ["h"], label: "hardware", text: "Disks, network cards, media, memory and vCPUs" },
    snapshots: { keys: ["z"], label: "snapshots", text: "Show its snapshots; take, revert, delete" },
    definition: { keys: ["e"], label: "definition", text: "Show its definition, and edit it" },
  },
  actions: {
    choose: { keys: ["enter"], label: "do it", text: "Do what the cursor is on, or ask for what it needs" },
  },
  moveTo: {
    go: { keys: ["enter"], label: "go", text: "Move it to the target under the cursor, after asking" },
    live: { keys: ["l"], label: "live or not", text: "Migrate it as it runs, or stop it meanwhile" },
    refresh: { keys: ["R"], label: "check again", text: "Ask again where it can go" },
  },
  snapshots: {
    revert: {
      keys: ["enter"],
      label: "revert",
      text: "Go back to this snapshot; what came after it is lost",
      dangerous: true,
    },
    create: { keys: ["n"], label: "new", text: "Take a snapshot" },
    remove: { keys: ["D"], label: "delete", text: "Delete this snapshot; the instance stays", dangerous: true },
    refresh: { keys: ["R"], label: "refresh", text: "Read the snapshots again", quiet: true },
  },
  hardware: {
    change: { keys: ["enter"], label: "change", text: "Change it: memory, vCPUs, a larger disk, another medium" },
    addDisk: { keys: ["a"], label: "add disk", text: "Add a disk" },
    addNic: { keys: ["n"], label: "add network card", short: "add NIC", text: "Add a network card" },
    insert: { keys: ["i"], label: "insert medium", short: "insert", text: "Put an ISO file into a drive" },
    eject: { keys: ["e"], label: "eject", text: "Take the medium out of this drive" },
    remove: { keys: ["D"], label: "remove", text: "Remove this disk or network card", dangerous: true },
    refresh: { keys: ["R"], label: "refresh", text: "Read it again", quiet: true },
  },
  definition: {
    edit: { keys: ["e"], label: "edit", text: "Edit it in $EDITOR; what changes is shown before it is applied" },
    search: { keys: ["/"], label: "search", text: "Search in it" },
    next: { keys: ["n"], label: "next", text: "Go to the next line found" },
    previous: { keys: ["N"], label: "previous", text: "Go to the line found before", quiet: true },
    refresh: { keys: ["R"], label: "refresh", text: "Read it again", quiet: true },
    copy: { keys: ["y"], label: "copy", text: "Copy all of it" },
  },
  change: {
    apply: { keys: ["enter"], label: "apply", text: "Apply what is shown", dangerous: true },
    edit: { keys: ["e"], label: "edit again", text: "Go back into the editor, with what was typed" },
    discard: { keys: ["D"], label: "discard", text: "Forget what was typed", dangerous: true },
  },
  stores: {
    volume: { keys: ["a"], label: "add volume", text: "Make a volume in this pool" },
    pool: { keys: ["p"], label: "add pool", text: "Make a directory of this host a pool" },
    network: { keys: ["n"], label: "add network", text: "Make a network on this host" },
    turn: { keys: ["s"], label: "start or stop", text: "Start this pool or network, or stop it where nobody uses it" },
    remove: {
      keys: ["D"],
      label: "remove",
      text: "Remove what is under the cursor, if nobody uses it",
      dangerous: true,
    },
    filter: { keys: ["/"], label: "filter", text: "Show only lines that hold the words typed", quiet: true },
    refresh: { keys: ["R"], label: "refresh", text: "Ask the hosts again now", quiet: true },
    copy: { keys: ["y"], label: "copy path", text: "Copy the volume's path", quiet: true },
  },
} as const satisfies Record<string, Record<string, Binding>>;
