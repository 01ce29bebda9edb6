/** Declares the table's actions to commander. What is then done with a request is the caller's: now, or at a time. */
import type { Command } from "commander";
import { type ActionCommand, actionCommands } from "./action-table.ts";
import { withHosts } from "./hosts.ts";
import { collect, withChange } from "./run.ts";
import { withSelectors } from "./selecting.ts";

/** Called with the command's entry, the names of instances or nodes, the further arguments, and the command itself. */
export type OnAction = (
  entry: ActionCommand,
  names: readonly string[],
  args: readonly string[],
  command: Command,
) => Promise<void>;

const groupTexts: Readonly<Record<string, string>> = {
  snapshot: "Takes, reverts, deletes and lists snapshots.",
  disk: "Adds, grows, removes and lists disks.",
  nic: "Adds, removes and lists network cards.",
  media: "Inserts and ejects ISO files.",
  node: "Evacuates, drains and marks nodes; makes one the master.",
};

/** The command that holds the subcommands of a word; made when it is not there yet. */
export function commandGroup(program: Command, word: string): Command {
  const there = program.commands.find((one) => one.name() === word);
  return there ?? program.command(word).description(groupTexts[word] ?? "");
}

/** Declares the actions whose first word is this one. */
export function declareActions(program: Command, word: string, onAction: OnAction, timed = true): void {
  for (const entry of actionCommands) {
    const [first = "", second] = entry.words.split(" ");
    if (first !== word) continue;
    const parent = second === undefined ? program : commandGroup(program, first);
    declareOne(parent.command(second ?? first), entry, onAction, timed);
  }
}

function declareOne(command: Command, entry: ActionCommand, onAction: OnAction, timed: boolean): void {
  const { on, args = [], options = [] } = entry;
  withChange(withHosts(command)).description(entry.text);
  if (on === "one") command.argument("<name>", "the instance; HOST/NAME where several hosts have one of that name");
  for (const [syntax, text] of args) command.argument(syntax, text);
  if (on === "several") {
    withSelectors(command.argument("[name...]", "instances; HOST/NAME where several hosts have one of that name"));
    if (timed) {
      command
        .option("--wave <wave>", "in this order, one for each: 'group=db until port 5432 within 120'", collect)
        .option("--go-on", "begin the next wave also when one failed");
    }
  }
  if (on === "nodes")
    command.argument("<node...>", "nodes; HOST/NODE or CLUSTER/NODE where several have one of that name");
  for (const [flags, text] of options) command.option(flags, text);
  if (timed) {
    command
      .option("--timeout <seconds>", entry.timeout ?? "seconds after which virtu no longer waits")
      .option("--parallel <n>", "actions at once on each place, instead of what the settings say")
      .option("--summary <file>", "save what came of it: JSON where the name ends so, else text");
  }
  command.action(async (...all: unknown[]) => {
    const given = all.slice(0, -2) as (string | string[] | undefined)[];
    const flat = given.map((one) => (Array.isArray(one) ? one : [one ?? ""]));
    const named = on === "one" ? flat[0] : flat.at(-1);
    const rest = on === "one" ? flat.slice(1) : flat.slice(0, -1);
    await onAction(entry, named ?? [], rest.flat(), command);
  });
}
