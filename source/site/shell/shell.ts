/** The shell: walks the tree, forks simulated processes, waits for them. */
import { FileError, resolvePath } from "../machine/files.ts";
import type { Machine } from "../machine/machine.ts";
import { ExitProcess } from "../machine/machine.ts";
import { makePipe, type OpenFile } from "../machine/open-file.ts";
import { type Exit, type Process, shellStatus } from "../machine/process.ts";
import { type Builtin, builtins } from "./builtins.ts";
import { type Environment, ExpansionError, expandPattern, expandText, expandWords } from "./expand.ts";
import { parse } from "./parser.ts";
import { matches } from "./pattern.ts";
import type { AndOr, Command, List, Pipeline, Redirection, Word } from "./tree.ts";
import { ScriptError } from "./words.ts";

/** `break` and `continue` on their way to their loop. */
export class LoopJump extends Error {
  constructor(
    readonly how: "break" | "continue",
    public levels: number,
  ) {
    super(how);
  }
}

/** `return` on its way to its function. */
export class FunctionReturn extends Error {
  constructor(readonly status: number) {
    super("return");
  }
}

interface State {
  variables: Map<string, string>;
  exported: Set<string>;
  functions: Map<string, Command>;
  positional: string[];
  options: Set<string>;
  traps: Map<string, string>;
  name: string;
  /** `$$`: that of the first shell, in its subshells too. */
  shellPid: number;
}

export class Shell implements Environment {
  readonly machine: Machine;
  state: State;
  status = 0;
  lastBackground: number | null = null;
  /** Children in the background, with how they ended. */
  readonly children = new Map<number, Promise<Exit>>();
  /** Signals that came for a trap and wait for the command in hand to end. */
  private readonly arrived: string[] = [];
  /** Called as soon as a trapped signal comes: `wait` returns then. */
  interrupted: (() => void) | null = null;
  /** Inside a condition, where `set -e` does nothing. */
  private conditions = 0;

  constructor(
    readonly process: Process,
    name: string,
    positional: string[],
    inherited?: State,
  ) {
    this.machine = process.machine;
    this.state = inherited
      ? {
          ...inherited,
          variables: new Map(inherited.variables),
          exported: new Set(inherited.exported),
          functions: new Map(inherited.functions),
          positional: [...inherited.positional],
          options: new Set(inherited.options),
          traps: new Map(),
        }
      : {
          variables: new Map(process.env),
          exported: new Set(process.env.keys()),
          functions: new Map(),
          positional,
          options: new Set(),
          traps: new Map(),
          name,
          shellPid: process.pid,
        };
    this.state.variables.set("PWD", process.directory);
  }

  get(name: string): string | undefined {
    if (/^[1-9]\d*$/.test(name)) return this.state.positional[Number(name) - 1];
    switch (name) {
      case "?":
        return String(this.status);
      case "#":
        return String(this.state.positional.length);
      case "$":
        return String(this.state.shellPid);
      case "!":
        return this.lastBackground === null ? undefined : String(this.lastBackground);
      case "0":
        return this.state.name;
      case "-":
        return [...this.state.options].join("");
      default:
        return this.state.variables.get(name);
    }
  }

  set(name: string, value: string): void {
    this.state.variables.set(name, value);
    if (this.state.exported.has(name)) this.process.env.set(name, value);
  }

  export(name: string): void {
    this.state.exported.add(name);
    const value = this.state.variables.get(name);
    if (value !== undefined) this.process.env.set(name, value);
  }

  unset(name: string): void {
    this.state.variables.delete(name);
    this.state.exported.delete(name);
    this.process.env.delete(name);
  }

  get positional(): readonly string[] {
    return this.state.positional;
  }

  get unsetIsError(): boolean {
    return this.state.options.has("u");
  }

  home(user: string): string | null {
    return user === "" ? (this.get("HOME") ?? null) : (this.machine.account(user)?.home ?? null);
  }

  names(directory: string): string[] | null {
    try {
      return this.machine.files.names(resolvePath(this.process.directory, directory));
    } catch {
      return null;
    }
  }

  error(message: string): Promise<void> {
    return this.process.write(2, `${this.state.name}: 1: ${message}\n`);
  }

  /** Parses and runs a script; the status is that of its last command. */
  async runText(script: string): Promise<number> {
    let list: List;
    try {
      list = parse(script);
    } catch (thrown) {
      if (!(thrown instanceof ScriptError)) throw thrown;
      await this.process.write(2, `${this.state.name}: ${thrown.line}: Syntax error: ${thrown.message}\n`);
      this.status = 2;
      return 2;
    }
    return this.runList(list);
  }

  /** A whole script as the body of this shell's process, its EXIT trap included. */
  async main(script: string): Promise<number> {
    return this.withExitTrap(() => this.runText(script));
  }

  async withExitTrap(body: () => Promise<number>): Promise<number> {
    let status: number;
    try {
      status = await body();
      await this.runTraps();
    } catch (thrown) {
      if (thrown instanceof ExpansionError) {
        await this.error(thrown.message);
        status = 2;
      } else if (thrown instanceof ExitProcess) status = thrown.status;
      else if (thrown instanceof FunctionReturn) status = thrown.status;
      else if (thrown instanceof LoopJump) status = 0;
      else throw thrown;
    }
    const trap = this.state.traps.get("EXIT");
    if (trap !== undefined) {
      this.state.traps.delete("EXIT");
      this.status = status;
      try {
        await this.runText(trap);
      } catch (thrown) {
        if (!(thrown instanceof ExitProcess)) throw thrown;
        return thrown.status;
      }
    }
    return status;
  }

  /** Sets what a signal does: null restores the usual, "" ignores it. */
  trap(signal: string, action: string | null): void {
    const { traps } = this.state;
    if (action === null) {
      traps.delete(signal);
      this.process.handlers.delete(signal);
      return;
    }
    traps.set(signal, action);
    if (signal === "EXIT") return;
    this.process.handlers.set(
      signal,
      action === ""
        ? "ignore"
        : () => {
            this.arrived.push(signal);
            this.interrupted?.();
          },
    );
  }

  private async runTraps(): Promise<void> {
    for (let signal = this.arrived.shift(); signal !== undefined; signal = this.arrived.shift()) {
      const { status } = this;
      await this.runText(this.state.traps.get(signal) ?? "");
      this.status = status;
    }
  }

  async runList(list: List): Promise<number> {
    if (list.items.length === 0) this.status = 0;
    for (const item of list.items) {
      if (item.background) this.startBackground(item);
      else await this.runAndOr(item);
      await this.runTraps();
    }
    return this.status;
  }

  private startBackground(item: AndOr): void {
    const files = this.process.dupFiles();
    files.get(0)?.close();
    const nothing = this.machine.files.open("/dev/null", "read", this.process.user);
    files.set(0, nothing);
    const { pid, ended } = this.fork(
      item.source,
      files,
      (shell) => shell.runAndOr(item),
      (process) => {
        process.handlers.set("INT", "ignore");
        process.handlers.set("QUIT", "ignore");
      },
    );
    this.lastBackground = pid;
    this.children.set(pid, ended);
    this.status = 0;
  }

  /** A copy of this shell in a process of its own. */
  fork(
    title: string,
    files: Map<number, OpenFile>,
    body: (shell: Shell) => Promise<number>,
    prepare?: (process: Process) => void,
  ): { pid: number; ended: Promise<Exit> } {
    const process = this.machine.create({ user: this.process.user, title, files, parent: this.process });
    process.env = new Map(this.process.env);
    prepare?.(process);
    const shell = new Shell(process, this.state.name, [], this.state);
    shell.status = this.status;
    shell.lastBackground = this.lastBackground;
    const ended = this.machine.run(process, () => shell.withExitTrap(() => body(shell)));
    return { pid: process.pid, ended };
  }

  async capture(body: List): Promise<string> {
    const { reader, writer } = makePipe();
    const files = this.process.dupFiles();
    files.get(1)?.close();
    files.set(1, writer);
    const { ended } = this.fork(this.state.name, files, (shell) => shell.runList(body));
    let text = "";
    for (;;) {
      const piece = await this.process.guard(reader.read());
      if (piece === null) break;
      text += piece;
    }
    reader.close();
    this.status = shellStatus(await this.process.guard(ended));
    return text;
  }

  private async runAndOr(item: AndOr): Promise<number> {
    const conditional = (index: number) => index < item.rest.length;
    let index = 0;
    await this.inCondition(conditional(0), () => this.runPipeline(item.first));
    for (const { operator, pipeline } of item.rest) {
      index += 1;
      if ((this.status === 0) !== (operator === "&&")) continue;
      await this.inCondition(conditional(index), () => this.runPipeline(pipeline));
    }
    return this.status;
  }

  private async inCondition<T>(condition: boolean, run: () => Promise<T>): Promise<T> {
    if (!condition) return run();
    this.conditions += 1;
    try {
      return await run();
    } finally {
      this.conditions -= 1;
    }
  }

  private async runPipeline(pipeline: Pipeline): Promise<void> {
    const [only] = pipeline.commands;
    if (pipeline.commands.length === 1 && only) {
      await this.inCondition(pipeline.negated, () => this.runCommand(only));
    } else {
      const running: Promise<Exit>[] = [];
      let input: OpenFile | null = null;
      pipeline.commands.forEach((command, index) => {
        const files = this.process.dupFiles();
        const put = (descriptor: number, file: OpenFile) => {
          files.get(descriptor)?.close();
          files.set(descriptor, file);
        };
        if (input) put(0, input);
        if (index < pipeline.commands.length - 1) {
          const { reader, writer } = makePipe();
          put(1, writer);
          input = reader;
        }
        running.push(this.fork(this.state.name, files, (shell) => shell.runCommand(command)).ended);
      });
      const exits = await this.process.guard(Promise.all(running));
      this.status = shellStatus(exits.at(-1) ?? { status: 0, signal: null });
    }
    if (pipeline.negated) this.status = this.status === 0 ? 1 : 0;
    else if (this.status !== 0 && this.conditions === 0 && this.state.options.has("e"))
      throw new ExitProcess(this.status);
  }

  async runCommand(command: Command): Promise<number> {
    if (command.kind === "simple") await this.runSimple(command);
    else {
      await this.redirected(command.redirections, async () => {
        this.status = await this.runCompound(command);
      });
    }
    return this.status;
  }

  private async runCompound(command: Exclude<Command, { kind: "simple" }>): Promise<number> {
    switch (command.kind) {
      case "group":
        return this.runList(command.body);
      case "subshell": {
        const { ended } = this.fork(this.state.name, this.process.dupFiles(), (shell) => shell.runList(command.body));
        return shellStatus(await this.process.guard(ended));
      }
      case "if":
        for (const { condition, body } of command.branches) {
          await this.inCondition(true, () => this.runList(condition));
          if (this.status === 0) return this.runList(body);
        }
        return command.otherwise ? this.runList(command.otherwise) : 0;
      case "while": {
        let status = 0;
        await this.looping(async (once) => {
          for (;;) {
            const goOn = await once(async () => {
              await this.inCondition(true, () => this.runList(command.condition));
              if ((this.status === 0) === command.until) return false;
              status = await this.runList(command.body);
              return true;
            });
            if (!goOn) return;
          }
        });
        return status;
      }
      case "for": {
        const values = command.words
          ? await expandWords(this, command.words, this.process.directory)
          : [...this.positional];
        this.status = 0;
        await this.looping(async (once) => {
          for (const value of values) {
            this.set(command.name, value);
            const goOn = await once(async () => {
              await this.runList(command.body);
              return true;
            });
            if (!goOn) return;
          }
        });
        return this.status;
      }
      case "case": {
        const text = await expandText(this, command.word);
        for (const { patterns, body } of command.items) {
          for (const pattern of patterns) {
            if (matches(await expandPattern(this, pattern), text)) return this.runList(body);
          }
        }
        return 0;
      }
      case "function":
        this.state.functions.set(command.name, command.body);
        return 0;
    }
  }

  private async looping(
    run: (once: (body: () => Promise<boolean>) => Promise<boolean>) => Promise<void>,
  ): Promise<void> {
    await run(async (body) => {
      // A loop of builtins alone must not keep the whole program from its other work.
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (this.process.exit) await this.process.guard(Promise.resolve());
      try {
        return await body();
      } catch (thrown) {
        if (!(thrown instanceof LoopJump)) throw thrown;
        thrown.levels -= 1;
        if (thrown.levels > 0) throw thrown;
        this.status = 0;
        return thrown.how === "continue";
      }
    });
  }

  /** Runs with redirections in force, then puts the descriptors back. False when one could not be opened. */
  async redirected(redirections: readonly Redirection[], run: () => Promise<void>): Promise<boolean> {
    if (redirections.length === 0) {
      await run();
      return true;
    }
    const saved = this.process.files;
    this.process.files = this.process.dupFiles();
    const { files } = this.process;
    try {
      for (const redirection of redirections) {
        if (await this.redirect(redirection)) continue;
        this.status = 2;
        return false;
      }
      await run();
      return true;
    } finally {
      if (this.process.files === files) {
        for (const file of files.values()) file.close();
        this.process.files = saved;
      } else for (const file of saved.values()) file.close();
    }
  }

  /** Puts one redirection in force for good: what `exec > file` does. */
  async redirect({ descriptor, operator, target }: Redirection): Promise<boolean> {
    const { process } = this;
    const text = await expandText(this, target);
    if (operator === "here") {
      const { reader, writer } = makePipe();
      // Nobody waits for it: the text stays in the pipe until it is read.
      void writer.write(text).catch(() => {});
      writer.close();
      process.setFile(descriptor, reader);
      return true;
    }
    if (operator === ">&" || operator === "<&") {
      if (text === "-") {
        process.files.get(descriptor)?.close();
        process.files.delete(descriptor);
        return true;
      }
      const file = process.files.get(Number(text));
      if (!file) {
        await this.error(`${text}: Bad file descriptor`);
        return false;
      }
      process.setFile(descriptor, file.dup());
      return true;
    }
    const path = resolvePath(process.directory, text);
    try {
      const how = operator === "<" ? "read" : operator === ">>" ? "append" : "write";
      process.setFile(descriptor, this.machine.files.open(path, how, process.user));
      return true;
    } catch (thrown) {
      if (!(thrown instanceof FileError)) throw thrown;
      const reason = thrown.message.replace(
        /^No such file or directory$/,
        operator === "<" ? "No such file" : "Directory nonexistent",
      );
      await this.error(`cannot ${operator === "<" ? "open" : "create"} ${text}: ${reason}`);
      return false;
    }
  }

  private async runSimple(command: Extract<Command, { kind: "simple" }>): Promise<void> {
    const before = this.status;
    const words = await expandWords(this, command.words, this.process.directory);
    const [name, ...args] = words;
    if (name === undefined) {
      // The status of `v=$(false)` is that of the command inside.
      const captures = command.assignments.some(({ value }) => value.some((part) => part.kind === "commands"));
      if (!captures) this.status = 0;
      else this.status = before;
      await this.redirected(command.redirections, async () => {
        for (const { name: variable, value } of command.assignments) this.set(variable, await expandText(this, value));
      });
      return;
    }
    const builtin = builtins[name];
    const definition = this.state.functions.get(name);
    if (name === "exec") return this.exec(args, command);
    if (builtin || definition) {
      await this.redirected(command.redirections, () =>
        this.withAssignments(command.assignments, async () => {
          this.status = await (definition
            ? this.callFunction(definition, args)
            : this.callBuiltin(builtin, name, args));
        }),
      );
      return;
    }
    await this.runProgram(name, args, command);
  }

  private callBuiltin(builtin: Builtin | undefined, name: string, args: string[]): Promise<number> {
    if (!builtin) throw new Error(`no builtin ${name}`);
    return Promise.resolve(builtin(this, args));
  }

  async callFunction(body: Command, args: string[]): Promise<number> {
    const saved = this.state.positional;
    this.state.positional = args;
    try {
      return await this.runCommand(body);
    } catch (thrown) {
      if (!(thrown instanceof FunctionReturn)) throw thrown;
      return thrown.status;
    } finally {
      this.state.positional = saved;
    }
  }

  /** `A=1 command`: for that command alone. */
  private async withAssignments(
    assignments: readonly { name: string; value: Word }[],
    run: () => Promise<void>,
  ): Promise<void> {
    const saved: [string, string | undefined][] = [];
    for (const { name, value } of assignments) {
      saved.push([name, this.get(name)]);
      this.set(name, await expandText(this, value));
    }
    await run();
    for (const [name, value] of saved) {
      if (value === undefined) this.unset(name);
      else this.set(name, value);
    }
  }

  private async environmentFor(assignments: readonly { name: string; value: Word }[]): Promise<Map<string, string>> {
    const env = new Map(this.process.env);
    for (const { name, value } of assignments) env.set(name, await expandText(this, value));
    return env;
  }

  private async runProgram(name: string, args: string[], command: Extract<Command, { kind: "simple" }>): Promise<void> {
    const env = await this.environmentFor(command.assignments);
    const found = this.machine.lookUp(name, env.get("PATH"));
    const ok = await this.redirected(command.redirections, async () => {
      if (!found) {
        await this.error(`${name}: not found`);
        this.status = 127;
        return;
      }
      const { process, machine } = this;
      const title = [name, ...args].join(" ");
      const child = machine.create({ user: process.user, title, env, files: process.dupFiles(), parent: process });
      const ended = machine.run(child, () => found.program(machine.call(child, name, args)));
      this.status = shellStatus(await process.guard(ended));
    });
    if (!ok) this.status = 2;
  }

  /** `exec`: redirections for good, or another program in this process. */
  private async exec(args: string[], command: Extract<Command, { kind: "simple" }>): Promise<void> {
    for (const redirection of command.redirections) {
      if (!(await this.redirect(redirection))) throw new ExitProcess(2);
    }
    const [name, ...rest] = args;
    this.status = 0;
    if (name === undefined) return;
    const env = await this.environmentFor(command.assignments);
    const found = this.machine.lookUp(name, env.get("PATH"));
    if (!found) {
      await this.error(`exec: ${name}: not found`);
      throw new ExitProcess(127);
    }
    this.process.env = env;
    this.process.title = args.join(" ");
    for (const [signal, handler] of [...this.process.handlers]) {
      if (handler !== "ignore") this.process.handlers.delete(signal);
    }
    this.state.traps.delete("EXIT");
    throw new ExitProcess(await found.program(this.machine.call(this.process, name, rest)));
  }
}
