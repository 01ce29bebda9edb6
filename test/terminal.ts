/** Runs a program in a pseudo-terminal and reads its screen as a user would: cells in a headless xterm, keys typed. */
import pty from "@lydell/node-pty";
import xterm from "@xterm/headless";
import { type ProgramOptions, programCommand, programEnvironment } from "./program.ts";

export interface TerminalOptions {
  command: string;
  args?: readonly string[];
  /** Default 80. */
  columns?: number;
  /** Default 24. */
  rows?: number;
  cwd?: string;
  /** Added to the terminal's own environment; undefined removes a variable. */
  env?: Record<string, string | undefined>;
}

/** Keys by name; anything else is typed as it is. */
export const keys = {
  enter: "\r",
  escape: "\x1b",
  tab: "\t",
  space: " ",
  backspace: "\x7f",
  up: "\x1b[A",
  down: "\x1b[B",
  right: "\x1b[C",
  left: "\x1b[D",
  pageUp: "\x1b[5~",
  pageDown: "\x1b[6~",
  home: "\x1b[H",
  end: "\x1b[F",
  ctrlC: "\x03",
} as const;

export interface Cell {
  text: string;
  bold: boolean;
  dim: boolean;
  inverse: boolean;
  underline: boolean;
  /** Palette index or 24-bit value; -1 is the terminal's own colour. */
  foreground: number;
  background: number;
}

export interface TestTerminal {
  /**
   * Resolves with the screen's lines as soon as the text stands on it (a string may run over one line only; a regular
   * expression sees all lines joined by newlines). Rejects with the screen after `timeoutMs` (default 15 s) or when the
   * program ends before.
   */
  waitFor(wanted: string | RegExp | ((lines: string[]) => boolean), timeoutMs?: number): Promise<string[]>;
  /** Visible lines, without the blanks at their ends. */
  screen(): string[];
  /** A cell, both counted from 0. */
  cell(column: number, row: number): Cell;
  /** True while the alternate screen is shown. */
  readonly alternate: boolean;
  /** Types text or keys; several arguments are sent one after the other in one write. */
  press(...typed: string[]): void;
  resize(columns: number, rows: number): void;
  /** Sends a signal to the program (default SIGTERM). Harmless when it has ended. */
  kill(signal?: string): void;
  readonly pid: number;
  /** Exit status once the program has ended and all of its output is on the screen; 128 + N after signal N. */
  exit: Promise<number>;
  /** Every byte that the program wrote, as text. */
  readonly raw: string;
}

/** That of a terminal, with this added; undefined removes a variable. */
export function environment(extra: Record<string, string | undefined> = {}): Record<string, string> {
  const merged: Record<string, string | undefined> = {
    ...process.env,
    TERM: "xterm-256color",
    COLORTERM: "truecolor",
    TZ: "UTC",
    LANG: "C.UTF-8",
    // Ink draws nothing until it exits where CI is set, and colours would depend on who runs the tests.
    CI: undefined,
    NO_COLOR: undefined,
    FORCE_COLOR: undefined,
    ...extra,
  };
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(merged)) if (value !== undefined) result[name] = value;
  return result;
}

export function openTerminal(options: TerminalOptions): TestTerminal {
  const columns = options.columns ?? 80;
  const rows = options.rows ?? 24;
  const term = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 0 });
  const child = pty.spawn(options.command, [...(options.args ?? [])], {
    name: "xterm-256color",
    cols: columns,
    rows,
    cwd: options.cwd ?? process.cwd(),
    env: environment(options.env),
  });

  let raw = "";
  let ended = false;
  const watchers = new Set<() => void>();
  const notify = () => {
    for (const watcher of [...watchers]) watcher();
  };
  // Answers of the terminal (cursor position, device attributes) go back to the program, as in a real one.
  term.onData((answer) => {
    if (!ended) child.write(answer);
  });
  let drawing = 0;
  let onDrawn = () => {};
  child.onData((data) => {
    raw += data;
    drawing++;
    term.write(data, () => {
      drawing--;
      notify();
      onDrawn();
    });
  });
  const exit = new Promise<number>((resolve) => {
    child.onExit(({ exitCode, signal }) => {
      onDrawn = () => {
        if (drawing > 0) return;
        ended = true;
        resolve(signal ? 128 + signal : exitCode);
        notify();
      };
      onDrawn();
    });
  });

  const screen = (): string[] => {
    const buffer = term.buffer.active;
    return Array.from(
      { length: term.rows },
      (_, row) => buffer.getLine(buffer.baseY + row)?.translateToString(true, 0, term.cols) ?? "",
    );
  };

  const waitFor: TestTerminal["waitFor"] = (wanted, timeoutMs = 15_000) => {
    const found = (lines: string[]): boolean => {
      if (typeof wanted === "function") return wanted(lines);
      if (typeof wanted === "string") return lines.some((line) => line.includes(wanted));
      return new RegExp(wanted.source, wanted.flags.replace("g", "")).test(lines.join("\n"));
    };
    // Made here, so that the stack names the test's line.
    const failure = new Error();
    return new Promise((resolve, reject) => {
      const finish = (problem: string | null) => {
        clearTimeout(timer);
        watchers.delete(look);
        if (problem === null) return resolve(screen());
        const name = typeof wanted === "string" ? JSON.stringify(wanted) : String(wanted);
        failure.message = `${problem} while waiting for ${name}. The screen:\n${screen().join("\n").trimEnd()}`;
        reject(failure);
      };
      const look = () => {
        if (found(screen())) finish(null);
        else if (ended) finish("The program ended");
      };
      const timer = setTimeout(() => finish(`${timeoutMs} ms passed`), timeoutMs);
      watchers.add(look);
      look();
    });
  };

  return {
    waitFor,
    screen,
    cell(column, row) {
      const cell = term.buffer.active.getLine(term.buffer.active.baseY + row)?.getCell(column);
      if (!cell) throw new RangeError(`no cell at column ${column}, row ${row}`);
      return {
        text: cell.getChars(),
        bold: cell.isBold() !== 0,
        dim: cell.isDim() !== 0,
        inverse: cell.isInverse() !== 0,
        underline: cell.isUnderline() !== 0,
        foreground: cell.getFgColor(),
        background: cell.getBgColor(),
      };
    },
    get alternate() {
      return term.buffer.active.type === "alternate";
    },
    press(...typed) {
      child.write(typed.join(""));
    },
    resize(newColumns, newRows) {
      term.resize(newColumns, newRows);
      child.resize(newColumns, newRows);
    },
    kill(signal = "SIGTERM") {
      if (!ended) child.kill(signal);
    },
    pid: child.pid,
    exit,
    get raw() {
      return raw;
    },
  };
}

/** How the program under test is opened in a terminal. */
export type OpenOptions = Omit<ProgramOptions, "input" | "timeoutMs"> & Pick<TerminalOptions, "columns" | "rows">;

/** Opens the built program in a pseudo-terminal, as a user starts it. */
export function openProgram(args: readonly string[], options: OpenOptions = {}): TestTerminal {
  const { columns, rows, cwd } = options;
  return openTerminal({ ...programCommand(args, options), columns, rows, cwd, env: programEnvironment(options) });
}
