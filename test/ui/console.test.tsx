import { expect, test, vi } from "vitest";
import type { ConsoleWay, Instance, Provider } from "../../source/instances/types.ts";
import { userLine } from "../../source/ssh/command.ts";
import { type FakeChannel, ptyPool } from "../console/fake-channel.ts";
import { keys, openUi } from "./harness.tsx";
import { fakeInventory, rowOf } from "./instance-fakes.ts";

const way: ConsoleWay = {
  host: { name: "hv1" },
  command: userLine("console web1"),
  takeOver: userLine("console --force web1"),
  start: userLine("start --console web1"),
  wake: "\r",
  leave: "\u001d",
  explain: () => null,
};

interface Options {
  status?: Instance["status"];
  console?: ReturnType<Provider["console"]>;
  screenshot?: Provider["screenshot"];
}

/** The table with web1 on hv1, over a pool whose terminals are the test's. */
function table({ status = "running", console: answer = way, screenshot }: Options = {}) {
  const pool = ptyPool();
  const row = rowOf("web1", { status });
  const provider = {
    name: "libvirt",
    attachment: { host: { name: "hv1" }, label: "qemu:///system" },
    console: () => answer,
    graphics: async () => null,
    screenshot,
  } as unknown as Provider;
  const inventory = fakeInventory(
    { instances: [row] },
    { find: (key) => (key === row.key ? { kind: "instance", provider, instance: row } : null) },
  );
  const ui = openUi({ place: { screen: "instances" }, inventory, pool });
  const channel = async (number: number): Promise<FakeChannel> => {
    await vi.waitFor(() => expect(pool.channels.length).toBe(number));
    return pool.channels[number - 1] as FakeChannel;
  };
  return { ui, pool, inventory, channel };
}

test("Enter opens the console, of the size that it will have, and gives it the terminal when it prints", async () => {
  const { ui, channel } = table();
  await ui.waitFor("web1");
  await ui.press(keys.enter);
  await ui.waitFor("opening the console of web1 on hv1");
  const first = await channel(1);
  expect([first.line, first.options.columns, first.options.rows]).toEqual(["console web1", 80, 23]);
  expect(ui.attached).toEqual([]);
  first.print("web1 login: ");
  await vi.waitFor(() => expect(ui.attached).toHaveLength(1));
  ui.detach("back");
  await ui.waitFor("1 instance");
  await ui.waitFor("1 console");
  // It is the same one that is shown again.
  await ui.press(keys.enter);
  await vi.waitFor(() => expect(ui.attached).toHaveLength(2));
  expect(ui.attached[1]).toBe(ui.attached[0]);
});

test("in use: why, the program's own words, and what can be done; taken over only when that is chosen", async () => {
  const { ui, channel } = table();
  await ui.press(keys.enter);
  const first = await channel(1);
  first.print("error: operation failed: Active console session exists for this domain\r\n");
  await vi.waitFor(() => expect(ui.attached).toHaveLength(1));
  first.end({ status: 1 });
  await vi.waitFor(() => expect(ui.attached[0]?.view().phase).toBe("ended"));
  ui.detach("ended");
  await ui.waitFor("The console of web1 on hv1 is not open");
  await ui.waitFor("Somebody else has this console open.");
  await ui.waitFor("| error: operation failed: Active console session exists for this domain");
  await ui.waitFor(/❯ Take it over: whoever has it loses it[\s\S]*Try again[\s\S]*Open a shell on hv1[\s\S]*Leave it/);
  await ui.press(keys.enter);
  expect((await channel(2)).line).toBe("console --force web1");
});

test("off: nothing is sent before it is chosen; then it is started with the console attached", async () => {
  const { ui, pool, channel } = table({ status: "stopped" });
  await ui.press(keys.enter);
  await ui.waitFor("It is off.");
  expect(pool.channels).toEqual([]);
  await ui.press(keys.enter);
  expect((await channel(1)).line).toBe("start --console web1");
});

test("a job that a console may hinder is named first", async () => {
  const { ui, pool, channel } = table({
    console: { ...way, warning: "Job 57 migrates it. A console can hinder that." },
  });
  await ui.press(keys.enter);
  await ui.waitFor("Job 57 migrates it. A console can hinder that.");
  await ui.waitFor("❯ Open it all the same");
  expect(pool.channels).toEqual([]);
  await ui.press(keys.enter);
  expect((await channel(1)).line).toBe("console web1");
});

test("off, where the provider can't start it attached: it is started first, then attached", async () => {
  const { ui, inventory, channel } = table({ status: "stopped", console: { ...way, start: null } });
  Object.assign(inventory, {
    act: (request: { do: string }) => {
      inventory.asked.push(request.do);
      return { run: 1, items: () => [], done: Promise.resolve([{ state: "done" }]), cancel: () => {} };
    },
  });
  await ui.press(keys.enter);
  await ui.waitFor("It is off.");
  await ui.press(keys.enter);
  expect((await channel(1)).line).toBe("console web1");
  expect(inventory.asked).toEqual(["start"]);
});

test("one that would hinder a job is opened only when that is chosen", async () => {
  const warning = "a job is under way, which an open console can hinder: MIGRATE (job 7)";
  const { ui, pool, channel } = table({ console: { ...way, warning } });
  await ui.press(keys.enter);
  await ui.waitFor("A job is under way, which an open console can hinder: MIGRATE (job 7).");
  expect(pool.channels).toEqual([]);
  await ui.waitFor(/❯ Open it all the same/);
  await ui.press(keys.enter);
  expect((await channel(1)).line).toBe("console web1");
});

test("no console at all: the provider's reason, its screen and a shell on the host instead", async () => {
  const refusal = { refusal: "it has no serial device", hint: "Add one to its definition." };
  const { ui, channel } = table({ console: refusal, screenshot: () => new Promise(() => {}) });
  await ui.press(keys.enter);
  await ui.waitFor("It has no serial device.");
  await ui.waitFor("Add one to its definition.");
  await ui.waitFor(/❯ Show its screen/);
  await ui.press(keys.down, keys.enter);
  await ui.waitFor("opening a shell on hv1");
  const shell = await channel(1);
  expect([shell.host, shell.line]).toEqual(["hv1", null]);
});

test("a shell that ends leads back to where it was opened, and says so; S opens it", async () => {
  const { ui, channel } = table();
  await ui.press("S");
  const shell = await channel(1);
  shell.print("root@hv1:~# ");
  await vi.waitFor(() => expect(ui.attached).toHaveLength(1));
  shell.end({ status: 130 });
  await vi.waitFor(() => expect(ui.attached[0]?.view().phase).toBe("ended"));
  ui.detach("ended");
  await ui.waitFor("hv1: the shell has ended.");
  await ui.waitFor("1 instance");
});

test("Esc while it opens gives it up", async () => {
  const { ui, pool } = table();
  Object.assign(pool, { pty: () => new Promise(() => {}) });
  await ui.press(keys.enter);
  await ui.waitFor("opening the console of web1");
  await ui.press(keys.esc);
  await ui.waitFor("1 instance");
  await vi.waitFor(() => expect(ui.workspace.consoles.consoles.views()).toEqual([]));
});

test("the list of consoles: state, age, last line; a shell is closed only after asking", async () => {
  const { ui, channel } = table();
  await ui.press("S");
  (await channel(1)).print("root@hv1:~# make\r\nbuilding 3 of 7");
  await vi.waitFor(() => expect(ui.attached).toHaveLength(1));
  ui.detach("back");
  await ui.waitFor("1 instance");
  await ui.press("\u000f");
  await ui.waitFor(/hv1 +shell +● open.* building 3 of 7/);
  await ui.press("D");
  await ui.waitFor("Close the shell on hv1?");
  await ui.press(keys.esc);
  await ui.waitFor("building 3 of 7");
  await ui.press("D", keys.down, keys.enter);
  await ui.waitFor("No console is open.");
});

test("a guest that has no screen is said so", async () => {
  const { ui } = table();
  await ui.press("v");
  await ui.waitFor("web1 has no screen to show");
  await ui.press(keys.esc);
  await ui.waitFor("1 instance");
});
