import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { factsCommand, parseAddresses, parseFacts } from "../../source/tools/node-facts.ts";

const answer = `@kernel
6.1.0-26-amd64
@os
PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
@cpus
32
@memory
MemTotal:       197583872 kB
@disks
{
   "blockdevices": [
      {"name":"sda", "size":480103981056, "type":"disk"},
      {"name":"sr0", "size":1073741312, "type":"rom"},
      {"name":"nvme0n1", "size":"2000398934016", "type":"disk"}
   ]
}
@blocks
sda 937703088
@address
172.16.20.1 51022 172.16.20.7 22
@addresses
172.16.20.7 10.0.0.1
@uptime
123.45 3000.00
@end
`;

describe("what a node says", () => {
  test("all of it", () => {
    expect(parseFacts("dahu-7", answer)).toEqual({
      name: "dahu-7",
      state: "reachable",
      reason: null,
      address: "172.16.20.7",
      kernel: "6.1.0-26-amd64",
      os: "Debian GNU/Linux 12 (bookworm)",
      cpus: 32,
      memoryMiB: 192_953,
      disks: [
        { name: "sda", sizeGiB: 447.1 },
        { name: "nvme0n1", sizeGiB: 1863 },
      ],
      uptimeSeconds: 123,
    });
  });

  test("without lsblk, disks come from /sys in sectors", () => {
    const bare = answer.replace(/@disks[\s\S]*?@blocks/, "@disks\n@blocks").replace(/172.*22\n/, "\n");
    expect(parseFacts("dahu-7", bare)).toMatchObject({
      disks: [{ name: "sda", sizeGiB: 447.1 }],
      address: "172.16.20.7",
    });
  });

  test("a minimal system that tells next to nothing", () => {
    expect(parseFacts("dahu-7", "@kernel\n@os\n@cpus\n@end\n")).toMatchObject({
      state: "reachable",
      kernel: null,
      os: null,
      cpus: null,
      memoryMiB: null,
      disks: [],
      address: null,
      uptimeSeconds: null,
    });
  });

  test("the command runs on a real Linux", () => {
    const facts = parseFacts("here", execFileSync("sh", ["-c", factsCommand().line], { encoding: "utf8" }));
    expect(facts.kernel).toMatch(/^\d+\./);
    expect(facts.cpus).toBeGreaterThan(0);
    expect(facts.memoryMiB).toBeGreaterThan(100);
    expect(facts.uptimeSeconds).toBeGreaterThan(0);
  });
});

test("addresses as getent prints them", () => {
  const text = "172.16.20.1     dahu-1.grenoble.grid5000.fr dahu-1\n172.16.20.2     dahu-2.grenoble.grid5000.fr\n";
  const names = ["dahu-1.grenoble.grid5000.fr", "dahu-2.grenoble.grid5000.fr", "dahu-3.grenoble.grid5000.fr"];
  expect([...parseAddresses(text, names)]).toEqual([
    [names[0], "172.16.20.1"],
    [names[1], "172.16.20.2"],
  ]);
});
