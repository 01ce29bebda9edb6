import { once } from "node:events";
import { expect, onTestFinished, test, vi } from "vitest";
import { Consoles } from "../../source/console/consoles.ts";
import type { ConsoleSession } from "../../source/console/session.ts";
import type { ConsoleTarget, Opening, Way } from "../../source/console/types.ts";
import { VirtuError } from "../../source/errors.ts";
import { userLine } from "../../source/ssh/command.ts";
import { type FakeChannel, ptyPool } from "./fake-channel.ts";

const target: ConsoleTarget = { key: "libvirt/hv1/web1", title: "web1", host: "hv1", kind: "serial" };
const way: Way = {
  host: { name: "hv1" },
  command: userLine("virsh console web1"),
  takeOver: userLine("virsh console --force web1"),
  start: userLine("virsh start --console web1"),
  wake: "\r",
  leave: "\u001d",
};
const size = { columns: 80, rows: 23 };

function setUp() {
  const pool = ptyPool();
  const consoles = new Consoles({ pool, recordings: "/nowhere", wakeMs: 20 });
  onTestFinished(() => consoles.end());
  const open = async (opening: Opening = "attach", own: Partial<Way> = {}) => {
    const session = await consoles.open(target, { ...way, ...own }, size, opening);
    await vi.waitFor(() => expect(session.view().phase).not.toBe("opening"));
    return { session, channel: pool.channels.at(-1) as FakeChannel };
  };
  return { pool, consoles, open };
}

const drawn = (session: ConsoleSession) => once(session, "drawn");

test("opens on a terminal of the guest's size, and shows what comes", async () => {
  const { open } = setUp();
  const { session, channel } = await open();
  expect(channel.line).toBe("virsh console web1");
  expect(channel.options).toMatchObject({ columns: 80, rows: 23, term: "xterm-256color" });
  // What virsh says first where no polkit agent is.
  channel.print("Authorization not ");
  channel.print("available. Check if polkit service is running or see debug message.");
  channel.print("\r\n");
  channel.print("web1 login: ");
  await drawn(session);
  expect(session.screen.row(0).text).toBe("web1 login:");
  session.resize({ columns: 100, rows: 40 });
  expect(channel.sizes).toEqual(["100x40"]);
});

test("wakes a getty that is silent but for the program's own words, once", async () => {
  const { open } = setUp();
  const { channel } = await open();
  channel.print("Connected to domain 'web1'\r\nEscape character is ^] (Ctrl + ])\r\n");
  await vi.waitFor(() => expect(channel.typed).toBe("\r"));
  channel.print("\r\nweb1 login: ");
  await new Promise((resolve) => setTimeout(resolve, 40));
  expect(channel.typed).toBe("\r");
});

test("a guest that stays silent is said to be, until something is heard", async () => {
  const { open } = setUp();
  const { session, channel } = await open();
  await vi.waitFor(() => expect(session.view().note).toMatch(/^nothing is heard/));
  channel.print("web1 login: ");
  await drawn(session);
  expect(session.view().note).toBeNull();
});

test("a silent one is given up when somebody else has it, and can be taken", async () => {
  const { open, pool } = setUp();
  const { session, channel } = await open("attach", { heldBy: async () => "on node1, for 3 min" });
  await vi.waitFor(() => expect(session.view().phase).toBe("ended"));
  expect(session.view().end).toMatchObject({
    kind: "in-use",
    why: "somebody else has this console open (on node1, for 3 min)",
  });
  // The program is left as it wants to be, and nobody waits for its end.
  expect(channel).toMatchObject({ typed: "\r\u001d", closed: true });
  void session.open("take-over");
  await vi.waitFor(() => expect(session.view().phase).toBe("open"));
  expect(pool.channels.at(-1)?.line).toBe("virsh console --force web1");
});

test("a silent one that nobody else has is said to be silent; where that can't be told, that is open", async () => {
  const { open, consoles } = setUp();
  const alone = await open("attach", { heldBy: async () => null });
  await vi.waitFor(() => expect(alone.session.view().note).toBe("nothing is heard: the guest prints nothing here"));
  expect(alone.session.view().phase).toBe("open");
  await consoles.close(alone.session.id);
  const asked = vi.fn(() => Promise.reject(new VirtuError({ kind: "timeout", what: "No answer" })));
  const unsure = await open("attach", { heldBy: asked });
  await vi.waitFor(() => expect(asked).toHaveBeenCalled());
  await vi.waitFor(() => expect(unsure.session.view().note).toMatch(/or somebody else has it$/));
});

test("who types at a silent one is told all the same that nothing is heard", async () => {
  const { open } = setUp();
  const { session, channel } = await open();
  session.send(Buffer.from("x"));
  await vi.waitFor(() => expect(session.view().note).toMatch(/^nothing is heard/));
  expect(channel.typed).toBe("x");
});

test("wakes nobody who prints or who is typed at, and no guest that has just been started", async () => {
  const { open, consoles } = setUp();
  const first = await open();
  first.channel.print("root@web1:~# rm -rf old");
  await new Promise((resolve) => setTimeout(resolve, 40));
  expect(first.channel.typed).toBe("");
  await consoles.close(first.session.id);
  const second = await open();
  second.session.send(Buffer.from("x"));
  await new Promise((resolve) => setTimeout(resolve, 40));
  expect(second.channel.typed).toBe("x");
  await consoles.close(second.session.id);
  const third = await open("start");
  await new Promise((resolve) => setTimeout(resolve, 40));
  expect(third.channel.typed).toBe("");
});

test("keys go to the guest byte by byte, those typed while it opened first", async () => {
  const { consoles, pool } = setUp();
  const session = await consoles.open(target, way, size);
  session.send(Buffer.from("early "));
  await vi.waitFor(() => expect(session.view().phase).toBe("open"));
  const all = Buffer.from(Array.from({ length: 256 }, (_, code) => code));
  const [channel] = pool.channels;
  if (channel) channel.minds = false;
  session.send(all);
  channel?.end();
  expect(channel?.typed).toBe(`early ${all.toString("latin1")}`);
});

test("a guest that floods is made to wait, and goes on when its output is on the screen", async () => {
  const { open } = setUp();
  const { session, channel } = await open();
  channel.print(Buffer.alloc(400 * 1024, "y\r\n"));
  await vi.waitFor(() => expect(channel.pauses).toBe(1));
  // The first one is that of being read at all.
  await vi.waitFor(() => expect(channel.resumes).toBe(2));
  expect(session.screen.lines).toBe(5023);
});

test("taken by somebody else: said as that, and taken over", async () => {
  const { open, consoles, pool } = setUp();
  const { session, channel } = await open();
  channel.print("error: operation failed: Active console session exists for this domain\r\n");
  await drawn(session);
  channel.end({ status: 1 });
  await vi.waitFor(() => expect(session.view().end?.kind).toBe("in-use"));
  consoles.reopen(session.id, "take-over");
  await vi.waitFor(() => expect(session.view().phase).toBe("open"));
  expect(pool.channels[1]?.line).toBe("virsh console --force web1");
  expect(session.view().end).toBeNull();
});

test("a lost link is no end of the guest: said, and opened again on the same screen", async () => {
  const { open, consoles, pool } = setUp();
  const { session, channel } = await open();
  channel.print("before\r\n");
  await drawn(session);
  channel.end({ outcome: "lost", status: null });
  await vi.waitFor(() => expect(session.view().end).toMatchObject({ kind: "lost", why: "the link to the host broke" }));
  consoles.reopen(session.id, "attach");
  await vi.waitFor(() => expect(session.view().phase).toBe("open"));
  pool.channels[1]?.print("after");
  await drawn(session);
  expect([session.screen.row(0).text, session.screen.row(1).text]).toEqual(["before", "after"]);
});

test("a host that can't be reached is said with its reason", async () => {
  const { pool, open } = setUp();
  pool.refusal = new VirtuError({ kind: "authentication", what: "hv1 refuses the login", hint: "Ask for a key." });
  const { session } = await open();
  expect(session.view().end).toMatchObject({ kind: "refused", why: "hv1 refuses the login", hint: "Ask for a key." });
});

test("is left as its program wants to be left before the channel is closed", async () => {
  const { open, consoles } = setUp();
  const { session, channel } = await open();
  channel.minds = false;
  const closing = consoles.close(session.id);
  expect(channel.typed).toBe("\u001d");
  expect(channel.closed).toBe(false);
  channel.end();
  await closing;
  expect(channel.closed).toBe(true);
  expect(consoles.views()).toEqual([]);
});

test("one console a target; several are gone through in a circle, and tell what was not seen", async () => {
  const { consoles, pool } = setUp();
  const first = await consoles.open(target, way, size);
  expect(await consoles.open(target, way, size)).toBe(first);
  const second = await consoles.open({ ...target, key: "b", title: "db1" }, way, size);
  const third = await consoles.open({ ...target, key: "c", title: "ci1" }, way, size);
  expect(consoles.beside(first.id, -1)).toBe(third);
  expect(consoles.beside(third.id, 1)).toBe(first);
  await vi.waitFor(() => expect(pool.channels).toHaveLength(3));
  second.watch(true);
  for (const channel of pool.channels) channel.print("x");
  await vi.waitFor(() => expect(consoles.views().map(({ unseen }) => unseen)).toEqual([true, false, true]));
  first.watch(true);
  expect(first.view().unseen).toBe(false);
});
