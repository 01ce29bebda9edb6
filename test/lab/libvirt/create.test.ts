import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { CreateOutcome, CreatePlan } from "../../../source/instances/create-types.ts";
import { must, run, Teardown, until, type VirtuOptions, virtu } from "../lab.ts";
import type { LabNode } from "../nodes.ts";
import { type CreateLab, cloudImage, openCreateLab } from "./create-hosts.ts";

const teardown = new Teardown();
let lab: CreateLab;
let options: VirtuOptions;
/** virtio, which the guest knows, on a machine that its firmware has soon looked through. */
const guest = ["--memory", "160M", "--osinfo", "linux2022", "--machine", "pc"];

beforeAll(async () => {
  lab = await openCreateLab(teardown);
  options = {
    sshConfig: lab.sshConfig,
    home: teardown.directory("home"),
    prefix: lab.network.prefix,
    timeoutMs: 700_000,
  };
});
afterAll(() => teardown.run());

// What a test that failed has left would stand in the way of every later one, and of its own second try.
beforeEach(async () => {
  for (const host of [lab.hv1, lab.hv2]) {
    for (const name of (await lab.virsh(host, "list", "--all", "--name")).split("\n").filter(Boolean)) {
      await remove(host, name);
    }
  }
});

const create = (...words: string[]) => virtu(["create", ...words, "--json"], options);

/** Makes one that must come up, and gives its outcome. */
async function made(...words: string[]): Promise<CreateOutcome> {
  const ran = await create("--host", "hv1", ...guest, ...words);
  expect(ran, `${ran.stderr}${ran.stdout}`).toMatchObject({ status: 0 });
  const [outcome, ...more] = ran.json<CreateOutcome[]>();
  expect(more).toEqual([]);
  if (!outcome) throw new Error("nothing was reported");
  return outcome;
}

async function remove(host: LabNode, name: string): Promise<void> {
  await host.try(`virsh -q -c qemu:///system destroy ${name}`);
  await lab.virsh(host, "undefine", name, "--remove-all-storage");
}

const volumes = async (host: LabNode) =>
  (await lab.virsh(host, "vol-list", "default")).split("\n").map((line) => line.trim().split(/\s+/)[0]);

test("from an ISO that is sent there, with a disk of its own: its console comes to the prompt", async () => {
  const local = join(teardown.directory("iso"), "local.iso");
  const content = await lab.hv1.exec("base64 /var/lib/lab/lab.iso");
  writeFileSync(local, Buffer.from(content, "base64"));
  const outcome = await made(
    ...["iso1", "--iso", "/srv/images/sent.iso", "--upload", local, "--disk", "size=64M", "--ready", "console"],
    ...["--ready-pattern", "from=image .*login:", "--ready-limit", "90", "--vcpus", "2"],
  );
  expect(outcome).toMatchObject({ name: "iso1", host: "hv1", ok: true, ready: true, error: null, leftBehind: [] });
  expect(outcome.notes.at(-1)).toContain("from=image");
  const sum = createHash("sha256").update(readFileSync(local)).digest("hex");
  expect(await lab.hv1.exec("sha256sum </srv/images/sent.iso")).toContain(sum);
  expect(await lab.virsh(lab.hv1, "domstate", "iso1")).toBe("running");
  const definition = await lab.virsh(lab.hv1, "dumpxml", "iso1");
  expect(definition).toContain("<vcpu placement='static'>2</vcpu>");
  expect(definition).toContain("/srv/images/iso1.qcow2");
  // What boots the next time is the disk.
  expect(await lab.virsh(lab.hv1, "dumpxml", "iso1", "--inactive")).toContain("<boot dev='hd'/>");
  expect(await lab.virsh(lab.hv1, "vol-info", "--pool", "default", "iso1.qcow2")).toContain("64.00 MiB");
  await remove(lab.hv1, "iso1");
});

test("from a tree by HTTP, with arguments for its kernel", async () => {
  await lab.hv1.exec(
    "cd /var/lib/lab/tree && exec setsid python3 -m http.server 8099 --bind 127.0.0.1 >/dev/null 2>&1 </dev/null &",
  );
  const outcome = await made(
    ...[
      "net1",
      "--location",
      "http://127.0.0.1:8099/",
      "--kernel",
      "vmlinuz",
      "--initrd",
      "initrd.gz",
      "--disk",
      "64M",
    ],
    ...["--extra-args", "console=ttyS0 no_timer_check from=tree, 'and more'"],
    ...["--ready", "console", "--ready-pattern", "from=tree .*login:", "--ready-limit", "90"],
  );
  expect(outcome).toMatchObject({ ok: true, ready: true });
  expect(await lab.virsh(lab.hv1, "dumpxml", "net1")).toContain("from=tree, &apos;and more&apos;");
  await remove(lab.hv1, "net1");
});

test("by PXE: its firmware asks the network for something to boot", async () => {
  const outcome = await made("pxe1", "--pxe", "--disk", "none", "--nic", "network=default,mac=52:54:00:aa:bb:cc");
  expect(outcome).toMatchObject({ ok: true, ready: null });
  expect(await lab.virsh(lab.hv1, "dumpxml", "pxe1")).toContain("<boot dev='network'/>");
  // iPXE of the card's ROM asks by DHCP, long before any operating system could.
  await until("a lease for the card", async () =>
    (await lab.virsh(lab.hv1, "net-dhcp-leases", "default")).includes("52:54:00:aa:bb:cc"),
  );
  await remove(lab.hv1, "pxe1");
});

test("by importing an image in place, and copied and grown; each answers ping where DHCP put it", async () => {
  await lab.hv1.exec("cp /var/lib/lab/lab.qcow2 /srv/mine.qcow2");
  const [inPlace, copied] = await Promise.all([
    made("imp1", "--import", "/srv/mine.qcow2", "--ready", "ping", "--ready-limit", "240"),
    made("imp2", "--import", "/var/lib/lab/lab.qcow2", "--copy-to", "default", "--size", "96M", "--ready", "ping"),
  ]);
  expect(inPlace).toMatchObject({ ok: true, ready: true, address: expect.stringMatching(/^192\.168\.122\./) });
  expect(copied).toMatchObject({ ok: true, ready: true });
  expect(await lab.virsh(lab.hv1, "dumpxml", "imp1")).toContain("/srv/mine.qcow2");
  expect(await lab.virsh(lab.hv1, "vol-info", "--pool", "default", "imp2.qcow2")).toContain("96.00 MiB");
  await lab.hv1.exec(`ping -c 1 -W 2 ${copied.address}`);
  // The first one's disk is taken: nobody else gets it in place.
  const again = (...words: string[]) =>
    create("--host", "hv1", ...guest, "imp3", "--import", "/srv/mine.qcow2", ...words);
  const refused = await again();
  expect(refused.status).toBe(2);
  expect(refused.stderr).toContain("/srv/mine.qcow2 is a disk of imp1");
  const tried = await again("--no-check");
  expect(tried.status).toBe(1);
  expect(tried.json<CreateOutcome[]>()[0]?.error).toMatch(/belongs to imp1/);
  expect((await lab.hv1.try("virsh -c qemu:///system domstate imp3")).status).toBe(1);
  await Promise.all([remove(lab.hv1, "imp1"), remove(lab.hv1, "imp2")]);
}, 300_000);

test("made and left off", async () => {
  const outcome = await made("off1", "--import", "/var/lib/lab/lab.qcow2", "--copy-to", "default", "--no-start");
  expect(outcome).toMatchObject({ ok: true, ready: null });
  expect(await lab.virsh(lab.hv1, "domstate", "off1")).toBe("shut off");
  await lab.virsh(lab.hv1, "start", "off1");
  await remove(lab.hv1, "off1");
});

// Not on a q35 machine: the kernel of Debian's cloud images has no driver for its CD drive, and would find no seed.
test("two of a cloud image on two hosts, with account, key, names and addresses: their SSH ports answer", async () => {
  const key = join(teardown.directory("key"), "id.pub");
  writeFileSync(key, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMockKeyForTheLabOnly lab\n");
  const ran = await create(
    ...[
      "--host",
      "hv1,hv2",
      ...guest,
      "--machine",
      "pc",
      "cloud{n}",
      "--count",
      "2",
      "--cloud-image",
      "/var/lib/lab/lab.qcow2",
    ],
    ...["--user", "jdoe", "--key", key, "--addresses", "192.168.122.210-192.168.122.219", "--prefix", "24"],
    ...["--gateway", "192.168.122.1", "--ready", "ssh", "--ready-limit", "120"],
  );
  expect(ran, `${ran.stderr}${ran.stdout}`).toMatchObject({ status: 0 });
  const outcomes = ran.json<CreateOutcome[]>();
  expect(outcomes.map(({ name, address, ready }) => [name, address, ready])).toEqual([
    ["cloud1", "192.168.122.210", true],
    ["cloud2", "192.168.122.211", true],
  ]);
  expect(new Set(outcomes.map(({ host }) => host))).toEqual(new Set(["hv1", "hv2"]));
  for (const { name, host, address } of outcomes) {
    const node = host === "hv1" ? lab.hv1 : lab.hv2;
    // 00:16:3e and the last three bytes of the address, as Grid'5000 has it.
    const mac = `00:16:3e:a8:7a:${Number(address?.split(".")[3]).toString(16)}`;
    expect(await lab.virsh(node, "domiflist", name)).toContain(mac);
    expect(await node.exec("ls /tmp")).not.toContain("virtu-");
    await remove(node, name);
  }
});

// systemd and cloud-init on an emulated processor: two minutes on an idle machine.
test("Debian's own cloud-init makes of a cloud image what was asked: account, key, host name, address", async () => {
  const { prefix, identity } = lab.network;
  const [nsenter = "", ...into] = prefix;
  const send = 'ssh -F "$1" hv1 "cat >/srv/cloud.qcow2" <"$2"';
  await must(nsenter, [...into, "sh", "-c", send, "sh", lab.sshConfig, await cloudImage()], { timeoutMs: 120_000 });
  const outcome = await made(
    ...["real1", "--memory", "512M", "--cloud-image", "/srv/cloud.qcow2", "--size", "2G", "--user", "jdoe"],
    ...["--key", `${identity}.pub`, "--hostname", "real1.lab", "--addresses", "192.168.122.220-192.168.122.229"],
    ...["--prefix", "24", "--gateway", "192.168.122.1", "--ready", "ssh", "--ready-limit", "600"],
  );
  expect(outcome).toMatchObject({ ok: true, ready: true, address: "192.168.122.220" });
  const keys = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-i", identity];
  const asked =
    "hostname; id -un; sudo -n id -un; ip -o -4 addr show scope global; ip route | head -n 1; df -m --output=size /";
  const jump = ["-F", lab.sshConfig, "-J", "hv1", ...keys, "jdoe@192.168.122.220", asked];
  const told = await until("the account", async () => {
    const ran = await run(nsenter, [...into, "ssh", ...jump]);
    return ran.status === 0 && ran.stdout;
  });
  const [name, user, root, address, route, , disk] = told.split("\n");
  expect([name, user, root]).toEqual(["real1", "jdoe", "root"]);
  expect(address).toContain("192.168.122.220/24");
  expect(route).toContain("default via 192.168.122.1");
  // MiB: grown with its disk.
  expect(Number(disk)).toBeGreaterThan(1500);
  await remove(lab.hv1, "real1");
}, 900_000);

test("ten at once over two hosts, one of which its host refuses: nine run, and nothing is left of the tenth", async () => {
  const before = [await volumes(lab.hv1), await volumes(lab.hv2)];
  const words = ["--host", "hv1", "--host", "hv2", "--memory", "64M", "--osinfo", "linux2022", "--nic", "none"];
  const batch = ["web-{n}", "--count", "10", "--import", "/var/lib/lab/lab.qcow2", "--copy-to", "default"];
  const planned = await create(...words, ...batch, "--dry-run");
  const { rows } = planned.json<CreatePlan>();
  expect(rows.map(({ name }) => name)).toEqual(
    Array.from({ length: 10 }, (_, n) => `web-${String(n + 1).padStart(2, "0")}`),
  );
  expect(rows.filter(({ host }) => host === "hv1").length).toBeGreaterThan(2);
  expect(rows.filter(({ host }) => host === "hv2").length).toBeGreaterThan(2);
  expect([await volumes(lab.hv1), await volumes(lab.hv2)]).toEqual(before);

  const ran = await create(...words, ...batch);
  expect(ran.status, ran.stderr).toBe(3);
  const outcomes = ran.json<CreateOutcome[]>();
  const failed = outcomes.filter(({ ok }) => !ok);
  expect(
    failed.map(({ name }) => name),
    JSON.stringify(failed, null, 1),
  ).toEqual(["web-07"]);
  expect(failed[0]).toMatchObject({ cleanedUp: ["volume default/web-07.qcow2"], leftBehind: [] });
  expect(`${failed[0]?.error} ${failed[0]?.detail}`).toContain("web-07 is not wanted here");
  for (const { name, host, ok } of outcomes) {
    const node = host === "hv1" ? lab.hv1 : lab.hv2;
    const { status, stdout } = await node.try(`virsh -q -c qemu:///system domstate ${name}`);
    expect([name, status, stdout.trim()]).toEqual(ok ? [name, 0, "running"] : [name, 1, ""]);
    if (ok) await remove(node, name);
  }
  expect([await volumes(lab.hv1), await volumes(lab.hv2)]).toEqual(before);
});

test("says what stands in the way before anything is made, field by field", async () => {
  const ran = await create(
    ...["--host", "hv1", "bad", "--memory", "9T", "--iso", "/srv/nosuch.iso", "--osinfo", "debian99", "--disk", "900G"],
    ...["--nic", "bridge=nobr", "--firmware", "uefi", "--machine", "nosuch", "--virt-type", "kvm"],
  );
  expect(ran.status).toBe(2);
  const { detail } = ran.error() as { detail: string };
  for (const field of ["memory", "media.iso", "osinfo", "disks.0", "nics.0", "firmware", "machine", "virtType"]) {
    expect(detail).toContain(`hv1/bad: ${field}: `);
  }
  expect(detail).toMatch(/osinfo: .*take debian11/);
  expect(await lab.virsh(lab.hv1, "list", "--all", "--name")).toBe("");
});
