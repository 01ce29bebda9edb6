/** Ways beside runs, where a command takes either by its id. */

import type { App } from "../app.ts";
import { listWays, type WaySummary } from "../journey/up.ts";

/** The way of that id, or of the only one whose id begins so; null: there is none. */
export async function findWay(app: App, word: string): Promise<string | null> {
  if (!/^[\w.-]+$/.test(word)) return null;
  const ids = (await listWays(app)).map(({ view }) => view.id);
  if (ids.includes(word)) return word;
  // An id begins with its date.
  const found = /^\d{8}/.test(word) ? ids.filter((id) => id.startsWith(word)) : [];
  return found.length === 1 ? (found[0] ?? null) : null;
}

const isOpen = ({ view }: WaySummary) => view.state === "interrupted" || view.state === "running";

/** The newest way that has not come to its end, or null. */
export async function newestOpenWay(app: App): Promise<WaySummary | null> {
  return (await listWays(app)).find(isOpen) ?? null;
}
