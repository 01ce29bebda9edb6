/** A terminal on the host's side: line editing, echo, Ctrl-C and Ctrl-D, and a shell that reads from it. */
import type { ServerChannel } from "ssh2";
import type { Machine } from "../machine/machine.ts";
import { ExitProcess } from "../machine/machine.ts";
import { makePipe, OpenFile, type TerminalControl } from "../machine/open-file.ts";
import type { Process } from "../machine/process.ts";
import { Shell } from "../shell/shell.ts";

class TerminalOutput extends OpenFile {
  constructor(
    private readonly below: OpenFile,
    override readonly terminal: Terminal,
  ) {
    super();
  }

  write(text: string): Promise<void> {
    return this.below.write(this.terminal.isRaw ? text : text.replaceAll("\n", "\r\n"));
  }

  protected async take(): Promise<string | null> {
    return null;
  }

  protected override released(): void {
    this.below.close();
  }

  override onBroken(call: () => void): () => void {
    return this.below.onBroken(call);
  }
}

class TerminalInput extends OpenFile {
  constructor(
    private readonly below: OpenFile,
    override readonly terminal: Terminal,
  ) {
    super();
  }

  async write(): Promise<void> {}

  protected take(): Promise<string | null> {
    return this.below.read();
  }

  protected override released(): void {
    this.below.close();
  }
}

export class Terminal implements TerminalControl {
  isRaw = false;
  private line = "";
  private interrupt = () => {};
  private readonly resized = new Set<() => void>();

  constructor(
    public columns: number,
    public rows: number,
  ) {}

  resize(columns: number, rows: number): void {
    this.columns = columns;
    this.rows = rows;
    for (const call of [...this.resized]) call();
  }

  setRaw(on: boolean): void {
    this.isRaw = on;
  }

  onResize(call: () => void): () => void {
    this.resized.add(call);
    return () => this.resized.delete(call);
  }

  onInterrupt(call: () => void): void {
    this.interrupt = call;
  }

  output(below: OpenFile): OpenFile {
    return new TerminalOutput(below, this);
  }

  /** Keys become lines; each is echoed. */
  attach(channel: ServerChannel, screen: OpenFile): OpenFile {
    const { reader, writer } = makePipe();
    const show = (text: string) => void screen.write(text).catch(() => {});
    let open = true;
    const close = () => {
      if (open) writer.close();
      open = false;
    };
    channel.on("data", (chunk: Buffer) => {
      if (this.isRaw) {
        void writer.write(chunk.toString("latin1")).catch(() => {});
        return;
      }
      for (const key of chunk.toString("latin1")) {
        if (key === "\r" || key === "\n") {
          show("\r\n");
          void writer.write(`${this.line}\n`).catch(() => {});
          this.line = "";
        } else if (key === "\u0003") {
          show("^C\r\n");
          this.line = "";
          this.interrupt();
        } else if (key === "\u0004") {
          if (this.line === "") close();
        } else if (key === "\u007f" || key === "\b") {
          if (this.line !== "") show("\b \b");
          this.line = this.line.slice(0, -1);
        } else if (key >= " ") {
          this.line += key;
          show(key);
        }
      }
    });
    channel.on("close", close);
    return new TerminalInput(reader, this);
  }

  /** The login shell on this terminal, until `exit` or Ctrl-D. */
  async interact(machine: Machine, process: Process): Promise<number> {
    process.env.set("COLUMNS", String(this.columns)).set("LINES", String(this.rows));
    const shell = new Shell(process, "-sh", []);
    process.handlers.set("INT", () => {});
    const sign = process.user === "root" ? "#" : "$";
    for (;;) {
      const home = machine.account(process.user)?.home ?? "/";
      const { directory } = process;
      const place =
        directory === home || directory.startsWith(`${home}/`) ? `~${directory.slice(home.length)}` : directory;
      await process.write(1, `${process.user}@${machine.shortName}:${place}${sign} `);
      const file = process.files.get(0);
      const line = file ? await process.guard(file.readLine()) : null;
      if (!line) {
        await process.write(1, "logout\n");
        return shell.status;
      }
      try {
        shell.status = await shell.runText(line.text);
      } catch (thrown) {
        if (thrown instanceof ExitProcess) return thrown.status;
        throw thrown;
      }
    }
  }
}
