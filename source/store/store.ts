/**
 * What is known, outside React. Events go through a pure reducer; readers see a snapshot that moves at once for what
 * the user did and at 4 Hz at most for what came from hosts, so that a busy background never slows the keys.
 */

export interface Store<State, Event> {
  /** The newest state. */
  get(): State;
  /** The state that is drawn now: the same object between two notifications. */
  shown(): State;
  /** Applies an event; readers are told within `interval`. */
  dispatch(event: Event): void;
  /** Tells readers at once of everything applied so far. */
  flush(): void;
  subscribe(listener: () => void): () => void;
}

export function createStore<State, Event>(
  reducer: (state: State, event: Event) => State,
  initial: State,
  interval = 250,
): Store<State, Event> {
  let newest = initial;
  let drawn = initial;
  let timer: NodeJS.Timeout | null = null;
  let lastFlush = Number.NEGATIVE_INFINITY;
  const listeners = new Set<() => void>();

  const flush = (): void => {
    if (timer) clearTimeout(timer);
    timer = null;
    if (drawn === newest) return;
    drawn = newest;
    lastFlush = performance.now();
    for (const listener of [...listeners]) listener();
  };

  return {
    get: () => newest,
    shown: () => drawn,
    dispatch(event) {
      newest = reducer(newest, event);
      if (newest === drawn || timer) return;
      // The first event after a quiet time is shown with the next turn; a stream of them is gathered.
      timer = setTimeout(flush, Math.max(0, interval - (performance.now() - lastFlush)));
      timer.unref();
    },
    flush,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
