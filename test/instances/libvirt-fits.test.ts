/** The pre-check of a migration: what a domain needs, what the other host offers, and what is said of it. */
import { describe, expect, test } from "vitest";
import { fitOf } from "../../source/instances/libvirt-fits.ts";
import {
  type DomainNeeds,
  type HostOffer,
  type NeededCpu,
  offerCommand,
  parseNeeds,
  parseOffer,
} from "../../source/tools/virsh-targets.ts";
import { fixture, recorded } from "./fake-pool.ts";

const images = "/var/lib/libvirt/images";
const xml = (cpu: string, disk = "") =>
  `<domain type='kvm' id='3'>\n  <name>web1</name>\n  <vcpu>1</vcpu>\n  <os>\n    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>\n  </os>\n  ${cpu}\n  <cputune/>\n  <devices>${disk}</devices>\n</domain>\n`;
const host = "  <host>\n    <cpu>\n      <model>EPYC</model>\n    </cpu>\n  </host>\n";
const needsText = ({ cpu = "", nics = "", disks = "", files = "", disk = "" }) =>
  [
    `@@virtu nics\n${fixture("libvirt", "domiflist.stdout")}${nics}`,
    `@@virtu disks\n${fixture("libvirt", "domblklist.stdout")}${disks}`,
    `@@virtu files\n131-64 ${images}/web1.qcow2\n${files}`,
    `@@virtu domain\n${xml(cpu, disk)}`,
    `@@virtu host\n${host}@@virtu end\n`,
  ].join("");
const model =
  "<cpu mode='custom' match='exact' check='full'>\n    <model fallback='forbid'>Icelake-Server</model>\n  </cpu>";
const passthrough = "<cpu mode='host-passthrough' check='none' migratable='on'/>";

const offerText = ({ devices = "", files = "", pools = `${images}\n`, cpu = "" }) =>
  `@@virtu hostname\nhv2\n\n@@virtu memory\ntotal  : 8000000 KiB\nfree   : 4000000 KiB\n\n@@virtu domains\nother\n\n@@virtu networks\n lvnet\n\n@@virtu devices\n${devices}@@virtu files\n${files}@@virtu pools\n${pools}${cpu && `@@virtu cpu\n${cpu}`}@@virtu end\n`;
const offer = (own: Parameters<typeof offerText>[0] = {}) => parseOffer(offerText(own)) as HostOffer;
const web1 = { name: "web1", memoryMiB: 512, status: "running" } as const;
const off = { ...web1, status: "stopped" } as const;
const needs = (own: Parameters<typeof needsText>[0] = {}) => parseNeeds(needsText(own));
const said = (name: string) => {
  const { stdout = "", stderr = "" } = recorded("libvirt", name);
  return stdout + stderr;
};

describe("what is needed", () => {
  test("networks, bridges, disks and media with what tells them apart", () => {
    const found = needs({
      nics: " vnet13      bridge    br7      virtio   52:54:00:4f:22:59\n -           direct    eno1     virtio   52:54:00:4f:22:60\n",
      disks:
        " file   cdrom    sda      /iso/my cd.iso\n file   cdrom    sdb      -\n block  disk     vdb      /dev/vg/data\n",
      files: "140-9 /iso/my cd.iso\n",
    });
    expect(found).toMatchObject({ networks: ["lvnet"], devices: ["br7", "eno1"], cpu: null });
    expect(found.disks).toEqual([
      { kind: "file", medium: false, target: "vda", path: `${images}/web1.qcow2`, identity: "131-64" },
      { kind: "file", medium: true, target: "sda", path: "/iso/my cd.iso", identity: "140-9" },
      { kind: "block", medium: false, target: "vdb", path: "/dev/vg/data", identity: "" },
    ]);
  });

  test("a medium that libvirt drops by itself is not needed", () => {
    const disk = "<disk type='file' device='cdrom'><source file='/iso/a.iso' startupPolicy='optional'/></disk>";
    expect(needs({ disks: " file   cdrom    sda      /iso/a.iso\n", disk }).disks).toHaveLength(1);
  });

  test.each<[string, NeededCpu | null]>([
    [
      model,
      { kind: "model", name: "Icelake-Server", xml: model, virtType: "kvm", arch: "x86_64", machine: "pc-q35-7.2" },
    ],
    [passthrough, { kind: "passthrough", hostXml: "<cpu>\n      <model>EPYC</model>\n    </cpu>" }],
    ["<cpu mode='custom' match='exact' check='none'>\n    <model>qemu64</model>\n  </cpu>", null],
    ["<cpu mode='host-model' check='partial'/>", null],
    ["", null],
  ])("of the CPU: %s", (cpu, wanted) => {
    expect(needs({ cpu }).cpu).toEqual(wanted);
  });

  test("the CPU goes to the other host by standard input, for the machine that it is in", () => {
    const { command, stdin } = offerCommand("qemu:///system", needs({ cpu: model }));
    expect(stdin).toBe(model);
    expect(command.line).toContain(
      "hypervisor-cpu-compare --error --virttype kvm --arch x86_64 --machine pc-q35-7.2 /dev/stdin",
    );
    expect(offerCommand("qemu:///system", needs({ cpu: passthrough })).command.line).toContain("v cpu-compare --error");
    expect(offerCommand("qemu:///system", needs()).stdin).toBeUndefined();
  });
});

describe("what fits", () => {
  const refusal = (wanted: DomainNeeds, there: HostOffer, instance: typeof web1 | typeof off = web1) =>
    fitOf(wanted, there, instance).refusal;

  test("disks: copied, shared, or in the way", () => {
    expect(fitOf(needs(), offer(), web1)).toEqual({
      refusal: null,
      notes: ["networks are there", "its disk is copied"],
    });
    const shared = offer({ files: `131-64 ${images}/web1.qcow2\n` });
    expect(fitOf(needs(), shared, web1).notes).toContain("disks are shared");
    const other = offer({ files: `977-64 ${images}/web1.qcow2\n` });
    expect(refusal(needs(), other)).toBe(`it has another file ${images}/web1.qcow2, which copying would overwrite`);
    expect(refusal(needs(), other, off)).toBeNull();
    expect(refusal(needs(), offer(), off)).toMatch(/of a domain that is off only the definition moves/);
    expect(refusal(needs(), offer({ pools: "/srv\n" }))).toBe(
      `no active pool is at ${images} there: vda can't be copied`,
    );
  });

  test("media and block devices must be there", () => {
    const iso = needs({ disks: " file   cdrom    sda      /iso/a.iso\n" });
    expect(refusal(iso, offer())).toBe("it has not the medium in sda, /iso/a.iso: eject it first");
    expect(refusal(iso, offer({ files: "8-8 /iso/a.iso\n" }))).toBeNull();
    const block = needs({ disks: " block  disk     vdb      /dev/vg/data\n" });
    expect(refusal(block, offer())).toBe("it has no block device /dev/vg/data (vdb)");
  });

  test("networks and bridges must be there", () => {
    const bridged = needs({ nics: " vnet13      bridge    br7      virtio   52:54:00:4f:22:59\n" });
    expect(refusal(bridged, offer())).toBe("it has no bridge or interface br7");
    expect(refusal(bridged, offer({ devices: "br7\n" }))).toBeNull();
    expect(refusal({ ...needs(), networks: ["lvnet", "lab"] }, offer())).toBe("it has no active network lab");
  });

  test.each<[string, string, string | RegExp]>([
    [model, "hypervisor-cpu-superset", "CPU fits"],
    [
      model,
      "hypervisor-cpu-lacks",
      /^the CPU there can't be a Icelake-Server: it lacks vme, pcid, x2apic, tsc-deadline and 10 more$/,
    ],
    [model, "hypervisor-cpu-machine", "QEMU there does not know its machine pc-q35-99.2"],
    [passthrough, "cpu-compare-identical", "same CPU"],
    [passthrough, "cpu-compare-superset", "CPU there has more"],
    [
      passthrough,
      "cpu-compare-lacks",
      /the whole CPU of its host, and the one there is another: it lacks hle, rtm, mpx, pku and 4 more$/,
    ],
  ])("CPU %s with %s", (cpu, name, text) => {
    const { refusal: why, notes } = fitOf(needs({ cpu }), offer({ cpu: said(name) }), web1);
    expect(why ?? notes.at(-1)).toMatch(text);
    expect(why === null).toBe(/superset|identical/.test(name));
  });

  test("an old virsh that can't compare refuses nothing, and says that it was not looked at", () => {
    const unknown = "error: unknown command: 'hypervisor-cpu-compare'\n";
    expect(fitOf(needs({ cpu: model }), offer({ cpu: unknown }), web1)).toMatchObject({
      ...{ refusal: null, notes: expect.arrayContaining(["CPU not compared"]) },
    });
  });
});
