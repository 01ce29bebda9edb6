/** Opens the terminal program, after what must be so before Ink is loaded. */
import { reportError } from "../commands/run.ts";
import { VirtuError } from "../errors.ts";
import type { ScreenOptions } from "./begin.ts";
import { colourAllowed } from "./theme.ts";

/** Resolves when the user has left; a missing terminal or a wrong site is said in plain lines. */
export async function openScreen(options: ScreenOptions): Promise<void> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    process.exitCode = reportError(
      new VirtuError({
        kind: "usage",
        what: "virtu draws on a terminal, and there is none",
        hint: "Use a subcommand here (virtu --help lists them), or run it in a terminal.",
      }),
      false,
    );
    return;
  }
  // Ink draws nothing before its end where CI is set, and its colour library does not know NO_COLOR: both are read at import.
  delete process.env["CI"];
  if (!colourAllowed(process.env)) process.env["FORCE_COLOR"] = "0";
  const { begin } = await import("./begin.ts");
  await begin(options);
}
