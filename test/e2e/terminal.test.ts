import { expect, test } from "vitest";
import { keys, type TestTerminal } from "../terminal.ts";
import { domains, openVirtu } from "./virtu.ts";

const clears = /\u001b\[[23]J/;
const restored = ["\u001b[?1049l", "\u001b[?25h", "\u001b[?2004l"];

/** What was written after the first frame had been drawn. */
const afterFirst = ({ raw }: TestTerminal) => raw.slice(raw.indexOf("\u001b[?2026l"));

function expectRestored(terminal: TestTerminal): void {
  expect(terminal.alternate).toBe(false);
  for (const code of restored)
    expect(terminal.raw.lastIndexOf(code)).toBeGreaterThan(terminal.raw.lastIndexOf("\u001b[?1049h"));
}

test("no key, no refresh and no second that passes clears the screen; a tick writes little", async () => {
  const { terminal, hosts } = await openVirtu([{ name: "hv1", domains: domains(60) }], { columns: 120, rows: 40 });
  await terminal.waitFor("60 instances");
  const steps: [typed: string, shown: string | RegExp][] = [
    [`${keys.end}${keys.home}o/vm1`, "11 of 60"],
    [keys.escape, "60 instances"],
    ["n", "MFree"],
    ["n", "60 instances"],
    ["d", "What the provider knows"],
    [keys.escape, "60 instances"],
    ["?", "WHAT IT DOES HERE"],
    [keys.escape, "60 instances"],
    ["x", "Force off vm1?"],
    [keys.escape, "60 instances"],
  ];
  for (const [typed, shown] of steps) {
    terminal.press(typed);
    await terminal.waitFor(shown);
  }
  // A silent host's age counts: now there is something to draw each minute, and the host's trouble at once.
  hosts.setAlive("hv1", false);
  terminal.press("R");
  await terminal.waitFor("not answering since");
  const from = terminal.raw.length;
  // Three seconds of the clock are what is tested.
  await new Promise((resolve) => setTimeout(resolve, 3500));
  const frames = terminal.raw.slice(from).split("\u001b[?2026l");
  for (const frame of frames) expect(Buffer.byteLength(frame)).toBeLessThanOrEqual(2048);
  expect(afterFirst(terminal)).not.toMatch(clears);
});

test.each([
  ["q", (terminal: TestTerminal) => terminal.press("q"), 0],
  ["Ctrl-C", (terminal: TestTerminal) => terminal.press(keys.ctrlC), 0],
  ["SIGTERM", (terminal: TestTerminal) => terminal.kill("SIGTERM"), null],
  ["SIGHUP", (terminal: TestTerminal) => terminal.kill("SIGHUP"), null],
] as const)("the terminal is given back after %s", async (_name, leave, status) => {
  const { terminal } = await openVirtu([{ name: "hv1", domains: domains(2) }]);
  await terminal.waitFor("2 instances");
  expect(terminal.alternate).toBe(true);
  leave(terminal);
  const exit = await terminal.exit;
  if (status !== null) expect(exit).toBe(status);
  expectRestored(terminal);
});

test("after a crash the terminal is given back, and the reason is there to read", async () => {
  const script = "process.on('SIGUSR2', () => { throw new Error('broken on purpose') })";
  const crash = `data:text/javascript;base64,${Buffer.from(script).toString("base64")}`;
  const { terminal } = await openVirtu([{ name: "hv1", domains: domains(2) }], {
    env: { NODE_OPTIONS: `--import=${crash}` },
  });
  await terminal.waitFor("2 instances");
  terminal.kill("SIGUSR2");
  expect(await terminal.exit).toBe(1);
  expectRestored(terminal);
  expect(terminal.screen().join("\n")).toContain("broken on purpose");
});

test("says how large a terminal it needs, and draws again in one that is", async () => {
  const { terminal } = await openVirtu([{ name: "hv1", domains: domains(30) }]);
  await terminal.waitFor("30 instances");
  terminal.resize(59, 20);
  await terminal.waitFor("virtu needs 60×16; this is 59×20. q quits.");
  expect(terminal.screen().filter((line) => line.trim() !== "")).toHaveLength(1);
  for (const [columns, rows] of [
    [60, 16],
    [200, 50],
    [100, 30],
  ] as const) {
    terminal.resize(columns, rows);
    await terminal.waitFor(new RegExp(`^─{${columns}}$`, "m"));
    await terminal.waitFor("30 instances");
    await terminal.waitFor((lines) => /^ virtu · /.test(lines[0] ?? "") && / t shut/.test(lines.join("\n")));
  }
  expect(afterFirst(terminal)).not.toMatch(clears);
});

test("NO_COLOR takes every colour away, and nothing is known by colour alone", async () => {
  const { terminal } = await openVirtu([{ name: "hv1", domains: domains(2, (index) => index === 0) }], {
    env: { NO_COLOR: "1" },
  });
  await terminal.waitFor(/vm1 +● running/);
  await terminal.waitFor(/vm2 +○ stopped/);
  terminal.press("x");
  await terminal.waitFor("Force off vm1?");
  // Foreground and background colours of every kind; bold, dim and inverse are none.
  expect(terminal.raw).not.toMatch(/\u001b\[(?:[\d;]*;)?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])[;m]/);
});

test("where the locale has no UTF-8 all of it is ASCII", async () => {
  const { terminal } = await openVirtu([{ name: "hv1", domains: domains(2, (index) => index === 0) }], {
    env: { LANG: "C", LC_ALL: "C" },
  });
  await terminal.waitFor(/vm1 +\* running/);
  await terminal.waitFor(/vm2 +o stopped/);
});
