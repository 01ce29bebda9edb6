/** The storage step of the five: several disks, as the screen shows them. */
import { expect, test } from "vitest";
import { LibvirtMaker } from "../../source/instances/create-maker-libvirt.ts";
import type { LibvirtOffers } from "../../source/instances/create-offers.ts";
import { keys, openUi, type TestUi } from "./harness.tsx";
import { fakeInventory, hostOf, providerOf } from "./instance-fakes.ts";

const ctrlN = "\u000e";
const ctrlD = "\u0004";
const clear = "\u0015";

const volume = (name: string) => ({ name, path: `/images/${name}` });
const offers: LibvirtOffers = {
  ...{ provider: "libvirt", names: ["web1"], macs: [], cpus: 8, cpusInUse: 0, memoryMiB: 8192, memoryFreeMiB: 4096 },
  pools: [
    {
      ...{
        name: "default",
        active: true,
        type: "dir",
        directory: "/images",
        capacityMiB: 40_960,
        availableMiB: 30_720,
      },
      volumes: ["a.qcow2", "b.qcow2", "base.iso", "web1.qcow2"].map(volume),
    },
  ],
  networks: [{ name: "default", active: true, bridge: "virbr0", forward: "nat", address: null, hasDhcp: true }],
  ...{ bridges: [], archs: [], maximumVcpus: 255, firmwares: ["bios"], systems: [], hasVirtInstall: true },
  usedDisks: new Map([["/images/web1.qcow2", "web1"]]),
  files: new Map(),
};

/** The wizard at its storage step, of an instance that boots from its disks. */
async function openStorage(): Promise<TestUi> {
  const maker = Object.assign(new LibvirtMaker({ name: "hv1" }, "qemu:///system"), { offers: async () => offers });
  const provider = providerOf({ maker: async () => maker });
  const inventory = fakeInventory({ hosts: [hostOf("hv1")] }, { providers: () => [provider] });
  const above = [{ screen: "create" as const }];
  const ui = openUi({ place: { screen: "instances" }, above, inventory, hosts: ["hv1"], site: null });
  await ui.waitFor("From         ‹ a disk image that is on the host ›");
  await ui.press(keys.tab, keys.left);
  await ui.waitFor("‹ nothing: its disks are ready ›");
  await goOn(ui, "Memory");
  await goOn(ui, "Disk ");
  return ui;
}

async function goOn(ui: TestUi, first: string): Promise<void> {
  await ui.press(keys.enter);
  await ui.waitFor(`❯${first}`);
}

/** The lines of the disks. */
const disksOf = (ui: TestUi) => {
  const lines = ui.screen().map((line) => line.trimEnd());
  const from = lines.findIndex((line) => /^[ ❯]Disk/.test(line));
  return lines.slice(from, lines.indexOf("", from));
};

test("disks of all kinds are added and removed; those without the cursor are a line each", async () => {
  const ui = await openStorage();
  await ui.waitFor("⏎ go on  Tab next  ←→ choose  Ctrl-N add disk  Ctrl-D remove  Esc  F1 help");
  await ui.press(keys.right);
  await ui.waitFor("‹ default/a.qcow2 ›  /images/a.qcow2");
  await ui.press(ctrlN);
  await ui.waitFor("❯Disk 2");
  expect(disksOf(ui)).toEqual([
    " Disk 1       ‹ a volume that is there ›  default/a.qcow2",
    "❯Disk 2       ‹ a volume that is there ›",
    "   volume     ‹ default/b.qcow2 ›  /images/b.qcow2",
  ]);
  await ui.press(ctrlN, keys.left, keys.tab, keys.tab, clear, "7G");
  await ui.waitFor("❯  size       [ 7G ");
  expect(disksOf(ui)).toEqual([
    " Disk 1       ‹ a volume that is there ›  default/a.qcow2",
    " Disk 2       ‹ a volume that is there ›  default/b.qcow2",
    " Disk 3       ‹ a new volume ›",
    "   in pool    ‹ default ›  30G free of 40G",
    "❯  size       [ 7G      ]",
    "   format     ‹ qcow2 ›",
  ]);
  // Up to the first one, which goes.
  await ui.press(keys.up, keys.up, keys.up, keys.up);
  await ui.waitFor("❯Disk 1");
  await ui.press(ctrlD);
  await ui.waitFor(" Disk 2       ‹ a new volume ›  7G qcow2 in default");
  expect(disksOf(ui)).toEqual([
    "❯Disk 1       ‹ a volume that is there ›",
    "   volume     ‹ default/b.qcow2 ›  /images/b.qcow2",
    " Disk 2       ‹ a new volume ›  7G qcow2 in default",
  ]);
  // Nothing is lost on the way to the summary and back.
  await goOn(ui, "Name");
  await ui.press("x1");
  await goOn(ui, "Start it");
  await ui.waitFor(/vol-create-as default x1-2\.qcow2[\s\S]*vol=default\/b\.qcow2[\s\S]*vol=default\/x1-2\.qcow2/);
  await ui.press(keys.esc);
  await ui.waitFor("❯Name");
  await ui.press(keys.esc);
  await ui.waitFor("❯Disk 1");
  expect(disksOf(ui).at(-1)).toBe(" Disk 2       ‹ a new volume ›  7G qcow2 in default");
});

test("each is checked against the host; what is wrong with a folded one stands beside it and leads there", async () => {
  const ui = await openStorage();
  await ui.press(keys.right, ctrlN);
  await ui.waitFor("❯Disk 2");
  // The same volume twice.
  await ui.press(keys.tab, keys.left);
  await ui.waitFor("❯  volume     ‹ default/a.qcow2 ›  ✗ default/a.qcow2 is a disk of it already");
  await ui.press(ctrlN, keys.right);
  await ui.waitFor("❯Disk 3       ‹ a file or device of the host ›");
  await ui.press(keys.tab, "/images/web1.qcow2");
  await ui.waitFor(/^ {14}\/images\/web1\.qcow2 is a disk of web1$/m);
  await ui.waitFor("Disk 2       ‹ a volume that is there ›  ✗ default/a.qcow2 is a disk of it al");
  await ui.press(keys.enter);
  await ui.waitFor("❯  volume     ‹ default/a.qcow2 ›");
  await ui.waitFor("✗ volume: default/a.qcow2 is a disk of it already");
  // What nobody has to offer is not offered: an ISO image, another's disk.
  await ui.press(keys.right);
  await ui.waitFor("❯  volume     ‹ default/b.qcow2 ›  /images/b.qcow2");
  await ui.press(keys.right);
  await ui.waitFor("❯  volume     ‹ default/a.qcow2 ›");
});

test("new ones share the room of their pool; twelve have a place on 24 lines, and no more are taken", async () => {
  const ui = await openStorage();
  for (let n = 2; n <= 4; n += 1) {
    await ui.press(ctrlN);
    await ui.waitFor(`❯Disk ${n}`);
  }
  await ui.waitFor("‹ default ›  ✗ the pool default has 30720 MiB free, 30720 + 10240");
  for (let n = 5; n <= 12; n += 1) {
    await ui.press(ctrlN);
    await ui.waitFor(`❯Disk ${n}`);
  }
  const lines = ui.screen();
  expect(lines).toHaveLength(24);
  expect(lines[3]).toContain("3 Storage");
  expect(disksOf(ui)).toHaveLength(15);
  expect(lines.slice(-2).join("\n")).not.toContain("Ctrl-N");
  await ui.press(ctrlN);
  await ui.waitFor("12 are the most here");
  await ui.press("\u001bOP");
  await ui.waitFor("Leave this disk out again; nothing is there of it yet");
});

test("the last one becomes none; what was typed into a disk that is gone holds nothing up", async () => {
  const ui = await openStorage();
  await ui.press(keys.tab, keys.tab, clear, "much");
  await ui.waitFor("✗ a size: 512M, 10G");
  await ui.press(ctrlD);
  await ui.waitFor("❯Disk         ‹ none, beside an imported image ›");
  await ui.press(keys.enter);
  // There is nothing that it could boot: that is said, and not the size.
  await ui.waitFor("there is nothing that it could boot");
  await ui.press(ctrlD);
  await ui.waitFor("it has no disk");
  await ui.press(ctrlN);
  await ui.waitFor("❯Disk         ‹ a new volume ›");
  await ui.waitFor("   size       [ 10G     ]");
});
