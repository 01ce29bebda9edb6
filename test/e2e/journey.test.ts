/** The built program in a pseudo-terminal, on the embedded site: the whole way by keys, as somebody does it the first time. */
import { describe, expect, it } from "vitest";
import { keys, type TestTerminal } from "../terminal.ts";
import { openInTest } from "./virtu.ts";

const demo = (columns: number, rows: number, ...args: string[]): TestTerminal =>
  openInTest(["demo", ...args], { columns, rows });

/** Waits for each text in turn before the keys after it are pressed. */
async function go(terminal: TestTerminal, ...steps: [wanted: string | RegExp, ...pressed: string[]][]): Promise<void> {
  for (const [wanted, ...pressed] of steps) {
    await terminal.waitFor(wanted, 60_000);
    terminal.press(...pressed);
  }
}

/** Quits, and checks that the terminal is as it was. */
async function leave(terminal: TestTerminal): Promise<void> {
  terminal.press("q");
  expect(await terminal.exit).toBe(0);
  expect(terminal.alternate).toBe(false);
  // Bracketed paste off, cursor shown.
  expect(terminal.raw.lastIndexOf("\u001b[?2004l")).toBeGreaterThan(terminal.raw.lastIndexOf("\u001b[?2004h"));
  expect(terminal.raw.lastIndexOf("\u001b[?25h")).toBeGreaterThan(terminal.raw.lastIndexOf("\u001b[?25l"));
}

describe.each([
  [80, 24],
  [200, 50],
])("at %i×%i", (columns, rows) => {
  it("goes from nothing to nodes and instances by keys", { timeout: 240_000 }, async () => {
    const terminal = demo(columns, rows, "--speed", "60");
    await go(
      terminal,
      ["free now", keys.enter],
      // The form, with the command that will run.
      [/oarsub -t deploy -n virtu -l slash_22=1\+nodes=4,walltime=2:00:00/, keys.enter],
      ["This is what will be asked for", keys.enter],
      // It goes on by itself when the job runs.
      [/4 nodes of job \d+/, "i"],
      ["What to deploy", "debian12-min"],
      [/❯environment debian12-min/, keys.enter],
      ["Which version of", keys.enter],
      ["Enough when", keys.enter],
      [/This is what will be done[\s\S]*kadeploy3/, keys.enter],
      ["Erase the disks of 4 nodes", keys.down],
      [/❯ Erase and deploy 4 nodes/, keys.enter],
      ["BOOT MINI-OS"],
      [/4 of 4 nodes up/, keys.enter],
      [/4 nodes of job \d+/],
    );
    const nodes = (await terminal.waitFor(/● deployed +Debian 12/, 60_000)).filter((line) =>
      /● deployed +Debian 12/.test(line),
    );
    expect(nodes.length).toBeGreaterThan(0);
    await go(terminal, [/(?:● deployed +Debian 12[\s\S]*){4}/, "d"], [/kernel +\d+\./, keys.escape], ["ADDRESS", "4"]);
    const instances = await terminal.waitFor("● running", 60_000);
    expect(instances.join("\n")).toMatch(/libvirt|ganeti/);
    expect(terminal.alternate).toBe(true);
    // Nothing may clear the screen while it is drawn, nor the user's scrollback ever.
    expect(terminal.raw).not.toContain("\u001b[3J");
    expect(terminal.raw.split("\u001b[2J").length - 1).toBeLessThanOrEqual(1);
    await leave(terminal);
  });
});

it("shows a refusal in the user's words, and the form as it was", { timeout: 120_000 }, async () => {
  const terminal = demo(80, 24, "--speed", "60", "--scenario", "refused-reservation");
  await go(
    terminal,
    ["free now", keys.enter],
    [/nodes=4,/, "2"],
    [/nodes=42,/, keys.enter],
    ["This is what will be asked for", keys.enter],
    ["OAR refused the reservation", keys.escape],
    [/nodes=42,/],
  );
  terminal.press(keys.escape);
  await terminal.waitFor("You have no job", 30_000);
  await leave(terminal);
});

it("names the node that fails and why, and deploys it alone again", { timeout: 240_000 }, async () => {
  const terminal = demo(80, 24, "--speed", "60", "--scenario", "node-fails-step");
  await go(
    terminal,
    ["free now", keys.enter],
    [/nodes=4,/, keys.enter],
    ["This is what will be asked for", keys.enter],
    [/4 nodes of job \d+/, "i"],
    ["What to deploy", "debian12-lab"],
    [/❯image +debian12-lab/, keys.enter],
    // No retry by itself.
    ["Enough when", keys.tab, keys.tab, keys.backspace, "0"],
    ["failed nodes are not tried again", keys.enter],
    [/This is what will be done/, keys.enter],
    ["Erase the disks", keys.down],
    [/❯ Erase and deploy/, keys.enter],
    [/3 of 4 nodes up · 1 failed/],
  );
  const lines = (await terminal.waitFor(/failed in [a-z -]+, /, 30_000)).join("\n");
  expect(lines).toMatch(/create_partition_table/);
  await go(
    terminal,
    ["r retry failed", "r"],
    [/Deploy .* again on the nodes that are not up/, keys.down],
    [/❯ Deploy them again/, keys.enter],
    [/1 of 1 node up/],
  );
  await leave(terminal);
});

it("is ended by a signal with the terminal as it was", { timeout: 60_000 }, async () => {
  const terminal = demo(80, 24);
  await terminal.waitFor("free now", 30_000);
  terminal.kill("SIGTERM");
  await terminal.exit;
  expect(terminal.alternate).toBe(false);
});
