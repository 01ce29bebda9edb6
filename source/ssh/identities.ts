/** The keys that may prove who we are: those of the agent and those in files, in the order ssh tries them. */
import { readFile } from "node:fs/promises";
import os from "node:os";
import ssh2, { type IdentityCallback, type ParsedKey, type SignCallback, type SigningRequestOptions } from "ssh2";
import type { HostOptions } from "./host-options.ts";

const { BaseAgent, OpenSSHAgent, utils } = ssh2;

/** Where a key is, and how to sign with it. */
export interface Identity {
  /** As shown in an error: `agent` or `~/.ssh/id_ed25519`. */
  name: string;
  publicKey: ParsedKey;
  /** Called only when the host would take the key. Rejects when it can't be unlocked. */
  sign(data: Buffer, hash: string | undefined): Promise<Buffer>;
}

export interface Identities {
  list: Identity[];
  /** What could not be used, with the reason, one clause each. */
  notes: string[];
}

/** Asks for the passphrase of a key file; null when none is given. */
export type AskPassphrase = (file: string, failures: number) => Promise<string | null>;

function shortPath(file: string): string {
  const home = os.homedir();
  return file.startsWith(`${home}/`) ? `~${file.slice(home.length)}` : file;
}

function parse(data: Buffer | string, passphrase?: string): ParsedKey | Error {
  const parsed: unknown = utils.parseKey(data, passphrase);
  // Files of several keys give a list.
  const first: unknown = Array.isArray(parsed) ? parsed[0] : parsed;
  return first as ParsedKey | Error;
}

/** The public key that a locked file in OpenSSH's own format shows without its passphrase, or null. */
export function publicPartOf(text: string): ParsedKey | null {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]*?)-----END/.exec(text)?.[1];
  if (body === undefined) return null;
  const data = Buffer.from(body, "base64");
  let at = "openssh-key-v1\0".length;
  try {
    const next = () => {
      const length = data.readUInt32BE(at);
      const value = data.subarray(at + 4, at + 4 + length);
      at += 4 + length;
      return value;
    };
    // Cipher, key derivation and its options come first, then the number of keys.
    next();
    next();
    next();
    at += 4;
    const key = parse(next());
    return key instanceof Error ? null : key;
  } catch {
    return null;
  }
}

/** Unlocked key files of this process, so that each passphrase is asked once. Nothing of it leaves memory. */
export class KeyFiles {
  private readonly unlocked = new Map<string, ParsedKey>();
  private readonly asking = new Map<string, Promise<ParsedKey>>();

  /** A file as an identity, null when there is no such file, or the reason why it is of no use. */
  async identity(file: string, ask: AskPassphrase): Promise<Identity | string | null> {
    const name = shortPath(file);
    const done = this.unlocked.get(file);
    if (done) return { name, publicKey: done, sign: async (data, hash) => signed(done, data, hash) };
    let text: string;
    try {
      text = await readFile(file, "utf8");
    } catch (thrown) {
      const { code, message } = thrown as NodeJS.ErrnoException;
      return code === "ENOENT" || code === "ENOTDIR" ? null : `${name} can't be read (${message})`;
    }
    const key = parse(text);
    if (!(key instanceof Error)) {
      if (!key.isPrivateKey()) return { name, publicKey: key, sign: () => Promise.reject(new Error("no private key")) };
      return { name, publicKey: key, sign: async (data, hash) => signed(key, data, hash) };
    }
    if (!/encrypted/i.test(key.message)) return `${name} is a key that can't be used (${key.message})`;
    const publicKey = publicPartOf(text) ?? (await publicFile(file));
    const unlock = () => this.unlock(file, text, ask);
    // Older formats hide the public part: without a .pub file only the passphrase shows it.
    if (!publicKey) {
      try {
        const opened = await unlock();
        return { name, publicKey: opened, sign: async (data, hash) => signed(opened, data, hash) };
      } catch (thrown) {
        return `${name}: ${(thrown as Error).message}`;
      }
    }
    return { name, publicKey, sign: async (data, hash) => signed(await unlock(), data, hash) };
  }

  private unlock(file: string, text: string, ask: AskPassphrase): Promise<ParsedKey> {
    const done = this.unlocked.get(file);
    if (done) return Promise.resolve(done);
    let running = this.asking.get(file);
    if (!running) {
      running = this.askFor(file, text, ask).finally(() => this.asking.delete(file));
      this.asking.set(file, running);
    }
    return running;
  }

  private async askFor(file: string, text: string, ask: AskPassphrase): Promise<ParsedKey> {
    for (let failures = 0; failures < 3; failures += 1) {
      const passphrase = await ask(file, failures);
      if (passphrase === null) throw new Error("it is locked, and no passphrase was given");
      const key = parse(text, passphrase);
      if (!(key instanceof Error)) {
        this.unlocked.set(file, key);
        return key;
      }
    }
    throw new Error("three wrong passphrases");
  }
}

async function publicFile(file: string): Promise<ParsedKey | null> {
  try {
    const key = parse(await readFile(`${file}.pub`, "utf8"));
    return key instanceof Error ? null : key;
  } catch {
    return null;
  }
}

function signed(key: ParsedKey, data: Buffer, hash: string | undefined): Buffer {
  const signature: unknown = key.sign(data, hash);
  if (signature instanceof Error) throw signature;
  return signature as Buffer;
}

function agentIdentities(socket: string): Promise<Identity[]> {
  const agent = new OpenSSHAgent(socket);
  return new Promise((resolve, reject) => {
    agent.getIdentities((error, keys) => {
      if (error) return reject(error);
      const list = ((keys ?? []) as ParsedKey[]).map(
        (publicKey): Identity => ({
          name: "agent",
          publicKey,
          sign: (data, hash) =>
            new Promise((done, fail) => {
              const options = { hash: hash as SigningRequestOptions["hash"] };
              agent.sign(publicKey, data, options, (failure, signature) => {
                if (failure || !signature) fail(failure ?? new Error("the agent gave no signature"));
                else done(signature);
              });
            }),
        }),
      );
      resolve(list);
    });
  });
}

/**
 * Keys in ssh's order: those of the agent that are configured, the agent's others (not with IdentitiesOnly), then the
 * files. An agent's key that is also in a file is tried once.
 */
export async function identitiesOf(options: HostOptions, files: KeyFiles, ask: AskPassphrase): Promise<Identities> {
  const notes: string[] = [];
  let held: Identity[] = [];
  if (options.identityAgent !== null) {
    try {
      held = await agentIdentities(options.identityAgent);
      if (held.length === 0) notes.push("the agent holds no key");
    } catch (thrown) {
      notes.push(`the agent can't be reached (${(thrown as Error).message})`);
    }
  }
  const configured: Identity[] = [];
  for (const file of options.identityFiles) {
    const found = await files.identity(file, ask);
    if (typeof found === "string") notes.push(found);
    else if (found) configured.push(found);
    else {
      // The private half may be in the agent only.
      const publicKey = await publicFile(file);
      if (publicKey)
        configured.push({ name: shortPath(file), publicKey, sign: () => Promise.reject(new Error("no private key")) });
    }
  }
  const same = (one: Identity, other: Identity) => one.publicKey.getPublicSSH().equals(other.publicKey.getPublicSSH());
  const preferred = configured.flatMap((identity) => held.find((other) => same(identity, other)) ?? []);
  const others = options.identitiesOnly ? [] : held.filter((identity) => !preferred.includes(identity));
  const rest = configured.filter((identity) => !held.some((other) => same(identity, other)));
  return { list: [...preferred, ...others, ...rest], notes };
}

/** All identities as one agent for ssh2, which asks for a signature only when the host would take the key. */
export class Ring extends BaseAgent<ParsedKey> {
  /** Reasons why a key that the host would have taken could not sign. */
  readonly failures: string[] = [];
  /** A key was taken and has signed. */
  signed = false;

  constructor(private readonly identities: readonly Identity[]) {
    super();
  }

  override getIdentities(callback: IdentityCallback<ParsedKey>): void {
    callback(
      undefined,
      this.identities.map((identity) => identity.publicKey),
    );
  }

  override sign(
    publicKey: ParsedKey | Buffer | string,
    data: Buffer,
    options: SigningRequestOptions | SignCallback,
    callback?: SignCallback,
  ): void {
    const done = typeof options === "function" ? options : callback;
    const hash = typeof options === "function" ? undefined : options.hash;
    const wanted = parse(publicKey as Buffer);
    const identity = wanted instanceof Error ? undefined : this.identities.find((own) => own.publicKey.equals(wanted));
    if (!identity) {
      done?.(new Error("no such key"));
      return;
    }
    identity.sign(data, hash).then(
      (signature) => {
        this.signed = true;
        done?.(undefined, signature);
      },
      (thrown: Error) => {
        this.failures.push(`${identity.name}: ${thrown.message}`);
        done?.(thrown);
      },
    );
  }
}
