/** The built program in a pseudo-terminal, on the embedded site: instances are made in five steps. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { CreatePlan } from "../../source/instances/create-types.ts";
import { startSite } from "../../source/site/index.ts";
import { runProgram } from "../program.ts";
import { keys, type TestTerminal } from "../terminal.ts";
import { openInTest } from "./virtu.ts";

const image = "/var/lib/libvirt/images/debian-12-genericcloud.qcow2";
const clear = "\u0015";
const ctrlS = "\u0013";
const ctrlN = "\u000e";
const ctrlD = "\u0004";

/** Opens virtu on a Ganeti cluster and a libvirt host, at the first of the five steps. */
async function openWizard(rows = 24, hosts = ["hv1", "gnt1"]) {
  const site = await startSite({ speed: 400 });
  const directory = mkdtempSync(path.join(tmpdir(), "virtu-wizard-"));
  onTestFinished(async () => {
    await site.end();
    rmSync(directory, { recursive: true, force: true });
  });
  const options = { sshConfig: site.sshConfigFile, config: site.configDir, cwd: directory };
  const terminal = openInTest(
    hosts.flatMap((host) => ["--host", host]),
    { ...options, rows },
  );
  const dryRun = async (file: string): Promise<CreatePlan> =>
    (await runProgram(["create", "-f", file, "--dry-run", "--json"], options)).json();
  if (hosts.includes("gnt1")) {
    await terminal.waitFor(/ganeti · gnt[\s\S]*libvirt · hv1/);
    terminal.press("N");
    await terminal.waitFor("On           ‹ gnt.demo · ganeti ›");
    await terminal.waitFor("System       ‹ debootstrap+default ›");
  } else {
    await terminal.waitFor(/libvirt · hv1[\s\S]*libvirt · hv2/);
    terminal.press("N");
    await terminal.waitFor(/On +‹ hv\d · libvirt ›/);
    await terminal.waitFor(/From +‹/);
  }
  return { terminal, site, dryRun, directory };
}

/** Goes on to the step that has this field first. */
async function goOn(terminal: TestTerminal, first: string): Promise<void> {
  terminal.press(keys.enter);
  await terminal.waitFor(`❯${first}`);
}

async function goBack(terminal: TestTerminal, first: string): Promise<void> {
  terminal.press(keys.escape);
  await terminal.waitFor(`❯${first}`);
}

test("libvirt: an image that is there becomes an instance; Esc loses nothing, the file says the same", async () => {
  const { terminal, site, dryRun, directory } = await openWizard();
  terminal.press(keys.right);
  await terminal.waitFor("From         ‹ a disk image that is on the host ›");
  // What the host's pools hold is offered, but for disks of instances; any other file is typed.
  terminal.press(keys.tab, keys.tab);
  await terminal.waitFor("❯  image      ‹ default/debian-12-genericcloud.qcow2 ›");
  terminal.press(keys.left);
  await terminal.waitFor("❯  image      ‹ another: type its path ›");
  terminal.press(keys.enter);
  await terminal.waitFor("✗ path: it needs the path of a file on that host");
  await terminal.waitFor(/❯ {4}path/);
  terminal.press(image);
  await terminal.waitFor("debian-12-genericcloud.qcow2 ]");
  await goOn(terminal, "Memory");
  await terminal.waitFor(/❯Memory +\[ 1G +\] {2}the host has [\d.]+G free of 62\.8G/);
  terminal.press(clear, "900G", keys.enter);
  await terminal.waitFor(/❯Memory +\[ 900G +\] {2}✗ the host has 64300 MiB/);
  await terminal.waitFor("✗ Memory: the host has 64300 MiB");
  terminal.press(clear, "768M");
  await terminal.waitFor(/Memory +\[ 768M +\] {2}the host has/);
  await goOn(terminal, "Disk");
  terminal.press(keys.left);
  await terminal.waitFor("❯Disk         ‹ none, beside an imported image ›");
  await goOn(terminal, "Name");
  terminal.press("shop", keys.enter);
  await terminal.waitFor(/✗ there is a shop already/);
  terminal.press("-2");
  await terminal.waitFor(/❯Name +\[ shop-2 +\] *$/m);

  await goBack(terminal, "Disk         ‹ none, beside an imported image ›");
  await goBack(terminal, "Memory       [ 768M    ]");
  await goBack(terminal, "On           ‹ hv1 · libvirt ›");
  await terminal.waitFor("debian-12-genericcloud.qcow2 ]");
  await goOn(terminal, "Memory       [ 768M    ]");
  await goOn(terminal, "Disk         ‹ none");
  await goOn(terminal, "Name         [ shop-2");
  await goOn(terminal, "Start it     ‹ at once ›");
  await terminal.waitFor("will run on hv1");
  await terminal.waitFor("vol-create-as default shop-2.qcow2");
  await terminal.waitFor(/virt-install[^│]*--connect/);

  await terminal.waitFor("Ctrl-S save");
  terminal.press(ctrlS);
  await terminal.waitFor(/❯File +\[ shop-2\.yaml/);
  terminal.press(keys.enter);
  await terminal.waitFor("Saved. Again by: virtu create -f ");
  const { rows } = await dryRun("shop-2.yaml");
  expect(rows).toMatchObject([{ name: "shop-2", host: "hv1", problems: [], request: { memoryMiB: 768, disks: [] } }]);
  expect(readFileSync(path.join(directory, "shop-2.yaml"), "utf8")).toContain(`import: ${image}`);
  const hv1 = site.world.libvirt.find(({ hostname }) => hostname === "hv1");
  expect(hv1?.find("shop-2")).toBeUndefined();

  terminal.press(keys.enter);
  await terminal.waitFor(/❯ {2}shop-2 +hv1 +✓ made/);
  expect(hv1?.find("shop-2")).toMatchObject({ state: "running", memory: 768 * 1024 });
  expect(hv1?.storage.bytes("/var/lib/libvirt/images/shop-2.qcow2")).toBe(2 * 1024 ** 3);
  terminal.press("i");
  await terminal.waitFor(/ shop-2 +● running +hv1 /);
});

test("libvirt: several disks, of those that are there and new ones, for one instance", async () => {
  const { terminal, site, dryRun } = await openWizard();
  const hv1 = site.world.libvirt.find(({ hostname }) => hostname === "hv1");
  hv1?.storage.put("/var/lib/libvirt/images/kept.qcow2", 4 * 1024 ** 3);
  terminal.press(keys.right);
  await terminal.waitFor("From         ‹ a disk image that is on the host ›");
  terminal.press(keys.tab, keys.left);
  await terminal.waitFor("‹ nothing: its disks are ready ›");
  await goOn(terminal, "Memory");
  await goOn(terminal, "Disk");
  await terminal.waitFor("Ctrl-N add disk  Ctrl-D remove");
  terminal.press(keys.right, keys.tab);
  await terminal.waitFor("❯  volume     ‹ default/debian-12-genericcloud.qcow2 ›");
  terminal.press(ctrlN);
  await terminal.waitFor(/❯Disk 2 +‹ a volume that is there ›\s+volume +‹ default\/kept\.qcow2 ›/);
  terminal.press(ctrlN, keys.left);
  await terminal.waitFor("❯Disk 3       ‹ a new volume ›");
  terminal.press(ctrlN);
  await terminal.waitFor("❯Disk 4");
  terminal.press(ctrlD);
  await terminal.waitFor("❯Disk 3");
  terminal.press(keys.tab, keys.tab, clear, "1G");
  await terminal.waitFor("❯  size       [ 1G ");
  await goOn(terminal, "Name");
  terminal.press("wiki-2");
  await goBack(terminal, "  size       [ 1G ");
  await terminal.waitFor(/Disk 1 [^\n]*genericcloud\.qcow2\s+Disk 2 [^\n]*default\/kept\.qcow2\s+Disk 3/);
  await goOn(terminal, "Name         [ wiki-2");
  await goOn(terminal, "Start it     ‹ at once ›");
  terminal.press(ctrlS);
  await terminal.waitFor(/❯File +\[ wiki-2\.yaml/);
  terminal.press(keys.enter);
  await terminal.waitFor("Saved. Again by: virtu create -f ");
  const disks = [
    { kind: "volume", pool: "default", volume: "debian-12-genericcloud.qcow2" },
    { kind: "volume", pool: "default", volume: "kept.qcow2" },
    { kind: "new", pool: "default", sizeMiB: 1024, format: "qcow2" },
  ];
  expect((await dryRun("wiki-2.yaml")).rows).toMatchObject([{ problems: [], request: { disks } }]);
  terminal.press(keys.enter);
  await terminal.waitFor(/❯ {2}wiki-2 +hv1 +✓ made/);
  expect(hv1?.find("wiki-2")?.set.disks.map(({ source }) => source)).toEqual(
    ["debian-12-genericcloud.qcow2", "kept.qcow2", "wiki-2-3.qcow2"].map((name) => `/var/lib/libvirt/images/${name}`),
  );
  // They are somebody's now.
  const refused = await dryRun("wiki-2.yaml").catch(
    (error: { stdout: string }) => JSON.parse(error.stdout) as CreatePlan,
  );
  expect(refused.rows[0]?.problems).toContainEqual({
    field: "disks.1",
    text: "default/kept.qcow2 is a disk of wiki-2",
  });
});

test("Ganeti: two that the allocator places are made by jobs and stand in the table", async () => {
  const { terminal, site } = await openWizard();
  await goOn(terminal, "Memory");
  terminal.press(clear, "256M");
  await goOn(terminal, "Disks as");
  terminal.press(keys.tab, clear, "1G");
  await terminal.waitFor(/❯ {2}sizes +\[ 1G /);
  await goOn(terminal, "Name");
  terminal.press("pair{n}.demo", keys.tab, clear, "2");
  await terminal.waitFor(/❯How many +\[ 2 /);
  await goOn(terminal, "Start it     ‹ at once ›");
  await terminal.waitFor(/pair1\.demo[\s\S]*pair2\.demo/);
  await terminal.waitFor(/will run on gnt1, for pair1\.demo and alike for 1 other/);
  await terminal.waitFor("gnt-instance add");
  terminal.press(keys.enter);
  await terminal.waitFor(/2 of 2 instances/);
  await terminal.waitFor(/pair1\.demo +gnt\S* [^\n]*✓ made[^\n]*\n[^\n]*pair2\.demo +gnt\S* [^\n]*✓ made/);
  expect(site.world.ganeti.find("pair2.demo")).toMatchObject({ disks: [1024] });
  terminal.press("i");
  await terminal.waitFor(/ pair1\.demo +● running[^\n]*\n +pair2\.demo +● running/);
});

test("libvirt: four are spread over two hosts by free memory; the list says where before anything runs", async () => {
  const { terminal, site } = await openWizard(30, ["hv1", "hv2"]);
  terminal.press(keys.tab);
  // PXE is the last but one.
  terminal.press(keys.left, keys.left);
  await terminal.waitFor("From         ‹ over the network, by PXE ›");
  await goOn(terminal, "Memory");
  terminal.press(clear, "8G");
  await goOn(terminal, "Disk");
  terminal.press(keys.tab, keys.tab, clear, "1G");
  await goOn(terminal, "Name");
  terminal.press("many-{n}", keys.tab, clear, "4", keys.tab);
  await terminal.waitFor("❯Spread       ‹ all of them there ›");
  terminal.press(keys.right);
  // The other host is asked now what it offers; until it has said it, one can't go on.
  await terminal.waitFor((lines) => {
    const shown = lines.join("\n");
    return (
      shown.includes("❯Spread       ‹ over the 2 places of this kind, by free memory ›") &&
      !shown.includes("Asking what")
    );
  });
  await goOn(terminal, "Start it");
  const listed = (await terminal.waitFor(/many-4 .*hv\d/)).filter((line) => /many-\d .*hv\d/.test(line));
  const at = (host: string) => listed.filter((line) => new RegExp(` ${host}\\b`).test(line)).length;
  expect(at("hv1") + at("hv2")).toBe(4);
  expect(Math.min(at("hv1"), at("hv2"))).toBeGreaterThan(0);
  terminal.press(keys.enter);
  await terminal.waitFor("4 instances made.", 20_000);
  const made = ["hv1", "hv2"].map(
    (name) =>
      site.world.libvirt
        .find(({ hostname }) => hostname === name)
        ?.domains.filter((domain) => domain.name.startsWith("many-")).length,
  );
  expect(made).toEqual([at("hv1"), at("hv2")]);
});
