/** `virtu console`: the text console of one instance. */
import type { Command } from "commander";
import type { Opening } from "../console/types.ts";
import { VirtuError } from "../errors.ts";
import { type HostOptions, withHosts } from "./hosts.ts";
import { oneInstance } from "./one-instance.ts";
import { type ExitStatus, exit, run, type Session } from "./run.ts";

interface Options extends HostOptions {
  takeOver?: boolean;
  start?: boolean;
  record?: string;
}

const details = `
Ctrl-] leaves it (the setting consoleKey names another key); pressed before another key it gives a command, and the last
line says which there are.`;

export function declare(program: Command): void {
  withHosts(program.command("console"))
    .description("Opens the text console of an instance.")
    .argument("<name>", "the instance; HOST/NAME where several hosts have one of that name")
    .option("--take-over", "take it from whoever has it open")
    .option("--start", "start the instance, with the console attached before its first line")
    .option("--record <file>", "record what is shown into this asciicast file, which must not be there yet")
    .option("--dry-run", "print the exact remote command and do nothing")
    .addHelpText("after", details)
    .action((name: string, options: Options, command: Command) =>
      run((session) => openConsole(session, name, command.optsWithGlobals()))(options, command),
    );
}

async function openConsole(session: Session, name: string, options: Options): Promise<ExitStatus> {
  const { needTerminal, showConsole } = await import("./terminal.ts");
  if (!session.globals.dryRun) needTerminal("A console");
  const { inventory, provider, instance } = await oneInstance(session, name, options);
  inventory.end();
  const way = provider.console(instance);
  const where = instance.host;
  if ("refusal" in way) {
    const what = `${instance.name} has no text console`;
    throw new VirtuError({ kind: "refused", what, where, why: way.refusal, hint: way.hint });
  }
  if (way.warning) session.out.note(way.warning);
  const opening: Opening = options.start ? "start" : options.takeOver ? "take-over" : "attach";
  const command = opening === "start" ? way.start : opening === "take-over" ? way.takeOver : way.command;
  if (!command) {
    const what = opening === "start" ? "It can't be started with its console" : "Its console can't be taken over";
    throw new VirtuError({ kind: "refused", what, where, why: `${instance.provider} has no such command` });
  }
  if (session.globals.dryRun) {
    session.out.result({ host: way.host.name, command: command.line }, [`${way.host.name}: ${command.line}`]);
    return exit.done;
  }
  const target = { key: instance.key, title: instance.name, host: instance.host, kind: "serial" as const };
  return showConsole(session, target, way, { opening, record: options.record });
}
