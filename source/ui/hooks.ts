/** The few hooks through which views reach what is outside React: keys, known state, remembered view state, size. */
import { createContext, useCallback, useContext, useLayoutEffect, useRef, useSyncExternalStore } from "react";
import type { ConsoleSession } from "../console/session.ts";
import type { KnownState, Workspace } from "../store/workspace.ts";
import type { Borrowed, ViewerEnd } from "./console/viewer.ts";
import type { KeyEvent } from "./input.ts";
import type { ActionOf, Scope } from "./keys.ts";
import type { Navigation } from "./navigation.ts";
import { activate, type Handler, type LayerLevel, layer, type Router } from "./router.ts";

export interface Ui {
  router: Router;
  workspace: Workspace;
  navigation: Navigation;
  size: { columns: number; rows: number };
  /** Copies by OSC 52, which works through ssh as well. */
  copy: (text: string, what: string) => void;
  /** Ends the screen. */
  quit: () => void;
  redraw: () => void;
  suspend: () => void;
  /** Gives the terminal to a console until the user comes back or it has ended. */
  attach: (session: ConsoleSession) => Promise<ViewerEnd>;
  /** Gives the terminal to something that draws on it by itself. */
  lendTerminal: <T>(use: (borrowed: Borrowed) => Promise<T>) => Promise<T>;
  /**
   * Gives the terminal to something else until its promise settles, and takes it back. What comes from hosts goes on
   * meanwhile and is drawn afterwards.
   */
  handOver: <T>(run: () => Promise<T>) => Promise<T>;
}

export const UiContext = createContext<Ui | null>(null);

export function useUi(): Ui {
  const ui = useContext(UiContext);
  if (!ui) throw new Error("a view was drawn outside the screen");
  return ui;
}

/** A part of what is known; the view is drawn again when that part changes (compared by identity). */
export function useKnown<T>(select: (state: KnownState) => T): T {
  const { store } = useUi().workspace;
  return useSyncExternalStore(store.subscribe, () => select(store.shown()));
}

export type Handlers<S extends Scope> = Partial<Record<ActionOf<S>, Handler>>;

/** Binds keys of one scope while the view is there. Handlers may be new with each drawing. */
export function useKeys<S extends Scope>(
  scope: S,
  handlers: Handlers<S>,
  options: { level?: LayerLevel; modal?: boolean; active?: boolean; typed?: (key: KeyEvent) => boolean } = {},
): void {
  const { router } = useUi();
  const level = options.level ?? layer.screen;
  const { active = true, modal = false } = options;
  const latest = useRef({ handlers, typed: options.typed });
  latest.current = { handlers, typed: options.typed };
  useLayoutEffect(() => {
    if (!active) return;
    return router.add({
      level,
      modal,
      bindings: () => activate(scope, latest.current.handlers as Record<string, Handler>, level),
      typed: (key) => latest.current.typed?.(key) ?? false,
    });
  }, [router, scope, level, modal, active]);
  // Footer and help show what is enabled: tell them when that has changed, not with every drawing.
  const signature = Object.entries(handlers as Record<string, Handler | undefined>)
    .map(([id, handler]) => `${id}:${handler?.disabled ?? ""}:${handler?.label ?? ""}`)
    .join("|");
  // biome-ignore lint/correctness/useExhaustiveDependencies: the signature is the reason to run.
  useLayoutEffect(() => router.changed(), [router, signature]);
}

/** View state (cursor, filter, what was typed) that outlives the view: going back finds it as it was. */
export function useRemembered<T>(key: string, initial: T): [T, (next: T | ((before: T) => T)) => void] {
  const { navigation } = useUi();
  // A place is remembered from its first initial value on; later ones don't count.
  const first = useRef(initial).current;
  const value = useSyncExternalStore(navigation.subscribe, () => navigation.recall(key, first));
  const set = useCallback(
    (next: T | ((before: T) => T)) => navigation.remember(key, next, first),
    [navigation, key, first],
  );
  return [value, set];
}
