/** Programs of this machine that show a graphical console in a window. */
import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import path from "node:path";

export interface GraphicsAddress {
  kind: "vnc" | "spice";
  port: number;
}

interface Viewer {
  program: string;
  kinds: readonly GraphicsAddress["kind"][];
  words: (address: GraphicsAddress) => string[];
}

const url = ({ kind, port }: GraphicsAddress) => `${kind}://127.0.0.1:${port}`;

/** The likeliest to do it well first. virt-viewer itself wants a libvirt connection; remote-viewer comes with it. */
const viewers: readonly Viewer[] = [
  { program: "remote-viewer", kinds: ["vnc", "spice"], words: (address) => [url(address)] },
  { program: "vncviewer", kinds: ["vnc"], words: ({ port }) => [`127.0.0.1::${port}`] },
  { program: "xdg-open", kinds: ["vnc", "spice"], words: (address) => [url(address)] },
];

export function graphicsUrl(address: GraphicsAddress): string {
  return url(address);
}

/** The first viewer on PATH that takes it, with its arguments; null: none, or no display to open a window on. */
export function findViewer(
  address: GraphicsAddress,
  env: NodeJS.ProcessEnv,
  exists: (file: string) => boolean = isExecutable,
): { program: string; words: string[] } | null {
  if (!env["DISPLAY"] && !env["WAYLAND_DISPLAY"]) return null;
  const directories = (env["PATH"] ?? "").split(path.delimiter).filter(Boolean);
  for (const { program, kinds, words } of viewers) {
    if (!kinds.includes(address.kind)) continue;
    if (directories.some((directory) => exists(path.join(directory, program))))
      return { program, words: words(address) };
  }
  return null;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Starts it beside this program; what it prints is not shown. `onEnd`: it is gone, or could not be started. */
export function startViewer(viewer: { program: string; words: string[] }, onEnd: (why: string | null) => void): void {
  const child = spawn(viewer.program, viewer.words, { stdio: "ignore", detached: true });
  child.on("error", ({ message }) => onEnd(message));
  child.on("exit", (status) => onEnd(status === 0 || status === null ? null : `it ended with status ${status}`));
  child.unref();
}
