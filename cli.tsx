#!/usr/bin/env node
/** The only entry: `--version` at once, everything else by the command line's own file. Ink is loaded by the screen only. */
declare const VIRTU_VERSION: string;

const argv = process.argv.slice(2);
if (argv.length === 1 && (argv[0] === "--version" || argv[0] === "-V")) {
  process.stdout.write(`${VIRTU_VERSION}\n`);
} else {
  // Whoever reads has enough (`virtu runs | head`): nothing is left to be said.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(1);
  });
  const { runProgram } = await import("./source/commands/program.ts");
  await runProgram(argv, VIRTU_VERSION);
}
