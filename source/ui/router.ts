/** Who gets a key: the topmost layer that takes it. Also the list of what can be done now, for footer, help and palette. */
import type { KeyEvent } from "./input.ts";
import { type Binding, bindingsOf, type Scope } from "./keys.ts";

/** Higher wins: a dialog over a field over a screen over what works everywhere; a cover hides all of them. */
export const layer = { global: 0, screen: 1, field: 2, dialog: 3, cover: 4 } as const;
export type LayerLevel = (typeof layer)[keyof typeof layer];

export interface Handler {
  run: (key: KeyEvent) => void;
  /** Why it can't be used now; shown when it is pressed all the same. */
  disabled?: string | null;
  /** One of Ink's own components takes this key: the binding is only there to be shown. */
  native?: boolean;
  /** What it does just now, where the keymap's own word says something else. */
  label?: string;
  /** Shown in the footer here, although it is common knowledge elsewhere. */
  prominent?: boolean;
}

/** What a binding of the keymap does on this screen now. */
export interface Active {
  scope: Scope;
  id: string;
  binding: Binding;
  level: LayerLevel;
  disabled: string | null;
  native: boolean;
  run: (key: KeyEvent) => void;
}

interface Layer {
  level: LayerLevel;
  /** Nothing below it gets a key (dialogs). */
  modal: boolean;
  bindings: () => Active[];
  /** Takes what no binding took: the text of a field. */
  typed?: (key: KeyEvent) => boolean;
}

export class Router {
  /** Called with the reason when a disabled key is pressed. */
  onRefused: (reason: string) => void = () => {};
  /** Called when the set of active bindings may have changed. */
  private readonly listeners = new Set<() => void>();
  private layers: Layer[] = [];
  private version = 0;

  add(entry: Layer): () => void {
    this.layers = [...this.layers, entry].sort((a, b) => a.level - b.level);
    this.changed();
    return () => {
      this.layers = this.layers.filter((other) => other !== entry);
      this.changed();
    };
  }

  /** The bindings that a key can reach now, the topmost layer's first. */
  active(): Active[] {
    const result: Active[] = [];
    const taken = new Set<string>();
    let typing = false;
    for (const entry of [...this.layers].reverse()) {
      const bindings = entry.bindings();
      for (const active of bindings) {
        const keys = active.binding.keys.filter((key) => !taken.has(key) && !(typing && isText(key)));
        // Shown by a key that reaches it: in a form `?` is text, and F1 is help.
        const binding =
          typing && keys.length < active.binding.keys.length ? { ...active.binding, keys } : active.binding;
        if (keys.length > 0) result.push({ ...active, binding });
      }
      for (const { binding } of bindings) for (const key of binding.keys) taken.add(key);
      // A field takes every character that is typed.
      typing ||= entry.level === layer.field;
      if (entry.modal) break;
    }
    return result;
  }

  /** True when somebody took the key. */
  dispatch(key: KeyEvent): boolean {
    let native = false;
    for (const entry of [...this.layers].reverse()) {
      // A field takes printable characters before any binding of its own scope can.
      if (entry.typed?.(key)) return true;
      const found: Active | undefined = native
        ? undefined
        : entry.bindings().find((active) => active.binding.keys.includes(key.name));
      // It is only shown here: the field that it stands for lies below it, and what no field takes is Ink's.
      native ||= found?.native ?? false;
      if (found && !native) {
        if (found.disabled) this.onRefused(found.disabled);
        else found.run(key);
        return true;
      }
      if (entry.modal) {
        // Whoever wants out by Ctrl-C gets out of the question first.
        return key.name === "ctrl+c" ? this.dispatch({ name: "esc", text: null, raw: "\u001b" }) : false;
      }
    }
    return false;
  }

  changed(): void {
    this.version += 1;
    for (const listener of [...this.listeners]) listener();
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  snapshot = (): number => this.version;
}

function isText(key: string): boolean {
  return key === "space" || [...key].length === 1;
}

/** The bindings of a scope that have a handler, in the keymap's order. */
export function activate(scope: Scope, handlers: Record<string, Handler | undefined>, level: LayerLevel): Active[] {
  const result: Active[] = [];
  for (const [id, binding] of Object.entries(bindingsOf(scope))) {
    const handler = handlers[id];
    if (handler)
      result.push({
        scope,
        id,
        binding: {
          ...binding,
          ...(handler.prominent ? { quiet: false } : {}),
          ...(handler.label === undefined ? {} : { label: handler.label, short: handler.label }),
        },
        level,
        disabled: handler.disabled ?? null,
        native: handler.native ?? false,
        run: handler.run,
      });
  }
  return result;
}
