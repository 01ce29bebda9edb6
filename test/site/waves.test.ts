/** Waves that wait for a ping or a console, on the site's hosts: what lets the next one begin, and what is said when it never comes. */
import { afterEach, expect, test, vi } from "vitest";
import type { ActionItem, Inventory } from "../../source/instances/inventory.ts";
import { createInventory } from "../../source/instances/inventory.ts";
import { type Wave, waveOf } from "../../source/instances/waves.ts";
import { open } from "./site.ts";

const inventories: Inventory[] = [];
afterEach(() => {
  for (const inventory of inventories.splice(0)) inventory.end();
});

async function onHosts(...kinds: RegExp[]) {
  const opened = await open({ speed: 200 });
  const { world, hosts } = opened.embedded;
  const names = kinds.map((kind) => hosts.find((name) => kind.test(name)) ?? "");
  const inventory = createInventory({ pool: opened.pool, hosts: names.map((name) => ({ name })) });
  inventories.push(inventory);
  await inventory.refresh();
  const key = (name: string) => {
    const found = inventory.view().instances.find((row) => row.name === name);
    if (!found) throw new Error(`no ${name}`);
    return found.key;
  };
  /** Each text: `NAME until …`. */
  const start = async (...texts: string[]) => {
    const waves = texts.map((text): Wave => {
      const [name = ""] = text.split(" ");
      const { until, withinSeconds } = waveOf(text);
      return { title: name, keys: [key(name)], also: [], until, withinSeconds };
    });
    const run = inventory.act(
      { do: "start" },
      waves.flatMap(({ keys }) => keys),
      { waves },
    );
    const said = new Set<string>();
    const look = () => said.add(inventory.view().runs[0]?.waves[0]?.text ?? "");
    inventory.on("change", look);
    const items = await run.done;
    inventory.off("change", look);
    const state = (name: string) => items.find((item) => item.name === name) as ActionItem;
    return { items, state, said: [...said], waves: inventory.view().runs[0]?.waves ?? [] };
  };
  const libvirt = world.libvirt[0];
  if (!libvirt) throw new Error("no host");
  const domain = (name: string) => {
    const found = libvirt.find(name);
    if (!found) throw new Error(`no ${name}`);
    return found;
  };
  return { ...opened, inventory, start, libvirt, domain, xen: world.xen, ganeti: world.ganeti };
}

test("the next wave begins when the guest of the one before answers a ping, and not before", async () => {
  const { start, libvirt, domain } = await onHosts(/^hv1/);
  const wiki = domain("old-wiki");
  let address: string | null = null;
  libvirt.onEvent((_kind, name, text) => {
    if (name === "win-test" && text.startsWith("Started")) address = libvirt.networks.address(wiki);
  });
  const { items, waves, said } = await start("old-wiki until ping within 30", "win-test");
  expect(items.map(({ state }) => state)).toEqual(["done", "done"]);
  expect(waves.map(({ state }) => state)).toEqual(["done", "done"]);
  expect(said).toContain("ping: waits for 1 instance");
  expect(address).toMatch(/^192\.168\.122\./);
});

test("a guest that never answers ends the run at the limit, with who, what and how long", async () => {
  const { start, domain } = await onHosts(/^hv1/);
  domain("old-wiki").guest.hangs = true;
  const { state, waves } = await start("old-wiki until ping within 1", "win-test");
  const why = "old-wiki: ping: old-wiki does not answer after 1 s";
  expect(waves[0]).toMatchObject({ state: "failed", text: why });
  expect(state("win-test")).toMatchObject({ state: "cancelled", error: `wave 1 (old-wiki) failed: ${why}` });
  expect(domain("win-test").state).toBe("shut off");
});

test("a console lets the next wave begin when it says what was asked for", async () => {
  const { start, domain } = await onHosts(/^hv1/);
  const { guest } = domain("old-wiki");
  const { waves } = await start("old-wiki until console old-wiki login: within 30", "win-test");
  expect(waves.map(({ state }) => state)).toEqual(["done", "done"]);
  // It was left again, for whoever wants it next.
  await vi.waitFor(() => expect(guest.isAttached).toBe(false));
});

test("a console that never says it: what it said instead, or that it was silent, is told", async () => {
  const { start, domain } = await onHosts(/^hv1/, /^hv2/);
  const other = await start("old-wiki until console database ready within 1", "win-test");
  expect(other.waves[0]?.text).toBe(
    'old-wiki: console: it has not said "database ready", but last "old-wiki login:" after 1 s',
  );
  expect(other.state("win-test").state).toBe("cancelled");
  domain("win-test").guest.hangs = true;
  const silent = await start("win-test until console login: within 1", "sandbox");
  expect(silent.waves[0]?.text).toBe("win-test: console: it says nothing after 1 s");
  expect(domain("old-wiki").guest.isAttached).toBe(false);
});

test("a console that somebody else has is no sign of life", async () => {
  const { start, domain } = await onHosts(/^hv1/);
  domain("old-wiki").guest.attach({ write: async () => {}, detached: () => {} }, true);
  const { waves } = await start("old-wiki until console within 1", "win-test");
  expect(waves[0]?.text).toBe("old-wiki: console: somebody else has this console open after 1 s");
});

test("the same on Xen and Ganeti, by their own programs", async () => {
  const { start, xen, ganeti } = await onHosts(/^xen1/, /^gnt1/);
  const both = await start("archive until ping and console login: within 60", "db2.demo until console within 60");
  expect(both.waves.map(({ state, text }) => [state, text])).toEqual([
    ["done", ""],
    ["done", ""],
  ]);
  expect(xen.find("archive")?.guest.isOnline).toBe(true);
  expect(ganeti.find("db2.demo")?.alive).toBe(true);
});
