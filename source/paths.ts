/** Where virtu keeps its files, by the XDG base directory rules (and macOS' own place). */
import os from "node:os";
import path from "node:path";

export interface Directories {
  config: string;
  /** Job host keys, logs, what is under way: survives restarts, is not for editing. */
  state: string;
}

/** `configDir` (from `--config`) puts both below one directory, so that a test or a second identity stands apart. */
export function directories(configDir?: string): Directories {
  if (configDir) return { config: path.resolve(configDir), state: path.join(path.resolve(configDir), "state") };
  const home = os.homedir();
  const mac = path.join(home, "Library", "Application Support", "virtu");
  const config = process.env["XDG_CONFIG_HOME"] ?? (process.platform === "darwin" ? "" : path.join(home, ".config"));
  const state =
    process.env["XDG_STATE_HOME"] ?? (process.platform === "darwin" ? "" : path.join(home, ".local", "state"));
  return {
    config: config ? path.join(config, "virtu") : mac,
    state: state ? path.join(state, "virtu") : path.join(mac, "state"),
  };
}
