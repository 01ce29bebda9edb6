/** The loopback side of the site: one port a host, the ssh configuration that names them, links that can be cut. */
import { writeFileSync } from "node:fs";
import { connect as connectTo, type Socket } from "node:net";
import path from "node:path";
import { type Duplex, duplexPair } from "node:stream";
import type { Machine } from "./machine/machine.ts";
import { type KeyPair, newKey } from "./sshd/keys.ts";
import { HostServer } from "./sshd/server.ts";

type Connect = (host: string, port: number) => Duplex | null;

interface Listening {
  machine: Machine;
  connect: Connect | undefined;
  port: number;
  /** What known_hosts holds, whatever the host answers with. */
  known: KeyPair;
  server: HostServer;
}

export class Network {
  private readonly hosts = new Map<string, Listening>();
  private readonly injected = new Set<Duplex>();

  constructor(private readonly directory: string) {}

  private serve(
    machine: Machine,
    connect: Connect | undefined,
    hostKey: string,
    port: number,
  ): Promise<{ server: HostServer; port: number }> {
    const host = new HostServer({
      machine,
      hostKey,
      connect: connect ?? ((_, to) => this.neighbour(to)),
      connectionText: "127.0.0.1 40022 127.0.0.1 22",
    });
    return new Promise((resolve, reject) => {
      host.server.once("error", reject);
      host.server.listen(port, "127.0.0.1", () => {
        host.server.off("error", reject);
        resolve({ server: host, port: (host.server.address() as { port: number }).port });
      });
    });
  }

  /** The site's hosts reach each other: the ssh configuration names each by its port. */
  private neighbour(port: number): Duplex | null {
    return [...this.hosts.values()].some((host) => host.port === port) ? connectTo(port, "127.0.0.1") : null;
  }

  async listen(name: string, machine: Machine, connect: Connect | undefined): Promise<void> {
    const known = newKey(name);
    this.hosts.set(name, { machine, connect, known, ...(await this.serve(machine, connect, known.private, 0)) });
  }

  /** A connection to a server that has no port of its own. */
  inject(host: HostServer): Duplex {
    const [near, far] = duplexPair();
    for (const end of [near, far]) {
      this.injected.add(end);
      end.on("close", () => this.injected.delete(end));
      end.on("error", () => {});
    }
    // One end that goes takes the other along, as with a socket.
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
    host.server.injectSocket(asSocket(far));
    return near;
  }

  cut(name: string): void {
    const host = this.hosts.get(name);
    host?.server.cut();
    // What went through it goes with it.
    if (host?.connect) for (const end of [...this.injected]) end.destroy();
  }

  setDead(name: string, dead: boolean): void {
    const host = this.hosts.get(name);
    if (!host) return;
    if (dead) {
      host.server.cut();
      host.server.server.close();
    } else void this.restart(host, host.known.private);
  }

  /** From now on the host answers with another key than the known one. */
  changeHostKey(name: string): void {
    const host = this.hosts.get(name);
    if (!host) return;
    host.server.cut();
    host.server.server.close(() => void this.restart(host, newKey(name).private));
  }

  private async restart(host: Listening, hostKey: string): Promise<void> {
    host.server = (await this.serve(host.machine, host.connect, hostKey, host.port)).server;
  }

  /** Simple `Host` blocks, which any reader of ssh configuration gets right. */
  writeConfig(frontend: string): string {
    const quoted = (name: string) => `"${path.join(this.directory, name)}"`;
    const common = [
      `  IdentityFile ${quoted("id_ed25519")}`,
      "  IdentitiesOnly yes",
      `  UserKnownHostsFile ${quoted("known_hosts")}`,
      "  GlobalKnownHostsFile /dev/null",
    ];
    const blocks = [...this.hosts].map(([name, { port }]) =>
      [
        `Host ${name} ${name.split(".")[0]}`,
        "  HostName 127.0.0.1",
        `  Port ${port}`,
        `  User ${name === frontend ? "jdoe" : "root"}`,
        `  HostKeyAlias ${name}`,
        "  StrictHostKeyChecking yes",
        ...common,
      ].join("\n"),
    );
    const nodes = ["Host paravance-* parasilo-*", "  User root", ...common].join("\n");
    const file = path.join(this.directory, "ssh_config");
    writeFileSync(file, `${[...blocks, nodes].join("\n\n")}\n`, { mode: 0o600 });
    writeFileSync(
      path.join(this.directory, "known_hosts"),
      [...this.hosts].map(([name, { known }]) => `${name} ${known.public.split(" ").slice(0, 2).join(" ")}\n`).join(""),
    );
    return file;
  }

  async end(): Promise<void> {
    const closing = [...this.hosts.values()].map(({ server }) => {
      server.cut();
      return new Promise<void>((resolve) => {
        server.server.close(() => resolve());
      });
    });
    for (const end of this.injected) end.destroy();
    await Promise.all(closing);
  }
}

/** ssh2 asks a socket for what a plain duplex has not. */
function asSocket(duplex: Duplex): Socket {
  return Object.assign(duplex, {
    setNoDelay: () => duplex,
    setKeepAlive: () => duplex,
    setTimeout: () => duplex,
    remoteAddress: "172.16.111.101",
    remotePort: 40_022,
    remoteFamily: "IPv4",
  }) as unknown as Socket;
}
