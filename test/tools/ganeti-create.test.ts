import { describe, expect, test } from "vitest";
import { parseSubmitted } from "../../source/tools/ganeti.ts";
import {
  addCommand,
  findAddJob,
  parseSelected,
  parseWhere,
  removeCommand,
  tryAddCommand,
} from "../../source/tools/ganeti-create.ts";
import { explainGaneti } from "../../source/tools/ganeti-errors.ts";
import { ganetiRequest } from "../create-requests.ts";
import { fixture, recorded } from "../instances/fake-pool.ts";

const access = { directory: "/usr/sbin/", sudo: false };
const add = (given: Parameters<typeof ganetiRequest>[0], version: string | null = "3.0.2") =>
  addCommand(access, ganetiRequest(given), version)
    .line.replace("LC_ALL=C /usr/sbin/gnt-instance add --submit ", "")
    // A word like key=value is quoted although it need not be.
    .replaceAll(/'(\w+=[\w=,./:-]*)'/g, "$1");

describe("gnt-instance add", () => {
  test("with all that Ganeti wants to know", () => {
    expect(add({})).toBe(
      "-t diskless -o noop -B memory=512M,vcpus=2 -n node1.example.org --no-name-check --no-ip-check web1.example.org",
    );
    expect(
      add({
        ...{ os: "debootstrap+default", osParameters: { arch: "amd64" }, diskTemplate: "drbd", disksMiB: [1024, 2048] },
        placement: { kind: "node", primary: "node1", secondary: "node2" },
        ...{ hypervisor: "kvm", hypervisorParameters: { kernel_args: "ro,quiet", acpi: "True" } },
        nics: [{ network: null, link: "br0", mac: "00:16:3e:90:00:05", ip: "10.144.0.5" }],
        ...{ backendParameters: { minmem: "256" }, tags: ["a", "b"] },
      }),
    ).toBe(
      "-t drbd -o debootstrap+default -O arch=amd64 --disk 0:size=1024M --disk 1:size=2048M -B memory=512M,vcpus=2,minmem=256 -H 'kvm:kernel_args=ro\\,quiet,acpi=True' -n node1:node2 --net 0:link=br0,mac=00:16:3e:90:00:05,ip=10.144.0.5 --tags a,b --no-name-check --no-ip-check web1.example.org",
    );
  });

  test("placed by an allocator, without cards, left off, not installed", () => {
    expect(add({ placement: { kind: "allocator", name: "hail" }, nics: [], start: false })).toContain(
      "-I hail --no-nics --no-start",
    );
    expect(add({ placement: { kind: "allocator", name: null } })).toContain("-I .");
    // Ganeti starts nothing that it did not install, and says so when it is told both.
    expect(add({ install: false, start: false })).toMatch(/--no-install --no-name-check/);
  });

  test("asks for the checks as each version knows them", () => {
    expect(add({ nameCheck: true, ipCheck: true }, "3.0.2")).not.toMatch(/-check/);
    expect(add({ nameCheck: true, ipCheck: true }, "3.1.0~rc2-3")).toContain("--name-check --ip-check");
    // 3.1 warns about options that do nothing any more.
    expect(add({}, "3.1.0~rc2-3")).not.toMatch(/-check/);
    expect(add({}, null)).toContain("--no-name-check --no-ip-check");
  });

  test("can be tried without making anything, and taken back without a question", () => {
    expect(tryAddCommand(access, ganetiRequest(), null).line).toMatch(/ add --dry-run (?!.*--submit)/);
    expect(removeCommand(access, "web1.example.org").line).toContain("remove --submit -f web1.example.org");
  });
});

test("the job's number is on stderr, and found again among the recent jobs", () => {
  expect(parseSubmitted("", fixture("ganeti", "add-noname.stderr"))).toBe("15");
  const recent = "1795577000\n14|INSTANCE_CREATE(web8)|[1795576990, 1]\n15|INSTANCE_CREATE(web9)|[1795576995, 1]\n";
  expect(findAddJob(recent, "web9", 10)).toBe("15");
  expect(findAddJob(recent, "web9", 3)).toBeNull();
});

test("says where the allocator put it, and where an instance is", () => {
  const line = "INFO: Selected nodes for instance web9 via iallocator hail: node2.example.org, node1.example.org";
  expect(parseSelected(line)).toEqual({ allocator: "hail", nodes: ["node2.example.org", "node1.example.org"] });
  expect(parseSelected("INFO: something else")).toBeNull();
  expect(parseWhere("web9|node1|10.0.0.5|running\n", "web9")).toEqual({
    node: "node1",
    ip: "10.0.0.5",
    status: "running",
  });
  expect(parseWhere("web9.a|node1|None|running\n", "web9")).toBeNull();
  expect(parseWhere("web9|node1|None|running\n", "web9")?.ip).toBeNull();
});

test.each([
  ["add-nomem", /memory.*128.*32768/],
  ["add-exists", /already in the cluster/],
  ["add-badnode", /node9/],
  ["add-bados", /nosuchos/],
  ["add-plain", /device-mapper|LV create failed|disk/i],
])("explains %s", (name, why) => {
  expect(explainGaneti(recorded("ganeti", name).stderr ?? "").why).toMatch(why);
});
