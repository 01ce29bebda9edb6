import { expect, test } from "vitest";
import { keys, openTerminal } from "./terminal.ts";

const shell = (script: string, extra = {}) => openTerminal({ command: "/bin/sh", args: ["-c", script], ...extra });

test("reads the screen, types keys, gives the exit status after the last output", async () => {
  const terminal = shell(
    'printf "name? "; read -r name; printf "\\033[2J\\033[Hhello \\033[1;7m%s\\033[0m\\n" "$name"; exit 3',
  );
  await terminal.waitFor("name?");
  terminal.press("virtu", keys.enter);
  expect(await terminal.exit).toBe(3);
  expect(terminal.screen()[0]).toBe("hello virtu");
  expect(terminal.cell(6, 0)).toMatchObject({ text: "v", bold: true, inverse: true });
  expect(terminal.cell(0, 0)).toMatchObject({ text: "h", bold: false, inverse: false });
  expect(terminal.raw).toContain("\x1b[2J");
});

test("tells the program a new size", async () => {
  const terminal = shell('trap "stty size; exit 0" WINCH; echo ready; while :; do sleep 0.05; done', {
    columns: 90,
    rows: 20,
  });
  await terminal.waitFor("ready");
  terminal.resize(61, 17);
  await terminal.waitFor(/^17 61$/m);
  expect(await terminal.exit).toBe(0);
});

test("knows the alternate screen and a death by signal", async () => {
  const terminal = shell('printf "\\033[?1049hfull"; exec sleep 60');
  await terminal.waitFor("full");
  expect(terminal.alternate).toBe(true);
  terminal.kill("SIGKILL");
  expect(await terminal.exit).toBe(137);
});

test("says what stood there when the text never comes", async () => {
  const terminal = shell("echo something else");
  await expect(terminal.waitFor("wanted")).rejects.toThrow(/The program ended[\s\S]*"wanted"[\s\S]*something else/);
});

test("gives the program a terminal of its own, whoever runs the tests", async () => {
  process.env["CI"] = "true";
  try {
    const terminal = shell('env | grep -E "^(TERM|TZ|CI|EXTRA)=" | sort | tr "\\n" ","', { env: { EXTRA: "yes" } });
    await terminal.waitFor("EXTRA=yes,TERM=xterm-256color,TZ=UTC,");
    expect(await terminal.exit).toBe(0);
    expect(terminal.raw).not.toContain("CI=");
  } finally {
    delete process.env["CI"];
  }
});
