/** Redirections: descriptors put elsewhere for one command, or for good. */
import { FileError, resolvePath } from "../machine/files.ts";
import { makePipe } from "../machine/open-file.ts";
import { expandText } from "./expand.ts";
import type { Shell } from "./shell.ts";
import type { Redirection } from "./tree.ts";

/** Runs with redirections in force, then puts the descriptors back. False when one could not be opened. */
export async function redirected(
  shell: Shell,
  redirections: readonly Redirection[],
  run: () => Promise<void>,
): Promise<boolean> {
  const { process } = shell;
  if (redirections.length === 0) {
    await run();
    return true;
  }
  const saved = process.files;
  process.files = process.dupFiles();
  const { files } = process;
  try {
    for (const redirection of redirections) {
      if (await redirect(shell, redirection)) continue;
      shell.status = 2;
      return false;
    }
    await run();
    return true;
  } finally {
    if (process.files === files) {
      for (const file of files.values()) file.close();
      process.files = saved;
    } else for (const file of saved.values()) file.close();
  }
}

/** Puts one redirection in force for good: what `exec > file` does. False, and said, when it can't be. */
export async function redirect(shell: Shell, { descriptor, operator, target }: Redirection): Promise<boolean> {
  const { process } = shell;
  const text = await expandText(shell, target);
  if (operator === "here") {
    const { reader, writer } = makePipe();
    // Nobody waits for it: the text stays in the pipe until it is read.
    void writer.write(text).catch(() => {});
    writer.close();
    process.setFile(descriptor, reader);
    return true;
  }
  if (operator === ">&" || operator === "<&") {
    if (text === "-") {
      process.files.get(descriptor)?.close();
      process.files.delete(descriptor);
      return true;
    }
    const file = process.files.get(Number(text));
    if (!file) {
      await shell.error(`${text}: Bad file descriptor`);
      return false;
    }
    process.setFile(descriptor, file.dup());
    return true;
  }
  try {
    const how = operator === "<" ? "read" : operator === ">>" ? "append" : "write";
    // `set -C`: what is there is not written over.
    if (operator === ">" && shell.state.options.has("C")) {
      if (process.machine.files.find(resolvePath(process.directory, text))?.kind === "file") {
        await shell.error(`cannot create ${text}: File exists`);
        return false;
      }
    }
    process.setFile(descriptor, process.open(text, how));
    return true;
  } catch (thrown) {
    if (!(thrown instanceof FileError)) throw thrown;
    const reason = thrown.message.replace(
      /^No such file or directory$/,
      operator === "<" ? "No such file" : "Directory nonexistent",
    );
    await shell.error(`cannot ${operator === "<" ? "open" : "create"} ${text}: ${reason}`);
    return false;
  }
}
