import { describe, expect, it, vi } from "vitest";
import type { NodeStates } from "../../source/journey/configure-types.ts";
import type { Journeys } from "../../source/store/journeys.ts";
import { hostTargets } from "../../source/store/targets.ts";
import type { Place } from "../../source/ui/navigation.ts";
import {
  chosenDisks,
  diskChoices,
  diskLines,
  diskMeaning,
  erasedDisks,
} from "../../source/ui/screens/install-disks.ts";
import {
  clusterAddressIn,
  ganetiErrors,
  ganetiRequest,
  likelyHypervisor,
  nodeProblems,
} from "../../source/ui/screens/install-ganeti-text.ts";
import { libvirtErrors } from "../../source/ui/screens/install-libvirt.tsx";
import { keys, openUi } from "./harness.tsx";
import { statesOf } from "./node-fakes.ts";
import { handleOf, now, runOf } from "./run-fakes.ts";

const bare = (text: string) => text.replace(/\u001b\[[\d;]*m/g, "");
const two = statesOf(["n1", "n2"]);

describe("disks", () => {
  it("offers what can be taken on some node, and the largest free one of each", () => {
    expect(diskChoices(two).map(({ value }) => value)).toEqual(["", "/dev/sdb", "/dev/sdc"]);
    expect([...chosenDisks(two, "xenvg", "")].map(([name, { path }]) => `${name}:${path}`)).toEqual([
      "n1:/dev/sdb",
      "n2:/dev/sdb",
    ]);
    expect(diskMeaning(two, "xenvg", "")).toBe("400 G on 2 nodes · empty");
    expect(diskMeaning(two, "xenvg", "/dev/sdc")).toBe("300 G on 2 nodes · erased on 2");
  });

  it("takes none where the volume group is there already", () => {
    const group = { name: "xenvg", bytes: 1, freeBytes: 1, devices: ["/dev/sdd"] };
    const states: NodeStates = new Map([...two, ...statesOf(["n3"], { groups: [group] })]);
    expect([...chosenDisks(states, "xenvg", "").keys()]).toEqual(["n1", "n2"]);
    expect(diskMeaning(states, "xenvg", "")).toContain("xenvg is there on 1 node");
  });

  it("names what is erased, and wants the disk's name typed", () => {
    expect(erasedDisks(chosenDisks(two, "xenvg", ""))).toEqual({ erase: [], lines: [], typed: null });
    const { erase, lines, typed } = erasedDisks(chosenDisks(two, "xenvg", "/dev/sdc"));
    expect(erase).toEqual(["n1:/dev/sdc", "n2:/dev/sdc"]);
    expect(typed).toBe("/dev/sdc");
    expect(lines[0]).toMatch(/^n1 +\/dev\/sdc +300 G +ext4/);
  });

  it("lists each disk once for all nodes, with why it can't be taken", () => {
    const lines = diskLines(two, 76).map(bare);
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(/● \/dev\/sdb +400 G +empty .* all nodes/);
    expect(lines[1]).toMatch(/⚠ \/dev\/sdc +300 G +holds ext4: erased if taken/);
    expect(lines[2]).toMatch(/✗ \/dev\/sda +500 G +is in use: mounted on \//);
  });
});

describe("the form of a cluster", () => {
  const targets = hostTargets(["n1", "n2", "n3"]);
  const values = {
    name: "cluster1",
    address: "10.0.0.100",
    master: "n1",
    hypervisor: "kvm,fake",
    storage: "lvm",
    group: "xenvg",
    disk: "/dev/sdc",
    bridge: "",
    systems: "noop",
    minimum: "50%",
  };

  it("stands for a request on the nodes that answered", () => {
    expect(ganetiRequest(values, targets, two)).toMatchObject({
      minimum: 1,
      clusterName: "cluster1",
      clusterAddress: "10.0.0.100",
      hypervisors: ["kvm", "fake"],
      storage: {
        kind: "lvm",
        group: "xenvg",
        disks: { n1: "/dev/sdc", n2: "/dev/sdc" },
        erase: ["n1:/dev/sdc", "n2:/dev/sdc"],
      },
      bridge: null,
      systems: ["noop"],
    });
    expect(ganetiRequest(values, targets, two).nodes.map(({ name }) => name)).toEqual(["n1", "n2"]);
  });

  it("puts problems beside their fields, those of nodes under the form", () => {
    const problems = [
      { field: "storage" as const, node: "n1.example.org", text: "no disk", hint: null },
      { field: "storage" as const, node: "n2.example.org", text: "no disk", hint: null },
      { field: "clusterName" as const, node: null, text: "an empty text is no host name", hint: null },
      { field: "nodes" as const, node: "n1.example.org", text: "it has no dpkg", hint: "Deploy Debian." },
    ];
    const errors = ganetiErrors({ ...values, name: "" }, problems, 2);
    expect(errors["disk"]).toBe("n1: no disk (and 1 more)");
    expect(errors["name"]).toBeUndefined();
    expect(nodeProblems(values, problems)).toEqual(["n1: it has no dpkg. Deploy Debian."]);
  });

  it("guesses what the nodes are made for, and an address of the job's subnet", () => {
    const plain = { kvm: false, vhostNet: false, xen: null, xendConfig: null };
    expect(likelyHypervisor(two)).toBe("kvm");
    expect(likelyHypervisor(statesOf(["a"], { virtual: plain }))).toBe("fake");
    expect(likelyHypervisor(statesOf(["a"], { virtual: { ...plain, xen: "dom0" } }))).toBe("xen-pvm");
    expect(clusterAddressIn("10.158.0.0/22")).toBe("10.158.0.1");
    expect(clusterAddressIn(null)).toBe("");
  });
});

describe("the form of libvirt hosts", () => {
  it("takes absolute paths and accounts", () => {
    expect(libvirtErrors({ pool: "/srv/images", users: "jdoe, anna", minimum: "" }, 2)).toEqual({
      pool: null,
      users: null,
      minimum: null,
    });
    expect(libvirtErrors({ pool: "images", users: "a;b", minimum: "3" }, 2)).toMatchObject({
      pool: "an absolute path without blanks",
      users: "a;b is no account's name",
      minimum: "the job has 2 nodes",
    });
  });
});

describe("installing on the screen", () => {
  function open(screen: Place["screen"], own: Partial<Journeys> = {}, states = two) {
    return openUi({
      place: { screen: "runs" },
      above: [{ screen } as Place],
      clock: () => now,
      journeys: {
        askNodes: async () => ({ states, failed: new Map() }),
        ...own,
      },
    });
  }

  it("chooses the manager", async () => {
    const ui = open("install");
    await ui.waitFor("Which VM manager?");
    await ui.press(keys.down, keys.enter);
    expect(ui.navigation.here().screen).toBe("install-libvirt");
  });

  it("makes a cluster: facts, form with disks, every command, what is erased typed, the run", async () => {
    const startRun = vi.fn<Journeys["startRun"]>(async () => handleOf(runOf(["n1", "n2"], { id: "g" })));
    const ui = open("install-ganeti", { startRun });
    await ui.waitFor("any hosts");
    await ui.press(keys.tab, "n1 n2", keys.enter);
    const lines = (await ui.waitFor("Ganeti on 2 nodes")).join("\n");
    expect(lines).toMatch(/on disk +‹ the largest free one of each › {2}400 G on 2 nodes · empty/);
    expect(lines).toMatch(/✗ \/dev\/sda +500 G +is in use/);
    await ui.press(keys.enter);
    await ui.waitFor("Its address: a cluster of several nodes needs an address".slice(13));
    await ui.press(keys.tab, "10.0.0.1");
    await ui.waitFor("10.0.0.1 is the address of n1");
    await ui.press("00");
    await ui.press(keys.tab, keys.tab, keys.tab, keys.tab, keys.tab, keys.right, keys.right);
    await ui.waitFor("300 G on 2 nodes · erased on 2");
    await ui.press(keys.enter);
    await ui.waitFor("What is on 2 disks will be erased");
    await ui.press(keys.enter);
    await ui.waitFor("Type /dev/sdc to go on");
    expect(ui.screen().join("\n")).toMatch(/n2 +\/dev\/sdc +300 G +ext4/);
    await ui.press(keys.enter);
    await ui.waitFor("Type /dev/sdc to go on, or Esc");
    expect(startRun).not.toHaveBeenCalled();
    await ui.press("/dev/sdc", keys.enter);
    await ui.waitFor(/step \d of 11/);
    expect(startRun.mock.calls[0]?.[1]).toMatchObject({ kind: "install-ganeti", jobId: null });
  });

  it("says beside the field what a node can't, and under the form what belongs to none", async () => {
    const old = statesOf(["n1"], {
      system: {
        id: "debian",
        version: "10",
        codename: "buster",
        pretty: "Debian 10",
        architecture: "amd64",
        kernel: "4",
      },
      disks: [],
    });
    const ui = open("install-ganeti", {}, old);
    await ui.waitFor("any hosts");
    await ui.press(keys.tab, "n1", keys.enter);
    const lines = (await ui.waitFor("n1: it runs Debian 10")).join("\n");
    expect(lines).toMatch(/on disk .*✗ n1: no disk is chosen/);
    await ui.press(keys.enter);
    await ui.waitFor(/✗ .*on disk: n1: no disk is chosen/);
  });

  it("keeps the form of many nodes within 80×24", async () => {
    const names = Array.from({ length: 200 }, (_, index) => `n${index + 1}`);
    const ui = open("install-ganeti", {}, statesOf(names));
    await ui.waitFor("any hosts");
    await ui.press(keys.tab, "n[1-200]", keys.enter);
    const lines = await ui.waitFor("Ganeti on 200 nodes");
    expect(lines).toHaveLength(24);
    expect(lines[23]).toContain("Esc back");
    expect(lines.join("\n")).toContain("Enough when");
  });

  it("makes libvirt hosts, and says what they will run guests with", async () => {
    const startRun = vi.fn<Journeys["startRun"]>(async () => handleOf(runOf(["n1", "n2"], { id: "l" })));
    const ui = open("install-libvirt", { startRun });
    await ui.waitFor("any hosts");
    await ui.press(keys.tab, "n1,n2", keys.enter);
    await ui.waitFor("KVM on 2 nodes");
    await ui.press(keys.enter);
    await ui.waitFor("Every command that will run");
    await ui.press(keys.enter, keys.down, keys.enter);
    await ui.waitFor(/step \d of 11/);
    expect(startRun.mock.calls[0]?.[1]).toMatchObject({ kind: "install-libvirt" });
  });
});
