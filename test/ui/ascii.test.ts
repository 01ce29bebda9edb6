/** What a terminal gets that shows no more than ASCII. */
import type { WriteStream } from "node:tty";
import { afterEach, expect, test, vi } from "vitest";
import { asciiLine } from "../../source/ui/ascii.ts";
import { widthOf } from "../../source/ui/theme.ts";

afterEach(() => {
  vi.unstubAllEnvs();
  vi.resetModules();
});

test("every sign of ours has a twin of its width", () => {
  const signs = "·…–−×•↑↓←→‹›▸◂▾❯✓✗⚠●○◐‖─━│▏■█░┌┐└┘├╭╮╰╯╸⠹";
  for (const keepsOthers of [true, false]) {
    expect(asciiLine(signs, 80, keepsOthers)).toMatch(/^[ -~]*$/);
    expect(widthOf(asciiLine(signs, 80, keepsOthers))).toBe(widthOf(signs));
  }
  expect(asciiLine("größe 名前", 80, true)).toBe("größe 名前");
  expect(asciiLine("größe 名前", 80, false)).toBe("gr??e ????");
});

test("the Enter key is named, and what stands in columns and boxes stays where it is", () => {
  expect(asciiLine(" Console        ⏎          libvirt", 80, true)).toBe(" Console        Enter      libvirt");
  expect(asciiLine("│ ⏎ takes it          │", 80, true)).toBe("| Enter takes it      |");
  // Where there is no gap the line ends at the last column all the same, with its styles.
  expect(asciiLine("\u001b[1m⏎ go on now\u001b[22m", 11, true)).toBe("\u001b[1mEnter go on\u001b[22m");
});

test("whole frames reach such a terminal in ASCII, and others as they are", async () => {
  const written = async (environment: Record<string, string>) => {
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    vi.resetModules();
    const { createPainter } = await import("../../source/ui/painter.ts");
    const writes: string[] = [];
    const output = { columns: 40, rows: 4, write: (text: string) => writes.push(text) > 0, once: () => {} };
    const painter = createPainter(output as unknown as WriteStream);
    painter.start();
    painter.stream.write("28 instances · 2 ⚠ error\n ⏎ open  ? help");
    await new Promise((resolve) => setImmediate(resolve));
    return writes.join("");
  };
  const plain = await written({ LC_ALL: "C", TERM: "xterm" });
  expect(plain).toContain("28 instances . 2 ! error");
  expect(plain).toContain(" Enter open  ? help");
  expect(await written({ LC_ALL: "C.UTF-8", TERM: "linux" })).toContain("28 instances . 2 ! error");
  expect(await written({ LC_ALL: "C.UTF-8", TERM: "xterm" })).toContain("28 instances · 2 ⚠ error");
});
