import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { planInstallGaneti } from "../../source/journey/install-ganeti.ts";
import { chooseStorage, readStorage, subnetAddress } from "../../source/journey/install-ganeti-choose.ts";
import type { GanetiRequest } from "../../source/journey/install-ganeti-types.ts";
import { planInstallLibvirt } from "../../source/journey/install-libvirt.ts";
import type { Plan } from "../../source/journey/plan.ts";
import type { NodeState } from "../../source/tools/node-state.ts";
import { parseNodeState } from "../../source/tools/node-state-parse.ts";

const answer = readFileSync(new URL("../../fixtures/node/t13-bare.stdout", import.meta.url), "utf8");
const nodeState = (n: number, change: Partial<NodeState> = {}): NodeState => {
  const text = answer.replaceAll("node1", `node${n}`).replaceAll("192.168.77.11", `192.168.77.1${n}`);
  const clock = Number(/^@virtu clock\n(\d+)/m.exec(text)?.[1]);
  return { ...parseNodeState(text, clock), ...change };
};
const nodes = [1, 2, 3].map((n) => ({ name: `node${n}`, host: { name: `node${n}` } }));
const states = (one: Partial<NodeState> = {}) =>
  new Map(nodes.map(({ name }, index) => [name, nodeState(index + 1, index === 0 ? one : {})]));

const request = (change: Partial<GanetiRequest> = {}): GanetiRequest => ({
  site: null,
  jobId: null,
  nodes,
  minimum: 3,
  clusterName: "cluster1.example.org",
  clusterAddress: "192.168.77.100",
  master: "node2",
  hypervisors: ["kvm", "fake"],
  storage: {
    kind: "lvm",
    group: "xenvg",
    disks: { node1: "/dev/sdb", node2: "/dev/sdb", node3: "/dev/sdb" },
    erase: [],
  },
  bridge: null,
  systems: ["noop"],
  ...change,
});

function planned(change: Partial<GanetiRequest> = {}, one: Partial<NodeState> = {}): Plan {
  const plan = planInstallGaneti(request(change), states(one));
  if ("problems" in plan) throw new Error(plan.problems.map(({ text }) => text).join("; "));
  return plan;
}
function problems(change: Partial<GanetiRequest>, one: Partial<NodeState> = {}) {
  const plan = planInstallGaneti(request(change), states(one));
  return "problems" in plan ? plan.problems.map(({ field, node, text }) => [field, node, text]) : [];
}
const stepOf = (plan: Plan, id: string) => plan.steps.find((step) => step.id === id)!;

describe("the plan of a cluster", () => {
  test("goes from names to verify, each step after those that it names", () => {
    const plan = planned();
    expect(plan.steps.map(({ id }) => id)).toEqual(
      "hosts cluster-name repair lists sources packages volume-group bridge bridge-keep init master-key let-master-in add-nodes joined verify".split(
        " ",
      ),
    );
    const seen = new Set<string>();
    for (const { id, needs, cells } of plan.steps) {
      for (const need of needs) expect(seen).toContain(need.step);
      for (const cell of Object.values(cells)) expect(cell.check).not.toBeNull();
      seen.add(id);
    }
    expect(plan).toMatchObject({ kind: "install-ganeti", title: "install ganeti on 3 nodes" });
  });

  test("does on the master what is the master's, and on the others what is theirs", () => {
    const plan = planned();
    for (const id of ["init", "master-key", "add-nodes", "verify"]) {
      expect(Object.keys(stepOf(plan, id).cells)).toEqual(["node2"]);
    }
    for (const id of ["let-master-in", "joined"])
      expect(Object.keys(stepOf(plan, id).cells)).toEqual(["node1", "node3"]);
    expect(stepOf(plan, "master-key").gives).toEqual(["MASTER_KEY"]);
    expect(stepOf(plan, "let-master-in").needs).toContainEqual({ step: "master-key", on: "all-nodes" });
    expect(stepOf(plan, "add-nodes").needs).toContainEqual({ step: "let-master-in", on: "all-nodes" });
    expect(stepOf(plan, "add-nodes").cells["node2"]?.script).toContain(
      "for node in node1.example.org node3.example.org;",
    );
  });

  test("makes the cluster with today's options", () => {
    const script = stepOf(planned(), "init").cells["node2"]?.script;
    expect(script).toContain(
      "gnt-cluster init --enabled-hypervisors=kvm,fake --enabled-disk-templates=plain,diskless --vg-name=xenvg --master-netdev=br0 --nic-parameters=link=br0 --no-etc-hosts --default-iallocator=hail -H kvm:kernel_path=,initrd_path=,serial_console=true,vhost_net=false,kvm_path=/usr/bin/qemu-system-x86_64 cluster1.example.org",
    );
    expect(stepOf(planned(), "init").why).toContain("emulated");
    const kvm = planInstallGaneti(
      request(),
      new Map(
        nodes.map(({ name }, n) => [
          name,
          nodeState(n + 1, { virtual: { kvm: true, vhostNet: true, xen: null, xendConfig: null } }),
        ]),
      ),
    );
    const modern = "problems" in kvm ? "" : stepOf(kvm, "init").cells["node2"]?.script;
    expect(modern).toContain("vhost_net=true cluster1");
  });

  test("keeps disks as files without LVM, or none at all", () => {
    const file = planned({ storage: { kind: "file", directory: "/srv/vm" } });
    expect(file.steps.map(({ id }) => id)).toContain("file-storage");
    expect(file.steps.map(({ id }) => id)).not.toContain("volume-group");
    const script = stepOf(file, "init").cells["node2"]?.script;
    expect(script).toContain("--enabled-disk-templates=file,diskless --file-storage-dir=/srv/vm --master-netdev");
    expect(script).not.toContain("vg-name");
    const none = planned({ storage: { kind: "diskless" } });
    expect(stepOf(none, "init").cells["node2"]?.script).toContain("--enabled-disk-templates=diskless --master-netdev");
    expect(stepOf(file, "packages").changes).not.toContain("lvm2");
  });

  test("on Xen links the guests' kernel and uses xl and Xen's bridge", () => {
    const xen = (n: number) =>
      nodeState(n, { virtual: { kvm: false, vhostNet: false, xen: "dom0", xendConfig: null } });
    const plan = planInstallGaneti(
      request({ hypervisors: ["xen-pvm"] }),
      new Map(nodes.map(({ name }, index) => [name, xen(index + 1)])),
    );
    if ("problems" in plan) throw new Error("refused");
    expect(Object.keys(stepOf(plan, "kernel-links").cells)).toHaveLength(3);
    expect(stepOf(plan, "bridge").title).toBe("Make the bridge xen-br0");
    expect(stepOf(plan, "init").cells["node2"]?.script).toContain(
      "xen-pvm:xen_cmd=xl,kernel_path=/boot/vmlinuz-3-xenU",
    );
  });

  test("of one node adds nobody and needs no address", () => {
    const plan = planInstallGaneti(
      request({ nodes: nodes.slice(0, 1), minimum: 1, master: "node1", clusterAddress: null }),
      states(),
    );
    if ("problems" in plan) throw new Error("refused");
    const ids = plan.steps.map(({ id }) => id);
    expect(ids).not.toContain("add-nodes");
    expect(stepOf(plan, "cluster-name").cells["node1"]?.script).toContain("169.254.77.1 cluster1.example.org cluster1");
  });
});

describe("a cluster is refused", () => {
  test("before anything is changed, with the field and the node", () => {
    expect(problems({ clusterAddress: null })).toEqual([
      ["clusterAddress", null, expect.stringContaining("address of its own")],
    ]);
    expect(problems({ clusterAddress: "192.168.77.12" })).toEqual([
      ["clusterAddress", null, "192.168.77.12 is the address of node2"],
    ]);
    expect(problems({ clusterAddress: "cluster" })).toEqual([["clusterAddress", null, "cluster is no IPv4 address"]]);
    expect(problems({ clusterName: "node3" })).toEqual([
      ["clusterName", "node3", expect.stringContaining("name of a node")],
    ]);
    expect(problems({ clusterName: "a b" })).toEqual([["clusterName", null, "a b is no host name"]]);
    expect(problems({ master: "node9" })).toEqual([["master", "node9", expect.any(String)]]);
    expect(problems({ bridge: "a-bridge-with-a-long-name" })[0]?.[0]).toBe("bridge");
    expect(problems({ hypervisors: ["xen-pvm"] })).toHaveLength(3);
  });

  test("where a node is not what it should be", () => {
    const other = { cluster: "c9", master: "x", nodes: ["x"] };
    expect(problems({}, { ganeti: other })).toEqual([["nodes", "node1", "it belongs to the cluster c9 already"]]);
    expect(problems({}, { fullName: "node2.example.org" })[0]).toEqual([
      "nodes",
      "node2",
      expect.stringContaining("same host name as node1"),
    ]);
    const old = { ...nodeState(1).system, version: "11", pretty: "Debian GNU/Linux 11 (bullseye)" };
    expect(problems({}, { system: old })).toEqual([["nodes", "node1", "it runs Debian GNU/Linux 11 (bullseye)"]]);
    expect(problems({}, { freeBytes: { "/": 10 ** 8 } })).toEqual([["nodes", "node1", "only 100 MB are free on /"]]);
  });

  test("where a disk is in use, absent or not empty, and not when its name was repeated", () => {
    const sdb = nodeState(1).disks.find(({ path }) => path === "/dev/sdb")!;
    const withDisk = (change: object) => ({ disks: [{ ...sdb, ...change }] });
    expect(problems({}, withDisk({ mounted: ["/mnt"] }))).toEqual([
      ["storage", "node1", "/dev/sdb is in use: mounted on /mnt"],
    ]);
    expect(problems({}, { disks: [] })).toEqual([["storage", "node1", "it has no disk /dev/sdb"]]);
    expect(problems({}, withDisk({ holds: "ext4" }))).toEqual([
      ["storage", "node1", "/dev/sdb is not empty: it holds ext4"],
    ]);
    const disks = { node1: "/dev/sdb", node2: "/dev/sdb", node3: "/dev/sdb" };
    const storage = { kind: "lvm", group: "xenvg", disks, erase: ["node1:/dev/sdb"] } as const;
    expect(problems({ storage }, withDisk({ holds: "ext4" }))).toEqual([]);
    const plan = planned({ storage }, withDisk({ holds: "ext4" }));
    expect(stepOf(plan, "volume-group").cells["node1"]?.script).toContain("wipefs -a /dev/sdb");
    expect(stepOf(plan, "volume-group").cells["node2"]?.script).not.toContain("wipefs -a");
    const small = [{ name: "xenvg", bytes: 10 ** 9, freeBytes: 0, devices: [] }];
    expect(problems({}, { groups: small })[0]?.[2]).toContain("0.9 GiB");
  });
});

describe("what was left open", () => {
  test("storage in words", () => {
    const read = (storage: string | undefined, ...disks: string[]) => readStorage({ storage, group: "vg", disks });
    expect(read(undefined)).toMatchObject({ kind: "file", directory: "/srv/ganeti/file-storage" });
    expect(read("file:/data")).toMatchObject({ kind: "file", directory: "/data" });
    expect(read("lvm:/dev/sdc", "node1:/dev/sdd")).toMatchObject({
      kind: "lvm",
      disk: "/dev/sdc",
      disks: { node1: "/dev/sdd" },
      devices: ["/dev/sdc", "/dev/sdd"],
    });
    expect(read(undefined, "/dev/sdd")).toMatchObject({ kind: "lvm", disk: "/dev/sdd" });
    for (const wrong of ["drbd", "lvm:sdb", "diskless:/x"]) expect(read(wrong)).toBeNull();
    expect(read("lvm", "sdb")).toBeNull();
  });

  test("the largest free disk, none where the group is, and what may be erased", () => {
    const wish = readStorage({ storage: "lvm", group: "xenvg", disks: ["node3:/dev/sdz"] })!;
    const group = [{ name: "xenvg", bytes: 10 ** 12, freeBytes: 0, devices: ["/dev/sdb"] }];
    const facts = states({ groups: group });
    expect(chooseStorage(wish, nodes, facts, ["/dev/sdz", "node2:/dev/sdq"])).toEqual({
      kind: "lvm",
      group: "xenvg",
      disks: { node2: "/dev/sdb", node3: "/dev/sdz" },
      erase: ["node3:/dev/sdz"],
    });
  });

  test("the first address of the job's subnet", () => {
    expect(subnetAddress("10.144.0.0/22")).toBe("10.144.0.1");
    expect(subnetAddress("none")).toBeNull();
  });
});

describe("the plan of libvirt hosts", () => {
  const plan = planInstallLibvirt(
    { site: null, jobId: null, nodes, minimum: 3, users: ["jdoe"], poolDirectory: "/srv/images" },
    states({ virtual: { kvm: false, vhostNet: false, xen: "dom0", xendConfig: "/etc/xen/xend-config.sxp" } }),
  );

  test("uses Xen's driver on Xen alone, and the old xend's line where that is", () => {
    expect(stepOf(plan, "packages").cells["node1"]?.script).toContain("libvirt-daemon-driver-xen");
    expect(stepOf(plan, "packages").cells["node2"]?.script).toContain("qemu-system-x86");
    expect(stepOf(plan, "works").cells["node1"]?.check).toContain("virsh -c xen:///system");
    expect(stepOf(plan, "works").cells["node2"]?.check).toContain("virsh -c qemu:///system");
    expect(Object.keys(stepOf(plan, "xend").cells)).toEqual(["node1"]);
  });

  test("ends with a call, and gives rights to those who were named", () => {
    expect(plan.steps.at(-1)?.id).toBe("works");
    expect(stepOf(plan, "rights").cells["node3"]?.script).toContain("usermod -a -G libvirt jdoe");
    expect(stepOf(plan, "pool").cells["node3"]?.script).toContain("--target /srv/images");
  });
});
