/** The keymap as the README's table. */
import { type Binding, keymap, keyName, type Scope } from "./keys.ts";

/** Where each scope's keys work, in the order of the table. */
const places: Partial<Record<Scope, string>> = {
  global: "Everywhere",
  list: "In every list",
  filter: "While a filter is typed",
  dialog: "In questions",
  form: "In forms",
  home: "Home",
  site: "Sites",
  jobs: "Jobs",
  deploy: "Choosing what to deploy",
  deployment: "A deployment",
  nodes: "Nodes",
  instances: "Instances",
  hostNodes: "Nodes that carry instances",
  consoles: "Consoles",
  columns: "Columns of the table",
  copyCell: "Copying from a row",
  views: "Views of the table",
  making: "Instances that are being made",
  comparisons: "Tools compared",
  compare: "A new comparison: its places",
  comparePlan: "A new comparison: its plan",
  comparison: "A comparison",
  chart: "A chart",
  markBy: "Marking by a rule",
  bulk: "A run of actions",
  scheduled: "Scheduled actions",
  instance: "An instance",
  actions: "All actions",
  moveTo: "Where to move it",
  snapshots: "Snapshots",
  hardware: "Hardware",
  definition: "A definition",
  change: "A changed definition",
  providerJobs: "Ganeti's jobs",
  stores: "Storage and networks",
  hosts: "Hosts",
  runs: "Runs",
  run: "A run",
  up: "The plan of a whole way",
  way: "A whole way",
  output: "The output of a step",
  targets: "Nodes of a new run",
  preview: "A plan before it runs",
  sessions: "Sessions",
  console: "In a console, after its leave key",
  guestScreen: "The screen of a guest",
  scrollback: "In what a console has printed",
  consoleEnded: "A console that has ended",
  log: "Feed",
};

/** A Markdown table of every binding: where, keys, what it does. Dangerous ones are marked. */
export function keysTable(): string {
  const lines = ["| Where | Key | What it does |", "|---|---|---|"];
  const scopes = [...new Set([...Object.keys(places), ...Object.keys(keymap)])] as Scope[];
  for (const scope of scopes) {
    let place = places[scope] ?? scope;
    for (const binding of Object.values(keymap[scope]) as Binding[]) {
      const keys = binding.keys.map((key) => `\`${keyName(key)}\``).join(" ");
      lines.push(`| ${place} | ${keys} | ${binding.text.replaceAll("|", "\\|")}${binding.dangerous ? " ⚠" : ""} |`);
      place = "";
    }
  }
  return lines.join("\n");
}
