/** Simple commands: builtins, functions, programs. */
import { ExitProcess } from "../machine/machine.ts";
import { shellStatus } from "../machine/process.ts";
import { type Builtin, builtins } from "./builtins.ts";
import { expandText, expandWords } from "./expand.ts";
import { FunctionReturn } from "./jumps.ts";
import { redirect, redirected } from "./redirect.ts";
import type { Shell } from "./shell.ts";
import type { Assignment, Command } from "./tree.ts";

type Simple = Extract<Command, { kind: "simple" }>;

/** Runs a simple command; its status is put into the shell. */
export async function runSimple(shell: Shell, command: Simple): Promise<void> {
  const words = await expandWords(shell, command.words, shell.process.directory);
  const [name, ...args] = words;
  if (name === undefined) {
    // The status of `v=$(false)` is that of the command inside; `v=$?` still sees the one before.
    const captures = command.assignments.some(({ value }) => value.some((part) => part.kind === "commands"));
    const done = await redirected(shell, command.redirections, async () => {
      for (const { name: variable, value } of command.assignments) shell.set(variable, await expandText(shell, value));
    });
    if (done && !captures) shell.status = 0;
    return;
  }
  const builtin = builtins[name];
  const definition = shell.state.functions.get(name);
  if (name === "exec") return exec(shell, args, command);
  if (builtin || definition) {
    await redirected(shell, command.redirections, () =>
      withAssignments(shell, command.assignments, async () => {
        shell.status = await (definition
          ? callFunction(shell, definition, args)
          : callBuiltin(shell, builtin, name, args));
      }),
    );
    return;
  }
  await runProgram(shell, name, args, command);
}

function callBuiltin(shell: Shell, builtin: Builtin | undefined, name: string, args: string[]): Promise<number> {
  if (!builtin) throw new Error(`no builtin ${name}`);
  return Promise.resolve(builtin(shell, args));
}

async function callFunction(shell: Shell, body: Command, args: string[]): Promise<number> {
  const saved = shell.state.positional;
  shell.state.positional = args;
  try {
    return await shell.runCommand(body);
  } catch (thrown) {
    if (!(thrown instanceof FunctionReturn)) throw thrown;
    return thrown.status;
  } finally {
    shell.state.positional = saved;
  }
}

/** `A=1 command`: for that command alone. */
async function withAssignments(
  shell: Shell,
  assignments: readonly Assignment[],
  run: () => Promise<void>,
): Promise<void> {
  const saved: [string, string | undefined][] = [];
  for (const { name, value } of assignments) {
    saved.push([name, shell.get(name)]);
    shell.set(name, await expandText(shell, value));
  }
  await run();
  for (const [name, value] of saved) {
    if (value === undefined) shell.unset(name);
    else shell.set(name, value);
  }
}

async function environmentFor(shell: Shell, assignments: readonly Assignment[]): Promise<Map<string, string>> {
  const env = new Map(shell.process.env);
  for (const { name, value } of assignments) env.set(name, await expandText(shell, value));
  return env;
}

async function runProgram(shell: Shell, name: string, args: string[], command: Simple): Promise<void> {
  const env = await environmentFor(shell, command.assignments);
  const found = shell.machine.lookUp(name, env.get("PATH"));
  const ok = await redirected(shell, command.redirections, async () => {
    if (!found) {
      await shell.error(`${name}: not found`);
      shell.status = 127;
      return;
    }
    const { process, machine } = shell;
    const title = [name, ...args].join(" ");
    if (shell.lastCommand === command && shell.state.traps.size === 0) {
      process.env = env;
      process.title = title;
      shell.status = await found.program(machine.call(process, name, args));
      return;
    }
    const child = machine.create({ user: process.user, title, env, files: process.dupFiles(), parent: process });
    const ended = machine.run(child, () => found.program(machine.call(child, name, args)));
    shell.status = shellStatus(await process.guard(ended));
  });
  if (!ok) shell.status = 2;
}

/** `exec`: redirections for good, or another program in this process. */
async function exec(shell: Shell, args: string[], command: Simple): Promise<void> {
  for (const redirection of command.redirections) {
    if (!(await redirect(shell, redirection))) throw new ExitProcess(2);
  }
  const [name, ...rest] = args;
  shell.status = 0;
  if (name === undefined) return;
  const env = await environmentFor(shell, command.assignments);
  const found = shell.machine.lookUp(name, env.get("PATH"));
  if (!found) {
    await shell.error(`exec: ${name}: not found`);
    throw new ExitProcess(127);
  }
  shell.process.env = env;
  shell.process.title = args.join(" ");
  for (const [signal, handler] of [...shell.process.handlers]) {
    if (handler !== "ignore") shell.process.handlers.delete(signal);
  }
  shell.state.traps.delete("EXIT");
  throw new ExitProcess(await found.program(shell.machine.call(shell.process, name, rest)));
}
