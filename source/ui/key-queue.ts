/**
 * Keys one after the other: the next one is taken when what the one before changed is drawn. A chunk from a slow line holds
 * several keys, and a handler that was made for the row before would act on the wrong one.
 */
import type { KeyEvent } from "./input.ts";

/** React's scheduler works in `setImmediate`: the work of a key, then its effects, which may cause work of their own. */
const turns = 4;

/** Resolves when React has committed all that was asked of it before. */
export async function committed(): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/**
 * Runs when what a handler has just changed is drawn, and before the next key is taken. React asks for its `setImmediate` in
 * a microtask: ours is asked for in the one after it. The painter writes in the turn after that, before our second one.
 */
export function afterDrawing(run: () => void): void {
  queueMicrotask(() => setImmediate(() => setImmediate(run)));
}

export interface KeyQueue {
  add(key: KeyEvent): void;
  /** Forgets the keys that wait. */
  clear(): void;
}

/**
 * A first key is handled at once, without waiting; after each one `settled` says when its change is drawn. What `handle`
 * throws goes to `onCrash`.
 */
export function createKeyQueue(
  handle: (key: KeyEvent) => void,
  onCrash: (thrown: unknown) => void,
  settled: () => Promise<void> = committed,
): KeyQueue {
  const waiting: KeyEvent[] = [];
  let busy = false;
  const work = async (): Promise<void> => {
    busy = true;
    try {
      for (let key = waiting.shift(); key; key = waiting.shift()) {
        handle(key);
        await settled();
      }
    } catch (thrown) {
      onCrash(thrown);
    } finally {
      busy = false;
    }
  };
  return {
    add(key) {
      waiting.push(key);
      if (!busy) void work();
    },
    clear() {
      waiting.length = 0;
    },
  };
}
