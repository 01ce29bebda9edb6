import { expect, test } from "vitest";
import { discover } from "../../source/instances/discover.ts";
import type { DiscoverOptions } from "../../source/instances/types.ts";
import type { HostRef } from "../../source/ssh/types.ts";
import { type Reply, recorded, ScriptedPool } from "./fake-pool.ts";
import { dead, ganetiHost, isDiscovery, libvirtHost } from "./script.ts";

async function ask(reply: Reply, options: DiscoverOptions = {}, host: HostRef = { name: "root@node2" }) {
  const pool = new ScriptedPool(() => reply);
  return { pool, ...(await discover(pool, host, options)) };
}

const probed = (ganeti: string, libvirt: string): Reply => ({
  stdout: `@@virtu probe ganeti\n${ganeti}@@virtu probe libvirt\n${libvirt}`,
});
const virsh = (text: string, status: number) => `/usr/bin/virsh\n${text}@@virtu status ${status}\n`;
const refusing = (name: string) => probed("", virsh(recorded("libvirt", name).stderr ?? "", 1));

test("finds libvirt in one round trip, at the URI that is asked for", async () => {
  const { pool, providers, problems } = await ask(libvirtHost, { uri: "test:///default" });
  expect(providers.map(({ name, attachment }) => [name, attachment.label])).toEqual([["libvirt", "test:///default"]]);
  expect(problems).toEqual([]);
  expect(pool.lines()).toHaveLength(1);
  expect(pool.lines()[0]).toContain("virsh -c test:///default hostname");
  expect(isDiscovery(pool.lines()[0] ?? "")).toBe(true);
});

test("finds several providers on one host", async () => {
  const both = `${ganetiHost("node1", "node1.example.org").stdout}${virsh("node1\n\n", 0)}`;
  const { providers } = await ask({ stdout: both });
  expect(providers.map(({ name, place }) => [name, place])).toEqual([
    ["ganeti", "ganeti/cluster1.example.org@339f199a"],
    ["libvirt", "libvirt/root@node2/qemu:///system"],
  ]);
});

test("drives Ganeti on the named host when that is the master", async () => {
  const host = { name: "whatever" };
  const { providers } = await ask(ganetiHost("node1", "node1.example.org"), {}, host);
  expect(providers[0]?.target).toBe(host);
});

test("drives Ganeti on the master as another host is named that is it", async () => {
  const known = [{ name: "root@node11:22" }, { name: "admin@node1:2222" }];
  const { providers } = await ask(ganetiHost("node2", "node1.example.org"), { known });
  expect(providers[0]?.target).toBe(known[1]);
});

test("goes to an unnamed master through the named host, as root", async () => {
  const host = { name: "root@node2" };
  const { providers } = await ask(ganetiHost("node2", "node1.example.org"), {}, host);
  expect(providers[0]?.target).toEqual({ name: "node1.example.org", via: host, user: "root" });
  expect(providers[0]?.attachment.host).toBe(host);
});

test("uses sudo where it works, but not as root on a master behind the host", async () => {
  const text = (hostname: string) =>
    ganetiHost(hostname, "node1.example.org").stdout.replace(`\n0\n${hostname}\ndirect`, `\n1000\n${hostname}\nsudo`);
  const instance = { name: "web1", facts: {} } as never;
  const [here] = (await ask({ stdout: text("node1") })).providers;
  expect(here?.preview({ do: "start" }, instance)[0]).toMatch(
    /^sudo -n env LC_ALL=C \/usr\/sbin\/gnt-instance startup/,
  );
  const [behind] = (await ask({ stdout: text("node2") })).providers;
  expect(behind?.preview({ do: "start" }, instance)[0]).toMatch(/^LC_ALL=C /);
});

test.each([
  ["perm-group-denied", /permission/, /group libvirt/],
  ["perm-polkit-denied", /rights/, /group libvirt/],
  ["perm-user-system", /D-Bus/, /group libvirt/],
  ["err-no-daemon-system", /does not run/, /systemctl start/],
  ["err-bad-uri-scheme", /no driver for nosuch:\/\/\/system/, /--uri/],
  ["err-bad-uri-path", /path/, /--uri qemu:\/\/\/system/],
  ["err-bad-uri-syntax", /can't be read/, /--uri/],
  ["err-bad-test-file", /nonexistent\.xml/, undefined],
])("says why libvirt can't be used: %s", async (name, why, hint) => {
  const { providers, problems } = await ask(refusing(name));
  expect(providers).toEqual([]);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatchObject({ kind: "refused", where: "root@node2", why: expect.stringMatching(why) });
  if (hint) expect(problems[0]?.hint).toMatch(hint);
  expect(problems[0]?.detail).toContain("error:");
});

test("says that libvirt does not answer in time", async () => {
  const { problems } = await ask(probed("", virsh("", 124)));
  expect(problems[0]).toMatchObject({ kind: "timeout" });
});

test("does not complain of an idle libvirt beside a cluster, unless it was asked for", async () => {
  const stdout = `${ganetiHost("node1", "node1.example.org").stdout}${virsh(recorded("libvirt", "err-no-daemon-system").stderr ?? "", 1)}`;
  expect((await ask({ stdout })).problems).toEqual([]);
  expect((await ask({ stdout }, { uri: "qemu:///system" })).problems).toHaveLength(1);
});

test("misses virsh only where a URI was asked for", async () => {
  expect(await ask(probed("", ""))).toMatchObject({ providers: [], problems: [] });
  const { problems } = await ask(probed("", ""), { uri: "qemu:///system" });
  expect(problems[0]?.why).toMatch(/not installed/);
});

test("tells a Ganeti without a cluster from one that this user may not see", async () => {
  const empty = "@@virtu master\n@@virtu cluster\n@@virtu groups\n";
  const asRoot = await ask(probed(`/usr/sbin/gnt-cluster\n0\nnode2\ndirect\n${empty}`, ""));
  expect(asRoot.problems[0]?.what).toMatch(/belongs to no cluster/);
  const asUser = await ask(probed(`/usr/sbin/gnt-cluster\n1000\nnode2\ndirect\n${empty}`, ""));
  expect(asUser.problems[0]).toMatchObject({ what: "Ganeti can't be used", hint: expect.stringMatching(/root@HOST/) });
});

test("rejects when the host is out of reach, or has no shell", async () => {
  await expect(ask(dead)).rejects.toBe(dead);
  await expect(ask({ outcome: "lost" })).rejects.toMatchObject({ kind: "connection" });
  await expect(ask({ outcome: "timeout" })).rejects.toMatchObject({ kind: "timeout" });
  await expect(ask({ stdout: "This account is not available.\n", status: 1 })).rejects.toMatchObject({
    kind: "unparsed",
    detail: "This account is not available.",
  });
});
