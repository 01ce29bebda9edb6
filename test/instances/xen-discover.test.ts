import { expect, test } from "vitest";
import { discover } from "../../source/instances/discover.ts";
import type { DiscoverOptions } from "../../source/instances/types.ts";
import { fixture, ScriptedPool } from "./fake-pool.ts";

const probe = (name: string) => fixture("xen", `${name}.stdout`);
const virsh = (status: number, text = "") => `/usr/bin/virsh\n${text}@@virtu status ${status}\n`;
const ganeti =
  "/usr/sbin/gnt-cluster\n0\nxen1\ndirect\n@@virtu master\nxen1\n@@virtu cluster\nc1\n@@virtu groups\n339f199a-f42a-4df7-afc1-8d1fa1743b36 default\n";
const noDriver =
  "error: failed to connect to the hypervisor\nerror: no connection driver available for qemu:///system\n";
const xe = `/opt/xensource/bin/xe
0
direct
c1f4b1a8-2f0e-4a3d-8c55-1d9b7e6a4c10
@@virtu pool
uuid ( RO)          : 7d1b0c1e-2f0e-4a3d-8c55-1d9b7e6a4c99
    name-label ( RW): lab
        master ( RO): c1f4b1a8-2f0e-4a3d-8c55-1d9b7e6a4c10


@@virtu status 0
`;

async function found(parts: Record<string, string>, options: DiscoverOptions = {}, poll = "") {
  const stdout = ["ganeti", "libvirt-xen", "libvirt", "xenserver", "xen"]
    .map((name) => `@@virtu probe ${name}\n${parts[name] ?? ""}`)
    .join("");
  const pool = new ScriptedPool(({ line }) => ({ stdout: line.includes("@@virtu probe") ? stdout : poll }));
  const { providers, problems } = await discover(pool, { name: "xen1" }, options);
  return { pool, providers, problems, places: providers.map(({ place }) => place) };
}

test("finds xl and libvirt's Xen driver on one dom0 in one round trip, and not its QEMU", async () => {
  const { places, problems, pool } = await found({ "libvirt-xen": virsh(0), libvirt: virsh(0), xen: probe("probe") });
  expect(places).toEqual(["libvirt/xen1/xen:///system", "xen/xen1"]);
  expect(problems).toEqual([]);
  expect(pool.calls).toHaveLength(1);
});

test("tells xl whose domains are shown elsewhere", async () => {
  const poll = fixture("xen", "poll-full.stdout").replace("@@virtu ganeti\n", "@@virtu ganeti\nweb1\n");
  const names = async (parts: Record<string, string>) => {
    const { providers } = await found({ ...parts, xen: probe("probe") }, {}, poll);
    const snapshot = await providers.find(({ name }) => name === "xen")?.list({});
    return snapshot?.instances.map(({ name }) => name).filter((name) => name === "web1" || name === "vweb");
  };
  expect(await names({})).toEqual(["web1", "vweb"]);
  expect(await names({ "libvirt-xen": virsh(0) })).toEqual(["web1"]);
  expect(await names({ "libvirt-xen": virsh(0), ganeti })).toEqual([]);
  // Another driver's domains are not those of Xen.
  expect(await names({ libvirt: virsh(0) })).toEqual(["web1", "vweb"]);
});

test("does not complain of a libvirt without QEMU beside xl, nor look for Xen's where a URI is given", async () => {
  expect((await found({ libvirt: virsh(1, noDriver), xen: probe("probe") })).problems).toEqual([]);
  const { pool } = await found({}, { uri: "test:///default" });
  expect(pool.lines()[0]).not.toContain("xen:///system");
});

test("says why xl can't be used, before what is merely installed", async () => {
  const hidden = "/usr/sbin/gnt-cluster\n1000\nxen1\ndirect\n@@virtu master\n@@virtu cluster\n@@virtu groups\n";
  const refused = await found({ ganeti: hidden, xen: probe("probe-no-rights") });
  expect(refused.problems.map(({ what, why }) => [what, why])[0]).toEqual([
    "Xen can't be used",
    "this user has no rights on Xen",
  ]);
  const asleep = await found({ xen: "/usr/sbin/xl\n0\ndirect\nnone\n" });
  expect(asleep.problems[0]).toMatchObject({
    what: "Xen is installed and does not run",
    hint: expect.stringMatching(/boot/i),
  });
  const beside = await found({ libvirt: virsh(0), xen: "/usr/sbin/xl\n0\ndirect\nnone\n" });
  expect(beside.problems).toEqual([]);
  const silent = await found({ xen: "/usr/sbin/xl\n0\ndirect\ndom0\n@@virtu status 124\n" });
  expect(silent.problems[0]).toMatchObject({ kind: "timeout" });
});

test("takes a host of XenServer as its pool, and leaves its xl alone", async () => {
  const { providers, places } = await found({ xenserver: xe, xen: probe("probe") });
  expect(places).toEqual(["xenserver/7d1b0c1e-2f0e-4a3d-8c55-1d9b7e6a4c99"]);
  expect(providers[0]?.cluster).toBe("lab");
  const refused = xe.replace(/uuid[\s\S]*/, "Authentication failed\nFor usage run: 'xe help'\n@@virtu status 1\n");
  const { problems } = await found({ xenserver: refused });
  expect(problems[0]).toMatchObject({ what: "XenServer's xe can't be used", hint: expect.stringMatching(/root@HOST/) });
});
