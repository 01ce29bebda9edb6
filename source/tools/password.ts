/** Root's password. It comes by standard input only, and no digest of it is written anywhere but in /etc/shadow. */
import { type Command, sh } from "../ssh/command.ts";
import { nodeDirectory } from "./own-file.ts";

// What root's line in /etc/shadow was after virtu set it, as a digest: tells whether it is still that one.
const line = sh`grep '^root:' /etc/shadow | sha256sum | cut -d ' ' -f 1`;
const file = `${nodeDirectory}/root-password`;

/**
 * Ends 0 if virtu set this password before and nobody changed it since.
 * @param mark A few letters by which the password is known again, not a digest of it.
 */
export function passwordCheck(mark: string): Command {
  return sh`[ "$(cat ${file} 2> /dev/null)" = ${mark}" $(${line})" ] || exit 1`;
}

export function passwordScript(mark: string): Command {
  return sh`umask 077
password=$(cat)
if [ -z "$password" ]; then echo 'no password came' >&2; exit 1; fi
printf 'root:%s\\n' "$password" | chpasswd || exit 1
mkdir -p ${nodeDirectory} && printf '%s %s\\n' ${mark} "$(${line})" > ${file}`;
}

/** How hard a password is to guess, in a word for the user, with what is wrong with it. Rough: it knows no dictionary. */
export function passwordStrength(password: string): { level: "weak" | "fair" | "good"; hint: string | null } {
  const kinds = [/[a-z]/, /[A-Z]/, /[0-9]/, /[^A-Za-z0-9]/].filter((kind) => kind.test(password)).length;
  const different = new Set(password).size;
  if (/^(?:grid5000|root|toor|password|passw0rd|secret|admin|debian|virtu|123456\d*)$/i.test(password)) {
    return { level: "weak", hint: "everybody tries this one first" };
  }
  if (password.length < 8) return { level: "weak", hint: "shorter than 8 characters" };
  if (different < 5) return { level: "weak", hint: "only a few different characters" };
  if (password.length >= 16 || (password.length >= 12 && kinds >= 3)) return { level: "good", hint: null };
  return { level: "fair", hint: "longer is better: 12 characters of several kinds, or 16 of any" };
}

/** Why a password can't be set, or null. */
export function passwordRefusal(password: string): string | null {
  if (password === "") return "it is empty";
  // chpasswd reads one line each; the rest of a longer one would be taken for another account.
  if (/[\n\r\0]/.test(password)) return "it holds a line break";
  if (password.length > 200) return "it is longer than 200 characters";
  return null;
}
