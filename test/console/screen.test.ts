import { expect, test } from "vitest";
import { GuestScreen } from "../../source/console/screen.ts";

const bytes = (text: string) => Buffer.from(text, "utf8");

async function screenWith(text: string, size = { columns: 20, rows: 4 }): Promise<GuestScreen> {
  const screen = new GuestScreen(size);
  await screen.write(bytes(text));
  return screen;
}

test("what a guest asks of the terminal itself never comes out: titles, clipboard, palette, other screens", async () => {
  const evil = [
    "\u001b]0;title\u0007",
    "\u001b]52;c;aGVsbG8=\u0007",
    "\u001b]4;1;#ffffff\u0007",
    "\u001b]8;;http://example.org\u0007link\u001b]8;;\u0007",
    "\u001bPq#0\u001b\\",
    "\u001b_Ga=T;AAAA\u001b\\",
    "\u001b^x\u001b\\",
    "\u001b[?1049h\u001b[?1049l",
    "\u009b31mC1",
    "\u202egnp\u200e",
    "\u0007",
  ].join("");
  const screen = await screenWith(evil, { columns: 40, rows: 3 });
  const shown = [0, 1, 2].map((row) => screen.row(row).text).join("\n") + screen.snapshot();
  // Only styles, places and clearing are left.
  const bare = shown.replace(/\u001b\[[\d;]*[mGHJ]/g, "").replace(/\u001b\[\?25l/g, "");
  expect(bare).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u202e]/);
  expect(bare).toContain("link");
  expect(bare).toContain("gnp");
});

test("styles of every kind come out as SGR, and end with the row", async () => {
  const screen = await screenWith("a\u001b[1;31mb\u001b[0;4;38;5;208mc\u001b[48;2;1;2;3;92md\u001b[7me");
  expect(screen.row(0)).toEqual({
    text: "a\u001b[0;1;31mb\u001b[0;4;38;5;208mc\u001b[0;4;92;48;2;1;2;3md\u001b[0;4;7;92;48;2;1;2;3me\u001b[0m",
    width: 5,
  });
});

test("after a wide character the cursor is set, so that terminals that count otherwise show the same", async () => {
  const screen = await screenWith("表x été 😀y");
  expect(screen.row(0).text).toBe("表\u001b[3Gx été 😀\u001b[10Gy");
  expect(screen.row(0).width).toBe(10);
});

test("blanks with a colour are kept, blanks without one are not written", async () => {
  const screen = await screenWith("ab   \u001b[44m  \u001b[0m   ");
  expect(screen.row(0)).toEqual({ text: "ab   \u001b[0;44m  \u001b[0m", width: 7 });
});

test("questions are answered for this screen, not passed to the user's terminal", async () => {
  const screen = new GuestScreen({ columns: 20, rows: 4 });
  const answers: string[] = [];
  screen.onAnswer = (text) => answers.push(text);
  await screen.write(bytes("\r\nab\u001b[6n\u001b[21t"));
  expect(answers).toEqual(["\u001b[2;3R"]);
});

test("knows the modes that keys and the mouse depend on, and forgets them with a reset", async () => {
  const screen = await screenWith("\u001b[?1;25;1002;1006;2004h\u001b=\u001b[?25l");
  expect(screen.modes).toEqual({
    applicationCursor: true,
    applicationKeypad: true,
    bracketedPaste: true,
    mouse: "drag",
    mouseSgr: true,
  });
  expect(screen.cursor).toBeNull();
  await screen.write(bytes("\u001bc"));
  expect(screen.modes).toMatchObject({ applicationCursor: false, mouse: "none", mouseSgr: false });
  expect(screen.cursor).toEqual({ column: 0, row: 0 });
});

test("keeps what has left the screen, bounded, also while a full-screen program runs", async () => {
  const screen = await screenWith(Array.from({ length: 6000 }, (_, index) => `line ${index}\r\n`).join(""));
  expect(screen.lines).toBe(5004);
  expect(screen.lineText(0)).toBe("line 997");
  await screen.write(bytes("\u001b[?1049h\u001b[Hfull"));
  expect(screen.row(0).text).toBe("full");
  expect(screen.lineText(5002)).toBe("line 5999");
  expect(screen.lastText()).toBe("full");
});

test("a snapshot draws the same on an empty terminal", async () => {
  const first = await screenWith("\u001b[31mred\u001b[0m\r\n  two 表\u001b[4;9H");
  const second = await screenWith(first.snapshot());
  for (const row of [0, 1, 2, 3]) expect(second.row(row)).toEqual(first.row(row));
  expect(second.cursor).toEqual(first.cursor);
});
