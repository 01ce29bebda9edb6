/** A libvirt host on loopback, for the built program: an SSH server in this process that answers like virsh for as many domains as wanted. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import ssh2, { type ServerChannel } from "ssh2";
import { makeKey } from "../ssh/server.ts";

export interface DomainSpec {
  name: string;
  running: boolean;
  memoryMiB?: number;
  vcpus?: number;
  autostart?: boolean;
  /** It does not listen to ACPI: a shutdown never ends. */
  deaf?: boolean;
}

export interface HostSpec {
  name: string;
  domains: readonly DomainSpec[];
  /** It tells of so many changes a second, of one domain after the other (default: its virsh has no events). */
  eventsPerSecond?: number;
}

export interface LibvirtHosts {
  /** For `-F`. */
  sshConfigFile: string;
  /** For `--config`. */
  configDir: string;
  /** What virsh was asked to do, as `host: verb name`. */
  asked: string[];
  /** Resolves when a host has answered its next poll. */
  nextPoll(): Promise<void>;
  isRunning(host: string, domain: string): boolean;
  /** Cuts the host's sessions and takes no new ones; `alive` takes them again. */
  setAlive(host: string, alive: boolean): void;
  end(): Promise<void>;
}

const uuidOf = (index: number) => `00000000-0000-4000-8000-${index.toString(16).padStart(12, "0")}`;
const words = (running: boolean) => (running ? "running" : "shut off");

/** What `virsh list … ; domstats …` prints for these domains. */
function pollText(host: string, domains: readonly DomainSpec[]): string {
  const id = (domain: DomainSpec, index: number) => (domain.running ? String(index + 1) : "-");
  const state = (running: boolean) => (running ? 1 : 5);
  return [
    "@@virtu domains",
    ...domains.map((domain, index) => `${uuidOf(index)} ${id(domain, index)} ${domain.name}`),
    "",
    "@@virtu table",
    " Id   Name   State   Title",
    "------------------------------------",
    ...domains.map((domain, index) => ` ${id(domain, index).padEnd(4)} ${domain.name}   ${words(domain.running)}   `),
    "",
    "@@virtu saved",
    "",
    "@@virtu autostart",
    ...domains.flatMap((domain, index) => (domain.autostart ? [uuidOf(index)] : [])),
    "",
    "@@virtu transient",
    "",
    "@@virtu hostname",
    host,
    "",
    "@@virtu memory",
    "total  :             65848588 KiB",
    "free   :             29232304 KiB",
    "buffers:               194544 KiB",
    "cached :             20031324 KiB",
    "",
    "@@virtu state",
    ...domains.flatMap(({ name, running }) => [
      `Domain: '${name}'`,
      `  state.state=${state(running)}`,
      "  state.reason=1",
      "",
    ]),
    "@@virtu stats",
    ...domains.flatMap(({ name, running, memoryMiB = 512, vcpus = 1 }) => [
      `Domain: '${name}'`,
      `  state.state=${state(running)}`,
      "  state.reason=1",
      `  balloon.current=${memoryMiB * 1024}`,
      `  balloon.maximum=${memoryMiB * 1024}`,
      `  vcpu.current=${vcpus}`,
      `  vcpu.maximum=${vcpus}`,
      "",
    ]),
    "@@virtu end",
    "",
  ].join("\n");
}

interface Answer {
  status: number;
  stdout?: string;
  stderr?: string;
}

/** One line of the login shell. Domain names here need no quotes. */
function answer(host: string, domains: DomainSpec[], line: string, asked: string[]): Answer {
  if (line.includes("@@virtu probe")) {
    const libvirt = `/usr/bin/virsh\n${host}\n\n@@virtu status 0\n`;
    return { status: 0, stdout: `@@virtu probe ganeti\n@@virtu probe libvirt\n${libvirt}` };
  }
  if (line.includes("@@virtu domains")) return { status: 0, stdout: pollText(host, domains) };
  const found = /virsh -c \S+ (start|shutdown|destroy|reboot|domstate) (\S+)$/.exec(line);
  const domain = domains.find(({ name }) => name === found?.[2]);
  if (!found || !domain) return { status: 1, stderr: `error: failed to get domain '${found?.[2] ?? line}'\n` };
  const verb = found[1] ?? "";
  if (verb === "domstate") return { status: 0, stdout: `${words(domain.running)}\n\n` };
  asked.push(`${host}: ${verb} ${domain.name}`);
  if (verb === "start") domain.running = true;
  if (verb === "destroy" || (verb === "shutdown" && !domain.deaf)) domain.running = false;
  return { status: 0, stdout: `Domain '${domain.name}' is told\n\n` };
}

/** Milliseconds between two writes of events: a host's come in bunches. */
const tellEvery = 50;

/** `virsh event` with its list before: goes on until the stream is closed. */
function tellEvents(stream: ServerChannel, domains: readonly DomainSpec[], perSecond: number): void {
  stream.write(`${domains.map(({ name }, index) => `${uuidOf(index)} ${name}`).join("\n")}\n\n@@virtu ready\n\n`);
  let next = 0;
  const timer = setInterval(() => {
    const at = new Date().toISOString().replace("T", " ").replace("Z", "+0000");
    const lines = Array.from({ length: Math.round((perSecond * tellEvery) / 1000) }, () => {
      next += 1;
      return `${at}: event 'lifecycle' for domain '${domains[next % domains.length]?.name}': Resumed Unpaused\n`;
    });
    stream.write(lines.join(""));
  }, tellEvery);
  // A connection that was cut tells its streams nothing.
  timer.unref();
  stream.on("close", () => clearInterval(timer));
}

/** Starts one SSH server for each host; all of them on loopback, known by name in the ssh configuration that is given. */
export async function startLibvirtHosts(specs: readonly HostSpec[]): Promise<LibvirtHosts> {
  const directory = mkdtempSync(path.join(tmpdir(), "virtu-hosts-"));
  const { Server } = ssh2;
  const hostKey = makeKey();
  const userKey = makeKey();
  const asked: string[] = [];
  let waiting: (() => void)[] = [];
  const polled = () => {
    for (const resolve of waiting) resolve();
    waiting = [];
  };
  const hosts = new Map<string, { domains: DomainSpec[]; alive: boolean; sockets: Set<Socket>; close: () => void }>();
  const config: string[] = [];
  const known: string[] = [];
  const identity = path.join(directory, "id_ed25519");
  writeFileSync(identity, userKey.private, { mode: 0o600 });

  for (const { name, domains, eventsPerSecond = 0 } of specs) {
    const state = {
      domains: domains.map((domain) => ({ ...domain })),
      alive: true,
      sockets: new Set<Socket>(),
      close: () => {},
    };
    const server = new Server({ hostKeys: [hostKey.private] }, (client) => {
      client.on("error", () => {});
      client.on("authentication", (context) => context.accept());
      client.on("ready", () => {
        client.on("session", (accept) => {
          accept().on("exec", (acceptExec, _reject, { command }) => {
            const stream = acceptExec();
            if (eventsPerSecond > 0 && command.includes("event --all")) {
              tellEvents(stream, state.domains, eventsPerSecond);
              return;
            }
            const { status, stdout = "", stderr = "" } = answer(name, state.domains, command, asked);
            if (stderr) stream.stderr.write(stderr);
            stream.write(stdout, () => {
              stream.exit(status);
              stream.end();
              if (stdout.startsWith("@@virtu domains")) polled();
            });
          });
        });
      });
    });
    const listener = createServer({ noDelay: true }, (socket) => {
      if (!state.alive) return void socket.destroy();
      state.sockets.add(socket);
      socket.on("close", () => state.sockets.delete(socket));
      (server as unknown as { injectSocket(socket: Socket): void }).injectSocket(socket);
    });
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    const { port } = listener.address() as AddressInfo;
    state.close = () => {
      for (const socket of state.sockets) socket.destroy();
      listener.close();
    };
    hosts.set(name, state);
    known.push(`[127.0.0.1]:${port} ${hostKey.public}`);
    config.push(`Host ${name}`, "  HostName 127.0.0.1", `  Port ${port}`, "");
  }
  const knownHosts = path.join(directory, "known_hosts");
  writeFileSync(knownHosts, `${known.join("\n")}\n`);
  const common = [
    "Host *",
    "  User root",
    `  UserKnownHostsFile ${knownHosts}`,
    "  GlobalKnownHostsFile /dev/null",
    "  StrictHostKeyChecking yes",
    `  IdentityFile ${identity}`,
    "  IdentitiesOnly yes",
    "  IdentityAgent none",
    "",
  ];
  const sshConfigFile = path.join(directory, "config");
  writeFileSync(sshConfigFile, [...config, ...common].join("\n"), { mode: 0o600 });
  return {
    sshConfigFile,
    configDir: path.join(directory, "virtu"),
    asked,
    nextPoll: () => new Promise((resolve) => waiting.push(resolve)),
    isRunning: (host, domain) => hosts.get(host)?.domains.find(({ name }) => name === domain)?.running ?? false,
    setAlive(host, alive) {
      const state = hosts.get(host);
      if (!state) throw new RangeError(`no host ${host}`);
      state.alive = alive;
      if (!alive) for (const socket of state.sockets) socket.destroy();
    },
    async end() {
      for (const { close } of hosts.values()) close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
