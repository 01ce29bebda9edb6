/** Keys of one run: nothing here is ever used twice. */
import { createHash } from "node:crypto";
import ssh2 from "ssh2";

export interface KeyPair {
  /** OpenSSH format. */
  private: string;
  /** `ssh-ed25519 AAAA… comment`. */
  public: string;
}

export function newKey(comment: string): KeyPair {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync("ed25519", { comment });
    // About one in four hundred that ssh2 makes is malformed.
    if (!(ssh2.utils.parseKey(pair.private) instanceof Error)) return pair;
  }
}

/** `SHA256:…`, as `ssh-keygen -l` prints it. */
export function fingerprint(publicKey: string): string {
  const blob = Buffer.from(publicKey.split(" ")[1] ?? "", "base64");
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}

/** Whether a key that a client shows stands in an authorized_keys text. */
export function isAuthorized(authorized: string, algorithm: string, blob: Buffer): boolean {
  const encoded = blob.toString("base64");
  return authorized.split("\n").some((line) => {
    const words = line.trim().split(/\s+/);
    return words[0] === algorithm && words[1] === encoded;
  });
}
