/** The instance table on a real Ganeti cluster, by keys alone. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { keys, type TestTerminal } from "../../terminal.ts";
import { row } from "../instances.ts";
import { Teardown, virtuTerminal } from "../lab.ts";
import { type GanetiLab, openGaneti } from "./cluster.ts";

const teardown = new Teardown();
let lab: GanetiLab;
let terminal: TestTerminal;

beforeAll(async () => {
  lab = await openGaneti(teardown);
  terminal = virtuTerminal(teardown, ["--host", "node1", "--host", "node2"], {
    ...{ sshConfig: lab.sshConfig, home: teardown.directory("home"), prefix: lab.network.prefix },
    ...{ columns: 110, rows: 30 },
  });
});
afterAll(() => teardown.run());

const ended = (lines: readonly string[]) =>
  lines.flatMap((line) => /Ganeti job (\d+) done/.exec(line)?.[1] ?? []).at(-1);

/** The job number that the log pane shows last, once the pane says that it has ended and it is not the one `before`. */
async function shownJob(before?: string): Promise<string> {
  const lines = await terminal.waitFor((shown) => ![undefined, before].includes(ended(shown)), 60_000);
  return ended(lines) ?? "";
}

test("shows one cluster that was named by two nodes once", async () => {
  await terminal.waitFor(/4 instances .* 4 \S+ running/, 30_000);
  for (const name of ["db1", "db2", "web1", "web2"]) {
    expect(terminal.screen().filter((line) => line.includes(name))).toHaveLength(1);
  }
  // Nobody asked for libvirt: that it is not there is no trouble.
  expect(terminal.screen().join("\n")).not.toContain("libvirt");
});

test("shuts down, starts and reboots by keys, with the number of Ganeti's job", async () => {
  const name = lab.instance("db2");
  // With the dot: a filter also looks at the identifiers, and "db2" may be a part of one.
  terminal.press("/", "db2.");
  await terminal.waitFor("1 of 4");
  terminal.press(keys.enter);
  await terminal.waitFor("Esc show all");

  terminal.press("t");
  await terminal.waitFor(row("db2", "stopped"), 60_000);
  const stopped = await shownJob();
  expect(await lab.job(stopped, "status,summary")).toBe(`success|INSTANCE_SHUTDOWN(${name})`);
  expect(await lab.ask("db2", "status")).toBe("ADMIN_down");

  terminal.press("s");
  await terminal.waitFor(row("db2", "running"), 60_000);
  const started = await shownJob(stopped);
  expect(await lab.job(started, "status,summary")).toBe(`success|INSTANCE_STARTUP(${name})`);
  expect(await lab.ask("db2", "status")).toBe("running");

  terminal.press("r");
  expect(await lab.job(await shownJob(started), "status,summary")).toBe(`success|INSTANCE_REBOOT(${name})`);
});

test("turns the rows of a node whose daemon stopped into errors, and back", async () => {
  terminal.press(keys.escape);
  await terminal.waitFor(/4 instances/);
  await lab.other.exec("/usr/lib/ganeti/daemon-util stop ganeti-noded");
  await terminal.waitFor(row("db2", "error"), 60_000);
  await terminal.waitFor(row("web2", "error"));
  expect(terminal.screen().join("\n")).toMatch(row("db1", "running"));
  await lab.other.exec("/usr/lib/ganeti/daemon-util start ganeti-noded");
  await terminal.waitFor(row("db2", "running"), 60_000);
});

test("shows the nodes with Ganeti's own columns", async () => {
  terminal.press("n");
  const lines = await terminal.waitFor("DTotal");
  const header = lines.find((line) => line.includes("DTotal")) ?? "";
  for (const column of ["DTotal", "DFree", "MTotal", "MNode", "MFree", "Pinst", "Sinst"]) {
    expect(header).toContain(column);
  }
  const real = await lab.master.exec("gnt-node list --no-headers --separator='|' -o name,pinst_cnt,sinst_cnt");
  for (const line of real.split("\n")) {
    const [name, primary, secondary] = line.split("|");
    expect(lines.join("\n")).toMatch(new RegExp(`${name}.* ${primary} +${secondary}\\b`));
  }
});

test("leaves by q with the terminal as it was", async () => {
  terminal.press("q");
  expect(await terminal.exit).toBe(0);
  expect(terminal.alternate).toBe(false);
});
