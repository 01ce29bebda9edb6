/** The command line: which subcommands there are, and how their usage errors end. Each subcommand's file is loaded when it is called. */
import { Command, CommanderError } from "commander";
import { exit } from "./run.ts";

/** Adds a subcommand to the program. Each file in this folder exports one as `declare`. */
export type Declare = (program: Command) => void;

const subcommands: Record<string, () => Promise<{ declare: Declare }>> = {
  reserve: () => import("./reserve.ts"),
  jobs: () => import("./jobs.ts"),
  extend: () => import("./extend.ts"),
  release: () => import("./release.ts"),
  environments: () => import("./environments.ts"),
  deploy: () => import("./deploy.ts"),
  deployments: () => import("./deployments.ts"),
  nodes: () => import("./nodes.ts"),
  instances: () => import("./instances.ts"),
  start: () => import("./start.ts"),
  shutdown: () => import("./shutdown.ts"),
  reboot: () => import("./reboot.ts"),
  "force-off": () => import("./force-off.ts"),
  exec: () => import("./exec.ts"),
  configure: () => import("./configure.ts"),
  install: () => import("./install.ts"),
  runs: () => import("./runs.ts"),
  resume: () => import("./resume.ts"),
  cancel: () => import("./cancel.ts"),
  demo: () => import("./demo.ts"),
};

const description = `Reserves and deploys nodes, and drives the virtual machines of many hosts, over one pool of SSH sessions.
Without a subcommand it opens the terminal program.`;

const statuses = `
Exit status: 0 done, 1 failed, 2 usage, 3 some targets failed.
Sites and hosts are names from the settings, or anything that ssh knows (~/.ssh/config counts).`;

export async function runProgram(argv: readonly string[], version: string): Promise<void> {
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
  program.action(async (options: { site?: string; host?: string[]; sshConfig?: string; config?: string }) => {
    const { openScreen } = await import("../ui/open.tsx");
    await openScreen(options);
  });
  const named = argv.find((word) => Object.hasOwn(subcommands, word));
  for (const [name, load] of Object.entries(subcommands)) {
    if (named === undefined || name === named) (await load()).declare(program);
  }
  for (const command of [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)]) {
    command
      .option("-F, --ssh-config <file>", "ssh configuration file, instead of your own")
      .option("--config <dir>", "directory of settings and state")
      .showHelpAfterError("Run with --help for what it takes.")
      .exitOverride();
  }
  try {
    await program.parseAsync(argv as string[], { from: "user" });
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    // Commander has printed its message; its help and version end well, everything else is usage.
    process.exitCode = thrown.exitCode === 0 ? exit.done : exit.usage;
  }
}
