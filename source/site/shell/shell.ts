/** The shell: walks the tree, forks simulated processes, waits for them. */
import { resolvePath } from "../machine/files.ts";
import type { Machine } from "../machine/machine.ts";
import { ExitProcess } from "../machine/machine.ts";
import { makePipe, type OpenFile } from "../machine/open-file.ts";
import { type Exit, type Process, shellStatus } from "../machine/process.ts";
import { runCompound } from "./compound.ts";
import { type Environment, ExpansionError } from "./expand.ts";
import { FunctionReturn, LoopJump } from "./jumps.ts";
import { parse } from "./parser.ts";
import { redirected } from "./redirect.ts";
import { runSimple } from "./simple.ts";
import { type AndOr, type Command, type List, type Pipeline, soleCommand } from "./tree.ts";
import { ScriptError } from "./words.ts";

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
  /** A program that this process ends with: it takes the shell's place, its process number and its signals. */
  lastCommand: Command | null = null;
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

  /** A list that is all this process has to do. */
  async runWhole(list: List): Promise<number> {
    const [only] = list.items;
    if (list.items.length === 1 && only && !only.background) this.lastCommand = soleCommand(only);
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
      (shell) => {
        shell.lastCommand = soleCommand(item);
        return shell.runAndOr(item);
      },
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
    const { ended } = this.fork(this.state.name, files, (shell) => shell.runWhole(body));
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

  async inCondition<T>(condition: boolean, run: () => Promise<T>): Promise<T> {
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
        running.push(
          this.fork(this.state.name, files, (shell) => {
            shell.lastCommand = command;
            return shell.runCommand(command);
          }).ended,
        );
      });
      const exits = await this.process.guard(Promise.all(running));
      this.status = shellStatus(exits.at(-1) ?? { status: 0, signal: null });
    }
    if (pipeline.negated) this.status = this.status === 0 ? 1 : 0;
    else if (this.status !== 0 && this.conditions === 0 && this.state.options.has("e"))
      throw new ExitProcess(this.status);
  }

  async runCommand(command: Command): Promise<number> {
    if (command.kind === "simple") await runSimple(this, command);
    else {
      await redirected(this, command.redirections, async () => {
        this.status = await runCompound(this, command);
      });
    }
    return this.status;
  }
}
