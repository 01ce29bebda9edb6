/** The action menu of instances and nodes: what there is, what can't be done and why, what is asked first. */
import { expect, test } from "vitest";
import type { Inventory } from "../../source/instances/inventory-types.ts";
import { sh } from "../../source/ssh/command.ts";
import { idlePool, keys, openUi } from "./harness.tsx";
import { fakeInventory, itemOf, nodeRowOf, providerOf, rowOf } from "./instance-fakes.ts";

const web1 = rowOf("web1", { facts: { autostart: true } });
const db1 = rowOf("db1", { status: "stopped" });

const answered = { outcome: "exited", status: 0, signal: null, stderr: "", truncated: false, durationMs: 1 };

const open = (own: Partial<Inventory> = {}, rows = [web1, db1], size = {}) => {
  const inventory = fakeInventory({ instances: rows }, own);
  const ui = openUi({
    place: { screen: "instances" },
    above: [{ screen: "actions", keys: rows.map(({ key }) => key) }],
    inventory,
    site: null,
    ...size,
  });
  return { ui, inventory };
};

test("m on a row opens all that can be done to it, with the keys of the table and the reasons", async () => {
  const inventory = fakeInventory(
    { instances: [web1] },
    {
      refuses: (action) =>
        action === "start" ? "it runs already" : action.startsWith("snapshot") ? "libvirt has no snapshots here" : null,
    },
  );
  const ui = openUi({ place: { screen: "instances" }, inventory, site: null, columns: 200, rows: 50 });
  await ui.waitFor("1 instance");
  await ui.press("m");
  await ui.waitFor(/^❯Power +Start +it runs already *$/m);
  const text = ui.screen().join("\n");
  expect(text).toMatch(/^ +Shut down +t *$/m);
  expect(text).toMatch(/^ +Force off ⚠ +x *$/m);
  expect(text).toMatch(/^ Snapshots +Show, revert, delete … +libvirt has no snapshots here *$/m);
  expect(text).toMatch(/^ Remove +Remove … ⚠ *$/m);
  expect(text).toMatch(/Start with its host: on +it is on already/);
  await ui.press(keys.enter);
  await ui.waitFor("Start: it runs already");
  expect(inventory.asked).toEqual([]);
  await ui.press(keys.esc);
  await ui.waitFor("1 instance ·");
});

test("typing filters, letters that are keys elsewhere too; the first Esc shows all again", async () => {
  const { ui, inventory } = open({ refuses: () => null }, [web1]);
  await ui.waitFor("❯Power");
  await ui.press("q", "pau");
  await ui.waitFor("Nothing here is called so");
  await ui.press(keys.esc);
  await ui.waitFor("❯Power");
  await ui.press("/", "resu", keys.enter);
  await ui.waitFor("1 instance ·");
  expect(inventory.requests).toEqual([{ do: "resume" }]);
});

test("what is lost is asked, with the safe answer under the cursor, and then the table is shown again", async () => {
  const { ui, inventory } = open({ refuses: () => null }, [web1]);
  await ui.waitFor("❯Power");
  await ui.press("reboot hard", keys.enter);
  await ui.waitFor("Reboot web1?");
  await ui.waitFor(/web1 +libvirt +hv1 +unsaved data is lost/);
  await ui.waitFor("The guest is not asked");
  await ui.press(keys.enter);
  await ui.waitFor("type to filter");
  expect(inventory.requests).toEqual([]);
  await ui.press(keys.enter);
  await ui.waitFor("Reboot web1?");
  await ui.press(keys.down, keys.enter);
  await ui.waitFor("1 instance ·");
  expect(inventory.requests).toEqual([{ do: "reboot", how: "hard" }]);
});

test("of several it says for how many, refuses what is for one alone, and leaves out who can't", async () => {
  const { ui, inventory } = open(
    { refuses: (action, key) => (action === "pause" && key === db1.key ? "it is off" : null) },
    [web1, db1],
    { rows: 50 },
  );
  await ui.waitFor(/Pause +p +for 1 of 2/);
  await ui.waitFor(/Rename … +only one at a time/);
  await ui.press("pause", keys.enter);
  await ui.waitFor("Left out: db1: it is off");
  expect(inventory.asked).toEqual(["pause web1"]);
});

test("what needs to know more opens its form, and Esc comes back to the table", async () => {
  const { ui, inventory } = open({ refuses: () => null }, [web1]);
  await ui.waitFor("❯Power");
  await ui.press("rename", keys.enter);
  await ui.waitFor("Rename web1");
  await ui.waitFor("web1 ▸ rename");
  await ui.press(keys.esc);
  await ui.waitFor("1 instance ·");
  expect(inventory.requests).toEqual([]);
});

test("later leads to the form for a time, and says why where the host can carry nothing", async () => {
  const provider = providerOf({ unattended: () => sh`virsh shutdown web1` });
  const inventory = fakeInventory({ instances: [web1] }, { refuses: () => null }, provider);
  let carrier = "none";
  const pool = Object.assign(idlePool(), {
    exec: async () => ({ ...answered, stdout: `@@carrier ${carrier}\n` }),
  });
  const place = { screen: "actions", keys: [web1.key] } as const;
  const ui = openUi({ place: { screen: "instances" }, above: [place], inventory, pool, site: null });
  await ui.waitFor(/Later, at a time … +hv1 has neither at nor systemd/);
  await ui.press("later", keys.enter);
  await ui.waitFor("Later, at a time …: hv1 has neither at nor systemd to carry it: install at");
  expect(ui.navigation.here().screen).toBe("actions");
  // Somebody installs it, and the menu is opened anew.
  carrier = "at";
  await ui.press(keys.esc, keys.esc);
  await ui.waitFor("1 instance ·");
  await ui.press("m");
  await ui.waitFor(/Later, at a time … +@ *$/m);
  await ui.press("later", keys.enter);
  await ui.waitFor("When");
  expect(ui.navigation.here()).toEqual({ screen: "schedule", keys: [web1.key] });
});

test("p pauses, and lets what is paused go on", async () => {
  const inventory = fakeInventory({ instances: [web1] }, { refuses: () => null });
  const ui = openUi({ place: { screen: "instances" }, inventory, site: null });
  await ui.waitFor("1 instance");
  await ui.press("p");
  inventory.set({ instances: [{ ...web1, status: "paused" }] });
  await ui.waitFor("‖ paused");
  await ui.press("p");
  expect(inventory.requests).toEqual([{ do: "pause" }, { do: "resume" }]);
});

const cluster = { provider: "ganeti", cluster: "gnt", host: "node1" } as const;
const node = nodeRowOf("node1", { ...cluster, roles: ["master"] });
const guests = [
  rowOf("local", { ...cluster, node: "node1", facts: { diskTemplate: "plain" } }),
  rowOf("alpha", { ...cluster, node: "node1", facts: { secondaries: "node2" } }),
  rowOf("beta", { ...cluster, node: "node2", facts: { secondaries: "node1" } }),
  rowOf("other", { node: "node1" }),
];

function openNode() {
  const inventory = fakeInventory(
    { instances: guests, nodes: [node] },
    { refuses: (action) => (action === "master" ? "it is the master" : null) },
  );
  const ui = openUi({ place: { screen: "instances" }, inventory, site: null });
  return { ui, inventory };
}

test("a node's menu: states that are so already are no offer, and draining says what it means", async () => {
  const { ui, inventory } = openNode();
  await ui.waitFor("4 instances");
  await ui.press("n", "m");
  await ui.waitFor(/Drain no more +it is not drained/);
  await ui.waitFor(/Make it the master ⚠ +it is the master/);
  await ui.press("offline", keys.enter);
  await ui.waitFor("Mark node1 as offline?");
  await ui.waitFor(/alpha +running +is then taken for dead/);
  expect(ui.screen().join("\n")).not.toContain("other");
  await ui.press(keys.down, keys.enter);
  await ui.waitFor("NODE");
  expect(inventory.requests).toEqual([{ do: "offline", on: true }]);
});

test("what an action on a node reports stands under the nodes", async () => {
  const { ui, inventory } = openNode();
  await ui.waitFor("4 instances");
  await ui.press("n");
  await ui.waitFor("NODE");
  const item = {
    ...itemOf(rowOf("node1"), "start", { text: "job 12: replacing disks", job: "12" }),
    action: "evacuate" as const,
    request: { do: "evacuate", which: "all" } as const,
    key: node.key,
    host: "node1",
  };
  inventory.set({ pending: [item] });
  inventory.emit("action", item);
  await ui.waitFor("evacuate node1 · 0 of 1");
  await ui.waitFor(/node1\/node1 +evacuate: job 12: replacing disks/);
});

test("evacuating names what moves for each choice, and asks", async () => {
  const { ui, inventory } = openNode();
  await ui.waitFor("4 instances");
  await ui.press("n", "m", "evac", keys.enter);
  await ui.waitFor("Evacuate node1");
  await ui.waitFor(/local +running +stays: its disks \(plain\) are only here/);
  await ui.waitFor(/alpha +running +migrates to its secondary/);
  expect(ui.screen().join("\n")).not.toContain("beta ");
  await ui.press(keys.right);
  await ui.waitFor(/beta +running +gets another secondary/);
  await ui.waitFor("0 primaries and 1 secondary are to leave node1.");
  await ui.press(keys.right, keys.enter);
  await ui.waitFor("Evacuate node1?");
  await ui.waitFor(/alpha[\s\S]*beta/);
  await ui.press(keys.down, keys.enter);
  await ui.waitFor("NODE");
  expect(inventory.requests).toEqual([{ do: "evacuate", which: "all" }]);
});
