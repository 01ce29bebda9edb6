/** A small SSH server in this process: it runs real `sh` commands and fails in the ways that the tests ask for. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net, { type Socket } from "node:net";
import os from "node:os";
import path from "node:path";
import type { AuthContext, Connection, ServerChannel, Session } from "ssh2";
import ssh2 from "ssh2";
import type { Asker, HostKeyQuestion, SecretQuestion } from "../../source/ssh/types.ts";

const { Server, utils } = ssh2;

export interface Keys {
  private: string;
  public: string;
}

export function makeKey(passphrase?: string): Keys {
  const options = passphrase === undefined ? {} : { passphrase, cipher: "aes256-ctr", rounds: 4 };
  for (;;) {
    const keys = utils.generateKeyPairSync("ed25519", options as Parameters<typeof utils.generateKeyPairSync>[1]);
    // One in some 300 keys that ssh2 makes can be read by nobody.
    if (!(utils.parseKey(keys.private, passphrase) instanceof Error)) return keys;
  }
}

export interface ServerOptions {
  hostKeys?: Keys[];
  /** Decides on each attempt to log in; everybody may enter without it. */
  auth?: (context: AuthContext) => void;
  maxSessions?: number;
}

interface Peer {
  connection: Connection;
  socket: Socket;
  sessions: number;
}

export class TestServer {
  readonly hostKeys: Keys[];
  readonly commands: string[] = [];
  readonly peers = new Set<Peer>();
  connections = 0;
  /** The most connections at one time that were not logged in yet. */
  mostStrangers = 0;
  private strangers = 0;
  maxSessions: number;
  mostSessions = 0;
  port = 0;
  private readonly server: InstanceType<typeof Server>;
  private readonly children = new Set<ChildProcess>();

  private constructor(options: ServerOptions) {
    this.hostKeys = options.hostKeys ?? [makeKey()];
    this.maxSessions = options.maxSessions ?? 100;
    this.server = new Server({ hostKeys: this.hostKeys.map((keys) => keys.private) }, (connection) => {
      const socket = (connection as unknown as { _sock: Socket })._sock;
      socket.setNoDelay(true);
      const peer: Peer = { connection, socket, sessions: 0 };
      this.connections += 1;
      this.peers.add(peer);
      this.strangers += 1;
      this.mostStrangers = Math.max(this.mostStrangers, this.strangers);
      let stranger = true;
      const known = () => {
        if (stranger) this.strangers -= 1;
        stranger = false;
      };
      connection.on("ready", known);
      connection.on("close", known);
      connection.on("error", () => {});
      connection.on("close", () => this.peers.delete(peer));
      connection.on("authentication", (context) => (options.auth ? options.auth(context) : context.accept()));
      connection.on("session", (accept, reject) => {
        if (peer.sessions >= this.maxSessions) return reject();
        peer.sessions += 1;
        this.mostSessions = Math.max(this.mostSessions, peer.sessions);
        this.session(peer, accept());
      });
      connection.on("tcpip", (accept, reject, to) => {
        const target = net.connect(to.destPort, to.destIP, () => {
          const channel = accept();
          target.pipe(channel).pipe(target);
          channel.on("error", () => {});
          channel.on("close", () => target.destroy());
          target.on("close", () => channel.close());
        });
        target.on("error", () => reject());
      });
    });
  }

  static async start(options: ServerOptions = {}, port = 0): Promise<TestServer> {
    const made = new TestServer(options);
    made.server.listen(port, "127.0.0.1");
    await once(made.server, "listening");
    made.port = (made.server.address() as net.AddressInfo).port;
    return made;
  }

  private session(peer: Peer, session: Session): void {
    let child: ChildProcess | null = null;
    session.on("pty", (accept) => accept?.());
    session.on("window-change", (accept) => accept?.());
    session.on("close", () => {
      peer.sessions -= 1;
    });
    session.on("signal", (_accept, _reject, info) => {
      if (child?.pid) process.kill(-child.pid, `SIG${info.name}` as NodeJS.Signals);
    });
    const run = (channel: ServerChannel, command: string) => {
      this.commands.push(command);
      child = spawn("/bin/sh", ["-c", command], { detached: true });
      const running = child;
      this.children.add(running);
      channel.on("error", () => {});
      channel.pipe(running.stdin!);
      running.stdin!.on("error", () => {});
      running.stdout!.pipe(channel, { end: false });
      running.stderr!.pipe(channel.stderr, { end: false });
      running.on("close", (code, signal) => {
        this.children.delete(running);
        if (signal) channel.exit(signal.replace("SIG", ""), false, "");
        else channel.exit(code ?? 255);
        channel.end();
      });
    };
    session.on("exec", (accept, _reject, { command }) => run(accept(), command));
    session.on("shell", (accept) => run(accept(), "sh"));
  }

  /** Cuts every connection, as a dead link would once it is noticed. */
  cut(): void {
    for (const { socket } of this.peers) socket.destroy();
  }

  /** Hears nothing more and answers nothing, with the connections still up. */
  freeze(): void {
    for (const { socket } of this.peers) socket.pause();
  }

  async stop(): Promise<void> {
    this.cut();
    for (const { pid } of this.children) if (pid) process.kill(-pid, "SIGKILL");
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}

export class TestAsker implements Asker {
  readonly secrets: SecretQuestion[] = [];
  readonly hostKeys: HostKeyQuestion[] = [];

  constructor(
    private readonly answers: (string | null)[] = [],
    private readonly hostKeyAnswer: "once" | "always" | "no" = "no",
  ) {}

  async secret(question: SecretQuestion): Promise<string | null> {
    this.secrets.push(question);
    return this.answers.shift() ?? null;
  }

  async hostKey(question: HostKeyQuestion): Promise<"once" | "always" | "no"> {
    this.hostKeys.push(question);
    return this.hostKeyAnswer;
  }
}

/** A directory with an ssh configuration of its own, so that nothing of whoever runs the tests is read. */
export class Home {
  readonly directory = mkdtempSync(path.join(os.tmpdir(), "virtu-ssh-"));
  readonly config = path.join(this.directory, "config");
  readonly knownHosts = path.join(this.directory, "known_hosts");
  private text = "";

  constructor() {
    this.write("none", "");
  }

  write(name: string, text: string): string {
    const file = path.join(this.directory, name);
    writeFileSync(file, text);
    chmodSync(file, 0o600);
    return file;
  }

  /** Adds a host; options as ssh_config has them, the given ones before these defaults. */
  host(alias: string, port: number, options: Record<string, string> = {}): void {
    const all: Record<string, string> = {
      ...options,
      HostName: options["HostName"] ?? "127.0.0.1",
      Port: String(port),
      User: options["User"] ?? "tester",
      IdentityFile: options["IdentityFile"] ?? path.join(this.directory, "none"),
      IdentityAgent: options["IdentityAgent"] ?? "none",
      UserKnownHostsFile: this.knownHosts,
      GlobalKnownHostsFile: "/dev/null",
      StrictHostKeyChecking: options["StrictHostKeyChecking"] ?? "accept-new",
      HashKnownHosts: options["HashKnownHosts"] ?? "no",
    };
    this.text += `Host ${alias}\n${Object.entries(all)
      .map(([name, value]) => `  ${name} ${value}\n`)
      .join("")}`;
    writeFileSync(this.config, this.text);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
