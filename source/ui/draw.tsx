/** Ink on our terminal, from the first frame to the last. */
import { render } from "ink";
import { type ReactNode, useMemo, useSyncExternalStore } from "react";
import type { Workspace } from "../store/workspace.ts";
import { App } from "./app.tsx";
import type { Borrowed } from "./console/viewer.ts";
import { type Ui, UiContext } from "./hooks.ts";
import type { KeyEvent } from "./input.ts";
import { committed, createKeyQueue } from "./key-queue.ts";
import { Navigation, type Place } from "./navigation.ts";
import { createPainter } from "./painter.ts";
import { Router } from "./router.ts";
import { loadScreen, loadScreens, screenOf } from "./screens/index.ts";
import { createTerminal } from "./terminal.ts";

/** The window's size as a thing to subscribe to. */
function watchSize(output: NodeJS.WriteStream, onChange: () => void) {
  let size = { columns: output.columns || 80, rows: output.rows || 24 };
  return {
    current: () => size,
    subscribe(listener: () => void) {
      const onResize = () => {
        size = { columns: output.columns || 80, rows: output.rows || 24 };
        listener();
        onChange();
      };
      output.on("resize", onResize);
      return () => void output.off("resize", onResize);
    },
  };
}

function Root({ size, ui }: { size: ReturnType<typeof watchSize>; ui: Omit<Ui, "size"> }): ReactNode {
  const current = useSyncExternalStore(size.subscribe, size.current);
  const value = useMemo(() => ({ ...ui, size: current }), [ui, current]);
  return (
    <UiContext.Provider value={value}>
      <App />
    </UiContext.Provider>
  );
}

function ignore(): void {}

/**
 * So long after the first frame the other screens are loaded, in milliseconds, one after the other with a pause in which keys
 * are answered: none waits for its screen then.
 */
const rest = { afterMs: 400, pauseMs: 20 };

/** Draws until the user quits or a signal ends it. The terminal is given back as it was, also when drawing fails. */
export function drawScreen(workspace: Workspace, start: readonly Place[]): Promise<void> {
  let resolve: () => void = () => {};
  let reject: (thrown: unknown) => void = () => {};
  const whole = new Promise<void>((onEnd, onCrash) => {
    resolve = onEnd;
    reject = onCrash;
  });
  const terminal = createTerminal(process.stdin, process.stdout);
  const navigation = new Navigation(...start);
  const router = new Router();
  const painter = createPainter(process.stdout);
  const size = watchSize(process.stdout, painter.repaint);
  router.onRefused = (reason) => workspace.notify("info", reason);
  const onKey = (key: KeyEvent) => {
    if (!router.dispatch(key)) terminal.passToInk(key);
    // What a key changed is drawn at once, whatever the background does.
    workspace.store.flush();
  };
  const queue = createKeyQueue(onKey, crash, async () => {
    await committed();
    const here = navigation.here();
    if (screenOf(here)) return;
    // The next key is meant for the screen that this one has opened.
    await loadScreen(here).catch(() => undefined);
    await committed();
  });
  terminal.onKey = queue.add;

  /** Ends whoever has the terminal now. */
  let takeBack = () => {};
  let isOver = false;
  const attach: Ui["attach"] = async (session) => {
    const { viewConsole } = await import("./console/viewer.ts");
    const { consoles } = workspace.consoles;
    const leaveKey = workspace.settings.get("consoleKey").toLowerCase();
    return lendTerminal((borrowed) => viewConsole(session, { ...borrowed, consoles, leaveKey }));
  };
  const parts = {
    router,
    workspace,
    navigation,
    copy,
    quit: end,
    redraw: painter.repaint,
    suspend,
    attach,
    lendTerminal,
    handOver,
  };
  const root = (): ReactNode => <Root size={size} ui={parts} />;
  terminal.open();
  painter.start();
  const ink = render(root(), {
    stdin: terminal.inkInput,
    stdout: painter.stream,
    exitOnCtrlC: false,
    patchConsole: false,
    debug: true,
  });

  // One that can't be loaded is missed by whoever opens it.
  const loading = setTimeout(() => loadScreens(rest.pauseMs).catch(() => undefined), rest.afterMs);

  function copy(text: string, what: string): void {
    process.stdout.write(`\u001b]52;c;${Buffer.from(text).toString("base64")}\u0007`);
    workspace.notify("info", `Copied ${what}.`);
  }
  async function lendTerminal<T>(use: (borrowed: Borrowed) => Promise<T>): Promise<T> {
    const abort = new AbortController();
    takeBack = () => abort.abort();
    // What is asked meanwhile (a passphrase) could not be seen behind it.
    const stop = workspace.store.subscribe(() => {
      if (workspace.state.questions.length > 0) abort.abort();
    });
    queue.clear();
    painter.stop();
    try {
      return await use({ output: process.stdout, lend: terminal.lend, signal: abort.signal });
    } finally {
      stop();
      takeBack = () => {};
      if (!isOver) painter.start();
    }
  }
  function suspend(): void {
    painter.stop();
    terminal.restore();
    process.once("SIGCONT", () => {
      terminal.open();
      painter.start();
    });
    process.kill(process.pid, "SIGTSTP");
  }
  async function handOver<T>(run: () => Promise<T>): Promise<T> {
    painter.stop();
    terminal.restore();
    // Ctrl-C is for the program that has the terminal now, and reaches this one as well.
    process.off("SIGINT", end);
    process.on("SIGINT", ignore);
    try {
      return await run();
    } finally {
      process.off("SIGINT", ignore);
      if (!isOver) {
        process.on("SIGINT", end);
        terminal.open();
        painter.start();
      }
    }
  }
  function end(): void {
    isOver = true;
    clearTimeout(loading);
    takeBack();
    queue.clear();
    painter.stop();
    ink.unmount();
    terminal.restore();
    for (const signal of ["SIGTERM", "SIGHUP", "SIGINT"] as const) process.off(signal, end);
    process.off("uncaughtException", crash);
    process.off("unhandledRejection", crash);
    process.off("warning", warn);
    for (const printer of printers) process.on("warning", printer);
    resolve();
  }
  function warn({ name, message }: Error): void {
    workspace.log("warning", "virtu", `${name}: ${message}`);
  }
  function crash(thrown: unknown): void {
    // Before the end resolves: the first of the two counts.
    reject(thrown);
    end();
  }
  for (const signal of ["SIGTERM", "SIGHUP", "SIGINT"] as const) process.on(signal, end);
  process.on("uncaughtException", crash);
  process.on("unhandledRejection", crash);
  // Node prints its warnings to stderr, into the middle of the picture: they go to the log instead.
  const printers = process.listeners("warning");
  process.removeAllListeners("warning");
  process.on("warning", warn);
  return whole;
}
