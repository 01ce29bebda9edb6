/** A session channel: commands, the login shell, signals, SFTP. */
import type { Connection, ServerChannel, Session } from "ssh2";
import type { Machine } from "../machine/machine.ts";
import { BrokenPipe, makePipe, OpenFile } from "../machine/open-file.ts";
import type { Process } from "../machine/process.ts";
import { serveSftp } from "./sftp.ts";
import { Terminal } from "./terminal.ts";

/** The way of a process's output into a channel. */
class ChannelFile extends OpenFile {
  private gone = false;
  private readonly calls = new Set<() => void>();

  constructor(
    private readonly stream: NodeJS.WritableStream,
    channel: ServerChannel,
    private readonly onReleased: () => void,
  ) {
    super();
    channel.on("close", () => {
      this.gone = true;
      for (const call of [...this.calls]) call();
    });
  }

  write(text: string): Promise<void> {
    if (this.gone) return Promise.reject(new BrokenPipe("Broken pipe"));
    if (this.stream.write(Buffer.from(text, "latin1"))) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const off = this.onBroken(() => reject(new BrokenPipe("Broken pipe")));
      this.stream.once("drain", () => {
        off();
        resolve();
      });
    });
  }

  protected async take(): Promise<string | null> {
    return null;
  }

  protected override released(): void {
    this.onReleased();
  }

  override onBroken(call: () => void): () => void {
    if (this.gone) call();
    else this.calls.add(call);
    return () => this.calls.delete(call);
  }
}

/** `connectionText`: `CLIENT PORT SERVER PORT`, for SSH_CONNECTION. */
export function openSession(
  machine: Machine,
  user: string,
  session: Session,
  connection: Connection,
  connectionText: string,
): void {
  // When a connection breaks, ssh2 closes the channels on it. It knows a session among them by the name of its class,
  // which a minified bundle does not have, and would take it for a channel: marked as closed it is left alone.
  Object.assign(session, { incoming: { state: "closed" } });
  /** The channel of a session is then not told: its end is passed on here. */
  const withConnection = (channel: ServerChannel): ServerChannel => {
    const lost = () => channel.emit("close");
    connection.once("close", lost);
    channel.once("close", () => connection.off("close", lost));
    return channel;
  };
  const env = machine.loginEnvironment(user);
  env.set("SSH_CONNECTION", connectionText);
  let process: Process | null = null;
  let terminal: Terminal | null = null;
  session.on("env", (accept, _reject, info) => {
    // As Debian's sshd has it: only the locale is taken over.
    if (/^(LANG|LC_\w+)$/.test(info.key)) env.set(info.key, info.val);
    accept?.();
  });
  session.on("pty", (accept, _reject, info) => {
    terminal = new Terminal(info.cols, info.rows);
    env.set("TERM", "xterm-256color");
    accept?.();
  });
  session.on("window-change", (accept, _reject, info) => {
    terminal?.resize(info.cols, info.rows);
    accept?.();
  });
  session.on("signal", (accept, _reject, info) => {
    // sshd signals the whole group of the command, but takes no signals in root's sessions.
    if (process && user !== "root") machine.kill(-process.group, info.name.replace(/^SIG/, ""));
    accept?.();
  });
  session.on("exec", (accept, _reject, info) => {
    process = run(
      machine,
      user,
      env,
      withConnection(accept()),
      ["-c", Buffer.from(info.command, "utf8").toString("latin1")],
      terminal,
    );
  });
  session.on("shell", (accept) => {
    process = run(machine, user, env, withConnection(accept()), [], terminal);
  });
  session.on("sftp", (accept) => serveSftp(machine, user, accept()));
  session.on("error", () => {});
}

function run(
  machine: Machine,
  user: string,
  env: Map<string, string>,
  channel: ServerChannel,
  args: string[],
  terminal: Terminal | null,
): Process | null {
  const shell = machine.lookUp("sh", "/usr/bin");
  if (!shell) return null;
  channel.on("error", () => {});
  let openOutputs = 2;
  let exited = false;
  let lost = false;
  channel.once("close", () => {
    lost = true;
  });
  const finish = () => {
    if (exited && openOutputs === 0 && !lost) channel.end();
  };
  const released = () => {
    openOutputs -= 1;
    finish();
  };
  const stdout = new ChannelFile(channel, channel, released);
  const stderr = terminal ? stdout.dup() : new ChannelFile(channel.stderr, channel, released);
  if (terminal) openOutputs = 1;
  const input = terminal ? { reader: terminal.attach(channel, stdout), writer: null } : makePipe();
  const process = machine.create({
    user,
    title: ["sh", ...args].join(" "),
    env,
    newSession: true,
    files: new Map([
      [0, input.reader],
      [1, terminal ? terminal.output(stdout) : stdout],
      [2, terminal ? terminal.output(stderr) : stderr],
    ]),
  });
  if (input.writer) feed(channel, input.writer);
  else {
    terminal?.onInterrupt(() => machine.kill(-process.group, "INT"));
    channel.on("close", () => machine.kill(-process.group, "HUP"));
  }
  const interactive = args.length === 0 && terminal !== null;
  const body = interactive
    ? () => terminal.interact(machine, process)
    : () => shell.program(machine.call(process, "sh", args));
  void machine.run(process, body).then((exit) => {
    exited = true;
    if (lost) return;
    if (exit.signal === null) channel.exit(exit.status);
    else channel.exit(exit.signal, false, "");
    finish();
  });
  return process;
}

/** Standard input of a command; its end is passed on. */
function feed(channel: ServerChannel, writer: OpenFile): void {
  let open = true;
  const close = () => {
    if (open) writer.close();
    open = false;
  };
  channel.on("data", (chunk: Buffer) => {
    channel.pause();
    writer.write(chunk.toString("latin1")).then(
      () => channel.resume(),
      () => {
        // Nobody reads it any more; the rest is thrown away.
        channel.resume();
      },
    );
  });
  channel.on("end", close);
  channel.on("close", close);
}
