/** Opens the terminal program: everything before Ink, so that a missing terminal or a wrong site is said in plain lines. */
import { openApp } from "../app.ts";
import { reportError } from "../commands/run.ts";
import { VirtuError } from "../errors.ts";
import type { Settings } from "../settings.ts";
import { Questions, Workspace } from "../store/workspace.ts";
import type { Place } from "./navigation.ts";
import { loadScreen } from "./screens/index.ts";
import { colourAllowed } from "./theme.ts";

export interface ScreenOptions {
  site?: string;
  host?: readonly string[];
  sshConfig?: string;
  config?: string;
}

/** Where it opens: on the hosts that were named; the first run, which knows nothing yet, asks for a site. */
function firstPlaces({ site, host = [] }: ScreenOptions, settings: Settings): [Place, ...Place[]] {
  if (host.length > 0) return [{ screen: "instances" }];
  const knowsSome = site !== undefined || settings.get("sites").length > 0 || settings.get("hosts").length > 0;
  return knowsSome ? [{ screen: "home" }] : [{ screen: "home" }, { screen: "add-site" }];
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
    const places = firstPlaces(options, app.settings);
    // Before there is a workspace, which begins to work at once: the first frame waits for nothing of that.
    const [{ drawScreen }] = await Promise.all([import("./draw.tsx"), loadScreen(places.at(-1) ?? places[0])]);
    const workspace = new Workspace({
      context: app,
      settings: app.settings,
      questions,
      hosts: options.host ?? [],
      site: options.site === undefined ? null : app.site(options.site),
    });
    await drawScreen(workspace, places);
    await workspace.end();
  } catch (thrown) {
    process.exitCode = reportError(thrown, false);
  } finally {
    await app.end();
  }
}
