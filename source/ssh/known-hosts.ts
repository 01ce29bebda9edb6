/** The known_hosts format: reading, matching, writing lines. Pure. See the SSH_KNOWN_HOSTS FILE FORMAT part of sshd(8). */
import { createHash, createHmac, randomBytes } from "node:crypto";

export interface KnownHostLine {
  file: string;
  /** Counted from 1. */
  line: number;
  marker: "cert-authority" | "revoked" | null;
  hosts: string;
  keyType: string;
  /** The key, base64. */
  key: string;
}

/** Keys of a file; comments, empty lines and lines that hold no key are left out. */
export function parseKnownHosts(text: string, file: string): KnownHostLine[] {
  const found: KnownHostLine[] = [];
  text.split(/\r?\n/).forEach((source, index) => {
    const words = source.trim().split(/[ \t]+/);
    let marker: KnownHostLine["marker"] = null;
    if (words[0]?.startsWith("@")) {
      const word = words.shift();
      if (word === "@cert-authority") marker = "cert-authority";
      else if (word === "@revoked") marker = "revoked";
      else return;
    }
    const [hosts, keyType, key] = words;
    if (!hosts || hosts.startsWith("#") || !keyType || !key || !/^[A-Za-z0-9+/]+=*$/.test(key)) return;
    found.push({ file, line: index + 1, marker, hosts, keyType, key });
  });
  return found;
}

/** The name under which a host's key is kept: `host`, or `[host]:port` off port 22; an alias stands as it is. */
export function lookupName(host: string, port: number, alias: string | null): string {
  if (alias !== null) return alias.toLowerCase();
  return port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
}

function wildcard(pattern: string, name: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "s").test(name);
}

function hashedMatch(hosts: string, name: string): boolean {
  const [, , salt, hash] = hosts.split("|");
  if (!salt || !hash) return false;
  return createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest("base64") === hash;
}

/** Whether a line's host field covers a name; a negated pattern that fits excludes it whatever else fits. */
export function matchesHost(hosts: string, name: string): boolean {
  if (hosts.startsWith("|1|")) return hashedMatch(hosts, name);
  let matched = false;
  for (const part of hosts.split(",")) {
    const negated = part.startsWith("!");
    const pattern = (negated ? part.slice(1) : part).toLowerCase();
    if (pattern === "" || !wildcard(pattern, name)) continue;
    if (negated) return false;
    matched = true;
  }
  return matched;
}

/** A host field that doesn't show the name. */
export function hashedHost(name: string, salt: Buffer = randomBytes(20)): string {
  const hash = createHmac("sha1", salt).update(name).digest("base64");
  return `|1|${salt.toString("base64")}|${hash}`;
}

/** `SHA256:…` without padding, as `ssh-keygen -l` prints it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}

/** The type that a public key's own bytes name, as `ssh-ed25519`. */
export function keyTypeOf(key: Buffer): string {
  if (key.length < 4) return "unknown";
  return key.subarray(4, 4 + key.readUInt32BE(0)).toString("latin1");
}

export type Verdict =
  | { is: "known" }
  | { is: "revoked"; line: KnownHostLine }
  /** Another key of the same type, or only other types, are known. */
  | { is: "changed"; line: KnownHostLine }
  | { is: "unknown"; certAuthority: KnownHostLine | null };

/** What the lines say about a host that shows this key. `names` from the preferred on; the first one that is known counts. */
export function judge(lines: readonly KnownHostLine[], names: readonly string[], key: Buffer): Verdict {
  const shown = key.toString("base64");
  const type = keyTypeOf(key);
  let certAuthority: KnownHostLine | null = null;
  for (const [index, name] of names.entries()) {
    const own = lines.filter((line) => matchesHost(line.hosts, name));
    const revoked = own.find((line) => line.marker === "revoked" && line.key === shown);
    if (revoked) return { is: "revoked", line: revoked };
    certAuthority ??= own.find((line) => line.marker === "cert-authority") ?? null;
    const plainLines = own.filter((line) => line.marker === null);
    if (plainLines.some((line) => line.key === shown)) return { is: "known" };
    // Only the preferred name can contradict: a host may well have another server on another port.
    const other = plainLines.find((line) => line.keyType === type) ?? plainLines[0];
    if (index === 0 && other) return { is: "changed", line: other };
  }
  return { is: "unknown", certAuthority };
}

/** Key types known for a host, in the order of the file. */
export function knownTypes(lines: readonly KnownHostLine[], name: string): string[] {
  const own = lines.filter((line) => line.marker === null && matchesHost(line.hosts, name));
  return [...new Set(own.map((line) => line.keyType))];
}
