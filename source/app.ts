/** Puts the parts together once, for the TUI and for each headless command alike. */
import { mkdirSync } from "node:fs";
import { reasonOf, VirtuError } from "./errors.ts";
import type { Context, Site } from "./journey/types.ts";
import { directories } from "./paths.ts";
import { Settings } from "./settings.ts";
import { createPool } from "./ssh/pool.ts";
import type { Asker, Pool } from "./ssh/types.ts";

export interface AppOptions {
  configDir?: string;
  /** ssh configuration file (`-F`), instead of the user's. */
  sshConfig?: string;
  asker: Asker;
}

export interface App extends Context {
  settings: Settings;
  pool: Pool;
  stateDir: string;
  /** A site of the settings by name; any other name is taken for a host that ssh knows. */
  site(name: string): Site;
  end(): Promise<void>;
}

export async function openApp(options: AppOptions): Promise<App> {
  const places = directories(options.configDir);
  const settings = await Settings.open(places.config);
  try {
    mkdirSync(places.state, { recursive: true, mode: 0o700 });
  } catch (thrown) {
    throw new VirtuError({
      kind: "failed",
      what: "virtu can't make its state directory",
      where: places.state,
      why: reasonOf(thrown),
      hint: "Make it writable, or choose another with --config DIR.",
    });
  }
  const pool = createPool({ sshConfig: options.sshConfig, asker: options.asker });
  return {
    settings,
    pool,
    stateDir: places.state,
    taktukAbove: settings.get("taktukAbove"),
    taktukConnectSeconds: settings.get("taktukConnectSeconds"),
    site: (name) => settings.site(name) ?? { name, frontend: name },
    end: () => pool.end(),
  };
}
