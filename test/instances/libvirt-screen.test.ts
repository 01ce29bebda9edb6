import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { LibvirtProvider } from "../../source/instances/libvirt.ts";
import type { Instance } from "../../source/instances/types.ts";
import { ScriptedPool } from "./fake-pool.ts";

const instance = { name: "web1", status: "running", facts: {} } as unknown as Instance;
const picture = Buffer.from("P6\n1 1\n255\nabc");

function provider(reply: { stdout?: string; stderr?: string; status?: number }) {
  const pool = new ScriptedPool(() => reply);
  return { pool, provider: new LibvirtProvider({ pool, host: { name: "hv1" }, uri: "qemu:///system" }) };
}

test("a picture comes as it was taken, in one round trip", async () => {
  const { pool, provider: libvirt } = provider({ stdout: gzipSync(picture).toString("base64") });
  expect(Buffer.from(await libvirt.screenshot(instance, {}))).toEqual(picture);
  expect(pool.calls).toHaveLength(1);
});

test("without one, virsh's reason is given; what is no picture is said to be none", async () => {
  const stderr = "error: Failed to take a screenshot\nerror: Requested operation is not valid: domain is not running\n";
  await expect(provider({ stderr, status: 0 }).provider.screenshot(instance, {})).rejects.toMatchObject({
    kind: "refused",
    where: "hv1",
    detail: stderr,
  });
  await expect(provider({ stdout: "bm90aGluZw==" }).provider.screenshot(instance, {})).rejects.toMatchObject({
    kind: "unparsed",
  });
});

test("the graphical console's port as its host sees it; none when it is off", async () => {
  const { pool, provider: libvirt } = provider({ stdout: "vnc://127.0.0.1:2\n" });
  expect(await libvirt.graphics(instance, {})).toEqual({
    kind: "vnc",
    host: { name: "hv1" },
    address: "127.0.0.1",
    port: 5902,
  });
  expect(await libvirt.graphics({ ...instance, status: "stopped" }, {})).toBeNull();
  expect(pool.calls).toHaveLength(1);
});
