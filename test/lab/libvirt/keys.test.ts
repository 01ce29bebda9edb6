/** The instance table on real libvirt hosts, by keys alone. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { keys, type TestTerminal } from "../../terminal.ts";
import { row } from "../instances.ts";
import { Teardown, until, virtuTerminal } from "../lab.ts";
import { type LibvirtLab, openLibvirt } from "./hosts.ts";

const teardown = new Teardown();
let lab: LibvirtLab;
let terminal: TestTerminal;

beforeAll(async () => {
  lab = await openLibvirt(teardown);
  terminal = virtuTerminal(teardown, ["--host", "hv1", "--host", "hv2"], {
    ...{ sshConfig: lab.sshConfig, home: teardown.directory("home"), prefix: lab.network.prefix },
  });
});
afterAll(() => teardown.run());

test("opens on the instances of both hosts", async () => {
  await terminal.waitFor(/5 instances .* 1 \S+ running .* 4 \S+ stopped/);
  expect(terminal.alternate).toBe(true);
  for (const [name, host, status] of [
    ["ci1", "hv1", "stopped"],
    ["db1", "hv1", "stopped"],
    ["deaf1", "hv2", "stopped"],
    ["web1", "hv1", "running"],
    ["web1", "hv2", "stopped"],
  ] as const) {
    expect(terminal.screen().join("\n")).toMatch(new RegExp(`\\b${name}\\b.*\\b${status}\\b.*\\b${host}\\b`));
  }
});

test("filters, then starts, reboots and shuts down what the cursor is on", async () => {
  terminal.press("/", "ci1");
  await terminal.waitFor("1 of 5");
  terminal.press(keys.enter);
  await terminal.waitFor("Esc show all");

  terminal.press("s");
  await terminal.waitFor(row("ci1", "running"), 30_000);
  expect(await lab.state(lab.hv1, "ci1")).toBe("running");
  await until("ci1 up", async () => (await lab.boots(lab.hv1, "ci1")) === 1);

  terminal.press("r");
  await terminal.waitFor("the guest was asked to reboot", 30_000);
  await until("ci1 up again", async () => (await lab.boots(lab.hv1, "ci1")) === 2);

  terminal.press("t");
  await terminal.waitFor(row("ci1", "stopped"), 60_000);
  expect(await lab.virsh(lab.hv1, "domstate", "ci1", "--reason")).toBe("shut off (shutdown)");
});

test("starts all that are marked, and forces them off when that was said twice", async () => {
  terminal.press(keys.escape);
  await terminal.waitFor(/5 instances/);
  terminal.press("/", "!hv2 !web", keys.enter);
  await terminal.waitFor("2 of 5");
  terminal.press("a");
  await terminal.waitFor("2 marked");
  terminal.press("s");
  await terminal.waitFor(row("ci1", "running"), 30_000);
  await terminal.waitFor(row("db1", "running"), 30_000);
  expect([await lab.state(lab.hv1, "ci1"), await lab.state(lab.hv1, "db1")]).toEqual(["running", "running"]);

  terminal.press("x");
  await terminal.waitFor("Force off 2 instances?");
  terminal.press(keys.escape);
  await terminal.waitFor("2 of 5");
  expect([await lab.state(lab.hv1, "ci1"), await lab.state(lab.hv1, "db1")]).toEqual(["running", "running"]);

  terminal.press("x");
  await terminal.waitFor("Force off 2 instances?");
  terminal.press(keys.down, keys.enter);
  await terminal.waitFor(row("ci1", "stopped"), 30_000);
  await terminal.waitFor(row("db1", "stopped"), 30_000);
  for (const name of ["ci1", "db1"]) {
    expect(await lab.virsh(lab.hv1, "domstate", name, "--reason")).toBe("shut off (destroyed)");
  }
});

test("keeps the rows of a host that goes away, and goes on with the other", async () => {
  terminal.press(keys.escape);
  await terminal.waitFor(/5 instances/);
  await lab.hv2.stop();
  // Changed behind virtu's back, so that a fresh answer of hv1 can be told from what was there before.
  await lab.virsh(lab.hv1, "destroy", "web1");
  await terminal.waitFor(/\bweb1\b.*\bstopped\b.*\bhv1\b/, 60_000);
  await terminal.waitFor(/hv2.*(not answer|no answer|lost|reach|ago|old)/, 60_000);
  expect(terminal.screen().join("\n")).toMatch(/\bdeaf1\b.*\bhv2\b/);
});

test("leaves the terminal as it was", async () => {
  terminal.press("q");
  expect(await terminal.exit).toBe(0);
  expect(terminal.alternate).toBe(false);
});
