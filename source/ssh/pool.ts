/** The pool: one session for each user@host:port by its way there, shared by everything that asks. */
import { EventEmitter } from "node:events";
import { toVirtuError, VirtuError } from "../errors.ts";
import { plainLine } from "../text.ts";
import type { Secrets } from "./auth.ts";
import type { Command } from "./command.ts";
import { execOn } from "./exec.ts";
import { type ForwardTarget, forwardOn } from "./forward.ts";
import { HostKeys } from "./host-keys.ts";
import { parseHostName } from "./host-name.ts";
import { cancelled, Limiter } from "./limiter.ts";
import type { Link, openLink } from "./link.ts";
import { ptyOn } from "./pty.ts";
import { Resolver } from "./resolve.ts";
import { type Route, Router } from "./route.ts";
import { Session } from "./session.ts";
import { defaultSettings, type SessionHost, type SessionSettings } from "./session-types.ts";
import { defaultConnectTimeoutMs, runProxyCommand, type Transport, tcp } from "./transport.ts";
import type {
  Asker,
  ExecOptions,
  ExecResult,
  HostRef,
  Pool,
  PoolEvents,
  Priority,
  PtyChannel,
  PtyOptions,
  RequestOptions,
  SessionInfo,
} from "./types.ts";
import { type UploadContent, type UploadOptions, uploadOn } from "./upload.ts";

export interface PoolOptions {
  /** ssh configuration file (`-F`), instead of the user's. */
  sshConfig?: string | undefined;
  asker: Asker;
  /** The ssh client asked for options; without one the files are read here. */
  sshProgram?: string;
  settings?: Partial<SessionSettings>;
  /** Limit for each step of a handshake, in milliseconds. */
  stepTimeoutMs?: number;
}

export function createPool(options: PoolOptions): Pool {
  return new SessionPool(options);
}

/** sshd drops connections at random past 10 that are not logged in yet (MaxStartups). */
const handshakesAtOnce = 8;
/** Dead hosts hold their place until they time out, so more may wait for TCP than for a handshake. */
const dialsAtOnce = 32;
const changeEveryMs = 100;
const endWithinMs = 1500;

class SessionPool extends EventEmitter<PoolEvents> implements Pool, SessionHost {
  readonly settings: SessionSettings;
  private readonly router: Router;
  private readonly resolver: Resolver;
  private readonly hostKeys: HostKeys;
  private readonly handshakes = new Limiter(handshakesAtOnce);
  private readonly doors = new Map<string, Limiter>();
  private readonly dials = new Limiter(dialsAtOnce);
  private readonly all = new Map<string, Session>();
  private readonly asker: Asker;
  private loading: Promise<{ openLink: typeof openLink; secrets: Secrets }> | null = null;
  private readonly stepTimeoutMs: number;
  private changeTimer: NodeJS.Timeout | null = null;
  private over = false;

  constructor(options: PoolOptions) {
    super();
    this.asker = options.asker;
    this.stepTimeoutMs = options.stepTimeoutMs ?? 20_000;
    this.settings = { ...defaultSettings, ...options.settings };
    this.resolver = new Resolver({ configFile: options.sshConfig, program: options.sshProgram });
    this.router = new Router(this.resolver);
    this.hostKeys = new HostKeys(options.asker, (host, text, level) => this.log(host, text, level));
  }

  async exec(host: HostRef, command: Command, options?: ExecOptions): Promise<ExecResult> {
    return this.with(host, options, (session) => execOn(session, command, options));
  }

  async pty(host: HostRef, command: Command | null, options: PtyOptions): Promise<PtyChannel> {
    return this.with(host, options, (session) => ptyOn(session, command, options));
  }

  async upload(host: HostRef, content: UploadContent, remotePath: string, options?: UploadOptions): Promise<void> {
    return this.with(host, options, (session) => uploadOn(session, content, remotePath, options));
  }

  async forward(host: HostRef, to: ForwardTarget, options?: RequestOptions) {
    return this.with(host, options, (session) => forwardOn(session, to, options));
  }

  sessions(): readonly SessionInfo[] {
    return [...this.all.values()].map((session) => session.info());
  }

  async reconnect(key: string): Promise<void> {
    try {
      await this.all.get(key)?.reconnect();
    } catch (thrown) {
      throw toVirtuError(thrown);
    }
  }

  close(key: string): void {
    // Those that run through it would otherwise open it again at once.
    for (const session of this.all.values()) if (session.runsThrough(key)) session.close();
    this.all.get(key)?.close();
  }

  async forgetHostKeys(knownHostsFile: string, hosts: readonly string[]): Promise<void> {
    const names = new Set<string>();
    for (const host of hosts) {
      const named = parseHostName(host);
      names.add(named.host.toLowerCase());
      const { hostname, hostKeyAlias } = await this.resolver.resolve(named);
      names.add(hostname.toLowerCase());
      if (hostKeyAlias !== null) names.add(hostKeyAlias.toLowerCase());
    }
    for (const [key, session] of this.all) {
      const { jobFile, options } = session.route;
      if (jobFile !== knownHostsFile) continue;
      if (!names.has(options.alias.toLowerCase()) && !names.has(options.hostname.toLowerCase())) continue;
      this.close(key);
    }
    await this.hostKeys.forget(knownHostsFile, [...names]);
  }

  async end(): Promise<void> {
    this.over = true;
    const sessions = [...this.all.values()];
    this.all.clear();
    if (this.changeTimer) clearTimeout(this.changeTimer);
    this.changeTimer = null;
    // A host that does not answer must not keep the program from ending.
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, endWithinMs);
    });
    // Jump hosts last: the others say goodbye through them.
    const carriers = sessions.filter(({ route }) => sessions.some((other) => other.runsThrough(route.key)));
    const rest = sessions.filter((session) => !carriers.includes(session));
    await Promise.race([late, Promise.all(rest.map((session) => session.end()))]);
    await Promise.race([late, Promise.all(carriers.map((session) => session.end()))]);
    clearTimeout(timer);
    for (const session of sessions) session.drop();
  }

  private async with<T>(
    host: HostRef,
    options: RequestOptions | undefined,
    action: (session: Session) => Promise<T>,
  ): Promise<T> {
    try {
      if (this.over || options?.signal?.aborted) throw cancelled();
      const routed = this.router.route(host);
      // ssh2 takes longer to load than a host's options to be told: both at once, for the first host.
      this.protocol().catch(() => undefined);
      const route = await routed;
      return await action(this.session(route));
    } catch (thrown) {
      throw toVirtuError(thrown);
    }
  }

  private session(route: Route): Session {
    if (this.over) throw cancelled();
    let session = this.all.get(route.key);
    if (!session) {
      session = new Session(route, this);
      this.all.set(route.key, session);
      this.changed();
    }
    return session;
  }

  private protocol() {
    this.loading ??= import("./link.ts").then(({ openLink, newSecrets }) => ({ openLink, secrets: newSecrets() }));
    return this.loading;
  }

  /** Opens a connection for a session, through its jump host's session where it has one. */
  async open(route: Route, priority: Priority, signal: AbortSignal): Promise<Link> {
    const leave = await this.door(route).acquire(signal, priority);
    try {
      const transport = await this.transport(route, priority, signal);
      // One that breaks before ssh2 is there to hear of it is found closed.
      transport.stream.on("error", () => {});
      const { openLink, secrets } = await this.protocol();
      return await openLink(transport, {
        host: { label: route.label, options: route.options, jobFile: route.jobFile },
        hostKeys: this.hostKeys,
        secrets,
        asker: this.asker,
        limiter: this.handshakes,
        asked: leave,
        stepTimeoutMs: this.stepTimeoutMs,
        signal,
      });
    } finally {
      leave();
    }
  }

  /** Connections on the way to one SSH server; the ProxyCommands, which may share a gateway, have one door together. */
  private door({ options, via }: Route): Limiter {
    const { hostname, port, proxyCommand } = options;
    const name = proxyCommand === null ? `${hostname}:${port} via ${via?.key}` : "ProxyCommand";
    let door = this.doors.get(name);
    if (!door) {
      door = new Limiter(handshakesAtOnce);
      this.doors.set(name, door);
    }
    return door;
  }

  private async transport(route: Route, priority: Priority, signal: AbortSignal): Promise<Transport> {
    const { options, label, via } = route;
    if (options.proxyCommand !== null) return runProxyCommand(options.proxyCommand);
    if (!via) {
      const release = await this.dials.acquire(signal, priority);
      try {
        return await tcp(label, options, signal);
      } finally {
        release();
      }
    }
    try {
      const to = { host: options.hostname, port: options.port };
      const timeoutMs = options.connectTimeoutMs ?? defaultConnectTimeoutMs;
      const stream = await forwardOn(this.session(via), to, { priority, signal, timeoutMs });
      return { stream, report: async () => null };
    } catch (thrown) {
      const error = toVirtuError(thrown);
      if (error.kind === "cancelled") throw error;
      throw new VirtuError(
        {
          kind: error.kind === "refused" ? "connection" : error.kind,
          what: `The host can't be reached through ${via.label}`,
          where: label,
          why: [error.what, error.why].filter(Boolean).join(": "),
          hint: error.hint,
          detail: error.detail,
        },
        { cause: thrown },
      );
    }
  }

  hurry(route: Route | null): void {
    if (route) this.all.get(route.key)?.hurry();
  }

  changed(): void {
    if (this.changeTimer || this.over) return;
    this.changeTimer = setTimeout(() => {
      this.changeTimer = null;
      this.emit("change");
    }, changeEveryMs);
    this.changeTimer.unref();
  }

  log(host: string, text: string, level: "info" | "warning" | "error"): void {
    this.emit("log", { at: Date.now(), host, text: plainLine(text), level });
  }
}
