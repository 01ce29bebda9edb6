#!/usr/bin/env node
/** The only entry: `--version` at once, everything else by the command line's own file. Ink is loaded by the screen only. */
declare const VIRTU_VERSION: string;

const argv = process.argv.slice(2);
if (argv.length === 1 && (argv[0] === "--version" || argv[0] === "-V")) {
  process.stdout.write(`${VIRTU_VERSION}\n`);
} else {
  const { runProgram } = await import("./source/commands/program.ts");
  await runProgram(argv, VIRTU_VERSION);
}
