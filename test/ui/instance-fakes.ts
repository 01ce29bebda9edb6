/** Instances and hosts as the inventory shows them, and an inventory that does what a test says. */
import type { EventEmitter } from "node:events";
import type {
  ActionItem,
  ActOptions,
  HostView,
  InstanceRow,
  Inventory,
  InventoryView,
  NodeRow,
} from "../../source/instances/inventory-types.ts";
import type { Request } from "../../source/instances/target.ts";
import type { InstanceDetails, PlainActionName, Provider } from "../../source/instances/types.ts";
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
    late: [],
    retryAt: null,
    refreshing: false,
    live: false,
    tookMs: 12,
    ...own,
  };
}

export function nodeRowOf(name: string, own: Partial<NodeRow> = {}): NodeRow {
  return {
    key: `node/${name}`,
    name,
    provider: "libvirt",
    cluster: null,
    host: name,
    roles: [],
    diskTotal: null,
    diskFree: null,
    memoryTotal: 65_536,
    memoryNode: null,
    memoryFree: 12_288,
    primaryInstances: 2,
    secondaryInstances: null,
    seenAt: now,
    stale: false,
    ...own,
  };
}

export function detailsOf(own: Partial<InstanceDetails> = {}): InstanceDetails {
  return {
    disks: [
      { id: "vda", kind: "disk", source: "/var/lib/libvirt/images/web1.qcow2", sizeMiB: 10_240, format: "qcow2" },
      { id: "sda", kind: "cdrom", source: null, sizeMiB: null, format: null },
    ],
    nics: [{ id: "52:54:00:aa:bb:cc", mac: "52:54:00:aa:bb:cc", network: "default", addresses: ["192.168.122.7"] }],
    snapshots: [],
    tags: [],
    note: "",
    networks: ["default", "br0"],
    pools: [{ name: "default", freeMiB: 20_480 }],
    media: ["/iso/debian.iso", "/iso/rescue.iso"],
    vcpusMax: 4,
    memoryMaxMiB: 2048,
    definition: { text: "<domain>\n  <name>web1</name>\n</domain>\n", language: "xml", editable: true },
    more: [],
    ...own,
  };
}

/** A provider that knows what a test says; what it does not say can't be asked. */
export function providerOf(own: Partial<Provider> = {}): Provider {
  const refuse = () => Promise.reject(new Error("a test asked the provider for something else"));
  return {
    name: "libvirt",
    attachment: { host: { name: "hv1" }, label: "qemu:///system" },
    cluster: null,
    place: "libvirt/hv1",
    target: { name: "hv1" },
    list: refuse,
    refuses: () => null,
    preview: () => [],
    act: refuse,
    unattended: () => null,
    details: refuse,
    targets: refuse,
    console: () => ({ refusal: "none", hint: "" }),
    graphics: async () => null,
    ...own,
  };
}

export interface FakeInventory extends Inventory {
  /** What was asked: `shutdown web1 web2`. */
  asked: string[];
  /** The requests of the same, whole. */
  requests: Request[];
  /** The options of the same. */
  options: ActOptions[];
  /** Shows another picture from now on. */
  set(view: Partial<InventoryView>): void;
}

export function fakeInventory(
  view: Partial<InventoryView>,
  own: Partial<Inventory> = {},
  provider: Provider | null = null,
): FakeInventory {
  let shown: InventoryView = { hosts: [hostOf("hv1")], instances: [], nodes: [], pending: [], runs: [], ...view };
  const asked: string[] = [];
  const requests: Request[] = [];
  const options: ActOptions[] = [];
  const nameOf = (key: string) => key.split("/").pop() ?? key;
  const inventory = stillInventory(shown, {
    view: () => shown,
    refuses: (action, key) => {
      const status = shown.instances.find((row) => row.key === key)?.status;
      if (action === "start") return status === "running" ? "it runs already" : null;
      return status === "stopped" ? "it is off already" : null;
    },
    find: (key) => {
      const instance = shown.instances.find((row) => row.key === key);
      if (provider && instance) return { kind: "instance", provider, instance };
      const node = shown.nodes.find((row) => row.key === key);
      return provider && node ? { kind: "node", provider, node } : null;
    },
    providers: () => (provider ? [provider] : []),
    act: (action, keys, given = {}) => {
      requests.push(action);
      options.push(given);
      asked.push(`${action.do} ${keys.map(nameOf).join(" ")}`);
      return { run: asked.length, items: () => [], done: Promise.resolve([]), cancel: () => {} };
    },
    preview: (action, keys) => keys.map((key) => ({ key, host: "hv1", lines: [`virsh ${action.do} ${nameOf(key)}`] })),
    ...own,
  });
  return Object.assign(inventory, {
    asked,
    requests,
    options,
    set(next: Partial<InventoryView>) {
      shown = { ...shown, ...next };
      (inventory as unknown as EventEmitter).emit("change");
    },
  });
}
