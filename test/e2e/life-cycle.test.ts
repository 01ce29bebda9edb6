/** The built program in a pseudo-terminal, on the embedded site: what is done to one instance beyond starting and stopping it. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { keys, type TestTerminal } from "../terminal.ts";
import { openInTest } from "./virtu.ts";

/** Opens `virtu demo` on its instances, with an editor that is this shell script (`$1` is the file). */
async function openDemo(editor = "true", size: { columns?: number; rows?: number } = {}) {
  const directory = mkdtempSync(path.join(tmpdir(), "virtu-cycle-"));
  const script = path.join(directory, "editor.sh");
  const setEditor = (text: string) => {
    writeFileSync(script, `#!/bin/sh\n${text}\n`);
    chmodSync(script, 0o755);
  };
  setEditor(editor);
  const temporary = path.join(directory, "tmp");
  mkdirSync(temporary);
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const terminal = openInTest(["demo"], { env: { VISUAL: undefined, EDITOR: script, TMPDIR: temporary }, ...size });
  await terminal.waitFor("[1 Home]");
  terminal.press("4");
  await terminal.waitFor(/ libvirt · hv1/);
  return { terminal, setEditor, temporary };
}

/** Puts the cursor on this instance, alone in the table. */
async function choose(terminal: TestTerminal, name: string): Promise<void> {
  terminal.press("/", `${name} libvirt`, keys.enter);
  await terminal.waitFor(new RegExp(`^❯ {2}${name} `, "m"));
}

/** Opens an entry of the action menu. */
async function doIt(terminal: TestTerminal, words: string): Promise<void> {
  terminal.press("m");
  await terminal.waitFor("type to filter");
  terminal.press(words, keys.enter);
}

test("a snapshot is taken, shown in the tree, gone back to and deleted", async () => {
  const { terminal } = await openDemo();
  await choose(terminal, "metrics");
  await doIt(terminal, "show revert");
  await terminal.waitFor("No snapshot yet. n takes one.");
  terminal.press("n");
  await terminal.waitFor("Take a snapshot of metrics");
  terminal.press("\u0015", "clean", keys.tab, "before the upgrade");
  await terminal.waitFor("--description 'before the upgrade'");
  terminal.press(keys.enter);
  await terminal.waitFor(/❯clean ◂ here +disks \+ memory .*before the upgrade/);
  terminal.press("n");
  await terminal.waitFor("Take a snapshot of metrics");
  terminal.press("\u0015", "later", keys.enter);
  await terminal.waitFor(/└ later ◂ here/);
  terminal.press(keys.home, keys.enter);
  await terminal.waitFor("Revert metrics to clean?");
  terminal.press(keys.down, keys.enter);
  await terminal.waitFor(/❯clean ◂ here/);
  await terminal.waitFor("✓ revert: done");
  terminal.press("D");
  await terminal.waitFor("1 snapshot under it stays: later");
  terminal.press(keys.down, keys.enter);
  await terminal.waitFor("metrics · 1 snapshot");
  await terminal.waitFor(/❯later/);
});

test("a definition goes through $EDITOR: refused it stays as typed, applied it is there; no file stays", async () => {
  const { terminal, setEditor, temporary } = await openDemo(`sed -i 's/<vcpu.*/<vcpu>lots<\\/vcpu>/' "$1"`);
  await choose(terminal, "sandbox");
  await doIt(terminal, "show edit");
  await terminal.waitFor("<name>sandbox</name>");
  terminal.press("e");
  await terminal.waitFor("+   <vcpu>lots</vcpu>");
  expect(terminal.alternate).toBe(true);
  terminal.press(keys.enter);
  await terminal.waitFor("Nothing was changed. e edits it again, with all that you typed.");
  setEditor(`sed -i 's/<vcpu>lots/<vcpu>3/' "$1"`);
  terminal.press("e");
  await terminal.waitFor("+   <vcpu>3</vcpu>");
  terminal.press(keys.enter);
  await terminal.waitFor("The definition is changed.");
  await terminal.waitFor("current='3'");
  expect(readdirSync(temporary).filter((name) => name.startsWith("virtu-edit"))).toEqual([]);
});

test("an editor that draws on the terminal has it, with its keys, and gives it back", async () => {
  const ask = `printf '\\033[2J\\033[Heditor here: ' >/dev/tty; read -r word </dev/tty; sed -i "s/hvm/hvm<!-- $word -->/" "$1"`;
  const { terminal } = await openDemo(ask);
  await choose(terminal, "sandbox");
  await doIt(terminal, "show edit");
  await terminal.waitFor("<name>sandbox</name>");
  terminal.press("e");
  await terminal.waitFor("editor here:");
  // q would leave virtu, and is the editor's now.
  terminal.press("quick\r");
  await terminal.waitFor("hvm<!-- quick --></type>");
  expect(terminal.alternate).toBe(true);
});

test("rename, then remove by the typed name with its disks", async () => {
  const { terminal } = await openDemo();
  await choose(terminal, "old-wiki");
  await doIt(terminal, "rename");
  await terminal.waitFor("Rename old-wiki");
  terminal.press("\u0015", "git");
  terminal.press("-old");
  await terminal.waitFor("--new-name git-old");
  terminal.press(keys.enter);
  await terminal.waitFor("No instance holds all of these words");
  terminal.press(keys.escape);
  await terminal.waitFor(/^ \d+ instances · /m);
  await choose(terminal, "git-old");
  await doIt(terminal, "remove");
  await terminal.waitFor(/git-old: vda \/var\/lib\/libvirt\/images\/.*\.qcow2 .* is deleted/);
  terminal.press(keys.tab, "git", keys.enter);
  await terminal.waitFor("type git-old to remove git-old");
  terminal.press("-old", keys.enter);
  await terminal.waitFor("No instance holds all of these words");
  await terminal.waitFor(/remove: .*/);
});

test("what is done elsewhere on a host is told in the feed, and the row follows", async () => {
  const { terminal } = await openDemo("true", { columns: 200, rows: 50 });
  await choose(terminal, "staging");
  await terminal.waitFor(/staging +‖ paused/);
  terminal.press("p");
  await terminal.waitFor(/staging +● running ✓/);
  terminal.press("7", "v");
  await terminal.waitFor(/hv1\.demo\/staging +.*[Rr]esumed/);
});
