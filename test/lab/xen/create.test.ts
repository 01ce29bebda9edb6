/** Domains made by `virtu create` on a real dom0. Every outcome is asked of `xl` there, by an ssh of the test's own. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { CreateOutcome } from "../../../source/instances/create-types.ts";
import { discover } from "../../../source/instances/discover.ts";
import { createPool } from "../../../source/ssh/pool.ts";
import type { Pool } from "../../../source/ssh/types.ts";
import { TestAsker } from "../../ssh/server.ts";
import { Teardown, until, type VirtuOptions, virtu } from "../lab.ts";
import { openXen, type XenHost } from "./host.ts";

// A processor that is emulated on a loaded machine: ten times slower than usual is still right.
vi.setConfig({ testTimeout: 300_000 });

const teardown = new Teardown();
let xen: XenHost;
let home: string;
let options: VirtuOptions;
let pool: Pool;

beforeAll(async () => {
  xen = await openXen(teardown);
  home = teardown.directory("home");
  options = { sshConfig: xen.sshConfig, home };
  pool = createPool({ sshConfig: xen.sshConfig, asker: new TestAsker() });
  teardown.add(() => pool.end());
});
afterAll(() => teardown.run());

/** MiB that Xen has free. */
const free = async () => Number(await xen.exec("xl info | sed -n 's/^free_memory *: //p'"));

/** What lies in the places where a making leaves something. */
const left = () => xen.exec("ls -1d /etc/xen/*.cfg /srv/xen/*.img");

test("makes a guest from a file: its disk, its file in /etc/xen, its start, and a login at its console", async () => {
  const file = join(home, "new1.yaml");
  writeFileSync(
    file,
    `provider: xen
hosts: [xen1]
name: new1
memory: 96
boot: { kernel: /srv/xen/vmlinux, ramdisk: /srv/xen/initrd.gz, arguments: console=hvc0 vmname=new1 }
disks:
  - { size: 64M }
nics:
  - { bridge: xenbr0 }
ready: { by: console, limit: 240 }
`,
  );
  const ran = await virtu(["create", "-f", file, "--json"], options);
  expect(ran, ran.stderr).toMatchObject({ status: 0 });
  expect(ran.json<CreateOutcome[]>()[0]).toMatchObject({
    ...{ name: "new1", provider: "xen", ok: true, ready: true, error: null, leftBehind: [] },
    notes: [expect.stringContaining("new1 login:")],
  });
  expect((await xen.domains()).get("new1")).toMatchObject({ memory: 96 });
  const text = await xen.exec("cat /etc/xen/new1.cfg");
  expect(text).toContain('target=/srv/xen/new1.img"');
  // The same identity as in its file, now and after every start.
  const uuid = /uuid = "([^"]+)"/.exec(text)?.[1] ?? "none";
  expect(await xen.exec("xl list -v new1")).toContain(uuid);
  expect(await xen.exec("xl block-list new1 | wc -l; stat -c %s /srv/xen/new1.img")).toBe("2\n67108864");
  const mac = /mac=([\da-f:]+)/.exec(text)?.[1] ?? "none";
  expect(await xen.exec("xl network-list new1")).toContain(mac);

  const { providers } = await discover(pool, { name: "xen1" });
  const xl = providers.find(({ name }) => name === "xen");
  const made = (await xl?.list({}))?.instances.find(({ name }) => name === "new1");
  if (!xl || !made) throw new Error("xl shows no new1");
  expect(made).toMatchObject({ status: "running", facts: { file: "/etc/xen/new1.cfg", uuid } });
  const way = xl.console(made);
  if ("refusal" in way) throw new Error(way.refusal);
  const { stream, ended } = await pool.pty(way.host, way.command, { columns: 80, rows: 24 });
  let said = "";
  stream.on("data", (data: Buffer) => {
    said += data.toString();
  });
  await until("a login prompt", () => {
    stream.write("\r");
    return /new1 login: /.test(said);
  });
  stream.write("root\r");
  await until("a shell", () => said.includes("new1# "));
  stream.write("cat /proc/partitions\r");
  await until("its disk", () => /65536 xvda/.test(said));
  stream.write(way.leave ?? "");
  await ended;
  expect(await xen.exec("xl destroy new1 && cat /etc/xen/new1.cfg")).toBe(text);
});

test("refuses one for which there is no memory, with the reason, and so does Xen itself", async () => {
  const [before, memory] = [await left(), await free()];
  const words = ["create", "big1", "--type", "pv", "--kernel", "/srv/xen/vmlinux", "--host", "xen1", "--nic", "none"];
  const ran = await virtu([...words, "--memory", "1900M", "--json"], options);
  expect(ran.status).toBe(2);
  expect(ran.stderr).toMatch(/memory: Xen has \d+ MiB free of \d+/);
  const forced = await virtu([...words, "--memory", "1900M", "--disk", "8M", "--no-check", "--json"], options);
  expect(forced.status).toBe(1);
  expect(forced.json<CreateOutcome[]>()[0]).toMatchObject({
    ...{ ok: false, error: expect.stringContaining("Xen has not enough free memory for it"), leftBehind: [] },
    cleanedUp: ["file /etc/xen/big1.cfg", "file /srv/xen/big1.img"],
  });
  expect(await left()).toBe(before);
  expect([...(await xen.domains()).keys()]).not.toContain("big1");
  // Xen scrubs what it had already given, and has it back after that.
  await until("Xen has its memory back", async () => (await free()) >= memory, 240_000);
});

test("one that fails at its start leaves nothing behind, and nothing of others is touched", async () => {
  const before = await left();
  const sums = () => xen.exec("sha256sum /etc/xen/*.cfg");
  const texts = await sums();
  // Less than its own kernel needs, and Xen would speak of memory before it looks for a bridge.
  const words = ["--type", "pv", "--kernel", "/srv/xen/vmlinux", "--host", "xen1", "--memory", "96", "--json"];
  const gone = await virtu(
    ["create", "gone1", ...words, "--nic", "bridge=nosuchbr", "--disk", "8M", "--no-check"],
    options,
  );
  expect(gone.status).toBe(1);
  expect(gone.json<CreateOutcome[]>()[0]).toMatchObject({
    ...{ error: expect.stringContaining("there is no bridge nosuchbr on that host"), leftBehind: [] },
    cleanedUp: ["file /etc/xen/gone1.cfg", "file /srv/xen/gone1.img"],
  });
  // What bears the name of another's disk or file is refused before anything is written over.
  const disk = await virtu(["create", "web1", ...words, "--nic", "none", "--disk", "8M", "--no-check"], options);
  expect(disk.json<CreateOutcome[]>()[0]).toMatchObject({
    ...{ error: "there is a /srv/xen/web1.img already, and it stays as it is", cleanedUp: [], leftBehind: [] },
  });
  const file = await virtu(["create", "web1", ...words, "--nic", "none", "--disk", "none", "--no-check"], options);
  expect(file.json<CreateOutcome[]>()[0]).toMatchObject({
    ...{ error: "there is a /etc/xen/web1.cfg already, and it stays as it is", cleanedUp: [], leftBehind: [] },
  });
  expect(await left()).toBe(before);
  expect(await sums()).toBe(texts);
  expect([...(await xen.domains()).keys()].filter((name) => name === "gone1" || name === "(null)")).toEqual([]);
  expect((await xen.domains()).get("web1")).toBeDefined();
});
