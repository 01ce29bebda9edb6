import { expect, test } from "vitest";
import { ganetiStoresCommand, parseGanetiStores } from "../../source/tools/ganeti-stores.ts";

// Of a Ganeti 3.0.2 with two nodes; the volume group's part is made up by gnt-node's manual, as no group can be made there.
const answer = `@@virtu storage file
node2.lab.example.org|/srv/ganeti/file-storage|3072|0|3061|Y
node1.lab.example.org|/srv/ganeti/file-storage|3072|0|3061|N
@@virtu end 0
@@virtu storage lvm-vg
node1.lab.example.org|xenvg|24572.00|1024.00|23548.00|Y
@@virtu end 0
@@virtu volumes
node1.lab.example.org|/dev/sdb|xenvg|1f.disk0|1024|web1.lab.example.org
node1.lab.example.org|/dev/sda2|debian|swap|512|-
@@virtu end 0
@@virtu networks
netx|10.5.0.0/24|10.5.0.1|253||
@@virtu end 0
@@virtu systems
OS: debootstrap [global status: valid]
  Variants: [default]
  Node: 2ff2df3e, status: valid (path: /usr/share/ganeti/os/debootstrap) [API versions: 20, 15, 10, 5] [variants: default] [parameters: filesystem] [trusted]

OS: noop [global status: invalid]
  Node: 2ff2df3e, status: valid (path: /usr/share/ganeti/os/noop) [API versions: 5, 10] [trusted]
  Node: 56c00da5, status: invalid: missing file (path: /usr/share/ganeti/os/noop)

@@virtu end 0
`;

test("reads storage with its volumes, networks and OS definitions", () => {
  const found = parseGanetiStores(answer);
  expect(found?.failed).toEqual([]);
  expect(found?.storage).toMatchObject([
    { node: "node2.lab.example.org", type: "file", sizeMiB: 3072, freeMiB: 3061, allocatable: true, volumes: [] },
    { node: "node1.lab.example.org", type: "file", allocatable: false },
    {
      ...{ name: "xenvg", sizeMiB: 24572, freeMiB: 23548 },
      volumes: [{ name: "1f.disk0", path: "/dev/xenvg/1f.disk0", sizeMiB: 1024, instance: "web1.lab.example.org" }],
    },
  ]);
  expect(found?.networks).toEqual([
    { name: "netx", subnet: "10.5.0.0/24", freeAddresses: 253, groups: [], instances: [] },
  ]);
  expect(found?.systems).toMatchObject([
    { name: "debootstrap", status: "valid", variants: ["default"], troubles: [] },
    { name: "noop", status: "invalid", troubles: [expect.stringContaining("missing file")] },
  ]);
});

test("names a part that failed and keeps the others; no answer is null", () => {
  const broken = answer.replace(/(@@virtu systems\n)[\s\S]*$/, "$1@@virtu end 1\n");
  expect(parseGanetiStores(broken)).toMatchObject({ failed: ["systems"], systems: [], storage: { length: 3 } });
  expect(parseGanetiStores("bash: gnt-os: not found\n")).toBeNull();
});

test("asks only for the storage that the cluster's disk templates have", () => {
  const { line } = ganetiStoresCommand({ directory: "/usr/sbin/", sudo: false });
  expect(line).toContain("case ,$t, in *,plain,*|*,drbd,*) echo '@@virtu storage lvm-vg';");
  expect(line).toContain("/usr/sbin/gnt-node list-storage --no-headers '--separator=|'");
  expect(line).toContain("--storage-type=file");
});
