/** The command line: which subcommands there are, and how their usage errors end. Each subcommand's file is loaded when it is called. */
import { Command, CommanderError } from "commander";
import { VirtuError } from "../errors.ts";
import { exit, reportError } from "./run.ts";

/** Adds a subcommand to the program. Each file in this folder exports one as `declare`. */
export type Declare = (program: Command) => void;

type Load = () => Promise<{ declare: Declare }>;

/** An action of the table of actions. */
const action =
  (word: string): Load =>
  async () => {
    const { declare } = await import("./actions.ts");
    return { declare: (program) => declare(program, word) };
  };

/** Words that lead to actions and to questions. */
const mixed =
  (word: string): Load =>
  async () => {
    const [actions, questions] = await Promise.all([import("./actions.ts"), import("./questions.ts")]);
    return {
      declare: (program) => {
        actions.declare(program, word);
        questions.declare(program, word);
      },
    };
  };

const question =
  (word: string): Load =>
  async () => {
    const { declare } = await import("./questions.ts");
    return { declare: (program) => declare(program, word) };
  };

const storage =
  (word: "stores" | "pool" | "volume" | "network"): Load =>
  async () => {
    const { declare } = await import("./stores.ts");
    return { declare: (program) => declare(program, word) };
  };

const actions = (...words: string[]) => Object.fromEntries(words.map((word) => [word, action(word)]));

/** By the heading that the help puts them under. */
const groups: Readonly<Record<string, Readonly<Record<string, Load>>>> = {
  "Testbed:": {
    reserve: () => import("./reserve.ts"),
    jobs: () => import("./jobs.ts"),
    extend: () => import("./extend.ts"),
    release: () => import("./release.ts"),
    environments: () => import("./environments.ts"),
    deploy: () => import("./deploy.ts"),
    deployments: () => import("./deployments.ts"),
    nodes: () => import("./nodes.ts"),
  },
  "Nodes and runs:": {
    exec: () => import("./exec.ts"),
    shell: () => import("./shell.ts"),
    configure: () => import("./configure.ts"),
    install: () => import("./install.ts"),
    up: () => import("./up.ts"),
    down: () => import("./down.ts"),
    runs: () => import("./runs.ts"),
    resume: () => import("./resume.ts"),
    cancel: () => import("./cancel.ts"),
  },
  "Instances, looked at:": {
    instances: () => import("./instances.ts"),
    usage: () => import("./usage.ts"),
    console: () => import("./console.ts"),
    screenshot: () => import("./screenshot.ts"),
    graphics: () => import("./graphics.ts"),
    show: question("show"),
    definition: question("definition"),
    events: () => import("./events.ts"),
    "ganeti-jobs": () => import("./ganeti-jobs.ts"),
  },
  "Instances, running:": actions(
    ...["start", "shutdown", "reboot", "reset", "force-off", "pause", "unpause", "save", "restore", "discard-save"],
    ...["migrate", "failover", "move"],
  ),
  "Instances, changed:": {
    ...actions("autostart", "rename", "clone", "remove", "set-memory", "set-vcpus", "tag", "note", "define", "media"),
    ...{ snapshot: mixed("snapshot"), disk: mixed("disk"), nic: mixed("nic") },
  },
  "Instances, made, and what they stand on:": {
    create: () => import("./create.ts"),
    compare: () => import("./compare.ts"),
    stores: storage("stores"),
    pool: storage("pool"),
    volume: storage("volume"),
    network: storage("network"),
  },
  "Nodes of a cluster:": actions("node"),
  "At a time:": {
    at: () => import("./at.ts"),
    scheduled: () => import("./scheduled.ts"),
    unschedule: () => import("./unschedule.ts"),
  },
  "To try:": { demo: () => import("./demo.ts") },
};

const subcommands: Readonly<Record<string, Load>> = Object.assign({}, ...Object.values(groups));

const description = `Reserves and deploys nodes, and drives the virtual machines of many hosts, over one pool of SSH sessions.
Without a subcommand it opens the terminal program.`;

const statuses = `
Exit status: 0 done, 1 failed, 2 usage, 3 some targets failed.
Sites and hosts are names from the settings, or anything that ssh knows (~/.ssh/config counts).`;

interface ScreenFlags {
  site?: string;
  host?: string[];
  sshConfig?: string;
  config?: string;
}

/** `help`, `help start`: as many programs have it. */
const withoutHelpWord = (argv: readonly string[]) => (argv[0] === "help" ? [...argv.slice(1), "--help"] : argv);

export async function runProgram(words: readonly string[], version: string): Promise<void> {
  const argv = withoutHelpWord(words);
  const program = new Command("virtu");
  program
    .description(description)
    .version(version, "-V, --version")
    .option("--site <site>", "open on this site: a name from the settings, or any host that ssh knows")
    .option("--host <host>", "open the instances of this host; repeatable", (value, previous: string[] = []) => [
      ...previous,
      value,
    ])
    .addHelpText("after", statuses)
    // `--site` and `--host` after a subcommand belong to it.
    .enablePositionalOptions();
  program.allowExcessArguments().action(async (options: ScreenFlags, command: Command) => {
    const [word] = command.args;
    if (word !== undefined) {
      const { nearest } = await import("../meant.ts");
      const near = nearest(word, Object.keys(subcommands));
      const meant = near === null ? "" : ` (did you mean ${near}?)`;
      throw new CommanderError(1, "virtu.unknownCommand", `error: there is no command '${word}'${meant}`);
    }
    const { openScreen } = await import("../ui/open.ts");
    await openScreen(options);
  });
  const named = argv.find((word) => Object.hasOwn(subcommands, word));
  // All of them are there to be listed only: the screen, and what is no command, know of none.
  const listed = named === undefined && argv.some((word) => word === "--help" || word === "-h");
  for (const [heading, members] of Object.entries(groups)) {
    program.commandsGroup(heading);
    for (const [name, load] of Object.entries(members)) {
      if (listed || name === named) (await load()).declare(program);
    }
  }
  // With --json a usage error is JSON too, so commander's own words are left unsaid.
  const json = argv.includes("--json");
  for (const command of [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)]) {
    if (json) command.configureOutput({ writeErr: () => {} });
    // In the form of all other errors.
    command.configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "virtu: ")) });
    // A word too many must not be passed over: `instances web1` would list all of them.
    if (command !== program) command.allowExcessArguments(false);
    command
      .option("-F, --ssh-config <file>", "ssh configuration file, instead of your own")
      .option("--config <dir>", "directory of settings and state")
      .showHelpAfterError("  do:  Run with --help for what it takes.")
      .exitOverride();
  }
  try {
    await program.parseAsync(argv as string[], { from: "user" });
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    // Help and version end well, everything else is usage. Commander has printed its message, unless it was told not to.
    process.exitCode = thrown.exitCode === 0 ? exit.done : exit.usage;
    if (thrown.exitCode !== 0 && (json || thrown.code === "virtu.unknownCommand")) {
      const what = thrown.message.replace(/^error: /, "");
      reportError(new VirtuError({ kind: "usage", what, hint: "Run with --help for what it takes." }), json);
    }
  }
}
