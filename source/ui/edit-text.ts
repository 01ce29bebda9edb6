/** A text in the user's own editor, as git does it: VISUAL or EDITOR on a file that nobody else can read. */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { VirtuError } from "../errors.ts";

/** The command of the user's editor; it may hold options: `code --wait`. */
export function editorOf(env: NodeJS.ProcessEnv): string {
  return env["VISUAL"] || env["EDITOR"] || "vi";
}

/**
 * Opens the text in the editor on this terminal and gives what was saved. `name` is what the file is called, so that the
 * editor knows the language. Rejects when the editor can't be started or ended with an error: nothing is taken then. The
 * file is 0600 in a directory of its own, and removed in any case.
 */
export async function editText(text: string, name: string, env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const editor = editorOf(env);
  const directory = await mkdtemp(path.join(tmpdir(), "virtu-edit-"));
  try {
    const file = path.join(directory, path.basename(name));
    await writeFile(file, text, { mode: 0o600 });
    await runEditor(editor, file, env);
    return await readFile(file, "utf8");
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function runEditor(editor: string, file: string, env: NodeJS.ProcessEnv): Promise<void> {
  return new Promise((resolve, reject) => {
    const refused = (why: string) =>
      reject(
        new VirtuError({
          kind: "failed",
          what: "The editor gave nothing back",
          why: `${why} (${editor})`,
          hint: "Set EDITOR or VISUAL to one that is installed here; nothing was changed.",
        }),
      );
    // By a shell, because the variable may hold options; the file is an argument of its own.
    const child = spawn("sh", ["-c", `${editor} "$1"`, "sh", file], { stdio: "inherit", env });
    child.on("error", ({ message }) => refused(message));
    child.on("close", (status, signal) => {
      if (status === 0) resolve();
      else refused(signal ? `it was ended by ${signal}` : `it ended with status ${status}`);
    });
  });
}
