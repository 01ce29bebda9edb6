/** Key pairs made for a job, and what secrets of a configuration are kept here and how. */
import { generateKeyPairSync, randomBytes, randomInt, scryptSync } from "node:crypto";
import { mkdir, open, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { reasonOf, VirtuError } from "../errors.ts";
import { localPath } from "../local-file.ts";
import { parsePublicKey } from "../tools/public-key.ts";
import { keyPairSecret } from "./configure-types.ts";
import type { Context } from "./types.ts";

export interface KeyPair {
  /** `ssh-ed25519 AAAA… comment`. */
  publicKey: string;
  /** OpenSSH's format; a secret. */
  privateKey: string;
}

const lengthAndBytes = (bytes: Buffer) => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};
const word = (text: string) => lengthAndBytes(Buffer.from(text));

/** A new ed25519 pair in OpenSSH's format (PROTOCOL.key of its sources), without a passphrase. */
export function makeKeyPair(comment: string): KeyPair {
  const { privateKey } = generateKeyPairSync("ed25519");
  const { d = "", x = "" } = privateKey.export({ format: "jwk" });
  const [seed, point] = [Buffer.from(d, "base64url"), Buffer.from(x, "base64url")];
  const publicBody = Buffer.concat([word("ssh-ed25519"), lengthAndBytes(point)]);
  const check = randomBytes(4);
  const inner = Buffer.concat([check, check, publicBody, lengthAndBytes(Buffer.concat([seed, point])), word(comment)]);
  // Padding 1, 2, 3… up to a multiple of the cipher's block, 8 without one.
  const padding = Buffer.from(Array.from({ length: (8 - (inner.length % 8)) % 8 }, (_, index) => index + 1));
  const one = Buffer.from([0, 0, 0, 1]);
  const whole = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    word("none"),
    word("none"),
    word(""),
    one,
    lengthAndBytes(publicBody),
    lengthAndBytes(Buffer.concat([inner, padding])),
  ]);
  const lines = whole.toString("base64").match(/.{1,70}/g) ?? [];
  return {
    publicKey: `ssh-ed25519 ${publicBody.toString("base64")} ${comment}`,
    privateKey: `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.join("\n")}\n-----END OPENSSH PRIVATE KEY-----\n`,
  };
}

/** Directory of a job's own files, or of hosts that belong to none. */
export function keyDirectory(context: Pick<Context, "stateDir">, site: string | null, jobId: number | null): string {
  if (site === null || jobId === null) return path.join(context.stateDir, "hosts");
  const name = encodeURIComponent(site).replace(/^\.+$/, (dots) => dots.replaceAll(".", "%2E"));
  return path.join(context.stateDir, "jobs", name, String(jobId));
}

/** The pair of a job, made when it is asked for the first time; its private half is readable by the user alone. */
export async function jobKeyPair(
  context: Pick<Context, "stateDir">,
  site: string | null,
  jobId: number | null,
): Promise<KeyPair> {
  const directory = keyDirectory(context, site, jobId);
  const file = path.join(directory, "id_ed25519");
  const read = async () => ({
    publicKey: (await readFile(`${file}.pub`, "utf8")).trim(),
    privateKey: await readFile(file, "utf8"),
  });
  try {
    return await read();
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "ENOENT") throw unreadable(file, thrown);
  }
  const pair = makeKeyPair(jobId === null ? "virtu" : `virtu-${site}-${jobId}`);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const fresh = `${file}.${process.pid}`;
  await writeFile(fresh, pair.privateKey, { mode: 0o600 });
  await writeFile(`${file}.pub`, `${pair.publicKey}\n`);
  await rename(fresh, file);
  return pair;
}

const unreadable = (file: string, thrown: unknown) =>
  new VirtuError({ kind: "usage", what: "This key can't be read", where: file, why: reasonOf(thrown) });

/** The user's own private key, with its public half from the `.pub` beside it. Only for who asked for it by name. */
export async function ownPrivateKey(file: string): Promise<KeyPair & { fileName: string }> {
  const local = localPath(file);
  const refuse = (why: string, hint: string) =>
    new VirtuError({ kind: "usage", what: "This key can't be copied", where: file, why, hint });
  let privateKey: string;
  try {
    privateKey = await readFile(local, "utf8");
  } catch (thrown) {
    throw unreadable(file, thrown);
  }
  if (!/^-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(privateKey)) {
    throw refuse("it is no private key", "Name the private half, like ~/.ssh/id_ed25519.");
  }
  const publicKey = await readFile(`${local}.pub`, "utf8").catch(() => "");
  if (!parsePublicKey(publicKey)) {
    throw refuse(`there is no public half beside it (${file}.pub)`, "Make it with ssh-keygen -y.");
  }
  return { privateKey, publicKey: publicKey.trim(), fileName: path.basename(local) };
}

/**
 * A few letters that say whether two passwords are the same one, of use only here: they are made with a key that stays in
 * the state directory, and are too few to find the password by.
 */
export async function passwordMark(context: Pick<Context, "stateDir">, password: string): Promise<string> {
  const file = path.join(context.stateDir, "mark-key");
  let key = await readFile(file).catch(() => null);
  if (key === null) {
    key = randomBytes(32);
    const handle = await open(file, "w", 0o600);
    await handle.writeFile(key).finally(() => handle.close());
  }
  return scryptSync(password, key, 3).toString("hex");
}

// Without letters and digits that read alike.
const letters = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789";

/** A password of 20 letters and digits in groups, 116 bits, that can be read out and typed. */
export function makePassword(): string {
  const group = () => Array.from({ length: 5 }, () => letters[randomInt(letters.length)]).join("");
  return [group(), group(), group(), group()].join("-");
}

/** Mark of a password that virtu made: whichever it was, it is in force until somebody changes it. */
export const generatedMark = "generated";

/** A secret that is kept here for a job, so that nobody is asked for it when a run is resumed; null: not one of these. */
export async function keptSecret(
  context: Pick<Context, "stateDir">,
  of: { site: string | null; jobId: number | null },
  name: string,
): Promise<string | null> {
  return name === keyPairSecret ? (await jobKeyPair(context, of.site, of.jobId)).privateKey : null;
}
