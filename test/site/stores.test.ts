/** `virtu stores`, `pool`, `volume` and `network` on the embedded site, by the built program. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type EmbeddedSite, startSite } from "../../source/site/index.ts";
import { runProgram } from "../program.ts";

let site: EmbeddedSite;
let home: string;

beforeAll(async () => {
  site = await startSite({ speed: 400 });
  home = mkdtempSync(path.join(tmpdir(), "virtu-stores-"));
});
afterAll(async () => {
  await site.end();
  rmSync(home, { recursive: true, force: true });
});

const on = (host: string, ...words: string[]) =>
  runProgram([...words, "--host", host], { sshConfig: site.sshConfigFile, config: site.configDir, home });

/** What it printed; fails unless its status is 0. */
async function virtu(...words: string[]): Promise<string> {
  const ran = await on("hv1", ...words);
  expect(ran, ran.stderr).toMatchObject({ status: 0 });
  return ran.stdout;
}

test("says what there is, who uses it, and which address each guest has", async () => {
  const text = await virtu("stores");
  expect(text).toMatch(/^hv1: pool default: active, \d+ MiB free of 953344 MiB, \/var\/lib\/libvirt\/images$/m);
  expect(text).toMatch(/^ {4}shop\.qcow2: \d+ MiB, takes \d+ MiB, used by shop$/m);
  expect(text).toContain("    debian-12-netinst.iso: 628 MiB, takes 628 MiB\n");
  expect(text).toMatch(/^hv1: network default: active, nat, 192\.168\.122\.1\/24, virbr0, used by shop, /m);
  const mac = site.world.libvirt.find(({ hostname }) => hostname === "hv1")?.find("shop")?.set.nics[0]?.mac;
  expect(text).toMatch(new RegExp(`^ {4}192\\.168\\.122\\.\\d+/24 ${mac} shop until 20`, "m"));
});

test("a pool, a volume in it and a network are made, found again, and taken away", async () => {
  await virtu("pool", "create", "fast", "--directory", "/srv/fast");
  await virtu("volume", "create", "fast/data.qcow2", "--size", "3G");
  await virtu("network", "create", "lab", "--address", "10.9.0.1/24", "--from", "10.9.0.10", "--to", "10.9.0.99");
  const made = await virtu("stores");
  expect(made).toMatch(/^hv1: pool fast: active, .*, \/srv\/fast\n {4}data\.qcow2: 3072 MiB, takes \d+ MiB$/m);
  expect(made).toMatch(/^hv1: network lab: active, nat, 10\.9\.0\.1\/24, virbr1$/m);
  await virtu("volume", "remove", "fast/data.qcow2", "--yes");
  await virtu("pool", "stop", "fast");
  await virtu("pool", "remove", "fast", "--yes");
  await virtu("network", "stop", "lab");
  await virtu("network", "remove", "lab", "--yes");
  expect(await virtu("stores")).not.toMatch(/fast|lab/);
});

test("Ganeti: what its nodes keep disks on, whose volumes are there, what it installs; nothing is changed there", async () => {
  const { stdout: text } = await on("gnt1", "stores");
  const cluster = site.world.clusters.all()[0];
  const instance = cluster?.instances.find(({ template, disks }) => template === "drbd" && disks.length > 0);
  expect(text).toMatch(/^gnt1: pool gnt1:xenvg: active, \d+ MiB free of \d+ MiB, lvm-vg$/m);
  expect(text).toContain(`    ${instance?.uuid}.disk0_data: ${instance?.disks[0]} MiB`);
  expect(text).toContain(`, used by ${instance?.name}`);
  expect(text).toContain("gnt1: system debootstrap: valid, debootstrap+default");
  expect(await on("gnt1", "pool", "create", "x", "--directory", "/srv/x")).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("Ganeti makes and removes disks with their instances"),
  });
});

test("XenServer: repositories with their disks and who uses them, networks; nothing is changed there", async () => {
  const { stdout: text } = await on("xcp1", "stores");
  expect(text).toMatch(/^xcp1: pool xcp1:Local storage: active, \d+ MiB free of 512000 MiB, ext$/m);
  expect(text).toContain("    files, old 0: 10240 MiB, takes 10240 MiB, used by files, old\n");
  expect(text).toMatch(/^xcp1: network Pool-wide network associated with eth0: active, bridge, xenbr0, used by pbx, /m);
  expect(await on("xcp1", "pool", "create", "x", "--directory", "/srv/x")).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("disks of XenServer are made and removed with their guests"),
  });
});
