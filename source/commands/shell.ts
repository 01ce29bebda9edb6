/** `virtu shell`: a login shell on a host, in the same way as a console. */
import type { Command } from "commander";
import { run } from "./run.ts";

interface Options {
  record?: string;
}

export function declare(program: Command): void {
  program
    .command("shell")
    .description("Opens a shell on a host.")
    .argument("<host>", "a host that ssh knows")
    .option("--record <file>", "record what is shown into this asciicast file, which must not be there yet")
    .action((host: string, options: Options, command: Command) =>
      run(async (session) => {
        const { needTerminal, showConsole } = await import("./terminal.ts");
        needTerminal("A shell");
        const target = { key: `shell/${host}`, title: host, host: "", kind: "shell" as const };
        return showConsole(session, target, { host: { name: host }, command: null }, { record: options.record });
      })(options, command),
    );
}
