/** How many actions run at once, and where. Pure. */
import type { ProviderName } from "./types.ts";

/** The settings' `parallel`. */
export interface ParallelSettings {
  /** On each place: a cluster, or one connection of a host. */
  default: number;
  /** Instead of the default, for places of this provider. */
  providers: Readonly<Partial<Record<ProviderName, number>>>;
  /** On one host, whatever runs there: all its places together. */
  hosts: Readonly<Record<string, number>>;
}

/** The limits with what the settings leave out. */
export function limitsOf(settings: Partial<ParallelSettings> = {}): ParallelSettings {
  return { default: 2, providers: {}, hosts: {}, ...settings };
}

/** Actions at once on a place. */
export function placeLimit(settings: ParallelSettings, provider: ProviderName, host: string): number {
  return Math.max(1, settings.hosts[host] ?? settings.providers[provider] ?? settings.default);
}

/** Actions at once on a host with all its places; null: only its places are limited. */
export function hostLimit(settings: ParallelSettings, host: string): number | null {
  const limit = settings.hosts[host];
  return limit === undefined ? null : Math.max(1, limit);
}
