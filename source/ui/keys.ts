/**
 * Every key of the program. Input, footer, `?` help, the `:` palette and the README's table all come from here; a screen
 * only says what a binding does and why it can't be used now.
 */

export interface Binding {
  readonly keys: readonly string[];
  /** A word or two for the footer. */
  readonly label: string;
  /** A shorter one, for a footer that has no room for all; empty: the key says enough. */
  readonly short?: string;
  /** A sentence for help. */
  readonly text: string;
  readonly dangerous?: boolean;
  /** How the footer names its keys, when the first of them does not say enough: `↑↓`. */
  readonly sign?: string;
  /** Left out of the footer: common knowledge, or rarely wanted. */
  readonly quiet?: boolean;
}

const move = {
  up: { keys: ["up", "k"], label: "up", text: "Move up", quiet: true },
  down: { keys: ["down", "j"], label: "down", text: "Move down", quiet: true },
  pageUp: { keys: ["pgup", "ctrl+b"], label: "page up", text: "Move up a page", quiet: true },
  pageDown: { keys: ["pgdn", "ctrl+f"], label: "page down", text: "Move down a page", quiet: true },
  first: { keys: ["home", "g"], label: "first", text: "Go to the first row", quiet: true },
  last: { keys: ["end", "G"], label: "last", text: "Go to the last row", quiet: true },
} as const satisfies Record<string, Binding>;

export const keymap = {
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
  site: {
    choose: { keys: ["enter"], label: "choose", text: "Work on this site" },
    add: { keys: ["a"], label: "add", text: "Add a site" },
    remove: { keys: ["D"], label: "remove", text: "Remove this site from the settings", dangerous: true },
  },
  jobs: {
    open: { keys: ["enter"], label: "take over", text: "Work with this job: its nodes, its deployments" },
    reserve: { keys: ["n"], label: "reserve", text: "Reserve nodes" },
    deploy: { keys: ["i"], label: "deploy", text: "Deploy an image or environment on the job's nodes" },
    extend: { keys: ["e"], label: "extend", text: "Ask for a longer walltime" },
    release: { keys: ["D"], label: "release", text: "End the job and give its nodes back", dangerous: true },
    refresh: { keys: ["R"], label: "refresh", text: "Ask the frontend again now", quiet: true },
    copy: { keys: ["y"], label: "copy", text: "Copy the job's number", quiet: true },
  },
  targets: {
    goOn: { keys: ["enter"], label: "go on", text: "Go on with the nodes that answered" },
    again: { keys: ["r"], label: "ask again", text: "Ask every node again what it is" },
    other: { keys: ["b"], label: "other nodes", text: "Choose other nodes" },
  },
  form: {
    submit: { keys: ["enter"], label: "go on", text: "Go on: first to the summary, then for real" },
    next: { keys: ["tab", "down"], label: "next field", text: "Go to the next field" },
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
  },
  deploy: {
    choose: { keys: ["enter"], label: "choose", text: "Take this one and go on" },
    reload: { keys: ["ctrl+r"], label: "reload", text: "Read the list from the frontend again", quiet: true },
  },
  deployment: {
    log: { keys: ["l"], label: "log", text: "Show what kadeploy3 prints, or the nodes again" },
    retry: { keys: ["r"], label: "retry failed", text: "Deploy the failed nodes again, leaving the good ones alone" },
    nodes: { keys: ["enter"], label: "nodes", text: "Go on to the job's nodes" },
    again: { keys: ["R"], label: "follow again", text: "Look at it again after an error", quiet: true },
    cancel: {
      keys: ["c"],
      label: "cancel",
      text: "Stop the deployment; nodes under way end without a system",
      dangerous: true,
    },
  },
  nodes: {
    describe: { keys: ["enter", "d"], label: "describe", text: "Show everything known of this node" },
    deploy: { keys: ["i"], label: "deploy", text: "Deploy an image or environment on the job's nodes" },
    progress: { keys: ["p"], label: "progress", text: "Watch the deployment of these nodes" },
    configure: { keys: ["c"], label: "configure", text: "Configure these nodes: keys, upgrade, password, names" },
    install: { keys: ["m"], label: "VM manager", text: "Install Ganeti or libvirt on these nodes" },
    extend: { keys: ["e"], label: "extend", text: "Ask for a longer walltime" },
    shell: { keys: ["s"], label: "shell", text: "Open a shell on this node" },
    refresh: { keys: ["R"], label: "refresh", text: "Ask every node again now", quiet: true },
    copy: { keys: ["y"], label: "copy", text: "Copy the node's name", quiet: true },
  },
  instances: {
    unheard: {
      keys: ["f"],
      label: "force, or wait",
      short: "force",
      text: "Force off what did not hear a shutdown, ask it again and wait longer, or leave it",
    },
    start: { keys: ["s"], label: "start", text: "Start" },
    shutdown: { keys: ["t"], label: "shut down", short: "shut", text: "Shut down cleanly" },
    reboot: { keys: ["r"], label: "reboot", text: "Reboot cleanly" },
    forceOff: {
      keys: ["x"],
      label: "force off",
      short: "off",
      text: "Force off, like pulling the plug",
      dangerous: true,
    },
    console: { keys: ["enter"], label: "console", text: "Open its text console; one that is open already is shown" },
    mark: { keys: ["space"], label: "mark", text: "Mark this instance; actions then go to all marked ones" },
    menu: {
      keys: ["m"],
      label: "more",
      text: "Show all that can be done with it or the marked ones, and why not",
    },
    pause: { keys: ["p"], label: "pause", text: "Pause, or resume what is paused", quiet: true },
    filter: {
      keys: ["/"],
      label: "filter",
      text: "Show only rows that hold every word typed; `!word` leaves out; Esc clears",
    },
    describe: { keys: ["d"], label: "describe", text: "Show everything known of this instance, and where from" },
    screen: { keys: ["v"], label: "screen", text: "Show its screen here, and open it in a viewer" },
    shell: { keys: ["S"], label: "shell on host", short: "shell", text: "Open a shell on the host that it runs on" },
    sort: { keys: ["o"], label: "sort", text: "Sort by the next column" },
    sortBack: { keys: ["O"], label: "turn order", text: "Turn the order round", quiet: true },
    markAll: { keys: ["a"], label: "mark all", text: "Mark all that are shown, or none", quiet: true },
    group: { keys: ["b"], label: "group", text: "Group by host, node, provider, tag, state, or not", quiet: true },
    close: { keys: ["left"], label: "close", text: "Close the group", quiet: true },
    open: { keys: ["right"], label: "open", text: "Open the group", quiet: true },
    details: {
      keys: ["tab"],
      label: "details",
      text: "Show or hide the details beside or below the table",
      quiet: true,
    },
    columns: { keys: ["C"], label: "columns", text: "Choose, order and size the columns", quiet: true },
    views: {
      keys: ["w"],
      label: "views",
      text: "Take or keep a named view: columns, order, groups, filter",
      quiet: true,
    },
    exportAll: { keys: ["E"], label: "export", text: "Write what is shown into a CSV or JSON file", quiet: true },
    copyRow: { keys: ["Y"], label: "copy more", text: "Copy the whole row, or one cell of it", quiet: true },
    markRange: {
      keys: ["V"],
      label: "mark range",
      text: "Mark all from the last one that was marked to here",
      quiet: true,
    },
    markBy: {
      keys: ["+"],
      label: "mark by",
      text: "Mark by pattern, tag, host, group, state or provider",
      quiet: true,
    },
    waves: {
      keys: ["W"],
      label: "in waves",
      text: "Start or stop in waves, with conditions between them",
      quiet: true,
    },
    bulk: {
      keys: ["B"],
      label: "progress",
      text: "Show how the actions on many go, and what came of them",
      quiet: true,
    },
    later: { keys: ["@"], label: "at a time", text: "Have the hosts do it at a time, by themselves", quiet: true },
    scheduled: { keys: ["T"], label: "scheduled", text: "Show what the hosts keep to be done at a time", quiet: true },
    nodes: {
      keys: ["n"],
      label: "node table",
      text: "Show the nodes that carry the instances, or the instances again",
    },
    create: { keys: ["N"], label: "new", text: "Make instances, in five steps", quiet: true },
    stores: { keys: ["P"], label: "storage", text: "Show pools, volumes and networks, and who uses them", quiet: true },
    chart: { keys: ["u"], label: "usage", text: "Draw what it, or all that are marked, use over time" },
    jobs: { keys: ["J"], label: "Ganeti's jobs", text: "Show the queue of jobs of the clusters", quiet: true },
    log: { keys: ["l"], label: "log", text: "Show or hide what the actions report", quiet: true },
    cancel: { keys: ["c"], label: "cancel queued", text: "Take back the actions that have not started", quiet: true },
    hosts: { keys: ["H"], label: "hosts", text: "Add a host, or look at what is wrong with one", quiet: true },
    refresh: { keys: ["R"], label: "refresh", text: "Ask every host again now", quiet: true },
    copy: { keys: ["y"], label: "copy", text: "Copy the instance's name", quiet: true },
  },
  copyCell: {
    copy: { keys: ["enter"], label: "copy", text: "Copy this" },
  },
  hostNodes: {
    shell: { keys: ["s"], label: "shell", text: "Open a shell on this node" },
  },
  consoles: {
    open: { keys: ["enter"], label: "open", text: "Go to this console" },
    record: { keys: ["r"], label: "record", text: "Record what it shows into an asciicast file, or stop that" },
    close: { keys: ["D"], label: "close", text: "Close this console; a guest goes on, a shell is hung up" },
  },
  columns: {
    toggle: { keys: ["space", "enter"], label: "show or hide", text: "Show this column, or hide it" },
    earlier: { keys: ["K"], label: "earlier", text: "Move it towards the left" },
    later: { keys: ["J"], label: "later", text: "Move it towards the right" },
    narrower: { keys: ["<", "left"], sign: "<", label: "narrower", text: "Make it narrower" },
    wider: { keys: [">", "right"], sign: ">", label: "wider", text: "Make it wider" },
    usual: { keys: ["r"], label: "reset", text: "Let virtu choose the columns by the room there is" },
  },
  views: {
    take: { keys: ["enter"], label: "take", text: "Show the table so" },
    keep: { keys: ["a"], label: "keep this one", text: "Keep the view of now under a name" },
    remove: { keys: ["D"], label: "remove", text: "Remove this view from the settings", dangerous: true },
  },
  making: {
    instance: { keys: ["enter"], label: "instance", text: "Show the instance that was made" },
    table: { keys: ["i"], label: "all instances", text: "Go to the table of instances" },
    another: { keys: ["N"], label: "another", text: "Make further instances" },
    cancel: {
      keys: ["c"],
      label: "take back",
      text: "Begin no more; what is half made is taken away",
      dangerous: true,
    },
  },
  comparisons: {
    open: { keys: ["enter"], label: "open", text: "Show this comparison, live or as it ended" },
    create: { keys: ["n"], label: "new", text: "Compare tools: choose the places" },
    clean: { keys: ["D"], label: "take away", text: "Take away what this comparison has left behind", dangerous: true },
    refresh: { keys: ["R"], label: "refresh", text: "Read what is kept again now", quiet: true },
    copy: { keys: ["y"], label: "copy", text: "Copy its id, as `virtu compare --show` takes it", quiet: true },
  },
  compare: {
    mark: { keys: ["space"], label: "take part", text: "Let this place take part, or leave it out" },
    markAll: { keys: ["a"], label: "all", text: "Let all places take part, or none" },
    goOn: { keys: ["enter"], label: "go on", text: "Go on to sizes and rounds" },
  },
  comparePlan: {
    start: { keys: ["enter"], label: "start", text: "Start it: only what it makes itself is touched" },
    copy: { keys: ["y"], label: "copy", text: "Copy all commands" },
  },
  comparison: {
    cancel: {
      keys: ["c"],
      label: "take back",
      text: "End it: all that it made is taken away, the times so far stay",
      dangerous: true,
    },
    save: { keys: ["w"], label: "save", text: "Write it into a CSV, JSON or Markdown file" },
    clean: { keys: ["D"], label: "take away", text: "Take away what it has left behind", dangerous: true },
    left: { keys: ["left", "h"], label: "left", text: "Show the places to the left", quiet: true },
    right: { keys: ["right", "l"], label: "right", text: "Show the places to the right", quiet: true },
    copy: { keys: ["y"], label: "copy", text: "Copy the table as Markdown" },
  },
  chart: {
    metric: { keys: ["tab", "right"], label: "what", text: "Show the next number: CPU, memory, disks, network" },
    metricBack: { keys: ["shift+tab", "left"], label: "what before", text: "Show the number before", quiet: true },
    nodes: { keys: ["n"], label: "nodes", text: "Draw the nodes that carry them too, or no more" },
    longer: { keys: ["+"], label: "longer", text: "Show a longer time, up to a day" },
    shorter: { keys: ["-"], label: "shorter", text: "Show a shorter time, down to a minute" },
  },
  bulk: {
    unheard: {
      keys: ["f"],
      label: "force, or wait",
      short: "force",
      text: "Force off those that did not hear the shutdown, ask them again and wait longer, or leave them",
    },
    retry: { keys: ["r"], label: "retry failed", text: "Do it again to those where it failed" },
    cancel: { keys: ["c"], label: "cancel queued", text: "Take back what has not started; the rest goes on" },
    save: { keys: ["w"], label: "save", text: "Save what came of it to a file" },
    earlier: { keys: ["left", "h"], label: "run before", text: "Show the run before" },
    later: { keys: ["right", "l"], label: "run after", text: "Show the run after", quiet: true },
    describe: { keys: ["enter", "d"], label: "describe", text: "Show this instance", quiet: true },
    copy: { keys: ["y"], label: "copy", text: "Copy why it failed", quiet: true },
  },
  scheduled: {
    cancel: { keys: ["D"], label: "take back", text: "Take it back, or forget what is over", dangerous: true },
    refresh: { keys: ["R"], label: "refresh", text: "Ask every host again now", quiet: true },
    copy: { keys: ["y"], label: "copy", text: "Copy its id, as `virtu unschedule` takes it", quiet: true },
  },
  markBy: {
    mark: { keys: ["enter"], label: "mark", text: "Mark those that fit, beside what is marked" },
    only: { keys: ["tab"], label: "mark only these", text: "Mark those that fit and no others" },
  },
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
  providerJobs: {
    open: { keys: ["enter"], label: "log", text: "Show what this job did and does" },
    cancel: { keys: ["c"], label: "cancel", text: "Take back this job, which waits", dangerous: true },
    filter: { keys: ["/"], label: "filter", text: "Show only jobs that hold the words typed" },
    refresh: { keys: ["R"], label: "refresh", text: "Ask the clusters again now", quiet: true },
    copy: { keys: ["y"], label: "copy", text: "Copy the job's number", quiet: true },
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
  hosts: {
    open: { keys: ["enter"], label: "instances", text: "Show this host's instances in the table" },
    add: { keys: ["a"], label: "add", text: "Add a host whose instances are shown" },
    remove: { keys: ["D"], label: "remove", text: "Show this host's instances no more; nothing changes on it" },
    refresh: { keys: ["R"], label: "try now", text: "Ask this host again now" },
    shell: { keys: ["s"], label: "shell", text: "Open a shell on this host" },
  },
  runs: {
    open: { keys: ["enter"], label: "open", text: "Watch this run, or look at how it ended" },
    configure: { keys: ["c"], label: "configure nodes", short: "configure", text: "Configure nodes: a new run" },
    install: { keys: ["i"], label: "install", text: "Install Ganeti or libvirt on nodes: a new run" },
    up: { keys: ["u"], label: "whole way", short: "all", text: "Go the whole way from nothing to instances" },
    takeOver: {
      keys: ["T"],
      label: "take over",
      text: "Carry on a run whose virtu is gone but still holds its nodes",
      dangerous: true,
      quiet: true,
    },
    refresh: { keys: ["R"], label: "refresh", text: "Read the runs' journals again now", quiet: true },
    copy: { keys: ["y"], label: "copy", text: "Copy the run's id, as `virtu runs` takes it", quiet: true },
  },
  run: {
    onward: { keys: ["e"], label: "what comes next", short: "next place", text: "Go on to what this run was for" },
    make: {
      keys: ["a"],
      label: "make an instance",
      short: "instance",
      text: "Make a first instance on what was installed",
    },
    output: { keys: ["enter"], label: "output", text: "Show all output of this step on this node, and follow it" },
    next: { keys: ["n"], label: "next failure", short: "failure", text: "Go to the next cell that failed or is lost" },
    retry: { keys: ["r"], label: "retry", text: "Run this step again on this node" },
    retryAll: {
      keys: ["R"],
      label: "retry all failed",
      text: "Run this step again on all nodes where it failed",
      quiet: true,
    },
    leaveOut: {
      keys: ["o"],
      label: "leave out",
      text: "Go on without this node, or without all on which the step failed",
      dangerous: true,
    },
    skip: { keys: ["s"], label: "skip", text: "Go on as if this step had ended well on this node", quiet: true },
    skipAll: { keys: ["S"], label: "skip all", text: "Skip this step on all nodes where it failed", quiet: true },
    pause: { keys: ["p"], label: "pause", text: "Start no more steps, or start them again; what runs goes on" },
    view: { keys: ["v"], label: "view", text: "Turn between a column for each node and counts for each step" },
    cancel: {
      keys: ["c"],
      label: "cancel",
      text: "End the run: steps under way are stopped where they stand",
      dangerous: true,
    },
    plan: { keys: ["d"], label: "plan", text: "Show what this run does, why, and every command", quiet: true },
    left: { keys: ["left", "h"], label: "left", text: "Go to the node before", quiet: true },
    right: { keys: ["right", "l"], label: "right", text: "Go to the next node", quiet: true },
    copy: { keys: ["y"], label: "copy", text: "Copy the node's name and why it failed", quiet: true },
  },
  up: {
    start: { keys: ["enter"], label: "start", text: "Go this way, from the first stage on", dangerous: true },
    save: { keys: ["w"], label: "save as file", text: "Write the plan into a file, for `virtu up FILE`" },
    view: { keys: ["f"], label: "file / commands", short: "view", text: "Turn between the commands and the file" },
    copy: { keys: ["y"], label: "copy", text: "Copy the plan's file", quiet: true },
  },
  way: {
    open: { keys: ["enter"], label: "open", text: "Open what the stage does: the job, the deployment, the run" },
    onward: { keys: ["e"], label: "what comes next", short: "next place", text: "Go on to the instances" },
    again: { keys: ["r"], label: "go on", text: "Go on, or through all stages once more; what is done is left alone" },
    takeBack: {
      keys: ["D"],
      label: "take back",
      text: "Remove the instances and the cluster, and release the job",
      dangerous: true,
    },
    copy: { keys: ["y"], label: "copy", text: "Copy the command that goes this way without a screen", quiet: true },
  },
  output: {
    search: { keys: ["/"], label: "search", text: "Search in all of the output, also what is not shown" },
    next: { keys: ["n"], label: "next", text: "Go to the next line found" },
    previous: { keys: ["N"], label: "previous", text: "Go to the line found before" },
    follow: { keys: ["f"], label: "follow", text: "Follow the end, or stay where you are" },
    right: {
      keys: ["right", "l"],
      sign: "←→",
      label: "sideways",
      text: "Show what stands further right in long lines",
    },
    left: { keys: ["left", "h"], label: "left", text: "Go back to the left in long lines", quiet: true },
    copy: { keys: ["y"], label: "copy", text: "Copy the command that prints all of it" },
  },
  preview: {
    start: {
      keys: ["enter"],
      label: "start",
      text: "Go on: say what is changed and what is erased, then start the run",
      dangerous: true,
    },
    takeLock: { keys: ["T"], label: "take the nodes", text: "Start although another run holds the nodes", quiet: true },
    earlier: { keys: ["left"], label: "node before", text: "Show the commands of the node before", quiet: true },
    later: { keys: ["right"], label: "one node", text: "Show the commands of one node alone, then of the next" },
    find: { keys: ["/"], label: "filter", text: "Show only lines that hold the words typed" },
    copy: { keys: ["y"], label: "copy", text: "Copy the whole plan" },
  },
  sessions: {
    reconnect: { keys: ["r"], label: "reconnect", text: "Close this session and open it again" },
    close: {
      keys: ["D"],
      label: "close",
      text: "Close this session; running requests on it are lost",
      dangerous: true,
    },
    describe: { keys: ["enter", "d"], label: "describe", text: "Show why it is in this state and what to do" },
  },
  log: {
    filter: { keys: ["/"], label: "filter", text: "Show only lines that hold the words typed" },
    follow: { keys: ["f"], label: "follow", text: "Follow the end, or stay where you are" },
    view: { keys: ["v"], label: "events or log", text: "Turn between all, what the hosts tell, and what virtu did" },
    open: { keys: ["enter"], label: "go there", text: "Go to the instance that the line is about" },
    copy: { keys: ["y"], label: "copy", text: "Copy the line", quiet: true },
  },
  console: {
    next: { keys: ["n"], label: "next", text: "Go to the next open console" },
    previous: { keys: ["p"], label: "prev", text: "Go to the open console before" },
    record: { keys: ["r"], label: "record", text: "Record what is shown into an asciicast file, or stop that" },
    scroll: { keys: ["s"], label: "scroll", text: "Read what has left the screen" },
    send: { keys: ["k"], label: "send it", text: "Send the leave key itself to the guest" },
    close: { keys: ["d"], label: "close", text: "Close this console; what runs in the guest goes on" },
    back: { keys: ["b", "esc"], label: "back", text: "Go back at once; the console stays open" },
    help: { keys: ["?"], label: "wait", text: "Show these commands until a key is pressed" },
  },
  guestScreen: {
    back: { keys: ["esc", "q"], label: "back", text: "Go back; the forwarded port is closed" },
    viewer: { keys: ["o"], label: "viewer", text: "Start a viewer (again) on the forwarded VNC or SPICE port" },
  },
  scrollback: {
    search: { keys: ["/"], label: "search", text: "Search in what the console has printed" },
    next: { keys: ["n"], label: "next", text: "Go to the next line found, further back" },
    previous: { keys: ["N"], label: "previous", text: "Go to the line found before, further on" },
    leave: { keys: ["esc", "q"], label: "console", text: "Go back to what the console shows now" },
  },
  consoleEnded: {
    again: { keys: ["o"], label: "open again", text: "Open this console again" },
    scroll: { keys: ["s"], label: "scroll", text: "Read what has left the screen" },
    close: { keys: ["d"], label: "close", text: "Take this console off the list" },
    back: { keys: ["b", "esc"], label: "back", text: "Go back; what it has shown is kept" },
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

export type Scope = keyof typeof keymap;
export type ActionOf<S extends Scope> = keyof (typeof keymap)[S] & string;

/** The bindings of a scope with their general type. */
export function bindingsOf(scope: Scope): Record<string, Binding> {
  return keymap[scope];
}

const shown: Record<string, string> = {
  enter: "⏎",
  esc: "Esc",
  up: "↑",
  down: "↓",
  left: "←",
  right: "→",
  tab: "Tab",
  "shift+tab": "Shift-Tab",
  pgup: "PgUp",
  pgdn: "PgDn",
  home: "Home",
  end: "End",
  f1: "F1",
};

/** A key as people know it: `⏎`, `Ctrl-C`. */
export function keyName(key: string): string {
  const name = shown[key];
  if (name) return name;
  return key.startsWith("ctrl+") ? `Ctrl-${key.slice(5).toUpperCase()}` : key;
}
