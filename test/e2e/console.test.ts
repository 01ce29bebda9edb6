/** Consoles of the embedded site's guests, through the built program in a pseudo-terminal. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { GuestScreen } from "../../source/console/screen.ts";
import { type EmbeddedSite, startSite } from "../../source/site/index.ts";
import { keys, type OpenOptions, type TestTerminal } from "../terminal.ts";
import { openInTest } from "./virtu.ts";

const leave = "\x1d";

async function site(): Promise<EmbeddedSite> {
  const embedded = await startSite({ speed: 40 });
  onTestFinished(() => embedded.end());
  return embedded;
}

function virtu(embedded: EmbeddedSite, args: readonly string[], options: OpenOptions = {}): TestTerminal {
  return openInTest(args, { sshConfig: embedded.sshConfigFile, config: embedded.configDir, ...options });
}

/** The instance table with the cursor on the only row that these words leave. */
async function onRow(embedded: EmbeddedSite, words: string, options: OpenOptions = {}) {
  const terminal = virtu(embedded, ["--host", "hv1", "--host", "hv2"], options);
  await terminal.waitFor(/10 instances/);
  terminal.press("/", words, keys.enter);
  await terminal.waitFor(/1 of 10/);
  return terminal;
}

test("Enter opens the console: log in, run a command, come back, find it again as it was", async () => {
  const embedded = await site();
  const terminal = await onRow(embedded, "shop !db");
  terminal.press(keys.enter);
  await terminal.waitFor("shop login:");
  expect(terminal.screen().at(-1)?.trimEnd()).toBe(" shop · hv1 · serial · Ctrl-] back · recording off");
  terminal.press("root", keys.enter);
  await terminal.waitFor("root@shop:~#");
  terminal.press("echo été", keys.enter);
  await terminal.waitFor(/^été$/m);
  terminal.press(leave, "b");
  await terminal.waitFor(/1 console · /);
  await terminal.waitFor("▸ instances");
  expect(terminal.screen().join("\n")).not.toContain("root@shop");
  terminal.press(keys.enter);
  await terminal.waitFor(/^été$/m);
  // The key alone leads back after a moment.
  terminal.press(leave);
  await terminal.waitFor("▸ instances");
  terminal.press("\x0f");
  await terminal.waitFor(/shop +hv1 +serial +● open/);
  terminal.press("D");
  await terminal.waitFor("No console is open");
  terminal.press("q");
  expect(await terminal.exit).toBe(0);
  expect(terminal.alternate).toBe(false);
});

test("nothing that the guest prints reaches the terminal but characters and colours", async () => {
  const embedded = await site();
  const terminal = await onRow(embedded, "shop !db");
  terminal.press(keys.enter);
  await terminal.waitFor("shop login:");
  terminal.press("root", keys.enter);
  await terminal.waitFor("root@shop:~#");
  terminal.press("colours", keys.enter);
  const screen = await terminal.waitFor("accents: été naïve Straße");
  const row = screen.findIndex((line) => line.startsWith("red bold green"));
  expect(screen[row + 1]).toBe("wide: 表示 😀 |");
  expect(terminal.cell(0, row)).toMatchObject({ foreground: 1 });
  expect(terminal.cell(4, row)).toMatchObject({ bold: true, foreground: 2 });
  expect(terminal.cell(15, row)).toMatchObject({ foreground: 208 });
  expect(terminal.cell(22, row)).toMatchObject({ background: 0x282878 });
  expect(terminal.raw).not.toContain("\u001b]");
});

test("a guest that prints without an end does not keep anybody from leaving", async () => {
  const embedded = await site();
  const terminal = await onRow(embedded, "shop !db");
  terminal.press(keys.enter);
  await terminal.waitFor("shop login:");
  terminal.press("root", keys.enter);
  await terminal.waitFor("root@shop:~#");
  terminal.press("yes", keys.enter);
  await terminal.waitFor(/^y$\n^y$\n^y$/m);
  terminal.press(leave, "b");
  await terminal.waitFor("▸ instances");
  terminal.press(keys.enter);
  await terminal.waitFor(/^y$\n^y$/m);
  terminal.press(keys.ctrlC);
  await terminal.waitFor(/root@shop:~#$/m);
});

test("a second viewer is refused with the reason, and may take it over; the first one is told", async () => {
  const embedded = await site();
  const first = virtu(embedded, ["console", "shop", "--host", "hv1"]);
  await first.waitFor("shop login:");
  const second = await onRow(embedded, "shop !db");
  second.press(keys.enter);
  await second.waitFor("The console of shop on hv1 is not open");
  await second.waitFor("Somebody else has this console open.");
  await second.waitFor("| error: operation failed: Active console session exists for this domain");
  await second.waitFor("❯ Take it over");
  second.press(keys.enter);
  await second.waitFor("shop login:");
  await second.waitFor("shop · hv1 · serial");
  await first.waitFor(/shop: it has ended: the guest is off, or somebody took it over · o/);
  first.press("b");
  expect(await first.exit).toBe(0);
});

test("an instance that is off is started with its console attached: its very first line is seen", async () => {
  const embedded = await site();
  const terminal = await onRow(embedded, "old-wiki");
  terminal.press(keys.enter);
  await terminal.waitFor("It is off.");
  await terminal.waitFor("❯ Start it, with the console open from the first line on");
  terminal.press(keys.enter);
  const screen = await terminal.waitFor("old-wiki login:");
  expect(screen.join("\n")).toMatch(/Booting from Hard Disk\.\.\.\nGRUB loading\.\n\[ +0\.000000\] Linux version/);
  terminal.press(leave, "b");
  await terminal.waitFor(/old-wiki +● running/);
});

test("several consoles and a shell on a host, one key apart; the window's size goes to the one that is shown", async () => {
  const embedded = await site();
  const terminal = await onRow(embedded, "shop !db");
  terminal.press(keys.enter);
  await terminal.waitFor("shop login:");
  terminal.press(leave, "b");
  await terminal.waitFor("▸ instances");
  terminal.press("S");
  await terminal.waitFor("root@hv1:~#");
  expect(terminal.screen().at(-1)?.trimEnd()).toBe(" hv1 · shell · Ctrl-] back · Ctrl-] n next · recording off");
  terminal.press("hostname", keys.enter);
  await terminal.waitFor(/^hv1/m);
  terminal.press(leave, "n");
  await terminal.waitFor("shop login:");
  terminal.resize(100, 30);
  await terminal.waitFor((lines) => lines.length === 30 && lines[29]?.startsWith(" shop · hv1 · serial") === true);
  terminal.press(leave, "p");
  await terminal.waitFor(/^root@hv1:~#$/m);
  // The end of a shell leads back, and says so.
  terminal.press("exit", keys.enter);
  await terminal.waitFor("hv1: the shell has ended.");
});

test("what has left the screen is read and searched", async () => {
  const embedded = await site();
  const terminal = await onRow(embedded, "shop !db");
  terminal.press(keys.enter);
  await terminal.waitFor("shop login:");
  terminal.press("root", keys.enter);
  await terminal.waitFor("root@shop:~#");
  terminal.press("seq 500", keys.enter);
  await terminal.waitFor(/^500$/m);
  terminal.press(leave, "s");
  await terminal.waitFor(/line \d+ of \d+ · \/ search/);
  terminal.press("/");
  await terminal.waitFor("⏎ find");
  terminal.press("123", keys.enter);
  await terminal.waitFor(/^123$/m);
  terminal.press(keys.end);
  await terminal.waitFor(/^500$/m);
  terminal.press("q");
  await terminal.waitFor("recording off");
  // Keys are the guest's again.
  terminal.press("hostname", keys.enter);
  await terminal.waitFor(/^shop$/m);
});

test("a recording plays back to what was on the screen, and is nobody else's to read", async () => {
  const embedded = await site();
  const terminal = await onRow(embedded, "shop !db");
  terminal.press(keys.enter);
  await terminal.waitFor("shop login:");
  terminal.press(leave, "r");
  await terminal.waitFor(/· recording +$/m);
  terminal.press("root", keys.enter);
  await terminal.waitFor("root@shop:~#");
  terminal.press("colours", keys.enter);
  await terminal.waitFor("accents: été");
  const shown = terminal
    .screen()
    .slice(0, -1)
    .map((line) => line.trimEnd());
  terminal.press(leave, "r");
  await terminal.waitFor("recording off");
  const directory = findRecordings(embedded.configDir);
  const [name = ""] = readdirSync(directory);
  expect(name).toMatch(/^shop-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.cast$/);
  const file = path.join(directory, name);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  // The file is complete a moment after the line says so.
  await vi.waitFor(async () => expect(await playedBack(file)).toEqual(shown));
});

function findRecordings(configDir: string): string {
  const found = readdirSync(configDir, { recursive: true, withFileTypes: true }).find(
    (entry) => entry.isDirectory() && entry.name === "recordings",
  );
  if (!found) throw new Error("nothing was recorded");
  return path.join(found.parentPath, found.name);
}

async function playedBack(file: string): Promise<string[]> {
  const [head = "", ...events] = readFileSync(file, "utf8").trimEnd().split("\n");
  const { version, width, height } = JSON.parse(head) as { version: number; width: number; height: number };
  expect(version).toBe(2);
  const screen = new GuestScreen({ columns: width, rows: height });
  for (const line of events) {
    const [, code, data] = JSON.parse(line) as [number, string, string];
    if (code === "o") await screen.write(Buffer.from(data, "utf8"));
  }
  return Array.from({ length: height }, (_, row) => screen.lineText(screen.lines - height + row).trimEnd());
}

test("the screen of a guest is drawn in half blocks, and its VNC port leads to this machine", async () => {
  const embedded = await site();
  const env = { DISPLAY: undefined, WAYLAND_DISPLAY: undefined };
  const terminal = await onRow(embedded, "shop !db", { env });
  terminal.press("v");
  const screen = await terminal.waitFor(/ shop · hv1 · Esc back · vnc:\/\/127\.0\.0\.1:\d+ · \d\d:\d\d:\d\d/);
  // 720×400 points in 80 columns: 44 half rows.
  expect(screen.filter((line) => line.startsWith("▀".repeat(80)))).toHaveLength(22);
  // The picture's bar of colours begins red.
  expect(terminal.cell(2, 11)).toMatchObject({ text: "▀", foreground: 0xaa0000, background: 0xaa0000 });
  const [, port] = /vnc:\/\/127\.0\.0\.1:(\d+)/.exec(screen.at(-1) ?? "") ?? [];
  expect(await greeting(Number(port))).toBe("RFB 003.008\n");
  terminal.press(keys.escape);
  await terminal.waitFor("▸ instances");
  await expect(greeting(Number(port))).rejects.toThrow(/ECONNREFUSED/);
});

async function greeting(port: number): Promise<string> {
  const { connect } = await import("node:net");
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", reject);
    socket.once("data", (bytes) => {
      socket.destroy();
      resolve(bytes.toString("latin1"));
    });
  });
}

test("headless: a console with a recording, a picture in a file, usage errors without a terminal", async () => {
  const embedded = await site();
  const directory = mkdtempSync(path.join(tmpdir(), "virtu-console-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const file = path.join(directory, "git.cast");
  const terminal = virtu(embedded, ["console", "git", "--host", "hv2", "--record", file]);
  await terminal.waitFor("git login:");
  await terminal.waitFor(/· recording +$/m);
  terminal.press("root", keys.enter);
  await terminal.waitFor("root@git:~#");
  terminal.press(leave, leave);
  expect(await terminal.exit).toBe(0);
  expect(terminal.alternate).toBe(false);
  expect((await playedBack(file)).join("\n")).toContain("root@git:~#");
  const picture = path.join(directory, "git.png");
  const shot = virtu(embedded, ["screenshot", "git", "--host", "hv2", "--output", picture]);
  expect(await shot.exit).toBe(0);
  expect(readFileSync(picture).subarray(1, 4).toString()).toBe("PNG");
  const off = virtu(embedded, ["console", "sandbox", "--host", "hv2"]);
  expect(await off.exit).toBe(1);
  expect(off.raw).toContain("--start starts it");
});
