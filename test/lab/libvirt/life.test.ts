/**
 * Everything that libvirt can do with a domain, done through the provider's interface and read by virsh itself; migration
 * between two daemons, a QEMU that hangs, a libvirtd that is restarted while its events flow.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Action } from "../../../source/instances/types.ts";
import type { Sample } from "../../../source/journey/compare-types.ts";
import { Teardown, until, virtu } from "../lab.ts";
import type { LabNode } from "../nodes.ts";
import { type LibvirtLab, openLibvirt } from "./hosts.ts";
import { type Driver, openDriver } from "./provider.ts";

const teardown = new Teardown();
let lab: LibvirtLab;
let driver: Driver;
const images = "/var/lib/libvirt/images";

const full = `<domain type='qemu'>
  <name>full1</name>
  <memory unit='MiB'>192</memory>
  <currentMemory unit='MiB'>160</currentMemory>
  <vcpu current='1'>2</vcpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <kernel>/var/lib/lab/vmlinuz</kernel>
    <initrd>/var/lib/lab/initrd.gz</initrd>
    <cmdline>console=ttyS0 quiet no_timer_check panic=5</cmdline>
  </os>
  <features><acpi/><apic/></features>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/><source file='${images}/full1.qcow2'/><target dev='vda' bus='virtio'/>
    </disk>
    <disk type='file' device='cdrom'><target dev='hdc' bus='ide'/><readonly/></disk>
    <serial type='file'><source path='/var/lib/libvirt/qemu/full1.console' append='on'/></serial>
    <graphics type='vnc' port='-1' autoport='yes' listen='127.0.0.1'/>
    <video><model type='vga'/></video>
    <memballoon model='virtio'/>
  </devices>
</domain>`;

beforeAll(async () => {
  lab = await openLibvirt(teardown);
  const key = readFileSync(lab.network.identity, "utf8");
  for (const host of [lab.hv1, lab.hv2]) {
    // What an administrator does so that two hosts can hand domains over: each one's root knows the other.
    await host.exec(
      `umask 077; cat >/root/.ssh/id_ed25519; printf 'StrictHostKeyChecking accept-new\\n' >/root/.ssh/config
virsh -c qemu:///system pool-define-as default dir --target ${images}
mkdir -p ${images}; virsh -c qemu:///system pool-start default`,
      { input: key },
    );
  }
  await lab.hv1.exec("virsh -c qemu:///system vol-create-as default full1.qcow2 64M --format qcow2");
  await lab.hv1.exec("cat >/run/full1.xml; virsh -c qemu:///system define /run/full1.xml", { input: full });
  driver = await openDriver(teardown, { prefix: lab.network.prefix, sshConfig: lab.sshConfig, hosts: ["hv1", "hv2"] });
  await driver.watch("hv1");
  await driver.watch("hv2");
});
afterAll(() => teardown.run());

const commands: string[] = [];

async function done(action: Action, name = "full1", host = "hv1") {
  const outcome = await driver.act(host, name, action);
  expect(outcome, JSON.stringify(outcome)).toMatchObject({ ok: true });
  commands.push(`${action.do} ${outcome.commands}`);
  return outcome;
}

const state = (host: LabNode = lab.hv1, name = "full1") => lab.virsh(host, "domstate", name, "--reason");
const xml = (...flags: string[]) => lab.virsh(lab.hv1, "dumpxml", "full1", ...flags);

test("starts, pauses, saves and restores; each is told as an event", async () => {
  await done({ do: "start" });
  await until("full1 booted", async () => (await lab.boots(lab.hv1, "full1")) === 1);
  await done({ do: "pause" });
  expect(await state()).toBe("paused (user)");
  await done({ do: "resume" });
  expect(await state()).toMatch(/^running/);
  await done({ do: "save" });
  expect(await state()).toBe("shut off (saved)");
  expect(await driver.refuses("hv1", "full1", "disk-add")).toMatch(/saved/);
  await done({ do: "restore" });
  expect(await state()).toBe("running (restored)");
  await done({ do: "save" });
  await done({ do: "discard-save" });
  expect(await lab.virsh(lab.hv1, "list", "--all", "--with-managed-save", "--name")).toBe("");
  const told = driver.events.filter(({ name }) => name === "full1").map(({ text }) => text);
  for (const text of ["Started Booted", "Suspended Paused", "Resumed Unpaused", "Stopped Saved", "Started Restored"]) {
    expect(told).toContain(text);
  }
});

test("reboots in the same QEMU, by the reset button, and in a new one", async () => {
  await done({ do: "start" });
  await until("full1 booted", async () => (await lab.boots(lab.hv1, "full1")) === 2);
  const id = await lab.virsh(lab.hv1, "domid", "full1");
  await done({ do: "reset" });
  await until("full1 booted again", async () => (await lab.boots(lab.hv1, "full1")) === 3);
  expect(await lab.virsh(lab.hv1, "domid", "full1")).toBe(id);
  await done({ do: "reboot", how: "hard" });
  expect(await lab.virsh(lab.hv1, "domid", "full1")).not.toBe(id);
  await until("full1 booted anew", async () => (await lab.boots(lab.hv1, "full1")) === 4);
});

test("tags, a note and autostart are in libvirt itself", async () => {
  await done({ do: "tag", add: ["env:prod", "web"], remove: [] });
  await done({ do: "tag", add: ["db"], remove: ["web"] });
  expect(await lab.virsh(lab.hv1, "metadata", "full1", "urn:virtu:1", "--config")).toMatch(
    /<tag>env:prod<\/tag>\s*<tag>db<\/tag>/,
  );
  const listed = await driver.list("hv1");
  expect(listed.find(({ name }) => name === "full1")?.facts["tags"]).toBe("env:prod,db");
  await done({ do: "note", text: "two\nlines, it's <so>" });
  expect(await lab.virsh(lab.hv1, "desc", "full1")).toBe("two\nlines, it's <so>");
  await done({ do: "autostart", on: true });
  expect(await lab.virsh(lab.hv1, "list", "--all", "--autostart", "--name")).toBe("full1");
  await done({ do: "autostart", on: false });
});

test("disks, network cards, media, memory and vCPUs change while it runs and in its definition", async () => {
  await done({ do: "disk-add", mebibytes: 8, pool: null });
  await done({ do: "disk-grow", disk: "vdb", mebibytes: 16 });
  expect(await lab.virsh(lab.hv1, "domblkinfo", "full1", "vdb")).toMatch(/^Capacity: +16777216$/m);
  expect(await driver.act("hv1", "full1", { do: "disk-grow", disk: "vdb", mebibytes: 8 })).toMatchObject({ ok: false });
  await done({ do: "disk-remove", disk: "vdb", keepVolume: false });
  expect(await xml()).not.toContain("vdb");
  expect(await xml("--inactive")).not.toContain("vdb");
  expect(await lab.virsh(lab.hv1, "vol-list", "default")).not.toContain("vdb");
  await done({ do: "nic-add", network: "bridge:br0" });
  const mac = /<mac address='([^']*)'/.exec(await xml("--inactive"))?.[1] ?? "";
  expect(await xml()).toContain(mac);
  await done({ do: "nic-remove", nic: mac });
  expect(await xml()).not.toContain(mac);
  await done({ do: "media-insert", disk: null, path: "/run/full1.xml" });
  expect(await lab.virsh(lab.hv1, "domblklist", "full1")).toContain("/run/full1.xml");
  await done({ do: "media-eject", disk: "hdc" });
  await done({ do: "set-memory", mebibytes: 128 });
  expect(await xml("--inactive")).toContain("<currentMemory unit='KiB'>131072<");
  expect((await done({ do: "set-memory", mebibytes: 256 })).text).toMatch(/next start/);
  expect(await xml("--inactive")).toContain("<memory unit='KiB'>262144<");
});

test("shows it in one round trip, its screen and where its display listens", async () => {
  const details = await driver.details("hv1", "full1");
  expect(details).toMatchObject({
    tags: ["env:prod", "db"],
    note: "two\nlines, it's <so>",
    networks: ["bridge:br0"],
    definition: { language: "xml", editable: true },
  });
  expect(details.disks.map(({ id, sizeMiB, format }) => [id, sizeMiB, format])).toEqual([
    ["vda", 64, "qcow2"],
    ["hdc", null, "raw"],
  ]);
  expect(`${await xml("--inactive")}\n`).toBe(details.definition.text);
  expect(await driver.graphics("hv1", "full1")).toMatchObject({ kind: "vnc", address: "127.0.0.1", port: 5900 });
  const picture = await driver.screenshot("hv1", "full1");
  expect(picture.subarray(1, 4).toString()).toBe("PNG");
  expect((await lab.hv1.try("ls /tmp/tmp.*")).status).not.toBe(0);
});

test("takes snapshots, and says what happened when one no longer fits the hardware", async () => {
  await done({ do: "snapshot-create", name: "one cpu", description: "it's first", memory: true });
  await done({ do: "snapshot-create", name: "second", description: "", memory: true });
  expect(await lab.virsh(lab.hv1, "snapshot-list", "full1", "--tree")).toMatch(/one cpu[\s\S]*\+- second/);
  expect((await driver.details("hv1", "full1")).snapshots).toMatchObject([
    { name: "one cpu", parent: null, description: "it's first", state: "running" },
    { name: "second", parent: "one cpu", current: true },
  ]);
  await done({ do: "snapshot-delete", name: "second" });
  await done({ do: "set-vcpus", count: 2 });
  await done({ do: "snapshot-revert", name: "one cpu" });
  expect(await state()).toBe("running (from snapshot)");
  await done({ do: "snapshot-delete", name: "one cpu" });
  expect(await driver.act("hv1", "full1", { do: "snapshot-revert", name: "one cpu" })).toMatchObject({
    ok: false,
    error: "it has no snapshot one cpu",
  });
});

test("takes a changed definition when libvirt finds it valid, and says where it is not", async () => {
  const { text } = (await driver.details("hv1", "full1")).definition;
  await done({ do: "define", text: text.replace("<memory", "<title>Full</title>\n  <memory") });
  expect(await xml("--inactive")).toContain("<title>Full</title>");
  const wrong = await driver.act("hv1", "full1", {
    do: "define",
    text: text.replace("<devices>", "<devices><bogus/>"),
  });
  expect(wrong).toMatchObject({ ok: false, error: expect.stringMatching(/does not take the definition/) });
});

test("migrates while it runs, with its disks, to a daemon that was looked at first", async () => {
  const [target] = await driver.targets("hv1", "full1");
  expect(target).toMatchObject({
    name: "hv2.lab.example.org",
    refusal: null,
    note: expect.stringMatching(/disk is copied/),
  });
  const boots = await lab.boots(lab.hv1, "full1");
  const { texts } = await done({ do: "migrate", to: target?.name ?? "", live: true });
  expect(texts.some((text) => /: 100 %$/.test(text))).toBe(true);
  expect(await state(lab.hv2)).toBe("running (migrated)");
  expect(await lab.virsh(lab.hv1, "list", "--all", "--name")).not.toContain("full1");
  expect(boots).toBe(await lab.boots(lab.hv1, "full1"));
  // The volume that stayed would be written over on the way back.
  expect((await driver.targets("hv2", "full1"))[0]?.refusal).toMatch(/another file .*full1\.qcow2/);
  const back = await driver.act("hv2", "full1", { do: "migrate", to: "hv1.lab.example.org", live: true });
  expect(back).toMatchObject({ ok: false, error: expect.stringMatching(/overwrite/) });
  expect(await state(lab.hv2)).toBe("running (migrated)");
  await lab.hv1.exec("virsh -c qemu:///system vol-delete --pool default full1.qcow2");
  await done({ do: "migrate", to: "hv1.lab.example.org", live: true }, "full1", "hv2");
  expect(await state()).toBe("running (migrated)");
});

test("says before a migration what the other host lacks: a bridge, a CPU", async () => {
  const define = (name: string, cpu: string, nic: string) =>
    lab.hv1.exec("cat >/run/fit.xml; virsh -c qemu:///system define /run/fit.xml", {
      input: `<domain type='qemu'><name>${name}</name><memory unit='MiB'>64</memory><os><type arch='x86_64'>hvm</type></os>${cpu}<devices>${nic}</devices></domain>`,
    });
  await define(
    "fit1",
    "<cpu mode='custom' match='exact' check='full'><model fallback='forbid'>Icelake-Server</model></cpu>",
    "",
  );
  await define("fit2", "", "<interface type='bridge'><source bridge='br77'/></interface>");
  const [cpu] = await driver.targets("hv1", "fit1");
  const [bridge] = await driver.targets("hv1", "fit2");
  for (const name of ["fit1", "fit2"]) await lab.virsh(lab.hv1, "undefine", name);
  expect(cpu, JSON.stringify(cpu)).toMatchObject({
    refusal: expect.stringMatching(/can't be a Icelake-Server: it lacks /),
  });
  expect(bridge).toMatchObject({ refusal: "it has no bridge or interface br77" });
});

test("a QEMU that hangs harms nobody else", async () => {
  const pid = await lab.hv1.exec("cat /run/libvirt/qemu/full1.pid");
  await lab.hv1.exec(`kill -STOP ${pid}`);
  const first = await driver.list("hv1");
  expect(first.map(({ name, status }) => [name, status]).sort()).toEqual([
    ["ci1", "stopped"],
    ["db1", "stopped"],
    ["full1", "running"],
    ["web1", "running"],
  ]);
  const began = performance.now();
  await Promise.all([
    done({ do: "pause" }, "web1").then(() => done({ do: "resume" }, "web1")),
    driver.list("hv2"),
    expect(driver.screenshot("hv1", "full1")).rejects.toThrow(/full1/),
  ]);
  expect(performance.now() - began).toBeLessThan(30_000);
  await lab.hv1.exec(`kill -CONT ${pid}`);
});

test("events go on after libvirtd was restarted, and every guest lives", async () => {
  await lab.hv1.exec("kill $(cat /run/libvirtd.pid)");
  await driver.event("the end of the stream", ({ host, text }) => host === "hv1" && /^ended: connection/.test(text));
  await lab.hv1.exec("libvirtd -d");
  await until("libvirtd", async () => (await lab.hv1.try("virsh -c qemu:///system version")).status === 0);
  await driver.watch("hv1");
  const before = driver.events.length;
  await lab.virsh(lab.hv1, "suspend", "web1");
  const event = await driver.event("the pause", (one) => driver.events.indexOf(one) >= before && one.name === "web1");
  expect(event).toMatchObject({ text: "Suspended Paused", key: expect.stringContaining("libvirt/hv1/") });
  await lab.virsh(lab.hv1, "resume", "web1");
  expect(await state()).toMatch(/^running/);
});

test("renames, clones and removes what is off; a disk that two share is never deleted", async () => {
  await done({ do: "force-off" });
  await done({ do: "rename", to: "full2" });
  await done({ do: "clone", to: "copy1" }, "full2");
  await done({ do: "disk-grow", disk: "vda", mebibytes: 96 }, "copy1");
  const shared = (await lab.virsh(lab.hv1, "dumpxml", "full2"))
    .replace(/<uuid>.*<\/uuid>/, "")
    .replace("full2", "twin");
  await lab.hv1.exec("cat >/run/twin.xml; virsh -c qemu:///system define /run/twin.xml", { input: shared });
  const refused = await driver.act("hv1", "full2", { do: "remove", keepDisks: false });
  expect(refused).toMatchObject({ ok: false, error: expect.stringMatching(/another domain's too/) });
  await done({ do: "remove", keepDisks: true }, "twin");
  await done({ do: "remove", keepDisks: false }, "full2");
  const volumes = await lab.virsh(lab.hv1, "vol-list", "default");
  expect(volumes).not.toContain("full1.qcow2");
  expect(volumes).toContain("clone.qcow2");
  await done({ do: "remove", keepDisks: false }, "copy1");
  expect(await lab.virsh(lab.hv1, "vol-list", "default")).not.toContain("qcow2");
  const delays = driver.events
    .filter(({ at }) => at)
    .map(({ at, seen }) => seen - at)
    .sort((a, b) => a - b);
  console.log(`commands: ${commands.join(", ")}`);
  console.log(`events: ${delays.length}, median ${delays[delays.length >> 1]} ms, last ${delays.at(-1)} ms`);
});

test("the two hosts compared: the whole life cycle on each, migrated to the other with its disk, and nothing is left", async () => {
  const there = async () =>
    Promise.all(
      [lab.hv1, lab.hv2].map(async (host) => [
        await lab.virsh(host, "list", "--all", "--name"),
        await lab.virsh(host, "vol-list", "default"),
      ]),
    );
  const before = await there();
  const home = teardown.directory("compare");
  const file = join(home, "empty.yaml");
  // Its firmware finds nothing to boot, and minds no power button.
  const words = "provider: libvirt\nmemory: 64M\nmachine: pc\nosinfo: linux2022\nnics: []\ndisks: [{size: 16M}]\n";
  writeFileSync(file, words);
  const options = { sshConfig: lab.sshConfig, home, prefix: lab.network.prefix, timeoutMs: 280_000 };
  const ran = await virtu(["compare", "--host", "hv1,hv2", "-f", file, "--limit", "1", "--yes", "--json"], options);
  expect(ran.status, `${ran.stderr}${ran.stdout}`).toBe(3);
  const { samples, notGone } = ran.json<{ samples: Sample[]; notGone: unknown[] }>();
  for (const place of ["hv1:libvirt", "hv2:libvirt"]) {
    const own = samples.filter((sample) => sample.place === place);
    expect(own.map(({ phase, state }) => `${phase} ${state}`)).toEqual([
      ...["create done", "start done", "reboot done", "migrate done", "stop failed", "remove done"],
    ]);
    expect(own.find(({ phase }) => phase === "migrate")?.text).toBe("moved as it ran, its disks were copied");
    expect(own.find(({ phase }) => phase === "stop")?.text).toContain("may not listen to ACPI");
  }
  expect(notGone).toEqual([]);
  expect(await there()).toEqual(before);
  console.log((await virtu(["compare", "--show"], options)).stdout);
});
