import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { footerText } from "../../source/ui/components/frame.tsx";
import { bindingsOf, keymap, keyName, type Scope } from "../../source/ui/keys.ts";
import { keysTable } from "../../source/ui/keys-table.ts";
import { activate, layer } from "../../source/ui/router.ts";
import { widthOf } from "../../source/ui/theme.ts";

const scopes = Object.keys(keymap) as Scope[];
/** Scopes whose keys go on top of the others on purpose: a field, a question. */
const over: readonly Scope[] = [
  ...(["filter", "form", "dialog"] as const),
  // These have the keys of the whole terminal for themselves.
  ...(["console", "scrollback", "consoleEnded", "guestScreen"] as const),
];

test.each(scopes.filter((scope) => !over.includes(scope)))("no key of %s means two things where it works", (scope) => {
  const together = [...new Set<Scope>([scope, "list", "global"])];
  const seen = new Map<string, string>();
  for (const one of together) {
    for (const [id, { keys }] of Object.entries(bindingsOf(one))) {
      for (const key of keys) {
        expect(seen.get(key), `${key}: ${one}.${id}`).toBeUndefined();
        seen.set(key, `${one}.${id}`);
      }
    }
  }
});

test("every binding has a key, a short label and a sentence", () => {
  for (const scope of scopes) {
    for (const [id, { keys, label, text, short = label }] of Object.entries(bindingsOf(scope))) {
      expect(keys.length, `${scope}.${id}`).toBeGreaterThan(0);
      expect(label.length, `${scope}.${id}`).toBeLessThanOrEqual(20);
      expect(short.length, `${scope}.${id}`).toBeLessThanOrEqual(label.length);
      expect(text, `${scope}.${id}`).toMatch(/^[A-Z`].*[^.]$/);
    }
  }
});

test("keys have the names that stand on them", () => {
  expect(["enter", "esc", "ctrl+c", "space", "shift+tab", "x"].map(keyName)).toEqual([
    "⏎",
    "Esc",
    "Ctrl-C",
    "space",
    "Shift-Tab",
    "x",
  ]);
});

const run = { run: () => {} };
/** As they are most of the time: nobody has missed a shutdown. */
const instanceKeys = activate(
  "instances",
  Object.fromEntries(
    Object.keys(keymap.instances)
      .filter((id) => id !== "unheard")
      .map((id) => [id, run]),
  ),
  layer.screen,
);
const active = [...instanceKeys, ...activate("global", { back: run, help: run, quit: run }, layer.global)];

test("the instance table's footer holds what one needs in 80 columns, and more in wider ones", () => {
  const narrow = footerText(active, 79);
  expect(narrow).toBe(" s start  t shut  r reboot  x off⚠  ⏎ console  space mark  m more  Esc  ? help");
  expect(widthOf(narrow)).toBeLessThanOrEqual(79);
  expect(footerText(active, 199)).toContain("x force off⚠");
  expect(footerText(active, 199)).toContain("⏎ console  space mark  m more  / filter");
});

test("the footer leaves out what can't be done now, and quiet keys", () => {
  const off = active.map((entry) => (entry.id === "start" ? { ...entry, disabled: "it runs already" } : entry));
  expect(footerText(off, 199)).not.toContain("s start");
  expect(footerText(active, 199)).not.toContain("q quit");
});

/** `UPDATE_README=1 npx vitest run test/ui/keys.test.ts` puts the table of today between these. */
const marks = ["<!-- keys -->\n", "\n<!-- /keys -->"] as const;

test("the README holds the table of all keys, made from the keymap", () => {
  const readme = readFileSync("README.md", "utf8");
  const [start, end] = [readme.indexOf(marks[0]) + marks[0].length, readme.indexOf(marks[1])];
  expect(start).toBeGreaterThan(marks[0].length - 1);
  expect(end).toBeGreaterThan(0);
  if (process.env["UPDATE_README"]) {
    writeFileSync("README.md", readme.slice(0, start) + keysTable() + readme.slice(Math.max(start - 1, end)));
    return;
  }
  expect(readme.slice(start, end), "README.md holds an old table; UPDATE_README=1 writes the new one").toBe(
    keysTable(),
  );
});
