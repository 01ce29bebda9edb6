import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, test } from "vitest";
import type { StoreAction } from "../../source/instances/stores-types.ts";
import { networkXml, parseStores, storeCommand, storesCommand, storesErrors } from "../../source/tools/virsh-stores.ts";
import { fixture } from "../instances/fake-pool.ts";

const recorded = (name: string) => fixture("libvirt", `${name}.stdout`);
/** What the one question prints, put together from what each of its parts printed on a real host. */
const answer = [
  `@@virtu pool-table\n${recorded("pool-list-plain")}`,
  `@@virtu network-table\n${recorded("net-list")}`,
  `@@virtu pool\n${recorded("pool-dumpxml")}`,
  `@@virtu volumes 69af6e5a-e507-40e1-9082-68ede281d0b8\n${recorded("vol-list-details")}`,
  `@@virtu network\n${recorded("net-dumpxml")}`,
  `@@virtu leases 81799653-b350-46e5-a506-215bf725696f\n${recorded("net-dhcp-leases")}`,
  `@@virtu domain\nweb1\n\n${recorded("domblklist")}${recorded("domiflist")}`,
  "@@virtu end\n",
].join("");

describe("what a host has", () => {
  const view = parseStores(answer);

  test("pools with their volumes, and who uses them", () => {
    expect(view?.pools).toMatchObject([
      { name: "default", type: "dir", target: "/var/lib/libvirt/images", autostart: true },
    ]);
    const [pool] = view?.pools ?? [];
    expect(pool?.sizeMiB).toBeCloseTo(270553174016 / 1024 / 1024);
    expect(pool?.freeMiB).toBeCloseTo(240846016512 / 1024 / 1024);
    expect(pool?.volumes.map(({ name, sizeMiB, usedBy }) => [name, sizeMiB, usedBy])).toEqual([
      ["ci1.qcow2", 128, []],
      ["db1.qcow2", 128, []],
      ["initrd.gz", 1.26, []],
      ["vmlinuz", 13.53, []],
      ["web1.qcow2", 128, ["web1"]],
    ]);
    expect(pool?.volumes[4]?.takenMiB).toBeCloseTo(69.33);
  });

  test("networks with their leases, each by the instance that has its card", () => {
    expect(view?.networks).toMatchObject([
      {
        name: "lvnet",
        active: true,
        forward: "nat",
        bridge: "lvbr0",
        address: "10.177.0.1/24",
        dhcp: { from: "10.177.0.10", to: "10.177.0.200" },
        usedBy: ["web1"],
      },
    ]);
    const leases = view?.networks[0]?.leases ?? [];
    expect(leases.length).toBe(5);
    expect(leases[2]).toEqual({
      mac: "52:54:00:4f:22:58",
      address: "10.177.0.81/24",
      hostname: "web1",
      until: "2026-11-22 11:52:43",
      instance: "web1",
    });
    expect(leases[1]).toMatchObject({ hostname: null, instance: null });
  });

  test("an answer that was cut off is none", () => {
    expect(parseStores(answer.replace("@@virtu end\n", ""))).toBeNull();
    expect(parseStores("")).toBeNull();
  });
});

describe("where parts of the question fail", () => {
  const stderr = (name: string, text: string, status: number) =>
    `@@virtu part ${name}\n${text}@@virtu status ${status}\n`;

  test("each is named, with why and what to do; what vanished meanwhile is none", () => {
    const view = parseStores(
      answer,
      [
        stderr("tables", "", 0),
        stderr(
          "pools",
          "error: Failed to list pools\nerror: authentication unavailable: no polkit agent available\n",
          1,
        ),
        stderr("volumes", "error: Storage pool not found: no storage pool with matching uuid 'x'\n", 1),
        stderr("networks", "", 124),
        stderr("leases", "", 1),
        stderr("domains", "error: failed to get domain 'x'\n", 0),
      ].join(""),
    );
    expect(view?.problems).toMatchObject([
      {
        what: "its pools",
        why: "polkit gives this user no rights on libvirt",
        hint: expect.stringMatching(/group libvirt/),
      },
      { what: "its networks", why: "virsh was cut off after 20 s" },
      { what: "the leases of its networks", why: "virsh ended with 1" },
    ]);
    expect(parseStores(answer, stderr("pools", "", 0))?.problems).toEqual([]);
  });

  test("a shell gives each part its own words and status", () => {
    const home = mkdtempSync(path.join(tmpdir(), "virtu-virsh-"));
    const uuid = "69af6e5a-e507-40e1-9082-68ede281d0b8";
    // Pools can't be listed at all; one network's leases can't be read.
    const virsh = `#!/bin/sh
shift 2
case "$*" in
  "echo @@virtu pool-table"*) echo "@@virtu pool-table"; echo "@@virtu network-table" ;;
  pool-list*) echo "error: Failed to list pools" >&2; echo "error: no daemon" >&2; exit 1 ;;
  *leases*) echo "@@virtu leases ${uuid}"; echo "error: no leases today" >&2; exit 1 ;;
  net-list*) echo ${uuid} ;;
  list*) ;;
  "echo @@virtu network"*) printf '@@virtu network\\n<network><name>lab</name><uuid>${uuid}</uuid></network>\\n' ;;
  *) echo "nobody asks $*" >&2; exit 9 ;;
esac
`;
    writeFileSync(path.join(home, "virsh"), virsh, { mode: 0o755 });
    const { stdout, stderr } = spawnSync("sh", ["-c", storesCommand("qemu:///system").line], {
      env: { PATH: `${home}:${process.env["PATH"]}` },
      encoding: "utf8",
    });
    rmSync(home, { recursive: true });
    const view = parseStores(stdout, stderr);
    expect(view).toMatchObject({ pools: [], networks: [{ name: "lab" }] });
    expect(view?.problems.map(({ what }) => what)).toEqual([
      ...["its pools", "the volumes in its pools", "the leases of its networks"],
    ]);
    expect(view?.problems[0]?.why).toMatch(/no daemon/);
    expect(storesErrors(stderr)).not.toContain("@@virtu");
  });
});

describe("commands", () => {
  const line = (action: StoreAction) =>
    storeCommand("qemu:///system", action).command.line.replaceAll("LC_ALL=C.UTF-8 virsh -c qemu:///system ", "");

  test("say what they are about by options, so that no name is taken for one", () => {
    expect(line({ do: "volume-create", pool: "my pool", volume: "-x", mebibytes: 64, format: "raw" })).toBe(
      "vol-create-as --pool 'my pool' --name -x --capacity 64MiB --format raw",
    );
    expect(line({ do: "volume-remove", pool: "p", volume: "it's" })).toBe("vol-delete --pool p --vol 'it'\\''s'");
    expect(line({ do: "pool-create", pool: "p", directory: "/srv/a b" })).toBe(
      "pool-define-as --name p --type dir --target '/srv/a b' && pool-build p && pool-start p && pool-autostart p",
    );
  });

  test("a network's XML holds what was typed and nothing else", () => {
    const xml = networkXml({
      do: "network-create",
      network: `a<b"'&`,
      address: "10.9.0.1/24",
      from: "10.9.0.2",
      to: "10.9.0.9",
    });
    expect(xml).toContain("<name>a&lt;b&quot;&apos;&amp;</name>");
    expect(xml).toContain('<ip address="10.9.0.1" prefix="24">');
  });

  test("the question takes one process for each kind of thing, whatever there is of it", () => {
    expect(storesCommand("qemu:///system").line.match(/virsh -c/g)?.length).toBe(11);
  });
});
