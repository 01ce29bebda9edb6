/** Where instances keep their disks, and what connects them: pools, volumes, networks, leases, and who uses them. */
import { Box } from "ink";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import type { StoreAction } from "../../instances/stores-types.ts";
import { plainLine } from "../../text.ts";
import { CommandBox } from "../components/command-box.tsx";
import { Confirm } from "../components/confirm.tsx";
import { FilterLine, useFilter, useFoundRow } from "../components/filter.tsx";
import { Form, type FormField, type Values } from "../components/form.tsx";
import { frameLines } from "../components/frame.tsx";
import { Table, useList } from "../components/table.tsx";
import { useKeys, useKnown, useUi } from "../hooks.ts";
import type { Place } from "../navigation.ts";
import { parseSize } from "./create-sizes.ts";
import { NoPlaces } from "./no-places.tsx";
import { type StoreRow, storeLine, storeRows, storeRowsWith } from "./stores-rows.ts";

interface Asked {
  place: string;
  host: string;
  action: StoreAction;
  loss: string;
}

/** What takes the thing under the cursor away, and what is lost with it. */
function removal(row: StoreRow | undefined): { action: StoreAction; loss: string } | null {
  switch (row?.kind) {
    case "volume": {
      const [pool, volume] = [row.pool.name, row.volume.name];
      return { action: { do: "volume-remove", pool, volume }, loss: `${pool}/${volume}: all that is in it` };
    }
    case "pool":
      return {
        action: { do: "pool-remove", pool: row.pool.name },
        loss: `the pool ${row.pool.name}; what is in it stays where it is`,
      };
    case "network":
      return {
        action: { do: "network-remove", network: row.network.name },
        loss: `the network ${row.network.name} and its leases`,
      };
    default:
      return null;
  }
}

/** Starts what is stopped and stops what is active. */
function turning(row: StoreRow | undefined): StoreAction | null {
  if (row?.kind === "pool") return { do: row.pool.active ? "pool-stop" : "pool-start", pool: row.pool.name };
  if (row?.kind !== "network") return null;
  return { do: row.network.active ? "network-stop" : "network-start", network: row.network.name };
}

export function StoresScreen(): ReactNode {
  const { workspace, navigation, size, copy } = useUi();
  const { stores } = workspace;
  const known = useKnown((state) => state.stores);
  const hosts = useKnown((state) => state.inventory.hosts);
  const [asked, setAsked] = useState<Asked | null>(null);
  const filter = useFilter("stores");
  useEffect(() => workspace.inventory.watch({ everyMs: 60_000 }), [workspace]);
  const places = useMemo(
    () =>
      hosts.length === 0
        ? []
        : stores.providers().map(({ place, attachment }) => ({
            ...{ place, host: attachment.host.name, label: attachment.label },
          })),
    [hosts, stores],
  );
  // A host that is found later is asked then.
  useEffect(() => (places.length > 0 ? stores.watch() : undefined), [stores, places.length]);
  const rows = useMemo(() => storeRowsWith(storeRows(places, known), filter.text), [places, known, filter.text]);
  const keys = rows.map(({ key }) => key);
  const height = Math.max(3, size.rows - frameLines - 2);
  const list = useList("stores", keys, height, asked === null);
  useFoundRow(filter, list);
  const row = rows[list.index];
  const gone = removal(row);
  const turn = turning(row);
  const pool = row?.kind === "pool" || row?.kind === "volume" ? row.pool.name : null;
  /** Why nothing can be made there at all, or null. */
  const fixed = row ? stores.refuses(row.at.place, { do: "pool-create", pool: "", directory: "" }) : "there is nothing";
  const add = (what: "volume" | "pool" | "network") => {
    if (row) navigation.open({ screen: "store-add", what, place: row.at.place, pool: pool ?? "" });
  };
  useKeys(
    "stores",
    {
      volume: { run: () => add("volume"), disabled: fixed ?? (pool === null ? "put the cursor on a pool" : null) },
      pool: { run: () => add("pool"), disabled: fixed },
      network: { run: () => add("network"), disabled: fixed },
      turn: {
        run: () => row && turn && void stores.act(row.at.place, turn),
        disabled: row && turn ? stores.refuses(row.at.place, turn) : "put the cursor on a pool or a network",
      },
      remove: {
        run: () => row && gone && setAsked({ place: row.at.place, host: row.at.host, ...gone }),
        disabled: row && gone ? stores.refuses(row.at.place, gone.action) : "put the cursor on what is to go",
      },
      filter: { run: filter.open, prominent: true },
      refresh: { run: () => void stores.refresh(), prominent: true },
      copy: {
        run: () => row?.kind === "volume" && copy(row.volume.path, "its path"),
        disabled: row?.kind === "volume" ? null : "put the cursor on a volume",
      },
    },
    { active: asked === null },
  );
  if (asked) {
    return (
      <Confirm
        title={`Remove it on ${asked.host}?`}
        losses={[plainLine(asked.loss)]}
        safe="Leave it"
        danger="Remove it"
        onNo={() => setAsked(null)}
        onYes={() => {
          setAsked(null);
          void stores.act(asked.place, asked.action);
        }}
      />
    );
  }
  return (
    <Box flexDirection="column">
      <FilterLine filter={filter} shown={rows.length} total={rows.length} />
      <Table
        view={list}
        row={(index) => storeLine(rows[index] as StoreRow, size.columns - 2)}
        empty={
          <NoPlaces none="No host that is shown runs libvirt, Ganeti or XenServer, whose storage and networks stand here." />
        }
      />
    </Box>
  );
}

const fieldsOf: Readonly<Record<"volume" | "pool" | "network", readonly FormField[]>> = {
  volume: [
    { id: "name", label: "Name", kind: "text", width: 24 },
    { id: "size", label: "Size", kind: "text", width: 8, initial: "10G" },
    {
      id: "format",
      label: "Format",
      kind: "choice",
      choices: [
        { value: "qcow2", label: "qcow2: grows as it fills" },
        { value: "raw", label: "raw" },
      ],
    },
  ],
  pool: [
    { id: "name", label: "Name", kind: "text", width: 24 },
    { id: "directory", label: "Directory", kind: "text", width: 40, help: "made where it is not there" },
  ],
  network: [
    { id: "name", label: "Name", kind: "text", width: 30 },
    {
      id: "address",
      label: "Address",
      kind: "text",
      width: 20,
      initial: "192.168.100.1/24",
      help: "the host's own in it",
    },
    { id: "from", label: "DHCP from", kind: "text", width: 16, initial: "192.168.100.10" },
    { id: "to", label: "  to", kind: "text", width: 16, initial: "192.168.100.200" },
  ],
};

const isAddress = (text: string) => /^\d{1,3}(\.\d{1,3}){3}$/.test(text);

/** What the form stands for, and what is wrong with its fields. */
function addition(what: "volume" | "pool" | "network", pool: string, values: Values) {
  const of = (id: string) => values[id] ?? "";
  const errors: Record<string, string> = {};
  const wrong = (id: string, ok: boolean, text: string) => {
    if (of(id) !== "" && !ok) errors[id] = text;
  };
  wrong("name", /^[^/\s-][^/]*$/.test(of("name")), "no slash, no leading dash or blank");
  if (what === "volume") {
    wrong("size", parseSize(of("size")) !== null, "a size: 512M, 10G");
    const format = of("format") === "raw" ? "raw" : "qcow2";
    const action: StoreAction = {
      ...{ do: "volume-create", pool, volume: of("name"), mebibytes: parseSize(of("size")) ?? 0, format },
    };
    return { action, errors };
  }
  if (what === "pool") {
    wrong("directory", of("directory").startsWith("/"), "an absolute path");
    const action: StoreAction = { do: "pool-create", pool: of("name"), directory: of("directory") };
    return { action, errors };
  }
  wrong("address", /^\d{1,3}(\.\d{1,3}){3}\/\d{1,2}$/.test(of("address")), "like 192.168.100.1/24");
  wrong("from", isAddress(of("from")), "an address");
  wrong("to", isAddress(of("to")), "an address");
  const action: StoreAction = {
    ...{ do: "network-create", network: of("name"), address: of("address"), from: of("from"), to: of("to") },
  };
  return { action, errors };
}

/** Makes a volume, a pool or a network. */
export function StoreAddScreen({ place }: { place: Place }): ReactNode {
  const { workspace, navigation, size } = useUi();
  useKnown((state) => state.stores);
  if (place.screen !== "store-add") return null;
  const { what, pool } = place;
  const { stores } = workspace;
  const fields = fieldsOf[what];
  const missing = (values: Values) =>
    fields
      .find(({ id }) => values[id] === "")
      ?.label.trim()
      .toLowerCase();
  return (
    <Form
      name={`store-add:${what}`}
      fields={fields}
      errors={(values) => {
        const { action, errors } = addition(what, pool, values);
        const refusal = values["name"] ? stores.refuses(place.place, action) : null;
        return refusal ? { name: refusal, ...errors } : errors;
      }}
      missing={(values) => {
        const field = missing(values);
        return field === undefined ? null : `the ${field} is needed`;
      }}
      onSubmit={(values) => {
        void stores.act(place.place, addition(what, pool, values).action);
        navigation.forget(`form:store-add:${what}`);
        navigation.back();
      }}
      footer={(values) => (
        <Box marginTop={1}>
          {missing(values) === undefined && (
            <CommandBox
              title="will run on the host"
              commands={stores.preview(place.place, addition(what, pool, values).action)}
              columns={size.columns - 1}
            />
          )}
        </Box>
      )}
    />
  );
}
