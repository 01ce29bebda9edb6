import { describe, expect, test } from "vitest";
import { parseDefinition, parseSnapshot, parseTags, tagsElement } from "../../source/tools/virsh-definition.ts";
import { parseDetails } from "../../source/tools/virsh-details.ts";
import { parseDisplay } from "../../source/tools/virsh-screen.ts";
import { all, encodeXml, find, parseXml } from "../../source/tools/xml.ts";

describe("XML", () => {
  test("is read with attributes, entities, comments and CDATA", () => {
    const root = parseXml(
      `<?xml version="1.0"?>\n<a b="1 &lt; 2" c='"'><!-- <x> --><d/>t&#233;xt &amp; <![CDATA[<raw>]]><d e="f">in</d></a>\n`,
    );
    expect(root).toMatchObject({ name: "a", attributes: { b: "1 < 2", c: '"' }, text: "téxt & <raw>" });
    expect(all(root ?? undefined, "d").map(({ text }) => text)).toEqual(["", "in"]);
    expect(find(root ?? undefined, "d", "nothing")).toBeUndefined();
  });

  test.each(["", "text", "<a>", "<a></b>", "<a/><b/>", "<a b=1/>", "<a><b></a></b>"])("%j is none", (text) => {
    expect(parseXml(text)).toBeNull();
  });

  test("tags come back as they were", () => {
    const tags = ["env:prod", "a<b>&'\"c"];
    expect(parseTags(tagsElement(tags))).toEqual(tags);
    expect(encodeXml("<")).toBe("&lt;");
  });
});

describe("libvirt's definitions", () => {
  const text = `<domain type='kvm'><name>a&amp;b</name><uuid>u1</uuid><description>one
two</description><metadata><x:tags xmlns:x="urn:virtu:1"><x:tag>web</x:tag></x:tags><y:tag xmlns:y="else">no</y:tag></metadata>
<memory unit='GiB'>2</memory><vcpu>4</vcpu><devices>
<disk type='block' device='disk'><driver type='raw'/><source dev='/dev/vg/a'/><target dev='vda'/></disk>
<disk type='volume' device='cdrom'><source pool='iso' volume='d.iso'/><target dev='sda'/></disk>
<disk type='file' device='cdrom'><target dev='sdb'/></disk>
<interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='br0'/></interface>
</devices></domain>`;

  test("say what a domain is made of", () => {
    expect(parseDefinition(text)).toMatchObject({
      ...{ name: "a&b", uuid: "u1", description: "one\ntwo", tags: ["web"], memoryMiB: 2048, vcpus: 4, serial: false },
      disks: [
        { id: "vda", kind: "disk", source: "/dev/vg/a", format: "raw" },
        { id: "sda", kind: "cdrom", source: "iso/d.iso" },
        { id: "sdb", kind: "cdrom", source: null },
      ],
      nics: [{ id: "52:54:00:00:00:01", network: "br0" }],
    });
    expect(parseDefinition("<network/>")).toBeNull();
  });

  test("of a snapshot may be cut off after its own part", () => {
    const cut =
      "<domainsnapshot>\n  <name>s 2</name>\n  <state>running</state>\n  <parent>\n    <name>s1</name>\n  </parent>\n  <creationTime>1795577968</creationTime>\n";
    const whole = { name: "s 2", parent: "s1", at: 1_795_577_968, state: "running", description: "" };
    expect(parseSnapshot(cut)).toEqual(whole);
    expect(parseSnapshot(`${cut}</domainsnapshot>`)).toEqual(whole);
  });

  test("a QEMU that hangs costs the details only the sizes", () => {
    const details = parseDetails(`@@virtu definition\n${text}\n\n@@virtu networks\nlab\n\n@@virtu blocks\n`);
    expect(details).toMatchObject({ tags: ["web"], networks: ["lab"], snapshots: [] });
    expect(details?.disks[0]?.sizeMiB).toBeNull();
    expect(details?.more).toContainEqual(["Sizes of disks", "QEMU does not answer"]);
    expect(details?.more).toContainEqual(["Serial device", "none: no text console"]);
    expect(parseDetails("")).toBeNull();
  });
});

test("a display's address is a port of the host", () => {
  expect(parseDisplay("vnc://127.0.0.1:1\n")).toMatchObject({ kind: "vnc", address: "127.0.0.1", port: 5901 });
  expect(parseDisplay("\n")).toBeNull();
});
