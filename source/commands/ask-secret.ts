/** Secrets from the terminal, without showing them, or from standard input. */
import { plainLine } from "../text.ts";

const codes = { interrupt: 3, end: 4, backspace: 8, delete: 127, clear: 21 };

/** null: there is no terminal, the signal came first, or nothing was typed. */
export async function askSecret(name: string, signal: AbortSignal): Promise<string | null> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY || !stderr.isTTY || signal.aborted) return null;
  stderr.write(`${plainLine(name)}: `);
  stdin.setRawMode(true);
  stdin.resume();
  let typed = "";
  let onData: (chunk: Buffer) => void = () => undefined;
  let onAbort: () => void = () => undefined;
  try {
    return await new Promise<string | null>((resolve) => {
      onAbort = () => resolve(null);
      onData = (chunk) => {
        for (const key of chunk.toString("utf8")) {
          const code = key.codePointAt(0) ?? 0;
          if (key === "\r" || key === "\n") return resolve(typed === "" ? null : typed);
          if (code === codes.end) return resolve(null);
          if (code === codes.interrupt) {
            // The terminal sends no signal for the key now.
            process.kill(process.pid, "SIGINT");
            return resolve(null);
          }
          if (code === codes.backspace || code === codes.delete) typed = [...typed].slice(0, -1).join("");
          else if (code === codes.clear) typed = "";
          else if (code >= 32) typed += key;
        }
      };
      stdin.on("data", onData);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  } finally {
    stdin.off("data", onData);
    signal.removeEventListener("abort", onAbort);
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write("\n");
  }
}

let input: Promise<string> | null = null;

/** The first line of standard input, which is read once; empty: there is none. */
export async function firstLineOfInput(): Promise<string> {
  const read = async () => {
    let text = "";
    for await (const chunk of process.stdin.setEncoding("utf8")) text += chunk;
    return text.split(/\r?\n/, 1)[0] ?? "";
  };
  input ??= read();
  return input;
}
