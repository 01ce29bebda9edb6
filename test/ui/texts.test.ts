/** The pure parts of editing a definition and of forms: differences, what can be read, sizes, the editor. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, expect, test } from "vitest";
import { definitionProblem } from "../../source/ui/definition-check.ts";
import { diffLines, diffParts } from "../../source/ui/diff.ts";
import { editorOf, editText } from "../../source/ui/edit-text.ts";
import { parseSize } from "../../source/ui/sizes.ts";

const signs = { same: " ", gone: "-", new: "+" } as const;
const shown = (before: string, after: string) =>
  diffLines(before, after).map(({ kind, text }) => `${signs[kind]}${text}`);

test("a difference keeps what both have, in order, and puts what is gone before what is new", () => {
  expect(shown("a\nb\nc\nd\n", "a\nB\nc\nd\ne\n")).toEqual([" a", "-b", "+B", " c", " d", "+e"]);
  expect(shown("a\nb\nc\n", "c\na\nb\n")).toEqual(["+c", " a", " b", "-c"]);
  expect(shown("", "a\n")).toEqual(["+a"]);
  expect(shown("a", "a\n")).toEqual([" a"]);
});

test("only the neighbourhood of a change is shown, the rest is counted", () => {
  const lines = Array.from({ length: 20 }, (_, index) => `line ${index}`);
  const after = lines.map((line, index) => (index === 10 ? "other" : line));
  const parts = diffParts(diffLines(lines.join("\n"), after.join("\n")), 1);
  expect(parts.map((part) => (part.kind === "gap" ? `…${part.lines}` : `${signs[part.kind]}${part.text}`))).toEqual([
    "…9",
    " line 9",
    "-line 10",
    "+other",
    " line 11",
    "…8",
  ]);
  expect(diffParts(diffLines("a\nb", "a\nb"))).toEqual([]);
});

test.each([
  ["<domain type='kvm'>\n <!-- <a> -->\n <name>a&amp;b</name>\n <disk/>\n</domain>\n", null],
  ["<?xml version='1.0'?>\n<domain><x><![CDATA[ </x> ]]></x></domain>", null],
  ["<domain>\n <name>a</nam>\n</domain>", "line 2: </nam> stands where </name> of line 2 is awaited"],
  ["<domain>\n <name>a\n</domain>", "line 3: </domain> stands where </name> of line 2 is awaited"],
  ["<domain>\n", "line 1: <domain> is never closed"],
  ["<domain>\n <disk type=file/>\n</domain>", "line 2: <disk type=file/> is no whole tag"],
  ["<a/>\n<b/>", "line 2: <b> stands outside of the first element"],
  ["</a>", "line 1: </a> closes nothing"],
  ["no xml", "it holds no element"],
  ["  \n", "it is empty"],
])("XML %j: %s", (text, problem) => {
  expect(definitionProblem(text, "xml")).toBe(problem);
});

test("YAML is read as YAML, and any other text only has to be one", () => {
  expect(definitionProblem("a: 1\nb: [1, 2]\n", "yaml")).toBeNull();
  expect(definitionProblem("a: [1\n", "yaml")).toMatch(/line \d/);
  expect(definitionProblem("name = 'x'\n", "text")).toBeNull();
});

test.each([
  ["512", 512],
  ["512M", 512],
  ["2g", 2048],
  ["1.5 GiB", 1536],
  ["1,5G", 1536],
  ["1T", 1_048_576],
])("%s is %i MiB", (text, mebibytes) => {
  expect(parseSize(text)).toEqual({ mebibytes });
});

test.each(["", "G", "-1G", "0", "1X", "1 000M", "constructor"])("%j is no size", (text) => {
  expect(parseSize(text)).toHaveProperty("error");
});

const directory = mkdtempSync(path.join(tmpdir(), "virtu-editor-"));
afterEach(() => {
  for (const name of readdirSync(directory)) rmSync(path.join(directory, name), { recursive: true });
});
afterAll(() => rmSync(directory, { recursive: true }));

/** An editor that is this shell script; `$1` is the file. */
function editorThat(script: string): NodeJS.ProcessEnv {
  const file = path.join(directory, "editor.sh");
  writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return { ...process.env, VISUAL: undefined, EDITOR: file, TMPDIR: directory };
}

test("the editor gets the text in a file of its own that nobody else can read, and nothing of it stays", async () => {
  const copy = path.join(directory, "copy");
  const env = editorThat(`stat -c '%a %n' "$1" > ${copy}; sed -i s/old/new/ "$1"`);
  await expect(editText("old text\n", "web1.xml", env)).resolves.toBe("new text\n");
  const [mode, file = ""] = readFileSync(copy, "utf8").trim().split(" ");
  expect(mode).toBe("600");
  expect(path.basename(file)).toBe("web1.xml");
  expect(() => statSync(path.dirname(file))).toThrow("ENOENT");
});

test("an editor that fails gives nothing back, and says so", async () => {
  await expect(editText("text", "a.xml", editorThat("exit 3"))).rejects.toMatchObject({
    why: expect.stringMatching(/^it ended with status 3 /),
  });
  await expect(editText("text", "a.xml", { ...process.env, VISUAL: "no-such-editor" })).rejects.toMatchObject({
    why: expect.stringMatching(/^it ended with status 127 /),
  });
});

test("options of the editor are kept, and VISUAL goes before EDITOR", async () => {
  expect(editorOf({ VISUAL: "code --wait", EDITOR: "vim" })).toBe("code --wait");
  expect(editorOf({})).toBe("vi");
  await expect(editText("a\n", "x.txt", { ...process.env, VISUAL: "sed -i s/a/b/" })).resolves.toBe("b\n");
});
