import { PassThrough } from "node:stream";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { askSecret } from "../../source/commands/ask-secret.ts";

const real = { stdin: process.stdin, stderrTty: process.stderr.isTTY };
let keyboard: PassThrough & { isTTY: boolean; setRawMode: (raw: boolean) => void };
let shown: string[];
let raw: boolean[];

beforeEach(() => {
  raw = [];
  shown = [];
  keyboard = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (on: boolean) => raw.push(on) });
  Object.defineProperty(process, "stdin", { value: keyboard, configurable: true });
  process.stderr.isTTY = true;
  vi.spyOn(process.stderr, "write").mockImplementation((text) => shown.push(String(text)) > 0);
});
afterEach(() => {
  vi.restoreAllMocks();
  Object.defineProperty(process, "stdin", { value: real.stdin, configurable: true });
  process.stderr.isTTY = real.stderrTty;
});

test("what is typed is taken and never shown", async () => {
  const answer = askSecret("root password", new AbortController().signal);
  keyboard.write("wörx\u007fd");
  keyboard.write("\r");
  expect(await answer).toBe("wörd");
  expect(shown.join("")).toBe("root password: \n");
  expect(raw).toEqual([true, false]);
});

test("nothing typed, the end of input, or a signal are no answer", async () => {
  const empty = askSecret("x", new AbortController().signal);
  keyboard.write("\r");
  expect(await empty).toBeNull();
  const abort = new AbortController();
  const aborted = askSecret("x", abort.signal);
  abort.abort();
  expect(await aborted).toBeNull();
  expect(raw).toEqual([true, false, true, false]);
});

test("Ctrl-C is one, though the terminal sends no signal", async () => {
  const kill = vi.spyOn(process, "kill").mockImplementation(() => true);
  const answer = askSecret("x", new AbortController().signal);
  keyboard.write("ab\u0003");
  expect(await answer).toBeNull();
  expect(kill).toHaveBeenCalledWith(process.pid, "SIGINT");
});

test("without a terminal nobody is asked", async () => {
  keyboard.isTTY = false;
  expect(await askSecret("x", new AbortController().signal)).toBeNull();
  expect(shown).toEqual([]);
});
