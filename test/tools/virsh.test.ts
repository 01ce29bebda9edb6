import { describe, expect, test } from "vitest";
import { domainWord, isPerProcess, parseVirshProbe, pollCommand, stateCommand } from "../../source/tools/virsh.ts";
import { errorLines, explainVirsh, isNoDaemon } from "../../source/tools/virsh-errors.ts";
import { type HostPoll, parseDomstats, statusOf } from "../../source/tools/virsh-parse.ts";
import { fixture } from "../instances/fake-pool.ts";
import { parsePoll } from "./poll.ts";

const stderr = (name: string) => fixture("libvirt", `${name}.stderr`);

function poll(name: string): HostPoll {
  const parsed = parsePoll(fixture("libvirt", `${name}.stdout`));
  if (!parsed) throw new Error(`${name} was not read`);
  return parsed;
}

const domain = (from: HostPoll, name: string) => from.domains.find((other) => other.name === name);

describe("commands", () => {
  test("always give the URI, quoted, and never ask on a terminal", () => {
    // The recording is of a time when node and tags were not asked for; between its two halves they are now.
    const [before = "", after = ""] = fixture("libvirt", "poll-qemu.cmd").trim().split("echo @@virtu stats");
    expect(pollCommand("qemu:///system").line).toContain(
      `; ${before}echo @@virtu cpu; nodecpustats; '"$tags"'echo @@virtu stats${after}`,
    );
    expect(stateCommand("test:///default", "web1").line).toMatch(
      /timeout 5 virsh -c test:\/\/\/default domstate web1$/,
    );
  });

  test("name a domain so that virsh takes it for nothing else", () => {
    const word = (name: string, uuid: string | null = "u-u-i-d") => domainWord({ name, facts: { uuid } });
    expect(word("web1")).toBe("web1");
    expect(word("odd 'q' name")).toBe("odd 'q' name");
    expect(word("7")).toBe("u-u-i-d");
    expect(word("-x")).toBe("u-u-i-d");
    expect(word("5e5e5e5e-0000-4000-8000-000000000001")).toBe("u-u-i-d");
    expect(word("7", null)).toBe("7");
  });

  test("know which URI forgets its state with the process", () => {
    expect(["test:///default", "test:///a.xml"].every(isPerProcess)).toBe(true);
    expect(["test+unix:///default", "qemu:///system"].some(isPerProcess)).toBe(false);
  });
});

describe("a poll", () => {
  test("gives every domain with its numbers, title and flags", () => {
    const found = poll("poll-qemu");
    expect(found.domains.map(({ name, id, word, state }) => [name, id, word, state])).toEqual([
      ["web1", 1, "running", 1],
      ["ci1", 3, "running", 1],
      ["odd one", 4, "running", 1],
      ["db1", null, "shut off", 5],
    ]);
    expect(domain(found, "web1")).toMatchObject({
      uuid: "5e5e5e5e-0000-4000-8000-000000000001",
      title: "Front-end web",
      autostart: true,
      saved: false,
      persistent: true,
      stats: { "vcpu.current": "1", "balloon.current": "163840", "balloon.maximum": "196608" },
    });
    expect(domain(found, "ci1")?.title).toBe("CI runner ü");
    expect(domain(found, "odd one")).toMatchObject({ persistent: false, autostart: false });
    expect(domain(found, "db1")).toMatchObject({ saved: true, title: null, id: null });
    expect(found).toMatchObject({ hostname: "lvhost1", memoryTotal: 24_684_096, complete: true });
    expect(found.memoryFree).toBeGreaterThan(21_000_000);
    expect(found.memoryFree).toBeLessThan(24_684_096);
  });

  test("keeps names with blanks, quotes and states in them whole", () => {
    const found = poll("poll-odd-names");
    expect(found.domains.map(({ name, word, title }) => [name, word, title])).toEqual([
      [` odd 'q' "name" `, "running", "a   b"],
      ["7", "running", null],
      ["crashed", "crashed", null],
      ["saved", "shut off", null],
      ["web shut off", "shut off", null],
    ]);
    expect(found.domains.map((other) => statusOf(other).status)).toEqual([
      ...["running", "running", "error", "stopped", "stopped"],
    ]);
    expect(domain(found, "saved")?.saved).toBe(true);
  });

  test("of the test driver has states and no numbers", () => {
    const found = poll("poll-test-driver");
    expect(found).toMatchObject({ memoryTotal: null, memoryFree: null, complete: true });
    expect(found.domains[0]).toMatchObject({ name: "test", state: 1, stats: { "state.state": "1" } });
  });

  test("that a hanging QEMU cut off keeps every domain and its state", () => {
    const found = poll("poll-hung-first");
    expect(fixture("libvirt", "poll-hung-first.rc").trim()).toBe("124");
    expect(found.complete).toBe(false);
    expect(found.domains.map((other) => statusOf(other).status)).toEqual(["running", "running", "running", "stopped"]);
    expect(domain(found, "web1")?.stats).toEqual({});
    expect(domain(found, "web1")?.title).toBe("Front-end web");
  });

  test("after that lacks only the hanging one's numbers", () => {
    const found = poll("poll-hung-second");
    expect(found.complete).toBe(true);
    const rss = (name: string) => domain(found, name)?.stats["balloon.rss"];
    expect(rss("web1")).toBeDefined();
    expect(rss("ci1")).toBeUndefined();
  });

  test("is null when virsh did not connect", () => {
    expect(parsePoll("")).toBeNull();
    expect(parsePoll("@@virtu hostname\nhv\n")).toBeNull();
  });
});

test("domstats of a name with quotes takes the outer ones off", () => {
  const stats = parseDomstats("Domain: 'it's 'a' name'\n  state.state=1\n  block.0.path=/a=b\n\n");
  expect(stats.get("it's 'a' name")).toEqual({ "state.state": "1", "block.0.path": "/a=b" });
});

test("every state has a status of ours, and libvirt's word with the reason that matters", () => {
  const of = (state: number | null, reason = 0, saved = false, word: string | null = null) => {
    const { status, detail } = statusOf({ state, reason, word, saved });
    return `${status}: ${detail}`;
  };
  expect(of(1)).toBe("running: running");
  expect(of(2)).toBe("running: idle");
  expect(of(3, 1)).toBe("paused: paused");
  expect(of(3, 5)).toBe("error: paused (I/O error)");
  expect(of(4)).toBe("running: in shutdown");
  expect(of(5, 1)).toBe("stopped: shut off");
  expect(of(5, 3)).toBe("stopped: shut off (crashed)");
  expect(of(5, 1, true)).toBe("stopped: saved");
  expect(of(6)).toBe("error: crashed");
  expect(of(7)).toBe("paused: pmsuspended");
  expect(of(0)).toBe("unknown: no state");
  // A driver without domstats has the table's word only.
  expect(of(null, 0, false, "shut off")).toBe("stopped: shut off");
  expect(of(null)).toBe("unknown: no state");
});

describe("errors", () => {
  test.each([
    ["perm-group-denied", /no permission/],
    ["perm-polkit-denied", /no rights/],
    ["err-no-daemon-system", /does not run/],
    ["err-start-active", /runs already/],
    ["err-start-missing-disk", /disk \/var\/lib\/libvirt\/images\/nope\.qcow2 can't be opened: No such file/],
    ["err-shutdown-off", /not running/],
    ["err-no-domain", /no such domain/],
  ])("of %s are explained", (name, why) => {
    expect(explainVirsh(stderr(name)).why).toMatch(why);
  });

  test("that nobody knows keep virsh's own reason, the last line", () => {
    expect(explainVirsh("error: Failed to start domain 'x'\nerror: out of coffee\n").why).toBe("out of coffee");
    expect(explainVirsh("sh: 1: virsh: not found\n").why).toBe("sh: 1: virsh: not found");
    expect(explainVirsh("").why).toMatch(/no reason/);
    expect(errorLines(stderr("err-shutdown-off"))).toHaveLength(2);
  });

  test("tell a daemon that is not there from one that refuses", () => {
    expect(isNoDaemon(stderr("err-no-daemon-system"))).toBe(true);
    expect(isNoDaemon(stderr("perm-group-denied"))).toBe(false);
  });
});

test("the probe tells no virsh, a refusal and an answer apart", () => {
  expect(parseVirshProbe("")).toBeNull();
  expect(parseVirshProbe("/usr/bin/virsh\nhv1\n\n@@virtu status 0\n")).toEqual({ status: 0, text: "hv1\n\n" });
  expect(parseVirshProbe("/usr/bin/virsh\nerror: no\n@@virtu status 1\n")).toEqual({ status: 1, text: "error: no\n" });
});
