/** The real screen (router, key decoder, frame) on a terminal in memory, over a workspace whose journeys are fakes. */
import { EventEmitter } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { PassThrough, Writable } from "node:stream";
import type { WriteStream } from "node:tty";
import xterm from "@xterm/headless";
import { render } from "ink";
import { type ReactNode, useMemo, useSyncExternalStore } from "react";
import { afterEach } from "vitest";
import type { ConsoleSession } from "../../source/console/session.ts";
import type { Inventory, InventoryView } from "../../source/instances/inventory-types.ts";
import type { Job, Site } from "../../source/journey/types.ts";
import type { Settings, SettingsData } from "../../source/settings.ts";
import type { Pool, SessionInfo } from "../../source/ssh/types.ts";
import type { Journeys } from "../../source/store/journeys.ts";
import { emptyInventory } from "../../source/store/known.ts";
import { Questions, Workspace } from "../../source/store/workspace.ts";
import { App } from "../../source/ui/app.tsx";
import type { Borrowed, ViewerEnd, ViewerOutput } from "../../source/ui/console/viewer.ts";
import { type Ui, UiContext } from "../../source/ui/hooks.ts";
import { KeyDecoder } from "../../source/ui/input.ts";
import { Navigation, type Place } from "../../source/ui/navigation.ts";
import { createPainter } from "../../source/ui/painter.ts";
import { Router } from "../../source/ui/router.ts";
import { loadScreens } from "../../source/ui/screens/index.ts";

// A test opens a screen and looks at it: all of them are there before.
await loadScreens();

/** Keys by name, as a terminal sends them; anything else is typed as it is. */
export const keys = {
  enter: "\r",
  esc: "\u001b",
  tab: "\t",
  shiftTab: "\u001b[Z",
  space: " ",
  backspace: "\u007f",
  up: "\u001b[A",
  down: "\u001b[B",
  right: "\u001b[C",
  left: "\u001b[D",
  pageUp: "\u001b[5~",
  pageDown: "\u001b[6~",
  home: "\u001b[H",
  end: "\u001b[F",
  ctrlC: "\u0003",
  ctrlY: "\u0019",
} as const;

export const rennes: Site = { name: "rennes", frontend: "frontend.rennes" };

/** A pool that nobody may run anything on: what a view needs comes from the fake journeys. */
export function idlePool(sessions: readonly SessionInfo[] = []): Pool {
  const refuse = () => Promise.reject(new Error("a test reached the pool"));
  return Object.assign(new EventEmitter(), {
    exec: refuse,
    pty: refuse,
    upload: refuse,
    forward: refuse,
    sessions: () => sessions,
    reconnect: refuse,
    close: () => {},
    forgetHostKeys: refuse,
    end: async () => {},
  }) as unknown as Pool;
}

/** An inventory that shows one picture and refuses every action. Replace what a test needs. */
export function stillInventory(view: InventoryView = emptyInventory, own: Partial<Inventory> = {}): Inventory {
  return Object.assign(new EventEmitter(), {
    view: () => view,
    watch: () => () => {},
    refresh: async () => {},
    addHost: () => {},
    removeHost: () => {},
    find: () => null,
    providers: () => [],
    refuses: () => "this is a test",
    preview: () => [],
    act: () => ({ run: 1, items: () => [], done: Promise.resolve([]), cancel: () => {} }),
    cancel: () => false,
    cancelRun: () => 0,
    retry: () => null,
    end: () => {},
    ...own,
  }) as unknown as Inventory;
}

export function jobOf(own: Partial<Job> = {}): Job {
  return {
    jobId: 1874,
    state: "Running",
    name: "virtu",
    owner: "jdoe",
    queue: "default",
    types: ["deploy"],
    command: "sleep infinity",
    nodes: ["paravance-11", "paravance-12", "paravance-30", "paravance-31"],
    subnet: "10.158.0.0/22",
    walltimeSeconds: 9000,
    submittedAt: 1_000_000,
    predictedStart: null,
    startedAt: 1_000_000,
    endsAt: 1_009_000,
    message: "",
    end: null,
    ...own,
  };
}

/** Journeys of a site where nothing is: no job, no deployment, no environment. Never on the network. */
const emptyJourneys: Journeys = {
  askNodes: () => new Promise(() => {}),
  cancelDeployment: async () => {},
  carryComparison: () => new Promise(() => {}),
  carryWay: () => new Promise(() => {}),
  cleanComparison: () => new Promise(() => {}),
  downWay: () => new Promise(() => {}),
  environmentVersions: async () => [],
  extend: () => new Promise(() => {}),
  extensionLimits: async () => ({ walltime: 9000, possible: null, granted: 0, pending: 0 }),
  findDeployments: async () => [],
  followDeployment: () => new Promise(() => {}),
  freeNodes: async () => ({ total: 0, alive: 0, free: 0, clusters: [] }),
  jobAddresses: () => new Promise(() => {}),
  getJob: () => Promise.reject(new Error("there is no such job")),
  listComparisons: async () => [],
  listEnvironments: async () => ({ environments: [], problem: null }),
  listJobs: async () => [],
  listRuns: async () => [],
  listWays: async () => [],
  nodeFacts: async () => [],
  planComparison: () => new Promise(() => {}),
  planDown: () => new Promise(() => {}),
  readSource: () => new Promise(() => {}),
  release: () => new Promise(() => {}),
  reserve: () => new Promise(() => {}),
  resumeRun: () => new Promise(() => {}),
  startDeployment: () => new Promise(() => {}),
  startRun: () => new Promise(() => {}),
};

/** Settings in memory. */
function plainSettings(own: Partial<SettingsData> = {}): Settings {
  const data: SettingsData = {
    sites: [],
    hosts: [],
    libvirtUri: "qemu:///system",
    refreshSeconds: 4,
    taktukAbove: 64,
    taktukConnectSeconds: 10,
    consoleKey: "ctrl+]",
    thresholds: {},
    usageSeconds: 10,
    views: [],
    groups: {},
    parallel: {},
    ...own,
  };
  return {
    file: "/nowhere/settings.json",
    problem: null,
    get: <K extends keyof SettingsData>(key: K) => data[key],
    set: <K extends keyof SettingsData>(key: K, value: SettingsData[K]) => {
      data[key] = value;
    },
    site: (name: string) => data.sites.find((site) => site.name === name),
    addSite: (site: Site) => {
      data.sites = [...data.sites, site];
    },
  } as unknown as Settings;
}

export interface FakeOptions {
  journeys?: Partial<Journeys>;
  inventory?: Inventory;
  settings?: Partial<SettingsData>;
  pool?: Pool;
  site?: Site | null;
  hosts?: readonly string[];
  /** Epoch seconds that the screen takes for now; it stands still. */
  now?: number;
  /** Epoch milliseconds, instead of `now`. */
  clock?: () => number;
}

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

/** A real workspace on fakes, in a directory of its own. Ended after the test. */
export function fakeWorkspace(options: FakeOptions = {}): Workspace {
  const directory = mkdtempSync(path.join(tmpdir(), "virtu-ui-"));
  const workspace = new Workspace({
    context: { pool: options.pool ?? idlePool(), stateDir: directory },
    settings: plainSettings(options.settings),
    questions: new Questions(),
    site: options.site === undefined ? rennes : options.site,
    hosts: options.hosts,
    clock: options.clock ?? (() => (options.now ?? 1_000_000) * 1000),
    journeys: { ...emptyJourneys, ...options.journeys },
    inventory: options.inventory ?? stillInventory(),
  });
  cleanups.push(() => {
    void workspace.end();
    rmSync(directory, { recursive: true, force: true });
  });
  return workspace;
}

export interface TestUi {
  /** Visible lines, without the blanks at their ends. */
  screen(): string[];
  /** Types text or keys, one after the other. Use `waitFor` to see what came of them. */
  press(...typed: string[]): Promise<void>;
  /** Resolves with the screen as soon as the text stands on one line of it; a regular expression sees all lines. */
  waitFor(wanted: string | RegExp, timeoutMs?: number): Promise<string[]>;
  workspace: Workspace;
  navigation: Navigation;
  resize(columns: number, rows: number): void;
  /** What was copied, newest last. */
  copied: string[];
  /** The consoles that got the terminal, newest last. */
  attached: ConsoleSession[];
  /** Comes back from the one that has it. */
  detach(why: ViewerEnd["why"]): void;
  /** True once the user has left. */
  readonly left: boolean;
}

export interface OpenOptions extends FakeOptions {
  workspace?: Workspace;
  place: Place;
  /** Places opened above it, in order. */
  above?: Place[];
  columns?: number;
  rows?: number;
}

interface Sizes {
  current: () => Ui["size"];
  subscribe: (listener: () => void) => () => void;
}

function Root({ ui, sizes }: { ui: Omit<Ui, "size">; sizes: Sizes }): ReactNode {
  const current = useSyncExternalStore(sizes.subscribe, sizes.current);
  const value = useMemo(() => ({ ...ui, size: current }), [ui, current]);
  return (
    <UiContext.Provider value={value}>
      <App />
    </UiContext.Provider>
  );
}

export function openUi(options: OpenOptions): TestUi {
  const workspace = options.workspace ?? fakeWorkspace(options);
  let size = { columns: options.columns ?? 80, rows: options.rows ?? 24 };
  const term = new xterm.Terminal({
    cols: size.columns,
    rows: size.rows,
    allowProposedApi: true,
    scrollback: 0,
  });
  const watchers = new Set<() => void>();
  const listeners = new Set<() => void>();
  const output = Object.assign(
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        term.write(chunk, () => {
          for (const watcher of [...watchers]) watcher();
        });
        done();
      },
    }),
    { columns: size.columns, rows: size.rows, isTTY: true as const },
  );
  const input = Object.assign(new PassThrough({ encoding: "utf8" }), {
    isTTY: true as const,
    setRawMode: () => input,
    ref: () => input,
    unref: () => input,
  });
  const painter = createPainter(output as unknown as WriteStream);
  painter.start();
  const navigation = new Navigation(options.place, ...(options.above ?? []));
  const router = new Router();
  router.onRefused = (reason) => workspace.notify("info", reason);
  const decoder = new KeyDecoder();
  const copied: string[] = [];
  const attached: ConsoleSession[] = [];
  let detach: (why: ViewerEnd["why"]) => void = () => {};
  let left = false;

  const ui = {
    router,
    workspace,
    navigation,
    copy: (text: string, what: string) => {
      copied.push(text);
      workspace.notify("info", `Copied ${what}.`);
    },
    quit: () => {
      left = true;
    },
    redraw: () => {},
    suspend: () => {},
    attach: async (session: ConsoleSession) => {
      attached.push(session);
      return new Promise<ViewerEnd>((resolve) => {
        detach = (why) => resolve({ id: session.id, why });
      });
    },
    lendTerminal: <T,>(use: (borrowed: Borrowed) => Promise<T>) =>
      use({ output: output as unknown as ViewerOutput, lend: () => () => {}, signal: new AbortController().signal }),
    handOver: <T,>(run: () => Promise<T>) => run(),
  };
  const sizes = {
    current: () => size,
    subscribe: (listener: () => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const ink = render(<Root ui={ui} sizes={sizes} />, {
    stdin: input as unknown as NodeJS.ReadStream,
    stdout: painter.stream,
    exitOnCtrlC: false,
    patchConsole: false,
    debug: true,
  });
  cleanups.push(() => {
    painter.stop();
    ink.unmount();
    term.dispose();
  });

  const screen = (): string[] => {
    const buffer = term.buffer.active;
    return Array.from({ length: term.rows }, (_, row) => buffer.getLine(row)?.translateToString(true) ?? "");
  };
  /** Lets React commit what a key changed before the next key is read; what is drawn then is for `waitFor`. */
  const committed = async () => {
    for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  return {
    screen,
    async press(...typed) {
      for (const text of typed) {
        const events = [...decoder.feed(text), ...decoder.timeout()];
        for (const event of events) {
          if (!router.dispatch(event) && event.name !== "unknown") input.write(event.raw);
          workspace.store.flush();
          await committed();
        }
      }
    },
    waitFor(wanted, timeoutMs = 15_000) {
      const failure = new Error();
      const found = () => {
        const lines = screen();
        return typeof wanted === "string" ? lines.some((line) => line.includes(wanted)) : wanted.test(lines.join("\n"));
      };
      return new Promise((resolve, reject) => {
        const finish = (ok: boolean) => {
          clearTimeout(timer);
          watchers.delete(look);
          if (ok) return resolve(screen());
          failure.message = `${timeoutMs} ms passed while waiting for ${String(wanted)}. The screen:\n${screen().join("\n")}`;
          reject(failure);
        };
        const look = () => {
          if (found()) finish(true);
        };
        const timer = setTimeout(() => finish(false), timeoutMs);
        watchers.add(look);
        workspace.store.flush();
        look();
      });
    },
    workspace,
    navigation,
    resize(columns, rows) {
      size = { columns, rows };
      Object.assign(output, size);
      term.resize(columns, rows);
      output.emit("resize");
      for (const listener of [...listeners]) listener();
      painter.repaint();
    },
    copied,
    attached,
    detach: (why) => detach(why),
    get left() {
      return left;
    },
  };
}
