/** SSH keys on a node: who is let in, its own pair, whom it knows. */
import { type Command, sh } from "../ssh/command.ts";
import type { Block } from "./marked-block.ts";
import { parsePublicKey } from "./public-key.ts";

const rootSsh = "/root/.ssh";

/** Ends 0 if every key is let in already. */
export function letInCheck(keys: readonly string[], directory = rootSsh): Command {
  const file = `${directory}/authorized_keys`;
  const tests = keys.map(
    (key) => sh`grep -v '^#' ${file} 2> /dev/null | grep -qF ${parsePublicKey(key) ?? key} || exit 1
`,
  );
  return sh`${tests}true`;
}

/** Adds the keys that are missing; all other lines stay as they are. */
export function letInScript(keys: readonly string[], directory = rootSsh): Command {
  const file = `${directory}/authorized_keys`;
  const adds = keys.map(
    (key) => sh`
grep -v '^#' ${file} | grep -qF ${parsePublicKey(key) ?? key} || printf '%s\\n' ${key} >> ${file} || exit 1`,
  );
  return sh`mkdir -p ${directory} && chmod 700 ${directory} && touch ${file} && chmod 600 ${file} || exit 1
if [ -s ${file} ] && [ -n "$(tail -c 1 ${file})" ]; then echo >> ${file}; fi${adds}`;
}

/** Ends 0 if the private key of this public one is there. */
export function pairCheck(publicKey: string, fileName: string, directory = rootSsh): Command {
  const file = `${directory}/${fileName}`;
  return sh`[ -s ${file} ] && grep -qF ${parsePublicKey(publicKey) ?? publicKey} ${`${file}.pub`} 2> /dev/null || exit 1`;
}

/**
 * Takes a private key from standard input. One that is there under this name and is another one is never written over.
 */
export function pairScript(publicKey: string, fileName: string, directory = rootSsh): Command {
  const file = `${directory}/${fileName}`;
  const fresh = `${file}.virtu-new`;
  return sh`umask 077
mkdir -p ${directory} && chmod 700 ${directory} || exit 1
if [ -s ${file} ] && ! grep -qF ${parsePublicKey(publicKey) ?? publicKey} ${`${file}.pub`} 2> /dev/null; then
  echo ${`${file} is another key and stays as it is`} >&2; exit 1
fi
cat > ${fresh} || exit 1
if [ ! -s ${fresh} ]; then rm -f ${fresh}; echo 'no key came' >&2; exit 1; fi
chmod 600 ${fresh} && mv -f ${fresh} ${file} && printf '%s\\n' ${publicKey} > ${`${file}.pub`} && chmod 644 ${`${file}.pub`}`;
}

/** Removes a pair that `pairScript` wrote. */
export function pairUndo(publicKey: string, fileName: string, directory = rootSsh): Command {
  const file = `${directory}/${fileName}`;
  return sh`if grep -qF ${parsePublicKey(publicKey) ?? publicKey} ${`${file}.pub`} 2> /dev/null; then rm -f ${file} ${`${file}.pub`}; fi`;
}

export interface KnownHost {
  names: readonly string[];
  /** `ssh-ed25519 AAAA…`. */
  keys: readonly string[];
}

/**
 * The nodes' host keys for all users of a node. Only ed25519 where there is one: Ganeti gives all nodes of a cluster one RSA
 * and one ECDSA host key, so those of today would not hold.
 */
export function knownHostsBlock(hosts: readonly KnownHost[], file = "/etc/ssh/ssh_known_hosts"): Block {
  const lines = hosts.flatMap(({ names, keys }) => {
    const lasting = keys.filter((key) => key.startsWith("ssh-ed25519 "));
    return (lasting.length > 0 ? lasting : keys).map((key) => `${names.join(",")} ${key}`);
  });
  return { file, name: "nodes", mode: "644", lines };
}
