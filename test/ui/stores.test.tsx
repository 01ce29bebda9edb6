import { expect, test } from "vitest";
import { LibvirtStores } from "../../source/instances/libvirt-stores.ts";
import type { StoreAction, Stores, StoreView } from "../../source/instances/stores-types.ts";
import type { Provider } from "../../source/instances/types.ts";
import { storeRows, storeRowsWith } from "../../source/ui/screens/stores-rows.ts";
import { ScriptedPool } from "../instances/fake-pool.ts";
import { keys, openUi } from "./harness.tsx";
import { fakeInventory, hostOf } from "./instance-fakes.ts";

const view: StoreView = {
  pools: [
    {
      ...{
        name: "default",
        active: true,
        autostart: true,
        type: "dir",
        target: "/images",
        sizeMiB: 10_240,
        freeMiB: 4096,
      },
      volumes: [
        { name: "web1.qcow2", path: "/images/web1.qcow2", sizeMiB: 2048, takenMiB: 300, usedBy: ["web1"] },
        { name: "old.qcow2", path: "/images/old.qcow2", sizeMiB: 1024, takenMiB: 10, usedBy: [] },
      ],
    },
  ],
  networks: [
    {
      ...{ name: "default", active: false, autostart: true, bridge: "virbr0", forward: "nat", address: "10.0.0.1/24" },
      ...{ dhcp: null, leases: [], usedBy: [] },
    },
  ],
  problems: [],
};

function open() {
  const done: StoreAction[] = [];
  const real = new LibvirtStores({ pool: new ScriptedPool(() => ({})), host: { name: "hv1" }, uri: "qemu:///system" });
  const stores: Stores = {
    everyMs: 15_000,
    list: async () => view,
    refuses: (action, known) => real.refuses(action, known),
    preview: (action) => real.preview(action),
    act: async (action) => {
      done.push(action);
      return { ok: true, job: null, text: null, error: null, detail: null };
    },
  };
  const provider = {
    ...{ place: "libvirt/hv1", name: "libvirt", stores },
    attachment: { host: { name: "hv1" }, label: "qemu:///system" },
  } as unknown as Provider;
  const inventory = fakeInventory({ hosts: [hostOf("hv1")] }, { providers: () => [provider] });
  const above = [{ screen: "stores" as const }];
  const ui = openUi({ place: { screen: "instances" }, above, inventory, hosts: ["hv1"], site: null });
  return { ui, done };
}

test("lists what a host has, with its room and who uses it", async () => {
  const { ui } = open();
  await ui.waitFor(/pool +default +● active +4G free of 10G/);
  const text = ui.screen().join("\n");
  expect(text).toMatch(/web1\.qcow2 +2G, takes 300M +used by web1/);
  expect(text).toMatch(/network default +○ stopped +nat, 10\.0\.0\.1\/24, virbr0/);
});

test("removes a volume that nobody uses, after asking; one in use says who uses it", async () => {
  const { ui, done } = open();
  await ui.waitFor("web1.qcow2");
  await ui.press(keys.down, keys.down, "D");
  await ui.waitFor("web1 uses it");
  await ui.press(keys.down, "D");
  await ui.waitFor("default/old.qcow2: all that is in it");
  await ui.press(keys.down, keys.enter);
  await ui.waitFor("volume remove default/old.qcow2: done");
  expect(done).toEqual([{ do: "volume-remove", pool: "default", volume: "old.qcow2" }]);
});

test("makes a volume: what is wrong beside its field, the command under it", async () => {
  const { ui, done } = open();
  await ui.waitFor("web1.qcow2");
  await ui.press(keys.down, "a");
  await ui.press("old.qcow2");
  await ui.waitFor("there is a volume old.qcow2");
  for (let n = 0; n < 9; n += 1) await ui.press(keys.backspace);
  await ui.press("new.raw");
  await ui.waitFor("--name new.raw --capacity 10240MiB");
  await ui.press(keys.enter);
  await ui.waitFor("volume create default/new.raw: done");
  expect(done).toMatchObject([{ do: "volume-create", volume: "new.raw", mebibytes: 10_240, format: "qcow2" }]);
});

test("starts a network that is stopped", async () => {
  const { ui, done } = open();
  await ui.waitFor("web1.qcow2");
  await ui.press(keys.end, "s");
  await ui.waitFor("network start default: done");
  expect(done).toEqual([{ do: "network-start", network: "default" }]);
});

test("a filter takes a host's name for all that it has, a pool's for its volumes, and leaves out hosts without any", () => {
  const at = (host: string) => ({ place: `libvirt/${host}`, host, label: "qemu:///system" });
  const loaded = { value: view, at: 0, loading: false, error: null };
  const rows = storeRows([at("hv1"), at("hv2")], { "libvirt/hv1": loaded, "libvirt/hv2": { ...loaded, value: null } });
  const found = (words: string) => storeRowsWith(rows, words).map(({ key }) => key.replace("libvirt/", ""));
  expect(found("")).toEqual([...found("hv1"), ...found("hv2")]);
  expect(found("hv1")).toHaveLength(5);
  expect(found("default qcow2")).toEqual(["hv1", "hv1 volume default/web1.qcow2", "hv1 volume default/old.qcow2"]);
  expect(found("nobody of this name")).toEqual([]);
});
