/** The viewer on a terminal in memory: what it writes, where keys go, how it scrolls. */
import { EventEmitter } from "node:events";
import { expect, onTestFinished, test, vi } from "vitest";
import { Consoles } from "../../source/console/consoles.ts";
import { GuestScreen } from "../../source/console/screen.ts";
import { userLine } from "../../source/ssh/command.ts";
import { viewConsole } from "../../source/ui/console/viewer.ts";
import { type FakeChannel, ptyPool } from "../console/fake-channel.ts";

async function open() {
  const pool = ptyPool();
  const consoles = new Consoles({ pool, recordings: "/nowhere", wakeMs: 60_000 });
  onTestFinished(() => consoles.end());
  const target = { key: "web1", title: "web1", host: "hv1", kind: "serial" as const };
  const way = { host: { name: "hv1" }, command: userLine("console") };
  const session = await consoles.open(target, way, { columns: 60, rows: 9 });
  await vi.waitFor(() => expect(pool.channels).toHaveLength(1));
  let type: (bytes: Buffer) => void = () => {};
  let raw = "";
  const shown = new GuestScreen({ columns: 60, rows: 10 });
  const output = Object.assign(new EventEmitter(), {
    columns: 60,
    rows: 10,
    write: (text: string) => {
      raw += text;
      void shown.write(Buffer.from(text, "utf8"));
      return true;
    },
  });
  const signal = new AbortController();
  const ended = viewConsole(session, {
    consoles,
    output,
    signal: signal.signal,
    leaveKey: "ctrl+]",
    lend: (onBytes) => {
      type = onBytes;
      return () => {
        type = () => {};
      };
    },
  });
  const lines = () => Array.from({ length: 10 }, (_, row) => shown.lineText(row).trimEnd());
  return {
    channel: pool.channels[0] as FakeChannel,
    session,
    ended,
    output,
    abort: signal,
    lines,
    raw: () => raw,
    type: (...texts: string[]) => {
      for (const text of texts) type(Buffer.from(text, "utf8"));
    },
    waitFor: (wanted: RegExp) => vi.waitFor(() => expect(lines().join("\n")).toMatch(wanted)),
  };
}

test("draws the guest's screen over one line of its own, and its cursor where the guest has it", async () => {
  const { channel, lines, waitFor, raw } = await open();
  channel.print("web1 login: ");
  await waitFor(/^web1 login:/);
  expect(lines().at(-1)).toBe(" web1 · hv1 · serial · Ctrl-] back · recording off");
  expect(raw()).toMatch(/\u001b\[1;13H\u001b\[\?25h\u001b\[\?2026l$/);
});

test("keys of the guest's choosing are asked of the terminal, and taken back at the end", async () => {
  const { channel, waitFor, raw, type, ended } = await open();
  channel.print("\u001b[?1h\u001b[?1000;1006hx");
  await waitFor(/^x/);
  expect(raw()).toContain("\u001b[?1h\u001b[?1000h\u001b[?1006h");
  type("\u001d", "b");
  expect(await ended).toMatchObject({ why: "back" });
  const end = raw().slice(raw().lastIndexOf("\u001b[?2026l"));
  for (const code of ["\u001b[?1l", "\u001b[?1000l", "\u001b[?1006l"]) expect(end).toContain(code);
});

test("the leave key shows its commands; alone it leads back; k sends it; an unknown key does nothing", async () => {
  const { channel, type, waitFor, ended } = await open();
  channel.print("x");
  await waitFor(/^x/);
  type("\u001d");
  await waitFor(/Ctrl-\] … n next {2}p prev {2}r record/);
  type("k");
  expect(channel.typed).toBe("\u001d");
  type("\u001d", "Z", "y");
  expect(channel.typed).toBe("\u001dy");
  type("\u001d");
  expect(await ended).toMatchObject({ why: "back" });
});

test("scrollback: a page up, search, and keys that are the guest's again after it", async () => {
  const { channel, type, waitFor } = await open();
  channel.print(Array.from({ length: 100 }, (_, index) => `row ${index}\r\n`).join(""));
  await waitFor(/row 99/);
  type("\u001d", "s");
  await waitFor(/line \d+ of 101/);
  type("\u001b[5~");
  type("/");
  type("row 17");
  await waitFor(/\/ row 17/);
  type("\r");
  await waitFor(/^row 17$/m);
  type("/", "nowhere", "\r");
  await waitFor(/no line with "nowhere"/);
  expect(channel.typed).toBe("");
  type("q", "ls\r");
  await waitFor(/recording off/);
  expect(channel.typed).toBe("ls\r");
});

test("a lost link is said in the line, and o opens it again", async () => {
  const { channel, session, type, waitFor } = await open();
  channel.print("before");
  await waitFor(/^before/);
  channel.end({ outcome: "lost", status: null });
  await waitFor(/web1: the link to the host broke · o open again/);
  type("o");
  await vi.waitFor(() => expect(session.view().phase).toBe("open"));
});

test("a refusal is for a dialog: the viewer ends by itself", async () => {
  const { channel, ended } = await open();
  channel.print("error: The domain is not running\r\n");
  await new Promise((resolve) => setImmediate(resolve));
  channel.end({ status: 1 });
  expect(await ended).toMatchObject({ why: "ended" });
});

test("a new window's size goes to the guest; whoever has to ask the user gets the screen back", async () => {
  const { channel, output, waitFor, abort, ended } = await open();
  channel.print("x");
  await waitFor(/^x/);
  Object.assign(output, { columns: 50, rows: 8 });
  output.emit("resize");
  expect(channel.sizes).toEqual(["50x7"]);
  abort.abort();
  expect(await ended).toMatchObject({ why: "back" });
});
