/** The sshd of one simulated host: who may come in, and what a connection can ask for. */
import type { Duplex } from "node:stream";
import ssh2, { type AuthContext, type Connection, type ServerChannel } from "ssh2";
import type { Machine } from "../machine/machine.ts";
import { isAuthorized } from "./keys.ts";
import { openSession } from "./session.ts";

export interface HostOptions {
  machine: Machine;
  /** OpenSSH private key. */
  hostKey: string;
  /** `CLIENT PORT SERVER PORT`, as the host's SSH_CONNECTION tells. */
  connectionText: string;
  /** Connects to another host of the site, as direct-tcpip asks; null: connection refused. */
  connect?: (host: string, port: number) => Duplex | null;
}

export class HostServer {
  readonly server: ssh2.Server;
  private readonly connections = new Set<Connection>();

  constructor(private readonly options: HostOptions) {
    this.server = new ssh2.Server(
      { hostKeys: [options.hostKey], ident: "OpenSSH_9.2p1 Debian-2+deb12u7", keepaliveInterval: 0 },
      (connection) => this.accept(connection),
    );
  }

  private accept(connection: Connection): void {
    this.connections.add(connection);
    // One listener for each session on it.
    connection.setMaxListeners(0);
    let user = "";
    const { machine } = this.options;
    connection.on("authentication", (context) => {
      if (!mayEnter(machine, context)) {
        context.reject(["publickey"]);
        return;
      }
      user = context.username;
      context.accept();
    });
    connection.on("ready", () => {
      connection.on("session", (accept) =>
        openSession(machine, user, accept(), connection, this.options.connectionText),
      );
      connection.on("tcpip", (accept, reject, info) => {
        const target = this.options.connect?.(info.destIP, info.destPort) ?? null;
        if (!target) {
          refuse(connection, reject);
          return;
        }
        join(accept(), target);
      });
      connection.on("openssh.streamlocal", (accept, reject, info) => {
        const target = machine.sockets.get(info.socketPath)?.(user) ?? null;
        if (target) join(accept(), target);
        else refuse(connection, reject);
      });
      connection.on("request", (_accept, reject) => reject?.());
    });
    connection.on("error", () => {});
    connection.on("close", () => this.connections.delete(connection));
  }

  /** Ends every connection at once, as a lost link does. */
  cut(): void {
    for (const connection of this.connections) {
      // The socket itself is torn down: a polite disconnect would tell the client more than a lost link does.
      const { _sock: socket } = connection as unknown as { _sock?: { destroy(): void } };
      socket?.destroy();
    }
  }

  get open(): number {
    return this.connections.size;
  }
}

function mayEnter(machine: Machine, context: AuthContext): boolean {
  if (context.method !== "publickey") return false;
  const home = machine.account(context.username)?.home;
  const file = home === undefined ? null : machine.files.find(`${home}/.ssh/authorized_keys`);
  if (file?.kind !== "file" || !isAuthorized(file.content, context.key.algo, context.key.data)) return false;
  if (!context.signature || !context.blob) return true;
  const key = ssh2.utils.parseKey(context.key.data);
  if (key instanceof Error) return false;
  const parsed = Array.isArray(key) ? key[0] : key;
  return parsed?.verify(context.blob, context.signature, context.hashAlgo) === true;
}

/** Refuses a forwarding as sshd does, in words: ssh2's own `reject` gives none. */
function refuse(connection: Connection, reject: () => void): void {
  const inner = connection as unknown as {
    _protocol?: { channelOpenFail?: (id: number, reason: number, text: string) => void };
  };
  const open = inner._protocol?.channelOpenFail?.bind(inner._protocol);
  if (inner._protocol && open) {
    const protocol = inner._protocol;
    protocol.channelOpenFail = (id, reason) => {
      protocol.channelOpenFail = open;
      open(id, reason, "Connection refused");
    };
  }
  reject();
}

function join(channel: ServerChannel, target: Duplex): void {
  channel.pipe(target);
  target.pipe(channel);
  const close = () => {
    target.destroy();
    channel.destroy();
  };
  channel.on("close", close);
  channel.on("error", close);
  target.on("close", close);
  target.on("error", close);
}
