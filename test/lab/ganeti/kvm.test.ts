/** Guests of Ganeti's KVM hypervisor, emulated: consoles, screens, power and migration; what became of it is asked on the nodes. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Picture, readPicture } from "../../../source/console/picture.ts";
import { keys, type TestTerminal } from "../../terminal.ts";
import { type ActionJson, type InstanceJson, row } from "../instances.ts";
import { must, Teardown, until, type VirtuOptions, virtu, virtuProcess, virtuTerminal } from "../lab.ts";
import type { LabNode } from "../nodes.ts";
import { type GanetiLab, openGaneti, openProviders } from "./cluster.ts";

const leave = "\u001d";
const place = "/var/run/ganeti/kvm-hypervisor";

const teardown = new Teardown();
let lab: GanetiLab;
let options: VirtuOptions;
let terminal: TestTerminal;

beforeAll(async () => {
  lab = await openGaneti(teardown, { guests: { kvm1: "node1", deaf1: "node2" } });
  options = { sshConfig: lab.sshConfig, home: teardown.directory("home"), prefix: lab.network.prefix };
  await lab.master.exec(`gnt-instance startup ${lab.instance("deaf1")}`);
});
afterAll(() => teardown.run());

const headless = (...words: string[]) => virtu([...words, "--host", "node1"], options);

async function act(...words: string[]): Promise<ActionJson & { text: string | null }> {
  const ran = await headless(...words, "--yes", "--json");
  expect(ran, `${ran.stderr}${ran.stdout}`).toMatchObject({ status: 0 });
  const [outcome] = ran.json<(ActionJson & { text: string | null })[]>();
  if (!outcome) throw new Error(`${words.join(" ")} reported nothing`);
  return outcome;
}

/** The process of a guest on a node, or null. */
async function qemu(node: LabNode, name: string): Promise<string | null> {
  const found = await node.try(`p=$(cat ${place}/pid/${lab.instance(name)}) && kill -0 "$p" && echo "$p"`);
  return found.status === 0 ? found.stdout.trim() : null;
}

/** The filter shows one alone; with the dot, as it also looks at identifiers. */
async function show(name: string): Promise<void> {
  terminal.press("/", ...Array<string>(12).fill(keys.backspace), `${name}.`, keys.enter);
  await terminal.waitFor("1 of 6");
}

/** A getty throws away what is typed while it opens its line: whoever finds no prompt types again. */
async function logIn(): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    terminal.press("root", keys.enter);
    try {
      await terminal.waitFor(/# *$/m, 10_000);
      return;
    } catch (thrown) {
      if (tries === 4) throw thrown;
    }
  }
}

async function consoleEnd(...words: string[]): Promise<{ status: number; text: string }> {
  const opened = virtuTerminal(teardown, ["console", lab.instance("kvm1"), "--host", "node1", ...words], {
    ...options,
    columns: 160,
  });
  const status = await opened.exit;
  return { status, text: opened.screen().join("\n") };
}

test("a guest that is off is started from the dialog, with the console there before its first line", async () => {
  terminal = virtuTerminal(teardown, ["--host", "node1"], { ...options, columns: 120, rows: 30 });
  await terminal.waitFor("6 instances", 60_000);
  await show("kvm1");
  terminal.press(keys.enter);
  await terminal.waitFor("It is off.");
  terminal.press(keys.enter);
  await terminal.waitFor(/^booted in/m, 120_000);
  await terminal.waitFor("kvm1 login:", 60_000);
  expect(await lab.ask("kvm1", "status,pnode")).toBe(`running|${lab.master.name}.${lab.network.domain}`);
  expect(await qemu(lab.master, "kvm1")).not.toBeNull();
});

test("logs in, runs a command, goes to another console and comes back to both", async () => {
  await logIn();
  terminal.press("uname -n -r; kept=here", keys.enter);
  await terminal.waitFor(/^kvm1 \d+\.\d+.*amd64/m);
  terminal.press(leave, "b");
  await terminal.waitFor(/1 console/);
  await show("deaf1");
  terminal.press(keys.enter);
  // Its getty has printed its prompt long ago: it is woken.
  await terminal.waitFor("deaf1 login:", 60_000);
  terminal.press(leave, "n");
  await terminal.waitFor(/^kvm1 \d+\.\d+.*amd64/m);
  terminal.press(leave, "b");
  await terminal.waitFor("1 of 6");
  terminal.press("\u000f");
  const list = (await terminal.waitFor("LAST LINE")).join("\n");
  expect(list).toMatch(/kvm1.*\bopen\b/);
  expect(list).toMatch(/deaf1.*\bopen\b/);
  terminal.press(keys.escape);
  await terminal.waitFor("1 of 6");
});

test("counts what the guests use on both nodes as their processes tell it", async () => {
  const guests = [
    { name: "kvm1", node: lab.master },
    { name: "deaf1", node: lab.other },
  ];
  const look = async ({ name, node }: (typeof guests)[number]) => {
    const stat = await node.exec(`cat /proc/${await qemu(node, name)}/stat`);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = Number(fields[11]) + Number(fields[12]);
    return { at: performance.now(), seconds: ticks / 100, residentMiB: Number(fields[21]) / 256 };
  };
  const before = await Promise.all(guests.map(look));
  const ran = await headless("usage", "--seconds", "4", "--json");
  const after = await Promise.all(guests.map(look));
  expect(ran, ran.stderr).toMatchObject({ status: 0 });
  const found = ran.json<{ name: string; cpu: number; vcpus: number; memoryMiB: number; memorySource: string }[]>();
  for (const [index, { name }] of guests.entries()) {
    const one = found.find((other) => other.name === lab.instance(name));
    const [first, last] = [before[index], after[index]];
    if (!one || !first || !last) throw new Error(`${name} was not counted`);
    const mean = ((last.seconds - first.seconds) / ((last.at - first.at) / 1000) / one.vcpus) * 100;
    // Two windows that overlap: what they say differs by what the guest did at the edges.
    expect(Math.abs(one.cpu - mean)).toBeLessThan(Math.max(10, mean / 2));
    expect(one.memorySource).toBe("resident");
    expect(Math.abs(one.memoryMiB - last.residentMiB)).toBeLessThan(20);
  }
});

test("a second viewer is told who has it; it can take the console over, and the first one is told", async () => {
  const serial = (node: LabNode) => node.exec(`pgrep -fc '^/usr/bin/socat .*${lab.instance("kvm1")}[.]serial' || true`);
  await show("kvm1");
  terminal.press(keys.enter);
  await terminal.waitFor(/^kvm1 \d+\.\d+.*amd64/m);
  expect(await serial(lab.master)).toBe("1");
  const second = await consoleEnd();
  expect(second.status).toBe(1);
  expect(second.text).toMatch(/somebody else has this console open \(on node1\S*, for \d+ \w+\)/);
  const third = virtuTerminal(teardown, ["console", lab.instance("kvm1"), "--host", "node1", "--take-over"], options);
  // The silent shell is woken, and answers.
  await third.waitFor(/# *$/m, 60_000);
  expect(await serial(lab.master)).toBe("1");
  await terminal.waitFor(/somebody took it over · o open again/, 30_000);
  third.press(leave, leave);
  expect(await third.exit).toBe(0);
  terminal.press("o");
  await terminal.waitFor(/# *$/m, 60_000);
});

test("its VNC port is led here, and its picture is the one that QEMU's monitor takes", async () => {
  const graphics = virtuProcess(teardown, ["graphics", lab.instance("kvm1"), "--host", "node1", "--json"], options);
  const line = await new Promise<string>((resolve) => graphics.onLine(resolve));
  const { port, kind } = JSON.parse(line) as { port: number; kind: string };
  expect(kind).toBe("vnc");
  const [program = "", ...words] = lab.network.prefix;
  const greet = `exec 3<>/dev/tcp/127.0.0.1/${port} && head -c 12 <&3`;
  expect(await must(program, [...words, "bash", "-c", greet])).toBe("RFB 003.008");
  graphics.kill();

  const file = join(teardown.directory("pictures"), "kvm1.ppm");
  const ran = await headless("screenshot", lab.instance("kvm1"), "--output", file, "--json");
  expect(ran, ran.stderr).toMatchObject({ status: 0 });
  const monitor = `UNIX-CONNECT:${place}/ctrl/${lab.instance("kvm1")}.monitor`;
  await lab.master.exec(`echo 'screendump /run/own.ppm' | socat -t 5 - ${monitor} >/dev/null`);
  const own = Buffer.from(await lab.master.exec("base64 /run/own.ppm"), "base64");
  const [ours, theirs] = [await readPicture(readFileSync(file)), await readPicture(own)];
  expect(ran.json()).toMatchObject({ width: theirs.width, height: theirs.height });
  // The cursor blinks further down; the first lines stand still, and hold something.
  const region = (picture: Picture) => picture.rgb.subarray(0, picture.width * 3 * 32);
  expect(Buffer.from(region(ours)).equals(Buffer.from(region(theirs)))).toBe(true);
  expect(new Set(region(theirs)).size).toBeGreaterThan(1);
  expect(await lab.master.exec("ls -d /tmp/tmp.* 2>/dev/null || true")).toBe("");
});

test("its screen is drawn in the terminal, beside the address of its VNC port", async () => {
  terminal.press(leave, "b");
  await terminal.waitFor("1 of 6");
  terminal.press("v");
  const screen = await terminal.waitFor(/kvm1.* · Esc back · vnc:\/\/127\.0\.0\.1:\d+ · \d\d:\d\d:\d\d/, 60_000);
  expect(screen.filter((line) => line.includes("▀".repeat(60))).length).toBeGreaterThan(15);
  terminal.press(keys.escape);
  await terminal.waitFor("1 of 6");
});

test("migrates live by keys, with the job's log, and what runs in the guest goes on", async () => {
  terminal.press("m");
  await terminal.waitFor("Migrate …");
  terminal.press("Migrate", keys.enter);
  await terminal.waitFor("nothing stands against it", 30_000);
  terminal.press(keys.enter);
  await terminal.waitFor(/^.*Migrate kvm1\S* to node2.*\?/m);
  terminal.press(keys.down, keys.enter);
  await terminal.waitFor(/migrate: job \d+: starting memory transfer/, 60_000);
  await terminal.waitFor(/migrate: Ganeti job \d+ done/, 120_000);
  const id = /Ganeti job (\d+) done/.exec(terminal.screen().join("\n"))?.[1] ?? "";
  expect(await lab.job(id, "status,summary")).toBe(`success|INSTANCE_MIGRATE(${lab.instance("kvm1")})`);
  expect(await lab.ask("kvm1", "status,pnode")).toBe(`running|node2.${lab.network.domain}`);
  expect([await qemu(lab.master, "kvm1"), await qemu(lab.other, "kvm1")]).toEqual([null, expect.any(String)]);
  // The console of the old node has ended; it is opened again where the guest is now.
  terminal.press(keys.enter);
  await terminal.waitFor(/# *$/m, 60_000);
  terminal.press("echo it is $kept", keys.enter);
  await terminal.waitFor("it is here");
  terminal.press(leave, "d");
  await terminal.waitFor("1 of 6");
});

test("reboots cleanly, and fails over: another QEMU each time", async () => {
  const first = await qemu(lab.other, "kvm1");
  expect(await act("reboot", lab.instance("kvm1"))).toMatchObject({ ok: true, statusAfter: "running", text: null });
  const second = await qemu(lab.other, "kvm1");
  expect(second).not.toBeNull();
  expect(second).not.toBe(first);
  await act("failover", lab.instance("kvm1"), "--to", `node1.${lab.network.domain}`);
  expect(await lab.ask("kvm1", "status,pnode")).toBe(`running|node1.${lab.network.domain}`);
  expect([await qemu(lab.master, "kvm1"), await qemu(lab.other, "kvm1")]).toEqual([expect.any(String), null]);
});

test("a guest that minds no power button is forced off by Ganeti when its time is over, which is said", async () => {
  const outcome = await act("shutdown", lab.instance("deaf1"), "--timeout", "4");
  expect(outcome).toMatchObject({
    ...{ ok: true, statusAfter: "stopped" },
    text: "Ganeti forced it off: it had not shut down after 4 s",
  });
  expect(await lab.ask("deaf1", "status")).toBe("ADMIN_down");
  expect(await qemu(lab.other, "deaf1")).toBeNull();
});

/** What came first: the outcome, or Ganeti's own list of the whole cluster, which is begun now and waits for every node. */
async function beforeGaneti(outcome: Promise<unknown>): Promise<boolean> {
  const theirs = lab.master.exec("gnt-instance list --no-headers -o name,status").then(() => false);
  const first = await Promise.race([outcome.then(() => true), theirs]);
  await Promise.all([outcome, theirs]);
  return first;
}

/** Waits for it with a list under way all the time: nothing tells of what a monitor does. */
async function watched(wanted: RegExp): Promise<void> {
  const asking = setInterval(() => terminal.press("R"), 1000);
  await terminal.waitFor(wanted, 60_000).finally(() => clearInterval(asking));
}

test("a QEMU that is stopped is named, and delays the rows of its own node only", async () => {
  const { luxi } = await openProviders(teardown, lab);
  await luxi.list({});
  const pid = await qemu(lab.master, "kvm1");
  const monitor = `${place}/ctrl/${lab.instance("kvm1")}.qmp`;
  await show("kvm1");
  await lab.master.exec(`kill -STOP ${pid}`);
  try {
    await watched(row("kvm1", "hangs"));
    // Ganeti has waited 5 s for two of its calls; then their queue is full, and the others are refused at once.
    await watched(/^(?![\s\S]*not answering in time)[\s\S]*kvm1.*hangs(?!.*min ago)/);
    const ran = await headless("screenshot", lab.instance("kvm1"), "--output", "/dev/null", "--json");
    expect(ran.error()).toMatchObject({ why: "its QEMU does not answer: it is stopped, or hangs" });
    expect(await act("reboot", lab.instance("web1"))).toMatchObject({ ok: true, statusAfter: "running" });

    // In its place one that takes every call and says nothing: now it is late for good.
    await lab.master.exec(`mv ${monitor} ${monitor}.own
      setsid socat UNIX-LISTEN:${monitor},fork,backlog=100 EXEC:'sleep 600' >/dev/null 2>&1 &
      echo $! >/run/mute.pid; until [ -S ${monitor} ]; do sleep 0.1; done`);
    await watched(/kvm1.*hangs.*< 1 min ago[\s\S]*node1\S*: not answering in time since \d\d:\d\d/);
    await show("web2");
    await terminal.waitFor(/web2.*running(?!.*min ago)/);
    await lab.master.exec(`gnt-instance shutdown ${lab.instance("web2")}`);
    expect(await beforeGaneti(terminal.waitFor(row("web2", "stopped"), 60_000))).toBe(true);
    const parts = () => luxi.list({ parts: true });
    // Where the first is late before it is known why, the second finds out.
    await until("node1 late", async () => (await parts()).instances.some((one) => one.late));
    const { instances, nodes } = await parts();
    const late = instances.filter((one) => one.late).map(({ name, status }) => `${name.split(".")[0]} ${status}`);
    expect(late.sort()).toEqual(["db1 running", "kvm1 running", "web1 running"]);
    expect(nodes.some((node) => node.late)).toBe(false);

    // Whoever wants to see all of it waits.
    const listed = await headless("instances", "--json");
    expect(listed, listed.stderr).toMatchObject({ status: 0 });
    const shown = listed.json<InstanceJson[]>().map(({ name, status }) => `${name.split(".")[0]} ${status}`);
    expect(shown).toEqual([
      ...["db1 running", "db2 running", "deaf1 stopped"],
      ...["kvm1 running", "web1 running", "web2 stopped"],
    ]);
  } finally {
    await lab.master.exec(`[ ! -S ${monitor}.own ] || mv ${monitor}.own ${monitor}; kill -CONT ${pid}
      read -r mute </run/mute.pid && kill -TERM -"$mute" || true`);
  }
  await show("kvm1");
  await watched(/^(?![\s\S]*(?:not answering in time|hangs|min ago))[\s\S]*kvm1.*running/);
});

test("a QEMU that is killed is an error within seconds, and its console offers the start", async () => {
  await terminal.waitFor(row("kvm1", "running"), 60_000);
  await lab.master.exec(`kill -KILL ${await qemu(lab.master, "kvm1")}`);
  const began = performance.now();
  await terminal.waitFor(row("kvm1", "error"), 60_000);
  await terminal.waitFor("ERROR_down");
  console.log(`the row followed after ${Math.round(performance.now() - began)} ms`);
  expect(await lab.ask("kvm1", "status")).toBe("ERROR_down");
  terminal.press(keys.enter);
  await terminal.waitFor("the instance is off", 60_000);
  terminal.press(keys.enter);
  await terminal.waitFor(/^booted in/m, 120_000);
  await until("kvm1 running", async () => (await lab.ask("kvm1", "status")) === "running");
  terminal.press(leave, "d");
  await terminal.waitFor("1 of 6");
});

test("leaves by q with the terminal as it was, and nobody at a guest's serial line", async () => {
  terminal.press("q");
  expect(await terminal.exit).toBe(0);
  expect(terminal.alternate).toBe(false);
  await until("the last socat gone", async () => {
    const left = await Promise.all([lab.master, lab.other].map((node) => node.try("pgrep socat")));
    return left.every(({ status }) => status === 1);
  });
});
