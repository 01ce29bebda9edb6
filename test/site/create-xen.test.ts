/** virtu create on the embedded site's Xen host and its pool of XCP-ng, by the built program. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CreateOutcome, CreatePlan } from "../../source/instances/create-types.ts";
import { type EmbeddedSite, startSite } from "../../source/site/index.ts";
import { type ProgramRan, runProgram } from "../program.ts";

let site: EmbeddedSite;
let home: string;

beforeAll(async () => {
  site = await startSite({ speed: 400 });
  home = mkdtempSync(path.join(tmpdir(), "virtu-create-"));
});
afterAll(async () => {
  await site.end();
  rmSync(home, { recursive: true, force: true });
});

const program = (...words: string[]) =>
  runProgram(words, { sshConfig: site.sshConfigFile, config: site.configDir, home });
const virtu = (...words: string[]) => program("create", ...words);

const outcomes = ({ stdout }: Pick<ProgramRan, "stdout">) => JSON.parse(stdout) as CreateOutcome[];
const kernel = ["--type", "pv", "--kernel", "/boot/vmlinuz", "--host", "xen1"];

describe("on Xen", () => {
  const files = () => {
    const machine = [...site.world.machines.values()].find(({ shortName }) => shortName === "xen1");
    if (!machine) throw new Error("no xen1");
    return machine.files;
  };

  test("its disk and its file are kept, and it runs until its console shows a login", async () => {
    const ran = await virtu(
      ...["new1", ...kernel, "--memory", "512M", "--disk", "4G", "--disk", "size=2G,group=vg0"],
      ...["--nic", "bridge=xenbr0", "--ready", "console", "--ready-limit", "60"],
    );
    expect(ran, ran.stderr).toMatchObject({ status: 0 });
    expect(ran.stdout).toMatch(/^xen1\/new1: ready .*\n {2}note: its console says ".*login:/);
    const domain = site.world.xen.find("new1");
    expect(domain).toMatchObject({ state: "running", memory: 512 });
    const text = files().readText("/etc/xen/new1.cfg");
    expect(text).toContain(`uuid = "${domain?.uuid}"`);
    expect(text).toContain('"format=raw,vdev=xvda,access=rw,target=/srv/xen/new1.img"');
    expect(text).toContain('"format=raw,vdev=xvdb,access=rw,target=/dev/vg0/new1-2"');
    expect(text).toMatch(/vif = \[ "mac=00:16:3e:[\da-f:]{8},bridge=xenbr0" \]/);
    expect(site.world.xen.volumes.volumes.get("new1-2")).toBe(2048);

    expect(await program("force-off", "new1", "--host", "xen1", "--yes")).toMatchObject({ status: 0 });
    const removed = await program("remove", "new1", "--host", "xen1", "--yes");
    expect(removed, removed.stderr).toMatchObject({ status: 0 });
    expect(["/etc/xen/new1.cfg", "/srv/xen/new1.img"].map((file) => files().find(file))).toEqual([null, null]);
    expect([...site.world.xen.volumes.volumes.keys()]).toEqual(["backup"]);
  });

  test("the plan is shown with the very lines, and nothing is made", async () => {
    const ran = await virtu(
      "dry-{n}",
      "--count",
      "3",
      ...kernel,
      "--memory",
      "64M",
      "--disk",
      "1G",
      "--dry-run",
      "--json",
    );
    expect(ran, ran.stderr).toMatchObject({ status: 0 });
    const { rows } = JSON.parse(ran.stdout) as CreatePlan;
    expect(rows.map(({ name }) => name)).toEqual(["dry-1", "dry-2", "dry-3"]);
    expect(rows[0]?.commands.map(({ line }) => line)).toEqual([
      expect.stringContaining("truncate -s 1024M /srv/xen/dry-1.img"),
      expect.stringMatching(/^\(set -C; : >\/etc\/xen\/dry-1\.cfg\) .*'name = "dry-1"' 'uuid = /),
      "timeout -k 5 120 /usr/sbin/xl create -q /etc/xen/dry-1.cfg",
    ]);
    expect(files().find("/etc/xen/dry-1.cfg")).toBeNull();
    // Each has a card of its own.
    expect(new Set(rows.map(({ request }) => request.nics?.[0]?.mac)).size).toBe(3);
  });

  test("what stands in the way is told field by field", async () => {
    const bad = await virtu(
      ...[
        "mail",
        "--type",
        "pv",
        "--iso",
        "/srv/iso/no.iso",
        "--host",
        "xen1",
        "--memory",
        "31G",
        "--nic",
        "bridge=br9",
      ],
      ...["--disk", "size=900G", "--disk", "path=/srv/xen/ldap.img", "--disk", "size=200G,group=vg0"],
    );
    expect(bad.status).toBe(2);
    for (const text of [
      "name: there is a mail already",
      "boot.iso: there is no /srv/iso/no.iso",
      "boot: a pv guest has no firmware",
      "memory: Xen has ",
      "disks.0: /srv has 317440 MiB free, 921600 are wanted",
      "disks.1: /srv/xen/ldap.img is a disk of ldap",
      "disks.2: the volume group vg0 has ",
      "nics.0: there is no bridge br9",
    ]) {
      expect(bad.stderr).toContain(text);
    }
  });

  test("one that can't be started leaves nothing, and what others have stays", async () => {
    const words = ["gone1", "--type", "pv", "--kernel", "/boot/none", "--host", "xen1", "--memory", "64M"];
    const ran = await virtu(...words, "--disk", "1G", "--disk", "size=1G,group=vg0", "--no-check", "--json");
    expect(ran.status).toBe(1);
    expect(outcomes(ran)[0]).toMatchObject({
      error: "/boot/none can't be read: No such file or directory",
      cleanedUp: ["file /etc/xen/gone1.cfg", "volume vg0/gone1-2", "file /srv/xen/gone1.img"],
      leftBehind: [],
    });
    expect(["/etc/xen/gone1.cfg", "/srv/xen/gone1.img"].map((file) => files().find(file))).toEqual([null, null]);
    expect([...site.world.xen.volumes.volumes.keys()]).not.toContain("gone1-2");
    const before = files().readText("/etc/xen/archive.cfg");
    const taken = await virtu("archive", ...kernel, "--memory", "64M", "--disk", "1G", "--no-check", "--json");
    expect(outcomes(taken)[0]).toMatchObject({
      error: "there is a /srv/xen/archive.img already, and it stays as it is",
      cleanedUp: [],
    });
    const own = await virtu("archive", ...kernel, "--memory", "64M", "--disk", "none", "--no-check", "--json");
    expect(outcomes(own)[0]).toMatchObject({
      error: expect.stringContaining("/etc/xen/archive.cfg already"),
      cleanedUp: [],
    });
    expect(files().readText("/etc/xen/archive.cfg")).toBe(before);
  });

  test("from a file; a fault in it has its line", async () => {
    const file = path.join(home, "xen.yaml");
    const head = "provider: xen\nhosts: [xen1]\nname: file1\nmemory: 64M\n";
    writeFileSync(
      file,
      `${head}type: hvm\nboot: { iso: /srv/iso/debian-12-netinst.iso }\ndisks:\n  - { size: 1G }\nstart: false\n`,
    );
    const ran = await virtu("-f", file, "--json");
    expect(ran, ran.stderr).toMatchObject({ status: 0 });
    expect(files().readText("/etc/xen/file1.cfg")).toContain('boot = "cd"');
    expect(site.world.xen.find("file1")).toBeUndefined();
    writeFileSync(file, `${head}boot: { kernel: vmlinuz }\n`);
    const wrong = await virtu("-f", file);
    expect(wrong.stderr).toContain(`${file}:5:17: The file does not say what to make`);
    expect(wrong.stderr).toContain('boot.kernel: "vmlinuz" is not a kernel of the host');
  });
});

describe("on XenServer", () => {
  const words = ["--host", "xcp1", "--template", "Debian Bookworm 12", "--memory", "1G"];
  const pool = () => site.world.xenPool;
  const guest = (name: string) => pool().guests.find((one) => one.name === name);

  test("from a template, with further disks, a card and an ISO image; it runs", async () => {
    const [, second] = pool().parts.networks;
    const ran = await virtu(
      ...["xs1", ...words, "--vcpus", "2", "--disk", "4G", "--disk", "size=6G,repository=nfs1", "--json"],
      ...["--nic", `network=${second?.name}`, "--iso", "debian-12-netinst.iso", "--tag", "lab", "--note", "made here"],
    );
    expect(ran, ran.stderr).toMatchObject({ status: 0 });
    expect(outcomes(ran)[0]).toMatchObject({ name: "xs1", provider: "xenserver", ok: true, error: null });
    const made = guest("xs1");
    if (!made) throw new Error("no xs1");
    expect(made).toMatchObject({
      state: "running",
      memory: 1024 ** 3,
      vcpus: 2,
      description: "made here",
      tags: ["lab"],
    });
    const { parts } = pool();
    const drives = parts.drivesOf(made.uuid).map(({ image, kind }) => {
      const found = parts.images.find(({ uuid }) => uuid === image);
      const repository = parts.repositories.find(({ uuid }) => uuid === found?.repository);
      return [kind, kind === "CD" ? found?.name : (found?.bytes ?? 0) / 1024 ** 3, repository?.name];
    });
    expect(drives).toEqual([
      ["Disk", 10, "Local storage"],
      ["Disk", 4, "Local storage"],
      ["Disk", 6, "nfs1"],
      ["CD", "debian-12-netinst.iso", "ISO library"],
    ]);
    expect(parts.cardsOf(made.uuid).map(({ network }) => network)).toEqual([second?.uuid]);
  });

  test("the plan is shown as one would type it", async () => {
    const ran = await virtu("dry1", ...words, "--no-start", "--nic", "none", "--dry-run", "--json");
    const { rows } = JSON.parse(ran.stdout) as CreatePlan;
    const lines = rows[0]?.commands.map(({ line }) => line) ?? [];
    expect(lines[0]).toMatch(
      /^vm=\$\(timeout -k 5 7200 \/usr\/bin\/xe vm-install 'template=[\da-f-]{36}' new-name-label=virtu-/,
    );
    expect(lines[1]).toMatch(/xe vm-memory-set uuid="\$vm" 'memory=1024MiB'$/);
    expect(lines.at(-1)).toContain("name-label=dry1");
    expect(guest("dry1")).toBeUndefined();
  });

  test("what stands in the way is told field by field", async () => {
    const twin = { ...pool().parts.networks[0], uuid: "11111111-2222-4333-8444-555555555555" };
    pool().parts.networks.push({ name: "", bridge: "", ...twin });
    const bad = await virtu(
      ...["pbx", "--host", "xcp1", "--template", "Debian Potato", "--memory", "40G", "--repository", "san"],
      ...["--disk", "size=9000G", "--nic", `network=${twin.name}`, "--iso", "no.iso"],
    );
    pool().parts.networks.pop();
    expect(bad.status).toBe(2);
    for (const text of [
      "name: there is a pbx already",
      "template: the pool has no template Debian Potato",
      "memory: no host of the pool has room for 40960 MiB",
      "repository: the pool has no storage repository san",
      "nics.0: several networks of the pool are called",
      "iso: no ISO library of the pool has no.iso",
    ]) {
      expect(bad.stderr).toContain(text);
    }
    const full = await virtu("full1", ...words, "--disk", "450G", "--dry-run");
    expect(full.stdout).toMatch(/disks\.0: Local storage has \d+ MiB free, 10240 \+ 460800 are wanted/);
  });

  test("one that fails on the way is taken away with its disks, and with nothing else", async () => {
    const { parts } = pool();
    const before = { guests: pool().guests.length, images: parts.images.length, drives: parts.drives.length };
    const ran = await virtu("gone1", ...words, "--disk", "4G", "--disk", "9000G", "--no-check", "--json");
    expect(ran.status).toBe(1);
    expect(outcomes(ran)[0]).toMatchObject({
      ...{ error: "there is no room left on the storage repository", cleanedUp: ["guest gone1"], leftBehind: [] },
    });
    const large = await virtu(
      ...["gone2", "--host", "xcp1", "--template", "Debian Bookworm 12", "--memory", "64G", "--no-check", "--json"],
      ...["--iso", "debian-12-netinst.iso"],
    );
    expect(outcomes(large)[0]).toMatchObject({
      error: "no host has enough free memory for it",
      cleanedUp: ["guest gone2"],
    });
    expect({ guests: pool().guests.length, images: parts.images.length, drives: parts.drives.length }).toEqual(before);
  });
});
