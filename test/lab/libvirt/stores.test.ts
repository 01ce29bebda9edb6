import { afterAll, beforeAll, expect, test } from "vitest";
import type { StoreView } from "../../../source/instances/stores-types.ts";
import { Teardown, type VirtuOptions, virtu } from "../lab.ts";
import { type LibvirtLab, openLibvirt } from "./hosts.ts";

const teardown = new Teardown();
let lab: LibvirtLab;
let options: VirtuOptions;

beforeAll(async () => {
  lab = await openLibvirt(teardown);
  options = { sshConfig: lab.sshConfig, home: teardown.directory("home"), prefix: lab.network.prefix };
});
afterAll(() => teardown.run());

const headless = (...words: string[]) => virtu([...words, "--host", "hv1", "--json"], options);

async function stores(): Promise<StoreView> {
  const ran = await headless("stores");
  expect(ran, ran.stderr).toMatchObject({ status: 0 });
  const [view] = ran.json<StoreView[]>();
  if (!view) throw new Error("nothing was listed");
  return view;
}

async function done(...words: string[]): Promise<void> {
  const ran = await headless(...words);
  expect(ran, ran.stderr).toMatchObject({ status: 0 });
}

const names = async (...words: string[]) =>
  (await lab.virsh(lab.hv1, ...words))
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);

test("a host without any pool, and a network that nobody started", async () => {
  const { pools } = await stores();
  expect(pools.map(({ name }) => name)).toEqual(await names("pool-list", "--all", "--name"));
});

test("a pool and a volume are made, used, refused to go while used, and go", async () => {
  await done("pool", "create", "lab pool", "--directory", "/srv/lab-pool");
  expect(await names("pool-list", "--name", "--autostart")).toEqual(["lab pool"]);
  await done("volume", "create", "lab pool/disk1.raw", "--size", "64M", "--format", "raw");
  const bytes = await lab.virsh(lab.hv1, "vol-info", "--pool", "lab pool", "disk1.raw", "--bytes");
  expect(bytes).toMatch(/Capacity:\s+67108864 /);
  await lab.virsh(lab.hv1, "attach-disk", "db1", "/srv/lab-pool/disk1.raw", "vda", "--config");
  const pool = (await stores()).pools.find(({ name }) => name === "lab pool");
  expect(pool).toMatchObject({ active: true, autostart: true, type: "dir", target: "/srv/lab-pool" });
  const real = await lab.hv1.exec("df -B1 --output=avail /srv/lab-pool | tail -n 1");
  expect(Math.abs((pool?.freeMiB ?? 0) - Number(real) / 1024 / 1024)).toBeLessThan(1024);
  expect(pool?.volumes).toMatchObject([{ name: "disk1.raw", sizeMiB: 64, usedBy: ["db1"] }]);

  const refused = await headless("volume", "remove", "lab pool/disk1.raw");
  expect(refused).toMatchObject({ status: 1 });
  expect(refused.stderr).toContain("db1 uses it");
  expect((await headless("pool", "stop", "lab pool")).stderr).toContain("db1 would not find");
  expect(await names("vol-list", "lab pool", "--details")).not.toEqual([]);

  await lab.virsh(lab.hv1, "detach-disk", "db1", "vda", "--config");
  await done("volume", "remove", "lab pool/disk1.raw", "--yes");
  expect(await lab.hv1.exec("ls /srv/lab-pool")).toBe("");
  expect((await headless("pool", "remove", "lab pool")).stderr).toContain("stop it first");
  await done("pool", "stop", "lab pool");
  await done("pool", "remove", "lab pool", "--yes");
  expect(await names("pool-list", "--all", "--name")).not.toContain("lab pool");
});

test("a network is defined and forgotten again", async () => {
  const before = await names("net-list", "--all", "--name");
  // The lab's hosts have no dnsmasq, so that it is defined and does not start: what libvirt says about it is told.
  const words = ["--address", "10.99.0.1/24", "--from", "10.99.0.10", "--to", "10.99.0.99"];
  const made = await headless("network", "create", "labnet", ...words);
  const xml = await lab.virsh(lab.hv1, "net-dumpxml", "labnet");
  expect(xml).toContain("10.99.0.1");
  const network = (await stores()).networks.find(({ name }) => name === "labnet");
  expect(network).toMatchObject({
    forward: "nat",
    address: "10.99.0.1/24",
    dhcp: { from: "10.99.0.10", to: "10.99.0.99" },
  });
  expect(network?.active).toBe(made.status === 0);
  if (made.status === 0) await done("network", "stop", "labnet");
  await done("network", "remove", "labnet", "--yes");
  expect(await names("net-list", "--all", "--name")).toEqual(before);
});
