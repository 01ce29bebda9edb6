/** Opens the terminal program: everything before Ink, so that a missing terminal or a wrong site is said in plain lines. */
import { openApp } from "../app.ts";
import { reportError } from "../commands/run.ts";
import { VirtuError } from "../errors.ts";
import { Questions, Workspace } from "../store/workspace.ts";
import type { Place } from "./navigation.ts";
import { colourAllowed } from "./theme.ts";

export interface ScreenOptions {
  site?: string;
  host?: readonly string[];
  sshConfig?: string;
  config?: string;
}

/** Where it opens: on the hosts that were named; the first run, which knows nothing yet, asks for a site. */
function firstPlaces(workspace: Workspace, hostsNamed: boolean): Place[] {
  if (hostsNamed) return [{ screen: "instances" }];
  const knowsNothing = workspace.state.site === null && workspace.hosts().length === 0;
  return knowsNothing ? [{ screen: "home" }, { screen: "add-site" }] : [{ screen: "home" }];
}

/** Resolves when the user has left. */
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
  const questions = new Questions();
  const app = await openApp({ configDir: options.config, sshConfig: options.sshConfig, asker: questions });
  try {
    const hosts = options.host ?? [];
    const workspace = new Workspace({
      context: app,
      settings: app.settings,
      questions,
      hosts,
      site: options.site === undefined ? null : app.site(options.site),
    });
    const { drawScreen } = await import("./draw.tsx");
    await drawScreen(workspace, firstPlaces(workspace, hosts.length > 0));
    if (workspace.state.comparisons.running !== null) {
      process.stderr.write("Taking away what the comparison made; Ctrl-C leaves it to virtu compare --clean.\n");
    }
    await workspace.end();
  } catch (thrown) {
    process.exitCode = reportError(thrown, false);
  } finally {
    await app.end();
  }
}
