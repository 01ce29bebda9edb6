import { expect, test } from "vitest";
import { controlByte, GuestKeys } from "../../source/ui/console/guest-keys.ts";
import { randomOf } from "../random.ts";

const bytes = (text: string) => Buffer.from(text, "latin1");

/** What the guest gets of these chunks, and how often the leave key was pressed. */
function passed(keys: GuestKeys, chunks: readonly Buffer[]): { text: string; left: number } {
  let text = "";
  let left = 0;
  for (const chunk of chunks) {
    let rest = chunk;
    while (rest.length > 0) {
      const taken = keys.take(rest);
      text += taken.bytes.toString("latin1");
      if (taken.left) left += 1;
      rest = taken.rest;
    }
  }
  return { text: text + keys.release().toString("latin1"), left };
}

test("every byte but the leave key goes to the guest", () => {
  const all = Buffer.from(Array.from({ length: 256 }, (_, code) => code));
  expect(passed(new GuestKeys(0x1d), [all])).toEqual({
    text: all.toString("latin1").replace("\u001d", ""),
    left: 1,
  });
});

test("what follows the leave key is not the guest's yet", () => {
  const taken = new GuestKeys(0x1d).take(bytes("ab\u001dnxy"));
  expect([taken.bytes.toString(), taken.left, taken.rest.toString()]).toEqual(["ab", true, "nxy"]);
});

test("Esc alone is not held back, the beginning of a paste mark is until it is clear", () => {
  const keys = new GuestKeys(0x1d);
  expect(keys.take(bytes("\u001b")).bytes.toString("latin1")).toBe("\u001b");
  expect(keys.take(bytes("\u001b[")).bytes.toString("latin1")).toBe("\u001b[");
  expect(keys.take(bytes("\u001b[20")).bytes.length).toBe(0);
  expect(keys.pending).toBe(true);
  // It was F9 after all.
  expect(keys.take(bytes("~")).bytes.toString("latin1")).toBe("\u001b[20~");
  expect(keys.pending).toBe(false);
});

test.each([true, false])(
  "what is pasted goes as a whole, however it is cut; with marks only where they are read (%s)",
  (marks) => {
    const pasted = "text\u001d\u0003 with keys\r";
    const input = bytes(`a\u001b[200~${pasted}\u001b[201~b`);
    for (let n = 0; n < 200; n += 1) {
      const { below } = randomOf(n);
      const chunks: Buffer[] = [];
      for (let at = 0; at < input.length; ) {
        // Not shorter than a terminal's own piece of a mark: the escape of one comes with what follows it.
        const end = at + 3 + below(6);
        chunks.push(input.subarray(at, end));
        at = end;
      }
      const keys = new GuestKeys(0x1d);
      keys.marksPastes = marks;
      const { text, left } = passed(keys, chunks);
      const held = chunks.some((chunk) => /\u001b\[?$/.test(chunk.toString("latin1")));
      if (held) continue;
      expect(text).toBe(marks ? `a\u001b[200~${pasted}\u001b[201~b` : `a${pasted}b`);
      expect(left).toBe(0);
    }
  },
);

test("the leave key by its name", () => {
  expect(["ctrl+]", "ctrl+a", "ctrl+_", "Ctrl+\\", "x", "ctrl+1"].map(controlByte)).toEqual([
    0x1d,
    1,
    0x1f,
    0x1c,
    null,
    null,
  ]);
});
