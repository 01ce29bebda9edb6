import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { diskRefusal, freeDisks, parseDevice, parseDisks } from "../../source/tools/disks.ts";
import { parseFindings } from "../../source/tools/ganeti-verify.ts";
import { parseGroups } from "../../source/tools/lvm.ts";
import {
  addressIn,
  broadcastOf,
  inNetwork,
  isAddress,
  managerOf,
  netmask,
  networkOf,
  parseGateway,
  parseInterfaces,
} from "../../source/tools/network.ts";
import { isWhole, parseNodeState } from "../../source/tools/node-state-parse.ts";

const recording = (name: string) =>
  readFileSync(new URL(`../../fixtures/node/${name}.stdout`, import.meta.url), "utf8");

describe("a node's answer", () => {
  test("of a bare Debian 13 node", () => {
    const text = recording("t13-bare");
    expect(isWhole(text)).toBe(true);
    const clock = Number(/^@virtu clock\n(\d+)/m.exec(text)?.[1]);
    const state = parseNodeState(text, clock - 90);
    expect(state).toMatchObject({
      hostname: "node1.example.org",
      fullName: "node1.example.org",
      nameIsLoopback: false,
      address: "192.168.77.11",
      root: true,
      system: { id: "debian", version: "13", codename: "trixie", architecture: "amd64" },
      clockAheadSeconds: 90,
      timezone: "Etc/UTC",
      gateway: null,
      groups: null,
      packageLock: null,
      packagesHalfDone: false,
      rootPassword: "locked",
      virtual: { kvm: false, vhostNet: false, xen: null, xendConfig: null },
      ganeti: null,
      libvirt: false,
    });
    expect(state.network.kind).toBe("ifupdown");
    expect(Object.keys(state.sources)).toEqual(["/etc/apt/sources.list.d/debian.sources"]);
    expect(state.authorizedKeys).toHaveLength(1);
    expect(state.hostKeys.map((key) => key.split(" ")[0]).sort()).toEqual([
      "ecdsa-sha2-nistp256",
      "ssh-ed25519",
      "ssh-rsa",
    ]);
    expect(state.disks.find(({ path }) => path === "/dev/sdb")).toMatchObject({ bytes: 40 * 2 ** 30, holds: null });
    expect(state.freeBytes["/"]).toBeGreaterThan(10 ** 9);
  });

  test("of the master of a cluster on Debian 12", () => {
    const state = parseNodeState(recording("b12-cluster"), 0);
    expect(state.ganeti).toEqual({
      cluster: "cluster1.example.org",
      master: "node1.example.org",
      nodes: ["node1.example.org", "node2.example.org"],
    });
    expect(state.groups).toEqual([
      { name: "xenvg", bytes: 42945478656, freeBytes: 42945478656, devices: ["/dev/sdb"] },
    ]);
    expect(state.packages).toMatchObject({ ganeti: "3.0.2-3", "bridge-utils": "1.7.1-1" });
    const bridge = state.interfaces.find(({ name }) => name === "br0");
    expect(bridge).toMatchObject({ bridge: true, up: true });
    expect(state.interfaces.find(({ name }) => name === "eth0")).toMatchObject({ bridge: false, master: "br0" });
    expect(state.disks.find(({ path }) => path === "/dev/sdb")?.holds).toBe("LVM volume group xenvg");
    expect(state.rootPassword).toBe("set");
  });

  test("that was cut is told from a bare node's", () => {
    const text = recording("t13-bare");
    expect(isWhole(text.slice(0, text.indexOf("@virtu disks")))).toBe(false);
  });

  test("takes Debian's own name on 127.0.1.1, a missing ip and a clock that is behind as they are", () => {
    const state = parseNodeState(
      "@virtu clock\n100\n@virtu name-address\n127.0.1.1 STREAM node1\n@virtu addresses\n\n@virtu end\n",
      460,
    );
    expect(state).toMatchObject({ nameIsLoopback: true, clockAheadSeconds: -360, interfaces: [], address: null });
  });
});

describe.each(["b12", "t13"])("disks on %s", (suite) => {
  const disks = parseDisks(recording(`${suite}-vm-lsblk`));
  const disk = (path: string) => disks.find((one) => one.path === path)!;

  test("tell what is on them and where it is mounted", () => {
    expect(disk("/dev/sda")).toMatchObject({ holds: "LVM volume group xenvg", mounted: [], model: "WDC WD40EFRX-68" });
    expect(disk("/dev/sdb")).toMatchObject({ holds: "partitions (dos)", mounted: ["/mnt/old"] });
    expect(disk("/dev/sdb2")).toMatchObject({ kind: "part", holds: null, mounted: [] });
    expect(disk("/dev/vda")).toMatchObject({ holds: "ext4", mounted: [] });
    expect(disk("/dev/nvme0n1").mounted).toEqual(["/boot/efi", "/", "[SWAP]"]);
  });

  test("are refused while in use, whatever the user says; what only holds something, until he says so", () => {
    const large = (path: string) => ({ ...disk(path), bytes: 10 ** 12 });
    for (const used of ["/dev/sda", "/dev/sdb", "/dev/nvme0n1"]) {
      expect(diskRefusal(large(used), true)?.text).toContain("in use");
    }
    expect(diskRefusal(large("/dev/vda"), false)?.text).toContain("it holds ext4");
    expect(diskRefusal(large("/dev/vda"), true)).toBeNull();
    expect(diskRefusal(disk("/dev/vda"), true)?.text).toContain("too small: 4.0 GiB");
    expect(freeDisks([large("/dev/vda"), large("/dev/sdb2"), large("/dev/sda")]).map(({ path }) => path)).toEqual([
      "/dev/sdb2",
    ]);
  });
});

test("a device keeps the name by which it was asked; nonsense is none", () => {
  const json =
    '{"blockdevices":[{"name":"loop3","type":"loop","size":42949672960,"fstype":null,"mountpoints":[null],"ro":false}]}';
  expect(parseDisks(json)).toEqual([]);
  expect(parseDevice("/dev/sdb", json)).toMatchObject([
    { path: "/dev/sdb", bytes: 42949672960, holds: null, unfit: null },
  ]);
  expect(parseDevice("/dev/sdb", json.replace('"ro":false', '"ro":true'))[0]?.unfit).toBe("it is read-only");
  expect(parseDevice("/dev/nosuch", '{\n   "blockdevices": [\n   ]\n}')).toEqual([]);
  expect(parseDisks("lsblk: not found")).toEqual([]);
});

test("volume groups with their devices", () => {
  const line = recording("t13-vm-vgs-o").trim();
  expect(parseGroups([line], ["/dev/sda|xenvg", "/dev/sdc|"])).toEqual([
    { name: "xenvg", bytes: 4290772992, freeBytes: 4131389440, devices: ["/dev/sda"] },
  ]);
});

describe("networks", () => {
  test.each(["b12", "t13"])("interfaces of %s", (suite) => {
    const [eth0, ...others] = parseInterfaces(recording(`${suite}-ip-json-addr`));
    expect(others).toEqual([]);
    expect(eth0).toMatchObject({ name: "eth0", up: true, bridge: false, master: null });
    expect(eth0?.addresses[0]).toMatchObject({
      family: "inet",
      prefix: 24,
      broadcast: "192.168.77.255",
      dynamic: false,
    });
  });

  test("the gateway is that of the default route", () => {
    const routes =
      '[{"dst":"default","gateway":"10.0.0.1","dev":"eno1","flags":[]},{"dst":"10.0.0.0/24","dev":"eno1"}]';
    expect(parseGateway(routes)).toEqual({ address: "10.0.0.1", interface: "eno1" });
    expect(parseGateway("[]")).toBeNull();
    expect(parseGateway("ip: not found")).toBeNull();
  });

  test("who configures them", () => {
    const lo = { "/etc/network/interfaces": "auto lo\niface lo inet loopback\n" };
    const eth0 = { "/etc/network/interfaces": "iface eth0 inet dhcp\n" };
    const network = { "/etc/systemd/network/a.network": "[Match]\nName=eth0\n" };
    const netplan = { "/etc/netplan/50-cloud-init.yaml": "network:\n" };
    expect(managerOf(["active", "inactive", "inactive"], eth0).kind).toBe("ifupdown");
    expect(managerOf(["active", "active", "inactive"], { ...lo, ...network }).kind).toBe("networkd");
    expect(managerOf(["inactive", "active", "inactive"], { ...network, ...netplan })).toEqual({
      kind: "netplan",
      files: netplan,
    });
    expect(managerOf(["active", "inactive", "active"], lo).kind).toBe("network-manager");
    expect(managerOf([], lo).kind).toBe("unknown");
  });

  test("addresses are counted", () => {
    expect(netmask(22)).toBe("255.255.252.0");
    expect(networkOf("192.168.77.11", 24)).toBe("192.168.77.0");
    expect(broadcastOf("10.158.3.7", 22)).toBe("10.158.3.255");
    expect(inNetwork("10.158.0.1", "10.158.3.7", 22)).toBe(true);
    expect(inNetwork("10.158.4.1", "10.158.3.7", 22)).toBe(false);
    expect(addressIn("10.144.0.0", 22, 1)).toBe("10.144.0.1");
    expect(addressIn("10.144.0.0", 30, 3)).toBeNull();
    for (const good of ["10.0.0.1", "255.255.255.255", "0.0.0.0"]) expect(isAddress(good)).toBe(true);
    for (const bad of ["10.0.0", "10.0.0.256", "10.0.0.1.", "a.b.c.d", "10.0.0.1/24", ""])
      expect(isAddress(bad)).toBe(false);
  });
});

describe("gnt-cluster verify", () => {
  test("finds what is wrong, and says what it means", () => {
    const findings = parseFindings(recording("t13-verify-nobridge").split("\n"));
    expect(findings.map(({ level, code, item }) => [level, code, item])).toEqual([
      ["error", "ENODENET", "node3.example.org"],
      ["error", "ENODEOS", "node2.example.org"],
      ["error", "ENODEOS", "node1.example.org"],
      ["note", "", null],
    ]);
    expect(findings[0]).toMatchObject({ kind: "node", text: "missing bridges: br0" });
    expect(findings[0]?.meaning).toContain("bridge");
    expect(findings[1]?.meaning).toContain("OS definitions");
  });

  test("knows the missing SysRq of Debian 12's error, and takes advice for no finding", () => {
    const sysrq = parseFindings(recording("b12-verify-codes").split("\n"));
    expect(sysrq).toHaveLength(3);
    expect(sysrq.every(({ meaning }) => meaning?.includes("SysRq"))).toBe(true);
    expect(parseFindings(recording("t13-verify-codes").split("\n"))).toEqual([]);
  });

  test("a job that broke off is an error, and a guest that is not Ganeti's is named as its reason", () => {
    const told = "Job 4 has failed: Corrupt configuration file: Instance data of instance 'vweb' not found.";
    const findings = parseFindings(["Waiting for job 4 ...", told, "1 job(s) failed while verifying the cluster."]);
    expect(findings).toMatchObject([{ level: "error", code: "", item: null }]);
    expect(findings[0]?.meaning).toMatch(/^The guest vweb runs on a node and is not Ganeti's/);
    expect(parseFindings(["Job 5 has failed: Failure: no lock"])).toMatchObject([
      { level: "error", text: "Failure: no lock", meaning: null },
    ]);
  });

  test("None stands for the cluster", () => {
    const [finding] = parseFindings(["Sun Nov 22 2026   - WARNING:ECLUSTERCERT:cluster:None:expires in 6 days"]);
    expect(finding).toMatchObject({ level: "warning", item: null, text: "expires in 6 days" });
  });
});
