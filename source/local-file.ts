/** Files of this machine that the user names: what a typed path means, and how something is written there, whole or not at all. */
import { randomBytes } from "node:crypto";
import type { Stats } from "node:fs";
import { link, open, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { type ErrorKind, reasonOf, VirtuError } from "./errors.ts";

/** The absolute path of what a user typed; `~` is his home. */
export function localPath(typed: string): string {
  return path.resolve(typed.replace(/^~(?=\/|$)/, os.homedir()));
}

export interface WriteOptions {
  /** What it is, at the start of a sentence: `The plan`. */
  what?: string;
  /** Whether what is there may be lost. */
  over?: boolean;
  /** Permissions of a new file, less the umask; one that is written over keeps its own. Default: as the umask says. */
  mode?: number;
  /** `usage` where nothing else was done before. Default: `failed`. */
  kind?: ErrorKind;
}

/** There is a file of that name already, and nobody has said that it may be written over. */
export class FileTaken extends VirtuError {
  constructor(kind: ErrorKind, what: string, file: string) {
    super({
      kind,
      what: `${what} can't be written`,
      where: file,
      why: "there is one of that name already",
      hint: "Choose another name, or remove it first.",
    });
  }
}

/**
 * Writes a file and gives its whole path. It appears under its name when all of it is on the disk: a full disk or a crash
 * leaves what was there before. Rejects with a `FileTaken` when there is one and `over` is not set, else with a `VirtuError`
 * that says why and what to do.
 */
export async function writeLocal(
  typed: string,
  content: string | Uint8Array,
  { what = "The file", over = false, mode = 0o666, kind = "failed" }: WriteOptions = {},
): Promise<string> {
  const file = localPath(typed);
  try {
    const there = await statOf(file);
    if (typed.endsWith("/") || there?.isDirectory()) throw failing("EISDIR");
    // A device or a pipe holds nothing that could be lost, and must not be replaced by a file.
    if (there !== null && !there.isFile()) await writeFile(file, content);
    else if (there !== null && !over) throw failing("EEXIST");
    // What a symbolic link stands for is written, not the link.
    else if (there !== null) await writeWhole(await realpath(file), content, there.mode & 0o777, true);
    else await writeWhole(file, content, mode, false);
    return file;
  } catch (thrown) {
    const { code = "" } = thrown as NodeJS.ErrnoException;
    if (code === "EEXIST") throw new FileTaken(kind, what, file);
    const why = code === "ENOENT" ? `there is no directory ${path.dirname(file)}` : reasonOf(thrown);
    const facts = { kind, what: `${what} can't be written`, where: file, why, hint: hints[code] };
    throw new VirtuError(facts, { cause: thrown });
  }
}

const failing = (code: string): Error => Object.assign(new Error(code), { code });

async function statOf(file: string): Promise<Stats | null> {
  try {
    return await stat(file);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw thrown;
  }
}

async function writeWhole(file: string, content: string | Uint8Array, mode: number, over: boolean): Promise<void> {
  const fresh = path.join(path.dirname(file), `.virtu-${randomBytes(6).toString("hex")}`);
  try {
    const handle = await open(fresh, "wx", mode);
    try {
      if (over) await handle.chmod(mode);
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (over) await rename(fresh, file);
    else await give(fresh, file);
  } finally {
    // Gone already after a rename; after a link it is a second name.
    await rm(fresh, { force: true }).catch(() => {});
  }
}

/** Gives a file its name, which nobody else may have taken in the meantime. */
async function give(fresh: string, file: string): Promise<void> {
  try {
    await link(fresh, file);
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    // FAT and some network file systems know no second name.
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(code ?? "")) throw thrown;
    if ((await statOf(file)) !== null) throw failing("EEXIST");
    await rename(fresh, file);
  }
}

const elsewhere = "Choose another place.";
const room = "Make room there, or choose another place.";

/** What to do, by the system's code. */
const hints: Readonly<Record<string, string>> = {
  ENOENT: "Make it first, or choose another place.",
  EISDIR: "Add the file's name.",
  ...{ ENOSPC: room, EDQUOT: room },
  ...{ EACCES: elsewhere, EPERM: elsewhere, EROFS: elsewhere, ENOTDIR: elsewhere },
};
