/**
 * Every key of the program. Input, footer, `?` help, the `:` palette and the README's table all come from here; a screen
 * only says what a binding does and why it can't be used now. They stand in keys/, by what they are for.
 */
import type { Binding } from "./keys/binding.ts";
import { connectionsKeys } from "./keys/connections.ts";
import { consolesKeys } from "./keys/consoles.ts";
import { everywhereKeys } from "./keys/everywhere.ts";
import { instanceKeys } from "./keys/instance.ts";
import { manyKeys } from "./keys/many.ts";
import { runsKeys } from "./keys/runs.ts";
import { siteKeys } from "./keys/site.ts";
import { tableKeys } from "./keys/table.ts";

export type { Binding } from "./keys/binding.ts";

export const keymap = {
  ...everywhereKeys,
  ...siteKeys,
  ...tableKeys,
  ...instanceKeys,
  ...manyKeys,
  ...runsKeys,
  ...consolesKeys,
  ...connectionsKeys,
} as const satisfies Record<string, Record<string, Binding>>;

export type Scope = keyof typeof keymap;
export type ActionOf<S extends Scope> = keyof (typeof keymap)[S] & string;

/** The bindings of a scope with their general type. */
export function bindingsOf(scope: Scope): Record<string, Binding> {
  return keymap[scope];
}

const shown: Record<string, string> = {
  enter: "⏎",
  esc: "Esc",
  up: "↑",
  down: "↓",
  left: "←",
  right: "→",
  tab: "Tab",
  "shift+tab": "Shift-Tab",
  pgup: "PgUp",
  pgdn: "PgDn",
  home: "Home",
  end: "End",
  f1: "F1",
};

/** A key as people know it: `⏎`, `Ctrl-C`. */
export function keyName(key: string): string {
  const name = shown[key];
  if (name) return name;
  return key.startsWith("ctrl+") ? `Ctrl-${key.slice(5).toUpperCase()}` : key;
}
