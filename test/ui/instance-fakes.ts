/** Instances and hosts as the inventory shows them, and an inventory that does what a test says. */
import type { EventEmitter } from "node:events";
import type {
  ActionItem,
  HostView,
  InstanceRow,
  Inventory,
  InventoryView,
} from "../../source/instances/inventory-types.ts";
import type { PlainActionName } from "../../source/instances/types.ts";
import { stillInventory } from "./harness.tsx";

/** Epoch milliseconds of the harness's clock. */
export const now = 1_000_000_000;

export function rowOf(name: string, own: Partial<InstanceRow> = {}): InstanceRow {
  const host = own.host ?? "hv1";
  return {
    key: `libvirt/${host}/${name}`,
    name,
    id: name,
    provider: "libvirt",
    cluster: null,
    host,
    node: host,
    status: "running",
    statusDetail: own.status ?? "running",
    vcpus: 1,
    memoryMiB: 512,
    facts: {},
    seenAt: now,
    stale: false,
    action: null,
    ...own,
  };
}

export function itemOf(
  row: InstanceRow,
  action: PlainActionName | "reboot",
  own: Partial<ActionItem> = {},
): ActionItem {
  return {
    id: 1,
    run: 1,
    action,
    request: { do: action },
    key: row.key,
    name: row.name,
    host: row.host,
    state: "running",
    text: "started",
    job: null,
    error: null,
    detail: null,
    statusBefore: row.status,
    statusAfter: null,
    queuedAt: now,
    startedAt: now,
    endedAt: null,
    ...own,
  };
}

export function hostOf(host: string, own: Partial<HostView> = {}): HostView {
  return {
    host,
    state: "ok",
    providers: [{ name: "libvirt", label: "qemu:///system", cluster: null, sharedWith: null }],
    seenAt: now,
    error: null,
    problems: [],
    notes: [],
    retryAt: null,
    refreshing: false,
    live: false,
    tookMs: 12,
    ...own,
  };
}

export interface FakeInventory extends Inventory {
  /** What was asked: `shutdown web1 web2`. */
  asked: string[];
  /** Shows another picture from now on. */
  set(view: Partial<InventoryView>): void;
}

export function fakeInventory(view: Partial<InventoryView>, own: Partial<Inventory> = {}): FakeInventory {
  let shown: InventoryView = { hosts: [hostOf("hv1")], instances: [], nodes: [], pending: [], runs: [], ...view };
  const asked: string[] = [];
  const nameOf = (key: string) => key.split("/").pop() ?? key;
  const inventory = stillInventory(shown, {
    view: () => shown,
    refuses: (action, key) => {
      const status = shown.instances.find((row) => row.key === key)?.status;
      if (action === "start") return status === "running" ? "it runs already" : null;
      return status === "stopped" ? "it is off already" : null;
    },
    act: (action, keys) => {
      asked.push(`${action.do} ${keys.map(nameOf).join(" ")}`);
      return { run: asked.length, items: () => [], done: Promise.resolve([]), cancel: () => {} };
    },
    preview: (action, keys) => keys.map((key) => ({ key, host: "hv1", lines: [`virsh ${action.do} ${nameOf(key)}`] })),
    ...own,
  });
  return Object.assign(inventory, {
    asked,
    set(next: Partial<InventoryView>) {
      shown = { ...shown, ...next };
      (inventory as unknown as EventEmitter).emit("change");
    },
  });
}
