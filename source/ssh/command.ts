/**
 * The only way to a shell line. A command is written as a template: its literal parts are ours and trusted, every
 * interpolated value is quoted as one word (an array as several), and another command is inserted as it stands.
 *
 * ```ts
 * sh`oarstat -f -J -j ${id}`.line        // oarstat -f -J -j 1874
 * sh`virsh start ${"a'b"}`.line          // virsh start 'a'\''b'
 * sh`cd ${dir} && ${sh`ls ${files}`}`.line
 * ```
 */

const bare = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** A word as POSIX `sh` reads it back unchanged. NUL can't be carried by a command line and is refused. */
export function quote(word: string): string {
  if (word.includes("\0")) throw new RangeError("a command's word can't hold a NUL character");
  // `=` is left bare for readability, but a leading assignment would change what the line means.
  if (bare.test(word) && !/^[A-Za-z_][A-Za-z0-9_]*=/.test(word)) return word;
  return `'${word.replaceAll("'", "'\\''")}'`;
}

export class Command {
  /** Made by `sh` only, so that no pasted string becomes a line. */
  constructor(readonly line: string) {}
  toString(): string {
    return this.line;
  }
}

export type Interpolation = string | number | Command | readonly (string | number | Command)[];

function insert(value: Interpolation): string {
  if (value instanceof Command) return value.line;
  if (Array.isArray(value)) return value.map((item) => insert(item as Interpolation)).join(" ");
  return quote(String(value));
}

export function sh(parts: TemplateStringsArray, ...values: Interpolation[]): Command {
  let line = parts[0] ?? "";
  values.forEach((value, index) => {
    line += insert(value) + (parts[index + 1] ?? "");
  });
  return new Command(line);
}

/** A line that the user typed for a shell of theirs (`virtu exec -- COMMAND`): passed on as it is. */
export function userLine(line: string): Command {
  return new Command(line);
}
