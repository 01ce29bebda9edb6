/** Public keys as OpenSSH writes them, a line each. */

/** The part of a public key by which it is known: base64, without options, type and comment; null: no public key. */
export function parsePublicKey(line: string): string | null {
  return /(?:^|\s)(?:ssh-[a-z0-9-]+|ecdsa-sha2-\S+|sk-\S+) (AAAA[A-Za-z0-9+/]+=*)(?:\s|$)/.exec(line)?.[1] ?? null;
}
