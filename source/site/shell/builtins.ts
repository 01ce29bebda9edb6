/** What the shell does itself: everything that changes the shell, and a few programs that are not worth a process. */
import { FileError, resolvePath } from "../machine/files.ts";
import { ExitProcess, type Program } from "../machine/machine.ts";
import { type Exit, shellStatus, signalName } from "../machine/process.ts";
import { printing } from "../utilities/printing.ts";
import { processes } from "../utilities/processes.ts";
import { testing } from "../utilities/testing.ts";
import { FunctionReturn, LoopJump } from "./jumps.ts";
import type { Shell } from "./shell.ts";

export type Builtin = (shell: Shell, args: string[]) => Promise<number> | number;

function asBuiltin(name: string, program: Program): Builtin {
  return (shell, args) => program(shell.machine.call(shell.process, name, args));
}

const nameRule = /^[A-Za-z_]\w*$/;

async function cd(shell: Shell, args: string[]): Promise<number> {
  const target = args[0] === "--" ? args[1] : args[0];
  const path = resolvePath(shell.process.directory, target ?? shell.get("HOME") ?? "/");
  try {
    shell.machine.files.directory(path);
  } catch (thrown) {
    if (!(thrown instanceof FileError)) throw thrown;
    await shell.error(`cd: can't cd to ${target ?? path}`);
    return 2;
  }
  shell.set("OLDPWD", shell.process.directory);
  shell.process.directory = path;
  shell.set("PWD", path);
  return 0;
}

async function exportNames(shell: Shell, args: string[]): Promise<number> {
  for (const arg of args) {
    if (arg === "-p") continue;
    const equals = arg.indexOf("=");
    const name = equals < 0 ? arg : arg.slice(0, equals);
    if (!nameRule.test(name)) {
      await shell.error(`export: ${arg}: bad variable name`);
      return 2;
    }
    if (equals >= 0) shell.set(name, arg.slice(equals + 1));
    shell.export(name);
  }
  return 0;
}

async function read(shell: Shell, args: string[]): Promise<number> {
  const names = args.filter((arg) => !arg.startsWith("-"));
  const raw = args.some((arg) => /^-[a-z]*r/.test(arg));
  const file = shell.process.files.get(0);
  if (!file) return 1;
  let line = "";
  let complete = false;
  for (;;) {
    const next = await shell.process.guard(file.readLine());
    complete = next?.complete === true;
    line += next?.text ?? "";
    if (raw || !complete || !/(?:^|[^\\])(?:\\\\)*\\$/.test(line)) break;
    line = line.slice(0, -1);
  }
  if (!raw) line = line.replace(/\\(.)/g, "$1");
  const separators = shell.get("IFS") ?? " \t\n";
  const blanks = [...separators].filter((character) => " \t\n".includes(character)).join("");
  const isBlank = (character: string | undefined) => character !== undefined && blanks.includes(character);
  let start = 0;
  let end = line.length;
  while (start < end && isBlank(line[start])) start += 1;
  while (end > start && isBlank(line[end - 1])) end -= 1;
  let rest = line.slice(start, end);
  names.forEach((name, index) => {
    if (index === names.length - 1) {
      shell.set(name, rest);
      return;
    }
    let cut = 0;
    while (cut < rest.length && !separators.includes(rest[cut] ?? "")) cut += 1;
    shell.set(name, rest.slice(0, cut));
    let after = cut;
    while (isBlank(rest[after])) after += 1;
    if (after < rest.length && separators.includes(rest[after] ?? "") && !isBlank(rest[after])) after += 1;
    while (isBlank(rest[after])) after += 1;
    rest = rest.slice(after);
  });
  return complete ? 0 : 1;
}

function set(shell: Shell, args: string[]): number {
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? "";
    if (arg === "--") {
      shell.state.positional = args.slice(index + 1);
      return 0;
    }
    if (!/^[-+][a-zA-Z]+$/.test(arg)) {
      shell.state.positional = args.slice(index);
      return 0;
    }
    for (const option of arg.slice(1)) {
      if (option === "o") index += 1;
      else if (arg.startsWith("-")) shell.state.options.add(option);
      else shell.state.options.delete(option);
    }
  }
  return 0;
}

async function trap(shell: Shell, args: string[]): Promise<number> {
  const words = args[0] === "--" ? args.slice(1) : args;
  if (words.length === 0) return 0;
  const [first = "", ...others] = words;
  const onlySignals = words.length === 1 || /^\d+$/.test(first);
  for (const word of onlySignals ? words : others) {
    const signal = word === "0" || word === "EXIT" ? "EXIT" : signalName(word);
    if (signal === null) {
      await shell.error(`trap: ${word}: bad trap`);
      return 1;
    }
    shell.trap(signal, onlySignals || first === "-" ? null : first);
  }
  return 0;
}

async function wait(shell: Shell, args: string[]): Promise<number> {
  const interrupted = new Promise<null>((resolve) => {
    shell.interrupted = () => resolve(null);
  });
  try {
    const pids = args.length > 0 ? args.map(Number) : [...shell.children.keys()];
    let status = 0;
    for (const pid of pids) {
      const child = shell.children.get(pid);
      const exit: Exit | null = child
        ? await shell.process.guard(Promise.race([child, interrupted]))
        : { status: 127, signal: null };
      if (!exit) return 130;
      shell.children.delete(pid);
      status = shellStatus(exit);
    }
    return args.length > 0 ? status : 0;
  } finally {
    shell.interrupted = null;
  }
}

async function command(shell: Shell, args: string[]): Promise<number> {
  const [option, ...names] = args;
  if (option !== "-v" && option !== "-V") {
    const [name, ...rest] = args;
    if (name === undefined) return 0;
    const builtin = builtins[name];
    if (builtin) return builtin(shell, rest);
    const found = shell.machine.lookUp(name, shell.process.env.get("PATH"));
    if (!found) {
      await shell.error(`${name}: not found`);
      return 127;
    }
    const { process, machine } = shell;
    const files = process.dupFiles();
    const child = machine.create({ user: process.user, title: args.join(" "), files, parent: process });
    return shellStatus(await process.guard(machine.run(child, () => found.program(machine.call(child, name, rest)))));
  }
  let missing = 0;
  for (const name of names) {
    const isOwn = Object.hasOwn(builtins, name) || name === "exec" || shell.state.functions.has(name);
    const path = isOwn ? name : shell.machine.lookUp(name, shell.process.env.get("PATH"))?.path;
    if (path === undefined) missing = 127;
    else await shell.process.write(1, `${path}\n`);
  }
  return missing;
}

export const builtins: Readonly<Record<string, Builtin>> = {
  ":": () => 0,
  true: () => 0,
  false: () => 1,
  cd,
  export: exportNames,
  read,
  set,
  trap,
  wait,
  command,
  exit: (shell, args) => {
    throw new ExitProcess(args[0] === undefined ? shell.status : Number(args[0]) || 0);
  },
  return: (shell, args) => {
    throw new FunctionReturn(args[0] === undefined ? shell.status : Number(args[0]) || 0);
  },
  break: (_shell, args) => {
    throw new LoopJump("break", Number(args[0] ?? 1));
  },
  continue: (_shell, args) => {
    throw new LoopJump("continue", Number(args[0] ?? 1));
  },
  unset: (shell, args) => {
    for (const name of args) shell.unset(name);
    return 0;
  },
  local: (shell, args) => {
    for (const arg of args) {
      const equals = arg.indexOf("=");
      if (equals > 0) shell.set(arg.slice(0, equals), arg.slice(equals + 1));
    }
    return 0;
  },
  shift: (shell, args) => {
    shell.state.positional = shell.state.positional.slice(Number(args[0] ?? 1));
    return 0;
  },
  eval: (shell, args) => shell.runText(args.join(" ")),
  ".": async (shell, args) => {
    const path = resolvePath(shell.process.directory, args[0] ?? "");
    try {
      return await shell.runText(shell.machine.files.readText(path));
    } catch (thrown) {
      if (!(thrown instanceof FileError)) throw thrown;
      await shell.error(`.: cannot open ${args[0]}: No such file`);
      throw new ExitProcess(2);
    }
  },
  umask: () => 0,
  pwd: async (shell) => {
    await shell.process.write(1, `${shell.process.directory}\n`);
    return 0;
  },
  kill: asBuiltin("kill", processes.kill),
  echo: asBuiltin("echo", printing.echo),
  printf: asBuiltin("printf", printing.printf),
  test: asBuiltin("test", testing.test),
  "[": asBuiltin("[", testing["["]),
};
