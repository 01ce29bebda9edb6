import { describe, expect, test } from "vitest";
import type { Command } from "../../source/ssh/command.ts";
import { xe, xePoll, xeProbe } from "../../source/tools/xe.ts";
import {
  xeAutostart,
  xeOnSnapshot,
  xeSetMemory,
  xeSetVcpus,
  xeSnapshot,
  xeTags,
  xeVerbs,
} from "../../source/tools/xe-actions.ts";
import { explainXe } from "../../source/tools/xe-errors.ts";
import { mapOf, parseXeList, parseXeMinimal, parseXeProbe, setOf } from "../../source/tools/xe-parse.ts";
import { fixture } from "../instances/fake-pool.ts";

const access = { directory: "/usr/bin/", sudo: false };
const guest = { uuid: "u-1", powerState: "halted", vcpusMax: 2 };
/** A line without its quotes, which depend on the word. */
const bare = ({ line }: Command) => line.replaceAll("'", "");
const running = { ...guest, powerState: "running" };

describe("commands", () => {
  test("are bounded and quoted, and name a guest by its UUID", () => {
    expect(xe(access, ["vm-param-set", "uuid=u-1", "name-label=it's"]).line).toBe(
      "timeout -k 5 300 /usr/bin/xe vm-param-set 'uuid=u-1' 'name-label=it'\\''s'",
    );
    expect(xePoll({ ...access, sudo: true }).line).toMatch(
      /^echo @@virtu hosts; sudo -n timeout -k 5 20 \/usr\/bin\/xe host-list/,
    );
    expect(xeProbe.line).toContain(String.raw`s/^INSTALLATION_UUID='*\([0-9a-f-]*\).*/\1/p`);
  });

  test("shut down with the limit that was given, and force without a question", () => {
    expect(bare(xeVerbs.shutdown(access, running, 30))).toMatch(/^timeout -k 5 30 .* vm-shutdown uuid=u-1$/);
    expect(bare(xeVerbs.forceOff(access, running))).toMatch(/vm-shutdown uuid=u-1 force=true$/);
    expect(bare(xeVerbs.remove(access, guest, false))).toMatch(/vm-uninstall .*force=true$/);
    expect(bare(xeVerbs.remove(access, guest, true))).toMatch(/vm-destroy uuid=u-1$/);
  });

  test("set numbers as the guest's state allows", () => {
    expect(bare(xeSetMemory(access, guest, 512))).toMatch(/vm-memory-set .*memory=512MiB$/);
    expect(bare(xeSetMemory(access, running, 512))).toMatch(/dynamic-range-set .*min=512MiB max=512MiB$/);
    const order = (count: number) =>
      [...xeSetVcpus(access, guest, count).line.matchAll(/VCPUs-\w+(?:-\w+)?/g)].map(([word]) => word);
    expect(order(4)).toEqual(["VCPUs-max", "VCPUs-at-startup"]);
    expect(order(1)).toEqual(["VCPUs-at-startup", "VCPUs-max"]);
    expect(bare(xeSetVcpus(access, running, 2))).toMatch(/vm-vcpu-hotplug .*new-vcpus=2$/);
  });

  test("of snapshots never guess which", () => {
    expect(bare(xeSnapshot(access, guest, { name: "a", description: "", memory: true }))).toMatch(/vm-checkpoint/);
    expect(bare(xeSnapshot(access, guest, { name: "a", description: "why", memory: false }))).toMatch(
      /^s=\$\(.* vm-snapshot .*\) && .*snapshot-param-set uuid="\$s" name-description=why$/,
    );
    const revert = xeOnSnapshot(access, guest, "a, b", "revert").line;
    expect(revert).toContain("snapshot-of=u-1 'name-label=a, b' --minimal");
    expect(revert).toMatch(/\*,\*\) echo 'Error: several snapshots are called a, b' >&2; exit 1/);
  });

  test("ask the pool too where the host's start is meant to start a guest", () => {
    expect(bare(xeAutostart(access, guest, "p-1", true))).toMatch(
      /pool-param-set uuid=p-1 other-config:auto_poweron=true$/,
    );
    expect(bare(xeAutostart(access, guest, "p-1", false))).not.toContain("pool-param-set");
    expect(bare(xeTags(access, guest, ["a"], ["b"]))).toMatch(
      /vm-param-add .*param-key=a && .*vm-param-remove .*param-key=b$/,
    );
  });
});

describe("a list", () => {
  test("is read record by record, with the keys at either side", () => {
    const text = `uuid ( RO)           : 8f5c3c0e-5f0b-4b0c-9d0d-0d9a0e2f1a01
     name-label ( RW): Control domain on host: xcp-1
    power-state ( RO): running


uuid ( RO)           : 5b1a7a52-6a0c-49b4-8f2b-9d3e61c7aa02
     name-label ( RW): web-1
 name-description ( RW) [DEPRECATED]: two
lines
    power-state ( RO): halted
           tags (SRW): 


`;
    expect(parseXeList(text).map((record) => Object.fromEntries(record))).toEqual([
      {
        uuid: "8f5c3c0e-5f0b-4b0c-9d0d-0d9a0e2f1a01",
        "name-label": "Control domain on host: xcp-1",
        "power-state": "running",
      },
      {
        uuid: "5b1a7a52-6a0c-49b4-8f2b-9d3e61c7aa02",
        "name-label": "web-1",
        "name-description": "two\nlines",
        "power-state": "halted",
        tags: "",
      },
    ]);
    expect(parseXeList("")).toEqual([]);
    expect(parseXeList(fixture("xenserver", "poll.stdout").split("@@virtu vms\n")[1] ?? "")).toHaveLength(4);
  });

  test("of values alone unescapes commas", () => {
    expect(parseXeMinimal("Control domain on host: xcp-1,web-1,db\\, replica\\\\x\n")).toEqual([
      "Control domain on host: xcp-1",
      "web-1",
      "db, replica\\x",
    ]);
    expect(parseXeMinimal("\n")).toEqual([]);
  });

  test("has sets and maps in one line", () => {
    expect(setOf("clean_reboot; clean_shutdown")).toEqual(["clean_reboot", "clean_shutdown"]);
    expect(mapOf("0/ip: 10.0.0.1; 0/ipv6/0: fe80::1; odd").get("0/ipv6/0")).toBe("fe80::1");
  });
});

test("the probe takes no other program called xe for XenServer's", () => {
  expect(parseXeProbe("")).toBeNull();
  expect(parseXeProbe("/usr/bin/xe\n0\ndirect\n")).toBeNull();
  const found = parseXeProbe(
    "/usr/bin/xe\n1000\nsudo\n\n@@virtu pool\nError: Connection refused (calling connect )\n@@virtu status 1\n",
  );
  expect(found).toMatchObject({ directory: "/usr/bin/", root: false, sudo: true, pool: null, status: 1 });
  expect(explainXe(found?.text ?? "").why).toMatch(/xapi does not answer/);
});

test.each([
  ["Error: No matching VMs found\n", /no such guest/],
  [
    "You attempted an operation on a VM that was not in an appropriate power state at the time; for example, you attempted to start a VM that was already running.\nvm: 5b1a (web-1)\nexpected: halted\nactual: running\n",
    /^it is running, and that needs it halted$/,
  ],
  ["Unknown command: vm-frobnicate\nFor usage run: 'xe help'\n", /no vm-frobnicate/],
  ["Authentication failed\nFor usage run: 'xe help'\n", /no rights/],
  ["Error code: SOME_CODE\nError parameters: a, b\n", /^SOME_CODE \(a, b\)$/],
  ["Required parameter not found: uuid\nFor usage run: 'xe help'\n", /^Required parameter not found: uuid$/],
  ["", /gave no reason/],
])("an error is said in the user's words: %j", (text, why) => {
  expect(explainXe(text, 1).why).toMatch(why);
});
