import { afterAll, beforeAll, expect, test } from "vitest";
import type { CreateOutcome } from "../../../source/instances/create-types.ts";
import { parseSelected, tryAddCommand } from "../../../source/tools/ganeti-create.ts";
import { ganetiRequest } from "../../create-requests.ts";
import { Teardown, type VirtuOptions, virtu } from "../lab.ts";
import { type GanetiLab, openGaneti } from "./cluster.ts";

const teardown = new Teardown();
let lab: GanetiLab;
let options: VirtuOptions;

beforeAll(async () => {
  lab = await openGaneti(teardown);
  options = { sshConfig: lab.sshConfig, home: teardown.directory("home"), prefix: lab.network.prefix };
});
afterAll(() => teardown.run());

const diskless = ["--os", "noop", "--disk-template", "diskless"];
const create = (...words: string[]) => virtu(["create", "--host", "node1", ...diskless, ...words, "--json"], options);
const names = async () => (await lab.master.exec("gnt-instance list --no-headers -o name")).split("\n");
const remove = (name: string) => lab.master.exec(`gnt-instance remove -f ${lab.instance(name)}`);

test("one placed by hand: on that node, with its card, memory and CPUs", async () => {
  const ran = await create(
    ...[lab.instance("new1"), "--memory", "200M", "--vcpus", "2", "--node", "node2", "--tag", "made:virtu"],
    ...["--nic", "bridge=br0,mac=00:16:3e:90:00:07,ip=10.144.0.7"],
  );
  expect(ran, `${ran.stderr}${ran.stdout}`).toMatchObject({ status: 0 });
  const [outcome] = ran.json<CreateOutcome[]>();
  expect(outcome).toMatchObject({
    ...{ name: lab.instance("new1"), host: "node1", provider: "ganeti", ok: true, error: null, cleanedUp: [] },
    ...{ node: `node2.${lab.network.domain}`, address: "10.144.0.7" },
  });
  const fields = "pnode,status,be/maxmem,be/vcpus,nic.macs,nic.ips,tags";
  expect(await lab.ask("new1", fields)).toBe(
    `node2.${lab.network.domain}|running|200|2|00:16:3e:90:00:07|10.144.0.7|made:virtu`,
  );
  expect(await lab.job(outcome?.job ?? "", "status,summary")).toBe(`success|INSTANCE_CREATE(${lab.instance("new1")})`);
  await remove("new1");
});

test("two placed by the allocator, whose answer is told, left off", async () => {
  const ran = await create(`auto{n}.${lab.network.domain}`, "--count", "2", "--memory", "128M", "--no-start");
  expect(ran, `${ran.stderr}${ran.stdout}`).toMatchObject({ status: 0 });
  const outcomes = ran.json<CreateOutcome[]>();
  expect(outcomes.map(({ name }) => name)).toEqual([lab.instance("auto1"), lab.instance("auto2")]);
  for (const [index, { node, notes }] of outcomes.entries()) {
    const name = `auto${index + 1}`;
    expect(notes).toEqual([`hail chose ${node}`]);
    expect(await lab.ask(name, "pnode,status")).toBe(`${node}|ADMIN_down`);
    await remove(name);
  }
});

test("the allocator answers beforehand, and nothing is made", async () => {
  const name = lab.instance("asked1");
  const request = ganetiRequest({ name, memoryMiB: 128, placement: { kind: "allocator", name: null } });
  const { line } = tryAddCommand({ directory: "/usr/sbin/", sudo: false }, request, "3.0.2");
  const said = (await lab.master.exec(line)).split("\n").map((text) => parseSelected(text));
  expect(said.find((selected) => selected !== null)).toMatchObject({ allocator: "hail", nodes: [expect.any(String)] });
  expect(await names()).not.toContain(name);
});

test("one with too much memory: refused beforehand with the reason, and by Ganeti itself when it is to decide", async () => {
  const before = await names();
  const words = [lab.instance("large1"), "--memory", "30G", "--node", "node1"];
  const checked = await create(...words);
  expect(checked.status).toBe(2);
  expect(checked.error()).toMatchObject({ where: `node1/${lab.instance("large1")}` });
  expect(checked.stderr).toMatch(/memory: node1\S* has \d+ MiB of memory free/);

  const unchecked = await create(...words, "--no-check");
  expect(unchecked.status).toBe(1);
  const [outcome] = unchecked.json<CreateOutcome[]>();
  expect(outcome).toMatchObject({ ok: false, cleanedUp: [], leftBehind: [] });
  expect(outcome?.error).toMatch(/not enough memory on node1\S*: 30720 MiB needed, \d+ MiB free/);
  expect(await names()).toEqual(before);
});

test("several, of which one fails half way: the others are made, and what it left is removed", async () => {
  // An OS definition that fails for one name, once Ganeti has the instance and its disk.
  const make = `mkdir -p /srv/ganeti/file-storage
echo /srv/ganeti/file-storage >/etc/ganeti/file-storage-paths
cp -a /usr/share/ganeti/os/noop /usr/share/ganeti/os/picky
printf '#!/bin/sh\\n[ "\${INSTANCE_NAME%%%%.*}" != some2 ] || { echo "some2 is not wanted" >&2; exit 1; }\\n' >/usr/share/ganeti/os/picky/create`;
  await Promise.all([lab.master.exec(make), lab.other.exec(make)]);
  await lab.master.exec(`gnt-cluster modify --file-storage-dir=/srv/ganeti/file-storage \\
    --enabled-disk-templates=diskless,file --ipolicy-disk-templates=diskless,file`);
  const before = await names();
  const ran = await virtu(
    [
      ...["create", "--host", "node1", "--os", "picky", "--disk-template", "file", "--disk", "1G", "--json"],
      ...[`some{n}.${lab.network.domain}`, "--count", "3", "--memory", "128M"],
    ],
    options,
  );
  const outcomes = ran.json<CreateOutcome[]>();
  expect(
    outcomes.map(({ ok }) => ok),
    ran.stdout,
  ).toEqual([true, false, true]);
  expect(ran.status, ran.stderr).toBe(3);
  expect(outcomes[1]).toMatchObject({ cleanedUp: [`instance ${lab.instance("some2")}`], leftBehind: [] });
  expect(outcomes[1]?.error).toContain("some2");
  expect(await names()).toEqual([...before, lab.instance("some1"), lab.instance("some3")].sort());
  await Promise.all([remove("some1"), remove("some3")]);
  expect(await names()).toEqual(before);
});

test("a name that is taken is refused, by the checks and by Ganeti", async () => {
  const checked = await create(lab.instance("web1"), "--memory", "128M");
  expect(checked.status).toBe(2);
  expect(checked.stderr).toContain("name: there is a");
  const unchecked = await create(lab.instance("web1"), "--memory", "128M", "--no-check");
  expect(unchecked.status).toBe(1);
  expect(unchecked.json<CreateOutcome[]>()[0]?.error).toMatch(/already in the cluster/);
  // It is somebody's own: nothing of it is touched.
  expect(await lab.ask("web1", "status")).toBe("running");
});
