/** The terminal program from the settings to the end of the last frame. */
import { openApp } from "../app.ts";
import { reportError } from "../commands/run.ts";
import type { Settings } from "../settings.ts";
import { Questions, Workspace } from "../store/workspace.ts";
import { drawScreen } from "./draw.tsx";
import type { Place } from "./navigation.ts";
import { loadScreen } from "./screens/index.ts";

export interface ScreenOptions {
  site?: string;
  host?: readonly string[];
  sshConfig?: string;
  config?: string;
}

/** Where it opens: on the hosts that were named; the first run, which knows nothing yet, asks for a site. */
function firstPlaces({ site, host = [] }: ScreenOptions, settings: Settings): Place[] {
  if (host.length > 0) return [{ screen: "instances" }];
  const knowsSome = site !== undefined || settings.get("sites").length > 0 || settings.get("hosts").length > 0;
  return knowsSome ? [{ screen: "home" }] : [{ screen: "home" }, { screen: "add-site" }];
}

/** Resolves when the user has left. */
export async function begin(options: ScreenOptions): Promise<void> {
  const questions = new Questions();
  const app = await openApp({ configDir: options.config, sshConfig: options.sshConfig, asker: questions });
  try {
    const places = firstPlaces(options, app.settings);
    // Before there is a workspace, which begins to work at once: the first frame waits for nothing of that.
    await loadScreen(places[places.length - 1] as Place);
    const workspace = new Workspace({
      context: app,
      settings: app.settings,
      questions,
      hosts: options.host ?? [],
      site: options.site === undefined ? null : app.site(options.site),
    });
    await drawScreen(workspace, places);
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
