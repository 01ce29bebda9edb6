/** The libvirt provider on the embedded site: what it did is read from the site's own world, or by virsh. */
import { describe, expect, test } from "vitest";
import { LibvirtProvider } from "../../source/instances/libvirt.ts";
import type { Action, Instance, ProviderEvent } from "../../source/instances/types.ts";
import { open } from "./site.ts";

async function onHosts() {
  const opened = await open({ speed: 1000 });
  const [hv1 = "", hv2 = ""] = opened.embedded.hosts.filter((name) => /^hv\d/.test(name));
  const known = [{ name: hv1 }, { name: hv2 }];
  const provider = (name: string) =>
    new LibvirtProvider({ pool: opened.pool, host: { name }, uri: "qemu:///system", known, lookMs: 5 });
  const [first, second] = opened.embedded.world.libvirt;
  const libvirt = provider(hv1);
  const instance = async (name: string): Promise<Instance> => {
    const found = (await libvirt.list({})).instances.find((one) => one.name === name);
    if (!found) throw new Error(`no ${name}`);
    return found;
  };
  const texts: string[] = [];
  const act = async (name: string, action: Action) => {
    const one = await instance(name);
    expect(libvirt.refuses(action.do, one)).toBeNull();
    return libvirt.act(action, one, { onEvent: ({ text }) => texts.push(text) });
  };
  return { ...opened, hv1, hv2, libvirt, instance, act, texts, first: first!, second: second! };
}

describe("the life of a domain", () => {
  test("pause, save, restore, rename, clone, remove", async () => {
    const { act, instance, first } = await onHosts();
    const shop = first.find("shop");
    await act("shop", { do: "pause" });
    expect(shop?.state).toBe("paused");
    await act("shop", { do: "resume" });
    await act("shop", { do: "save" });
    expect(await instance("shop")).toMatchObject({ status: "stopped", statusDetail: "saved" });
    await act("shop", { do: "restore" });
    expect(shop).toMatchObject({ state: "running", saved: false });
    await act("old-wiki", { do: "rename", to: "wiki 2" });
    await act("wiki 2", { do: "clone", to: "wiki3" });
    expect(first.find("wiki3")).toMatchObject({ state: "shut off" });
    expect(await act("wiki3", { do: "remove", keepDisks: false })).toMatchObject({
      ok: true,
      text: expect.stringMatching(/deleted: .*wiki3\.qcow2/),
    });
    expect(first.find("wiki3")).toBeUndefined();
  });

  test("tags and a note are found again, in the list and in the details", async () => {
    const { act, instance, libvirt } = await onHosts();
    await act("shop", { do: "tag", add: ["env:prod", "web"], remove: [] });
    await act("shop", { do: "tag", add: ["db"], remove: ["web"] });
    await act("shop", { do: "note", text: "two\nlines <&>" });
    const shop = await instance("shop");
    expect(shop.facts["tags"]).toBe("env:prod,db");
    expect(await libvirt.details(shop, {})).toMatchObject({ tags: ["env:prod", "db"], note: "two\nlines <&>" });
    expect(await act("shop", { do: "tag", add: ["a b"], remove: [] })).toMatchObject({ ok: false });
  });

  test("hardware comes, grows and goes", async () => {
    const { act, instance, libvirt, first } = await onHosts();
    const set = first.find("shop")!.set;
    expect(await act("shop", { do: "disk-add", mebibytes: 64, pool: null })).toMatchObject({ ok: true });
    const added = "/var/lib/libvirt/images/shop-vdb.qcow2";
    expect(set.disks).toContainEqual({ target: "vdb", device: "disk", source: added });
    expect(first.storage.bytes(added)).toBe(64 * 1024 ** 2);
    await act("shop", { do: "disk-grow", disk: "vdb", mebibytes: 128 });
    expect(await act("shop", { do: "disk-grow", disk: "vdb", mebibytes: 32 })).toMatchObject({
      ok: false,
      error: expect.stringMatching(/already/),
    });
    await act("shop", { do: "nic-add", network: "default" });
    await act("shop", { do: "media-insert", disk: null, path: "/var/lib/libvirt/images/debian-12-netinst.iso" });
    const details = await libvirt.details(await instance("shop"), {});
    expect(details.disks.map(({ id, sizeMiB, source }) => [id, sizeMiB, source?.split("/").at(-1)])).toEqual([
      ["vda", expect.any(Number), "shop.qcow2"],
      ["sda", 628, "debian-12-netinst.iso"],
      ["vdb", 128, "shop-vdb.qcow2"],
    ]);
    expect(details.nics).toHaveLength(2);
    expect(details).toMatchObject({ networks: ["default"], media: [expect.stringMatching(/netinst/)] });
    await act("shop", { do: "nic-remove", nic: details.nics[1]!.id });
    await act("shop", { do: "media-eject", disk: "sda" });
    expect(await act("shop", { do: "disk-remove", disk: "vdb", keepVolume: false })).toMatchObject({ ok: true });
    expect([set.disks.length, set.nics.length, first.storage.find(added)]).toEqual([2, 1, null]);
    await act("shop", { do: "set-vcpus", count: 3 });
    expect(await act("shop", { do: "set-memory", mebibytes: 8192 })).toMatchObject({
      text: expect.stringMatching(/next start/),
    });
    expect(first.find("shop")).toMatchObject({ vcpus: 3, maximumMemory: 8192 * 1024 });
  });

  test("snapshots make a tree, and the definition can be changed", async () => {
    const { act, instance, libvirt } = await onHosts();
    for (const name of ["before", "after it"]) {
      await act("shop", { do: "snapshot-create", name, description: `that's ${name}`, memory: true });
    }
    await act("shop", { do: "snapshot-revert", name: "before" });
    await act("shop", { do: "snapshot-create", name: "third", description: "", memory: false });
    const { snapshots, definition } = await libvirt.details(await instance("shop"), {});
    expect(snapshots.map(({ name, parent, state, current }) => [name, parent, state, current])).toEqual([
      ["before", null, "running", false],
      ["after it", "before", "running", false],
      ["third", "before", "disk-snapshot", true],
    ]);
    expect(snapshots[1]?.description).toBe("that's after it");
    await act("shop", { do: "snapshot-delete", name: "before" });
    const text = definition.text.replace(/<title>.*<\/title>/, "<title>Changed</title>");
    expect(await act("shop", { do: "define", text })).toMatchObject({ ok: true });
    expect((await instance("shop")).facts["title"]).toBe("Changed");
    expect(
      await act("shop", { do: "define", text: text.replace(/<uuid>[^<]*/, `<uuid>${"0".repeat(36)}`) }),
    ).toMatchObject({
      ok: false,
      error: expect.stringMatching(/uuid must stay/),
    });
  });

  test("migrates with its disks to a host that was looked at first", async () => {
    const { act, hv1, instance, libvirt, texts, first, second } = await onHosts();
    const targets = await libvirt.targets("migrate", await instance("shop"), {});
    expect(targets).toEqual([
      {
        ...{ name: expect.any(String), refusal: null, memoryFreeMiB: expect.any(Number) },
        note: `networks are there · its disk is copied · same CPU · ${hv1} reaches it`,
      },
    ]);
    second.cpuLacks = ["avx2"];
    expect((await libvirt.targets("migrate", await instance("shop"), {}))[0]?.refusal).toMatch(/it lacks avx2$/);
    second.cpuLacks = [];
    const outcome = await act("shop", { do: "migrate", to: targets[0]!.name, live: true });
    expect(outcome).toMatchObject({ ok: true });
    expect(texts).toContain(`migrating to ${targets[0]!.name}: 57 %`);
    expect([first.find("shop"), second.find("shop")?.state]).toEqual([undefined, "running"]);
  });
});

test("tells what anybody changes as it happens, with the instance that it is about", async () => {
  const { libvirt, on, hv1, instance } = await onHosts();
  const shop = await instance("shop");
  const abort = new AbortController();
  const seen: ProviderEvent[] = [];
  let arrived = () => {};
  const watching = new Promise<void>((ready, reject) => {
    libvirt
      .watch?.({
        signal: abort.signal,
        onReady: ready,
        onEvent: (event) => {
          seen.push(event);
          arrived();
        },
      })
      .catch(reject);
  });
  await watching;
  const two = new Promise<void>((resolve) => {
    arrived = () => {
      if (seen.length >= 2) resolve();
    };
  });
  await on("virsh suspend shop; virsh resume shop", { name: hv1 });
  await two;
  expect(seen.map(({ key, name, text }) => [key, name, text])).toEqual([
    [shop.key, "shop", "Suspended Paused"],
    [shop.key, "shop", "Resumed Unpaused"],
  ]);
  abort.abort();
});
