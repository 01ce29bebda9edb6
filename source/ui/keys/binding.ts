/** What a key does. */
export interface Binding {
  readonly keys: readonly string[];
  /** A word or two for the footer. */
  readonly label: string;
  /** A shorter one, for a footer that has no room for all; empty: the key says enough. */
  readonly short?: string;
  /** A sentence for help. */
  readonly text: string;
  readonly dangerous?: boolean;
  /** How the footer names its keys, when the first of them does not say enough: `↑↓`. */
  readonly sign?: string;
  /** Left out of the footer: common knowledge, or rarely wanted. */
  readonly quiet?: boolean;
}
