import { EventEmitter } from "node:events";
import { PassThrough } from "node:stream";
import type { ReadStream, WriteStream } from "node:tty";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { committed, createKeyQueue } from "../../source/ui/key-queue.ts";
import { createTerminal } from "../../source/ui/terminal.ts";

function fakes() {
  const raw: boolean[] = [];
  const written: string[] = [];
  const input = Object.assign(new PassThrough(), { setRawMode: (on: boolean) => void raw.push(on) });
  const output = Object.assign(new EventEmitter(), { write: (text: string) => written.push(text) > 0 });
  const terminal = createTerminal(input as unknown as ReadStream, output as unknown as WriteStream);
  const names: string[] = [];
  terminal.onKey = ({ name }) => void names.push(name);
  return { terminal, input, raw, written, names };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("takes the alternate screen and raw keys, and gives all of it back once", () => {
  const { terminal, raw, written } = fakes();
  const listeners = process.listenerCount("exit");
  terminal.open();
  terminal.open();
  expect(raw).toEqual([true]);
  expect(written.join("")).toContain("\u001b[?1049h");
  expect(process.listenerCount("exit")).toBe(listeners + 1);
  terminal.restore();
  terminal.restore();
  expect(raw).toEqual([true, false]);
  const end = written.at(-1) ?? "";
  for (const code of ["\u001b[?1049l", "\u001b[?25h", "\u001b[?2004l", "\u001b[0m"]) expect(end).toContain(code);
  expect(process.listenerCount("exit")).toBe(listeners);
});

test("Esc is told from a sequence by what follows within a moment", async () => {
  const { terminal, input, names } = fakes();
  terminal.open();
  input.write("\u001b");
  await turn();
  vi.advanceTimersByTime(20);
  input.write("[A");
  await turn();
  expect(names).toEqual(["up"]);
  input.write("\u001b");
  await turn();
  expect(names).toEqual(["up"]);
  vi.advanceTimersByTime(60);
  expect(names).toEqual(["up", "esc"]);
  terminal.restore();
  input.write("x");
  await turn();
  expect(names).toEqual(["up", "esc"]);
});

test("the next key is taken only when the one before has been drawn", async () => {
  const said: string[] = [];
  let row = "web1";
  const queue = createKeyQueue(
    ({ name }) => {
      said.push(`${name} on ${row}`);
      // What a view does: the handlers of the next row are there after React has worked.
      if (name === "down") setImmediate(() => setImmediate(() => (row = "web2")));
    },
    () => {},
  );
  for (const name of ["down", "x"]) queue.add({ name, text: null, raw: "" });
  expect(said).toEqual(["down on web1"]);
  await committed();
  await committed();
  expect(said).toEqual(["down on web1", "x on web2"]);
});

test("the next key waits for the screen that the one before has opened", async () => {
  const said: string[] = [];
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const queue = createKeyQueue(
    ({ name }) => said.push(name),
    () => {},
    () => opened,
  );
  for (const name of ["7", "/"]) queue.add({ name, text: null, raw: "" });
  await committed();
  expect(said).toEqual(["7"]);
  open();
  await committed();
  expect(said).toEqual(["7", "/"]);
});

test("a view that throws at a key is a crash, and keys that wait can be forgotten", async () => {
  const crashes: unknown[] = [];
  const handled: string[] = [];
  const queue = createKeyQueue(
    ({ name }) => {
      handled.push(name);
      if (name === "a") throw new Error("broken");
    },
    (thrown) => crashes.push(thrown),
  );
  queue.add({ name: "b", text: null, raw: "" });
  queue.add({ name: "c", text: null, raw: "" });
  queue.clear();
  await committed();
  await committed();
  queue.add({ name: "a", text: null, raw: "" });
  await committed();
  expect(handled).toEqual(["b", "a"]);
  expect(crashes).toHaveLength(1);
});
