/** Pools, volumes, networks and leases as lines of one list. Pure. */
import type {
  StoragePool,
  StoredSystem,
  StoredVolume,
  StoreProblem,
  StoreView,
  VirtualNetwork,
} from "../../instances/stores-types.ts";
import type { Loaded } from "../../store/loaded.ts";
import { plainLine } from "../../text.ts";
import { matches } from "../list.ts";
import { cell, glyph, paint, state, symbol, toneStyles } from "../theme.ts";
import { mebibytes } from "./instances-rows.ts";

export interface StorePlace {
  /** The provider's place. */
  place: string;
  host: string;
  label: string;
}

export type StoreRow = { key: string; at: StorePlace } & (
  | { kind: "host"; loaded: Loaded<StoreView | null> | undefined }
  | { kind: "problem"; problem: StoreProblem }
  | { kind: "pool"; pool: StoragePool }
  | { kind: "volume"; pool: StoragePool; volume: StoredVolume }
  | { kind: "network"; network: VirtualNetwork }
  | { kind: "system"; system: StoredSystem }
  | { kind: "lease"; network: VirtualNetwork; text: string }
);

export function storeRows(
  places: readonly StorePlace[],
  known: Readonly<Record<string, Loaded<StoreView | null>>>,
): StoreRow[] {
  return places.flatMap((at): StoreRow[] => {
    const loaded = known[at.place];
    const { pools = [], networks = [], systems = [], problems = [] } = loaded?.value ?? {};
    const { place } = at;
    return [
      { key: place, at, kind: "host", loaded },
      ...problems.map((problem): StoreRow => ({ key: `${place} ${problem.what}`, at, kind: "problem", problem })),
      ...pools.flatMap((pool): StoreRow[] => [
        { key: `${place} pool ${pool.name}`, at, kind: "pool", pool },
        ...pool.volumes.map(
          (volume): StoreRow => ({
            key: `${place} volume ${pool.name}/${volume.name}`,
            at,
            kind: "volume",
            pool,
            volume,
          }),
        ),
      ]),
      ...networks.flatMap((network): StoreRow[] => [
        { key: `${place} network ${network.name}`, at, kind: "network", network },
        ...network.leases.map(
          ({ mac, address, hostname, instance, until }): StoreRow => ({
            key: `${place} lease ${network.name} ${mac} ${address}`,
            at,
            kind: "lease",
            network,
            text: `${cell(address, 18)} ${mac}  ${cell(plainLine(instance ?? hostname ?? "nobody known"), 14)} until ${shortTime(until)}`,
          }),
        ),
      ]),
      ...systems.map((system): StoreRow => ({ key: `${place} system ${system.name}`, at, kind: "system", system })),
    ];
  });
}

/**
 * The rows that hold the words, each with its host's name and its pool's, under their hosts. A host of which nothing holds them
 * is not among them.
 */
export function storeRowsWith(rows: readonly StoreRow[], words: string): readonly StoreRow[] {
  if (words === "") return rows;
  const holds = (row: StoreRow) => {
    const pool = row.kind === "volume" ? ` ${plainLine(row.pool.name)}` : "";
    return matches(`${storeLine(row, 400)} ${plainLine(`${row.at.host} ${row.at.label}`)}${pool}`, words);
  };
  const found = new Set(rows.filter(holds));
  const places = new Set([...found].map(({ at }) => at.place));
  return rows.filter((row) => (row.kind === "host" ? places.has(row.at.place) : found.has(row)));
}

/** `2026-11-22 11:52:43`, as the host says it, without what a lease of some hours does not need. */
const shortTime = (text: string) => text.replace(/^\d{4}-(\d\d-\d\d \d\d:\d\d):\d\d$/, "$1");

const users = (names: readonly string[]) => (names.length > 0 ? `used by ${names.join(", ")}` : "used by nobody");
const onOff = (active: boolean) => state(active ? "good" : "idle", active ? "active" : "stopped");

/** One row in at most `width` columns. */
export function storeLine(row: StoreRow, width: number): string {
  switch (row.kind) {
    case "host": {
      const { host, label } = row.at;
      const error = row.loaded?.error;
      const wait = row.loaded?.value ? "" : " · being asked";
      const trouble = error ? ` ${paint(`${symbol("bad")} ${plainLine(error.message)}`, ...toneStyles("bad"))}` : wait;
      return `${paint(plainLine(`${host} · ${label}`), "bold")}${trouble}`;
    }
    case "problem": {
      const { what, why } = row.problem;
      return `  ${paint(cell(plainLine(`${symbol("bad")} ${what} can't be read: ${why}`), width - 2), ...toneStyles("bad"))}`;
    }
    case "pool": {
      const { name, active, autostart, target, sizeMiB, freeMiB } = row.pool;
      const room = freeMiB === null ? "" : `${mebibytes(freeMiB)} free of ${mebibytes(sizeMiB)}`;
      const rest = cell(
        `${room}  ${target ?? ""}${autostart ? "" : "  not started with the host"}`,
        Math.max(8, width - 42),
      );
      return `  pool    ${cell(plainLine(name), 20)} ${onOff(active)}  ${plainLine(rest)}`;
    }
    case "volume": {
      const { name, sizeMiB, takenMiB, usedBy } = row.volume;
      const size = `${cell(mebibytes(sizeMiB), 6, "right")}, takes ${cell(mebibytes(takenMiB), 6)}`;
      return `    ${cell(plainLine(name), 30)} ${size}  ${paint(cell(plainLine(users(usedBy)), Math.max(8, width - 56)), "dim")}`;
    }
    case "network": {
      const { name, active, forward, address, bridge, usedBy } = row.network;
      const what = [forward ?? "isolated", address, bridge, users(usedBy)].filter(Boolean).join(", ");
      return `  network ${cell(plainLine(name), 20)} ${onOff(active)}  ${cell(plainLine(what), Math.max(8, width - 42))}`;
    }
    case "system": {
      const { name, valid, variants, troubles } = row.system;
      const how = state(valid ? "good" : "bad", valid ? "valid" : "not valid");
      const what =
        troubles.length > 0 ? troubles.join("; ") : variants.length > 0 ? `variants ${variants.join(", ")}` : "";
      return `  system  ${cell(plainLine(name), 20)} ${how}  ${cell(plainLine(what), Math.max(8, width - 42))}`;
    }
    case "lease":
      return `    ${paint(`${glyph.none} ${cell(row.text, Math.max(8, width - 6))}`, "dim")}`;
  }
}
