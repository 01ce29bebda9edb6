/** Whether a host is who it was: known_hosts files, StrictHostKeyChecking, and the questions in between. */
import { chmod, mkdir, open, readFile, rename, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import type { ServerHostKeyAlgorithm } from "ssh2";
import { VirtuError } from "../errors.ts";
import type { HostOptions } from "./host-options.ts";
import {
  fingerprint,
  hashedHost,
  judge,
  type KnownHostLine,
  keyTypeOf,
  knownTypes,
  lookupName,
  matchesHost,
  parseKnownHosts,
} from "./known-hosts.ts";
import type { Asker } from "./types.ts";

export interface HostIdentity {
  /** As shown: `root@node-1`. */
  label: string;
  options: HostOptions;
  /** A job's own file; then unknown keys are learned without a question. */
  jobFile: string | null;
}

export interface Checked {
  /** ssh uses no password with a host whose key it could not trust. */
  trusted: boolean;
}

async function readLines(file: string): Promise<KnownHostLine[]> {
  try {
    return parseKnownHosts(await readFile(file, "utf8"), file);
  } catch {
    // Missing or unreadable: ssh goes on without it, too.
    return [];
  }
}

export class HostKeys {
  /** Accepted for this run only: lookup name and key. */
  private readonly once = new Set<string>();
  private readonly questions = new Map<string, { answer: Promise<void>; signal: AbortSignal }>();
  private writing: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly asker: Asker,
    private readonly log: (host: string, text: string, level: "info" | "warning") => void,
  ) {}

  private async lines(host: HostIdentity): Promise<KnownHostLine[]> {
    await this.writing;
    const files = host.jobFile
      ? [host.jobFile]
      : [...host.options.userKnownHostsFiles, ...host.options.globalKnownHostsFiles];
    return (await Promise.all(files.map(readLines))).flat();
  }

  /**
   * Algorithms to offer: only those of the types known for the host, in the order in which ssh likes them, or undefined for
   * all. The order matters: Ganeti gives a node the RSA and ECDSA keys of its master, and leaves the Ed25519 key alone.
   */
  async algorithms(host: HostIdentity): Promise<ServerHostKeyAlgorithm[] | undefined> {
    const types = knownTypes(await this.lines(host), nameOf(host.options));
    const offered = Object.entries(algorithmsOf).flatMap(([type, algorithms]) =>
      types.includes(type) ? algorithms : [],
    );
    return offered.length > 0 ? offered : undefined;
  }

  /**
   * Resolves when the key may be used; throws kind `host-key` (refused) or `cancelled`. `key` is the raw public key;
   * `asking` is told before and after a question.
   */
  async check(host: HostIdentity, key: Buffer, signal: AbortSignal, asking: (open: boolean) => void): Promise<Checked> {
    const { options } = host;
    const name = nameOf(options);
    const names =
      options.hostKeyAlias === null && options.port !== 22 ? [name, options.hostname.toLowerCase()] : [name];
    const verdict = judge(await this.lines(host), names, key);
    if (verdict.is === "known" || this.once.has(onceKey(name, key))) return { trusted: true };
    if (verdict.is === "revoked") throw revoked(host, key, verdict.line);
    const strict = host.jobFile ? "accept-new" : options.strictHostKeyChecking;
    if (verdict.is === "changed") {
      if (strict !== "no") throw changed(host, name, key, verdict.line);
      this.log(host.label, "its host key has changed; going on, as StrictHostKeyChecking no says", "warning");
      return { trusted: false };
    }
    if (strict === "yes")
      throw unknown(host, key, "StrictHostKeyChecking yes takes no unknown key", verdict.certAuthority);
    if (strict === "accept-new" || strict === "no") {
      await this.learn(host, name, key);
      return { trusted: true };
    }
    if (options.batchMode) throw unknown(host, key, "BatchMode yes forbids to ask", verdict.certAuthority);
    asking(true);
    await this.ask(host, name, key, verdict.certAuthority, signal);
    asking(false);
    return { trusted: true };
  }

  /** The error for a host that offers no key of the types known for it, or null when none is known. */
  async typeGone(host: HostIdentity): Promise<VirtuError | null> {
    const name = nameOf(host.options);
    const line = (await this.lines(host)).find((known) => known.marker === null && matchesHost(known.hosts, name));
    return line ? changed(host, name, null, line) : null;
  }

  /** One question for each host and key, however many sessions want it at the same time. */
  private async ask(
    host: HostIdentity,
    name: string,
    key: Buffer,
    certAuthority: KnownHostLine | null,
    signal: AbortSignal,
  ): Promise<void> {
    const id = onceKey(name, key);
    let open = this.questions.get(id);
    if (!open) {
      const answer = this.question(host, name, key, certAuthority, signal).finally(() => this.questions.delete(id));
      open = { answer, signal };
      this.questions.set(id, open);
    }
    try {
      await open.answer;
    } catch (thrown) {
      // Withdrawn by the session that asked first: this one still wants to know.
      if (!open.signal.aborted || signal.aborted) throw thrown;
      await this.ask(host, name, key, certAuthority, signal);
    }
  }

  private async question(
    host: HostIdentity,
    name: string,
    key: Buffer,
    certAuthority: KnownHostLine | null,
    signal: AbortSignal,
  ): Promise<void> {
    const answer = await this.asker.hostKey(
      {
        host: name,
        alias: host.options.alias,
        keyType: keyTypeOf(key),
        fingerprint: fingerprint(key),
        knownHostsFile: host.options.userKnownHostsFiles[0] ?? "none",
      },
      signal,
    );
    if (answer === "no") throw unknown(host, key, "nobody said that it is the right one", certAuthority);
    if (answer === "once") this.once.add(onceKey(name, key));
    else await this.learn(host, name, key);
  }

  private async learn(host: HostIdentity, name: string, key: Buffer): Promise<void> {
    const file = host.jobFile ?? host.options.userKnownHostsFiles[0];
    this.once.add(onceKey(name, key));
    if (file === undefined) return;
    const hosts = !host.jobFile && host.options.hashKnownHosts ? hashedHost(name) : name;
    try {
      await this.write(() => append(file, `${hosts} ${keyTypeOf(key)} ${key.toString("base64")}\n`));
      this.log(host.label, `learned its ${keyTypeOf(key)} host key ${fingerprint(key)}`, "info");
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      this.log(host.label, `its host key could not be kept in ${file}: ${why}`, "warning");
    }
  }

  /** Takes the keys of these lookup names (with any port) out of a job's file. */
  async forget(file: string, names: readonly string[]): Promise<void> {
    const bare = names.map((name) => name.toLowerCase());
    for (const id of this.once) {
      const name = id.slice(0, id.indexOf(" "));
      if (bare.includes(withoutPort(name))) this.once.delete(id);
    }
    await this.write(async () => {
      let text: string;
      try {
        text = await readFile(file, "utf8");
      } catch {
        return;
      }
      const lines = text.split("\n");
      const doomed = new Set(
        parseKnownHosts(text, file)
          .filter(({ hosts }) => bare.some((name) => matchesHost(hosts, name) || bareHosts(hosts).includes(name)))
          .map(({ line }) => line - 1),
      );
      if (doomed.size === 0) return;
      const temporary = `${file}.${process.pid}.new`;
      await writeFile(temporary, lines.filter((_line, index) => !doomed.has(index)).join("\n"), { mode: 0o600 });
      await rename(temporary, file);
    });
  }

  /** Writes one after the other; a failed one doesn't stop those behind it. */
  private write(action: () => Promise<void>): Promise<void> {
    const done = this.writing.then(action);
    this.writing = done.catch(() => {});
    return done;
  }
}

function nameOf(options: HostOptions): string {
  return lookupName(options.hostname, options.port, options.hostKeyAlias);
}

function onceKey(name: string, key: Buffer): string {
  return `${name} ${key.toString("base64")}`;
}

function withoutPort(name: string): string {
  return /^\[(.*)\]:\d+$/.exec(name)?.[1] ?? name;
}

function bareHosts(hosts: string): string[] {
  return hosts.toLowerCase().split(",").map(withoutPort);
}

async function append(file: string, line: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const handle = await open(file, "a+", 0o600);
  try {
    const { size } = await handle.stat();
    const last = Buffer.alloc(1);
    // A file edited by hand may lack its last newline.
    const glued = size > 0 && (await handle.read(last, 0, 1, size - 1)).bytesRead === 1 && last[0] !== 0x0a;
    await handle.writeFile(glued ? `\n${line}` : line);
  } finally {
    await handle.close();
  }
  const { mode } = await stat(file);
  if ((await stat(file)).isFile() && (mode & 0o022) !== 0) await chmod(file, 0o600);
}

/** By type of key, the best first. */
const algorithmsOf: Record<string, ServerHostKeyAlgorithm[]> = {
  "ssh-ed25519": ["ssh-ed25519"],
  "ecdsa-sha2-nistp256": ["ecdsa-sha2-nistp256"],
  "ecdsa-sha2-nistp384": ["ecdsa-sha2-nistp384"],
  "ecdsa-sha2-nistp521": ["ecdsa-sha2-nistp521"],
  "ssh-rsa": ["rsa-sha2-512", "rsa-sha2-256"],
};

function unknown(host: HostIdentity, key: Buffer, why: string, authority: KnownHostLine | null): VirtuError {
  const file = host.options.userKnownHostsFiles[0] ?? "known_hosts";
  return new VirtuError({
    kind: "host-key",
    what: "The host's key is not known, and it was not accepted",
    where: host.label,
    why: `${why}; it shows ${keyTypeOf(key)} ${fingerprint(key)}`,
    hint: `Compare that fingerprint with one you trust, then accept it once with "ssh ${host.options.alias}", or add it to ${file}.`,
    detail: authority
      ? `${authority.file}:${authority.line} trusts a certificate authority for this host; host certificates are not supported, add the key itself.`
      : undefined,
  });
}

/** Also for a host that no longer has a key of any known type. `key` is null then. */
function changed(host: HostIdentity, name: string, key: Buffer | null, line: KnownHostLine): VirtuError {
  const known = `${line.keyType} ${fingerprint(Buffer.from(line.key, "base64"))}`;
  const shown = key ? `${keyTypeOf(key)} ${fingerprint(key)}` : "no key of that type any more";
  return new VirtuError({
    kind: "host-key",
    what: "The host's key has changed",
    where: host.label,
    why: "either it was installed again, or somebody sits between you and it",
    hint: `If you know that it was installed again: ssh-keygen -R '${name}' -f ${line.file}`,
    detail: `known: ${known} (${line.file}:${line.line})\nshown: ${shown}`,
  });
}

function revoked(host: HostIdentity, key: Buffer, line: KnownHostLine): VirtuError {
  return new VirtuError({
    kind: "host-key",
    what: "The host's key has been revoked",
    where: host.label,
    why: `${line.file}:${line.line} marks ${keyTypeOf(key)} ${fingerprint(key)} as @revoked`,
    hint: "Don't use this host before its administrator has given it a new key.",
  });
}
