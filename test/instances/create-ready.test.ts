import { Duplex, PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { VirtuError } from "../../source/errors.ts";
import { awaitReady } from "../../source/instances/create-ready.ts";
import type { LibvirtRequest, ReadyWanted } from "../../source/instances/create-types.ts";
import { LibvirtProvider } from "../../source/instances/libvirt.ts";
import type { Command } from "../../source/ssh/command.ts";
import type { HostRef, PtyChannel } from "../../source/ssh/types.ts";
import { libvirtRequest, uuid } from "../create-requests.ts";
import { type Call, type Reply, ScriptedPool } from "./fake-pool.ts";

/** A scripted pool whose guests have a console, and ports that greet. */
class GuestPool extends ScriptedPool {
  readonly typed: string[] = [];
  readonly consoles: string[] = [];
  constructor(
    script: (call: Call) => Reply,
    /** What each console says, one after the other; null: it stays open. */
    private readonly says: readonly (readonly string[])[] = [],
    private readonly greets: readonly (string | null)[] = [],
  ) {
    super(script);
  }

  override pty(_host: HostRef, command: Command | null): Promise<PtyChannel> {
    const said = this.says[this.consoles.length] ?? [];
    this.consoles.push(command?.line ?? "");
    const out = new PassThrough();
    const stream = new Duplex({
      read: () => {},
      write: (chunk: Buffer, _encoding, done) => {
        this.typed.push(chunk.toString());
        done();
      },
    });
    let end: () => void = () => {};
    const ended = new Promise<Awaited<PtyChannel["ended"]>>((resolve) => {
      end = () => resolve({ outcome: "exited", status: 0, signal: null });
    });
    out.on("data", (chunk: Buffer) => stream.push(chunk));
    for (const piece of said) out.write(piece);
    // The last one stays open, as a console does.
    if (this.consoles.length < this.says.length) setImmediate(end);
    const channel: PtyChannel = { stream, resize: () => {}, close: end, ended };
    return Promise.resolve(channel);
  }

  private knocked = 0;
  override forward(): Promise<Duplex> {
    const greeting = this.greets[this.knocked] ?? null;
    this.knocked += 1;
    if (greeting === null) return Promise.reject(new VirtuError({ kind: "refused", what: "Connection refused" }));
    const stream = new PassThrough();
    stream.write(greeting);
    return Promise.resolve(stream);
  }
}

const news = (state: string, address?: string): Reply => ({
  stdout: `${state}\n\n${address ? ` Name       MAC address          Protocol     Address\n---\n vnet0      52:54:00:00:00:01    ipv4         ${address}/24\n` : ""}@@virtu seen\n`,
});

async function wait(
  pool: GuestPool,
  wanted: Partial<ReadyWanted>,
  given: Partial<LibvirtRequest> = {},
  address: string | null = null,
) {
  const texts: string[] = [];
  const provider = new LibvirtProvider({ pool, host: { name: "hv1" }, uri: "qemu:///system" });
  const all: ReadyWanted = { by: "ping", pattern: null, address: null, limitSeconds: 5, ...wanted };
  const found = await awaitReady(provider, libvirtRequest(given), all, {
    ...{ pool, address, lookMs: 1, onText: (text) => texts.push(text) },
  });
  return { ...found, texts };
}

/** Replies to the question how the domain is, one after the other (the last one stays), and to pings. */
function script(states: Reply[], pings: (0 | 1)[] = []) {
  return ({ line }: Call): Reply => {
    if (line.startsWith("ping")) return { status: pings.length > 1 ? pings.shift() : (pings[0] ?? 0) };
    if (line.includes("domstate")) return (states.length > 1 ? states.shift() : states[0]) ?? {};
    return {};
  };
}

describe("by ping", () => {
  test("its address is learned from the host, then it answers", async () => {
    const pool = new GuestPool(script([news("running"), news("running", "192.168.122.7")], [1, 0]));
    expect(await wait(pool, {})).toMatchObject({
      ready: true,
      address: "192.168.122.7",
      text: "answers ping at 192.168.122.7",
    });
    expect(pool.lines().filter((line) => line.startsWith("ping"))).toEqual([
      ...["ping -n -c 1 -W 2 192.168.122.7", "ping -n -c 1 -W 2 192.168.122.7"],
    ]);
  });

  test("an address that is known is taken", async () => {
    const pool = new GuestPool(script([news("running", "192.168.122.7")]));
    expect(await wait(pool, {}, {}, "10.144.0.5")).toMatchObject({ ready: true, address: "10.144.0.5" });
    expect(await wait(new GuestPool(script([news("running")])), { address: "10.0.0.9" })).toMatchObject({
      address: "10.0.0.9",
    });
  });

  test("after its limit it says what is missing", async () => {
    const silent = new GuestPool(script([news("running", "192.168.122.7")], [1]));
    const limit = { limitSeconds: 0.05 };
    expect(await wait(silent, limit)).toMatchObject({
      ready: false,
      text: "192.168.122.7 does not answer ping after 0.05 s",
    });
    const nowhere = new GuestPool(script([news("running")]));
    expect(await wait(nowhere, limit)).toMatchObject({ ready: false, text: "nobody knows its address after 0.05 s" });
  });

  test("an installer that has ended is started from its disk, once", async () => {
    const pool = new GuestPool(script([news("shut off"), news("running", "10.0.0.1")]));
    const { ready, texts } = await wait(pool, {}, { media: { kind: "iso", path: "/x.iso", upload: null } });
    expect(ready).toBe(true);
    expect(texts).toContain("the installation has ended: starting it from its disk");
    expect(pool.lines().filter((line) => line.endsWith(`start ${uuid}`))).toHaveLength(1);
    const twice = new GuestPool(script([news("shut off")]));
    expect(await wait(twice, {}, { media: { kind: "pxe" } })).toMatchObject({ ready: false, text: "it went off" });
  });

  test("anything else that goes off, or crashes, is not waited for", async () => {
    const media = { kind: "import", image: "/x", copy: null } as const;
    expect(await wait(new GuestPool(script([news("shut off")])), {}, { media })).toMatchObject({ text: "it went off" });
    expect(await wait(new GuestPool(script([news("crashed")])), {}, { media })).toMatchObject({ text: "it crashed" });
  });
});

test("by SSH it is ready once a server greets there, not when something else does", async () => {
  const pool = new GuestPool(script([news("running")]), [], [null, "220 mail\r\n", "SSH-2.0-OpenSSH_9.2\r\n"]);
  expect(await wait(pool, { by: "ssh" }, {}, "10.0.0.5")).toMatchObject({
    ready: true,
    text: "answers SSH at 10.0.0.5",
  });
});

describe("by its console", () => {
  test("it is ready at the login prompt; what it says meanwhile is told, without its control characters", async () => {
    const pool = new GuestPool(script([news("running")]), [
      ["Escape\r\n\u001b[1mLoading", " Linux\r\nweb1 ", "login: "],
    ]);
    const { ready, text, texts } = await wait(pool, { by: "console" });
    expect([ready, text]).toEqual([true, 'its console says "web1 login:"']);
    expect(texts).toContain("Loading Linux");
    expect(pool.consoles).toEqual([`LC_ALL=C.UTF-8 virsh -c qemu:///system console ${uuid}`]);
  });

  test("a console that ends is opened again, as after a reboot", async () => {
    const pool = new GuestPool(script([news("running")]), [["first\r\n"], ["ready now\r\n"]]);
    expect(await wait(pool, { by: "console", pattern: "^ready" })).toMatchObject({ ready: true });
    expect(pool.consoles).toHaveLength(2);
  });

  test("after its limit its last line is told", async () => {
    const pool = new GuestPool(script([news("running")]), [["Kernel panic\r\n"]]);
    expect(await wait(pool, { by: "console", limitSeconds: 0.1 })).toMatchObject({
      ...{ ready: false, text: 'its console last said "Kernel panic" after 0.1 s' },
    });
  });
});
