/** What xe lists of storage and networks; written by the rules of xapi's records.ml, as fixtures/xenserver says. */
import { expect, test } from "vitest";
import { parseXeStores, xeStoresCommand } from "../../source/tools/xe-stores.ts";

const gib = (count: number) => String(count * 1024 ** 3);
const list = (name: string, ...records: Readonly<Record<string, string>>[]) => {
  const lines = records.map((record) =>
    Object.entries(record)
      .map(([key, value]) => `${key} ( RO): ${value}\n`)
      .join(""),
  );
  return `@@virtu ${name}\n${lines.map((text) => `${text}\n\n`).join("")}`;
};
const sr = (uuid: string, name: string, type: string, shared: boolean, size: string, used: string) => ({
  ...{ uuid, "name-label": name, type, "content-type": "user", shared: String(shared) },
  ...{ "physical-size": size, "physical-utilisation": used },
});
const disk = (uuid: string, name: string, where: string) => ({
  ...{ uuid, "name-label": name, "sr-uuid": where, "virtual-size": gib(10), "physical-utilisation": gib(2) },
});
const drive = (image: string, guest: string) => ({ uuid: "v", "vdi-uuid": image, "vm-name-label": guest });

const answer = [
  list("hosts", { uuid: "h1", "name-label": "xcp-1" }, { uuid: "h2", "name-label": "xcp-2" }),
  list(
    "srs",
    sr("s1", "Local storage", "lvm", false, gib(100), gib(40)),
    sr("s2", "Local storage", "ext", false, gib(50), "0"),
    sr("s3", "nfs1", "nfs", true, gib(1000), gib(1100)),
    sr("s4", "old", "nfs", true, gib(10), gib(1)),
    sr("s5", "DVD drives", "udev", false, "-1", "-1"),
  ),
  list(
    "pbds",
    { uuid: "p1", "sr-uuid": "s1", "host-uuid": "h1" },
    { uuid: "p2", "sr-uuid": "s2", "host-uuid": "h2" },
    { uuid: "p3", "sr-uuid": "s3", "host-uuid": "h1" },
    { uuid: "p4", "sr-uuid": "s3", "host-uuid": "h2" },
  ),
  list("disks", disk("d1", "web root", "s1"), disk("d2", "", "s1"), disk("d3", "shared", "s3")),
  list("drives", drive("d1", "web-1"), drive("d1", "web-1"), drive("d3", "web-1"), drive("d3", "db, replica")),
  list("networks", { uuid: "n1", "name-label": "Pool-wide", bridge: "xenbr0" }, { uuid: "n2", "name-label": "idle" }),
  list("cards", { uuid: "c1", "network-uuid": "n1", "vm-name-label": "web-1" }),
].join("");

test("tells repositories with their disks, networks, and who uses them; those of one host by its name", () => {
  const view = parseXeStores(`${answer}@@virtu end 0\n`);
  const pools = view?.pools.map(({ name, active, type, sizeMiB, freeMiB }) => [name, active, type, sizeMiB, freeMiB]);
  expect(pools).toEqual([
    ["xcp-1:Local storage", true, "lvm", 102_400, 61_440],
    ["xcp-2:Local storage", true, "ext", 51_200, 51_200],
    ["nfs1", true, "nfs", 1_024_000, 0],
    ["old", false, "nfs", 10_240, 9216],
  ]);
  expect(view?.pools[0]?.volumes).toEqual([
    { name: "web root", path: "d1", sizeMiB: 10_240, takenMiB: 2048, usedBy: ["web-1"] },
    { name: "d2", path: "d2", sizeMiB: 10_240, takenMiB: 2048, usedBy: [] },
  ]);
  expect(view?.pools[2]?.volumes[0]?.usedBy).toEqual(["web-1", "db, replica"]);
  expect(view?.networks).toMatchObject([
    { name: "Pool-wide", bridge: "xenbr0", usedBy: ["web-1"] },
    { name: "idle", bridge: null, usedBy: [] },
  ]);
});

test("is nothing when xe did not answer all of it", () => {
  expect(parseXeStores(`${answer}@@virtu end 1\n`)).toBeNull();
  expect(parseXeStores(answer)).toBeNull();
  const { line } = xeStoresCommand({ directory: "/usr/bin/", sudo: true });
  expect(line).toMatch(/^echo '@@virtu hosts' && sudo -n timeout -k 5 20 \/usr\/bin\/xe host-list /);
  expect(line).toMatch(/ && echo '@@virtu cards' && .*; echo "@@virtu end \$\?"$/);
});
