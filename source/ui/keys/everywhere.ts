/** Keys that work everywhere, and those of lists, fields, forms and questions. */
import type { Binding } from "./binding.ts";

const move = {
  up: { keys: ["up", "k"], label: "up", text: "Move up", quiet: true },
  down: { keys: ["down", "j"], label: "down", text: "Move down", quiet: true },
  pageUp: { keys: ["pgup", "ctrl+b"], label: "page up", text: "Move up a page", quiet: true },
  pageDown: { keys: ["pgdn", "ctrl+f"], label: "page down", text: "Move down a page", quiet: true },
  first: { keys: ["home", "g"], label: "first", text: "Go to the first row", quiet: true },
  last: { keys: ["end", "G"], label: "last", text: "Go to the last row", quiet: true },
} as const satisfies Record<string, Binding>;

export const everywhereKeys = {
  global: {
    screen1: { keys: ["1"], label: "home", text: "Go to Home", quiet: true },
    screen2: { keys: ["2"], label: "jobs", text: "Go to Jobs", quiet: true },
    screen3: { keys: ["3"], label: "nodes", text: "Go to Nodes", quiet: true },
    screen4: { keys: ["4"], label: "instances", text: "Go to Instances", quiet: true },
    screen5: { keys: ["5"], label: "runs", text: "Go to Runs", quiet: true },
    screen6: { keys: ["6"], label: "sessions", text: "Go to Sessions", quiet: true },
    screen7: { keys: ["7"], label: "feed", text: "Go to the Feed: what happened, and what virtu did", quiet: true },
    back: { keys: ["esc"], label: "back", short: "", text: "Go back; a form keeps what was typed" },
    palette: { keys: [":"], label: "command", text: "Run anything of this screen by its name", quiet: true },
    help: { keys: ["?", "f1"], label: "help", text: "Show every key that works here" },
    consoles: { keys: ["ctrl+o"], label: "consoles", text: "Show the consoles that are open", quiet: true },
    quit: { keys: ["q", "ctrl+c"], label: "quit", text: "Leave virtu; what runs on the hosts goes on", quiet: true },
    suspend: { keys: ["ctrl+z"], label: "suspend", text: "Put virtu to sleep; `fg` brings it back", quiet: true },
    redraw: { keys: ["ctrl+l"], label: "redraw", text: "Draw the screen anew", quiet: true },
  },
  home: {
    open: { keys: ["enter"], label: "open", text: "Open what the cursor is on" },
    site: { keys: ["S"], label: "site", text: "Choose another site, or add one" },
  },
  list: move,
  filter: {
    keep: { keys: ["enter"], label: "keep", text: "Keep the filter and go on with the rows" },
    clear: { keys: ["esc"], label: "show all", text: "Clear the filter" },
  },
  form: {
    submit: { keys: ["enter"], label: "go on", text: "Go on: first to the summary, then for real" },
    next: { keys: ["tab", "down"], label: "next field", short: "next", text: "Go to the next field" },
    previous: { keys: ["shift+tab", "up"], label: "previous field", text: "Go to the field before", quiet: true },
    earlier: { keys: ["left"], sign: "←→", label: "choose", text: "Take the choice before, in a field of choices" },
    later: { keys: ["right"], label: "choose", text: "Take the next choice, in a field of choices", quiet: true },
    reserve: { keys: ["enter"], label: "reserve", text: "Send the reservation to OAR" },
    deploy: { keys: ["enter"], label: "deploy", text: "Go on: name what is erased, then deploy", dangerous: true },
    copy: {
      keys: ["ctrl+y"],
      label: "copy the command",
      short: "copy",
      text: "Copy the exact command to the clipboard",
    },
    save: { keys: ["ctrl+s"], label: "save as file", short: "save", text: "Save what the form stands for as a file" },
    add: {
      keys: ["ctrl+n"],
      label: "add a disk",
      short: "add disk",
      text: "Add a disk of the same kind after this one, where an instance gets its disks",
    },
    remove: {
      keys: ["ctrl+d"],
      label: "remove the disk",
      short: "remove",
      text: "Leave this disk out again; nothing is there of it yet",
    },
  },
  dialog: {
    move: { keys: ["up", "down"], sign: "↑↓", label: "choose", text: "Go to another answer" },
    answer: { keys: ["enter"], label: "answer", text: "Give the answer under the cursor" },
    pageUp: {
      keys: ["pgup", "ctrl+b"],
      label: "page up",
      text: "Show what stands before, in a long list",
      quiet: true,
    },
    pageDown: { keys: ["pgdn", "ctrl+f"], sign: "PgDn", label: "more", text: "Show what comes after, in a long list" },
  },
} as const satisfies Record<string, Record<string, Binding>>;
