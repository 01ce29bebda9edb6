/** The public key that is put on the nodes. */
import { readFile } from "node:fs/promises";
import { toVirtuError, VirtuError } from "../errors.ts";
import { localPath } from "../local-file.ts";

const keyType = /(?:^|\s)(?:ssh-(?:rsa|ed25519|dss)|ecdsa-sha2-\S+|sk-(?:ssh|ecdsa)-\S+) AAAA[A-Za-z0-9+/]+=*(?:\s|$)/;

/** Reads a local file of public keys. A private key never leaves this machine: it is refused, with an explanation. */
export async function readPublicKey(file: string): Promise<string> {
  const refuse = (why: string, hint: string) =>
    new VirtuError({ kind: "usage", what: "This key can't be installed on the nodes", where: file, why, hint });
  let text: string;
  try {
    text = await readFile(localPath(file), "utf8");
  } catch (thrown) {
    throw refuse(
      `it can't be read: ${toVirtuError(thrown).why}`,
      "Name a file of public keys, like ~/.ssh/id_ed25519.pub.",
    );
  }
  if (/PRIVATE KEY-----|^PuTTY-User-Key-File/m.test(text)) {
    throw refuse(
      "it is a private key, which belongs on no other machine",
      `Name its public half${/\.pub$/.test(file) ? "" : `, likely ${file}.pub`}.`,
    );
  }
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "" && !line.startsWith("#"));
  const strange = lines.findIndex((line) => !keyType.test(line));
  if (lines.length === 0) throw refuse("it holds no key", "Name a file of public keys, like ~/.ssh/id_ed25519.pub.");
  if (strange >= 0) {
    throw refuse(
      `line ${strange + 1} is no public key`,
      "Each line is a key as ssh-keygen writes it: `ssh-ed25519 AAAA… you@here`.",
    );
  }
  return `${lines.join("\n")}\n`;
}

/** The keys of such a file, one each. */
export function publicKeyLines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}
