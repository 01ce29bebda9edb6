/** Forms of actions with parameters: what is wrong as it is typed, what goes, the request that they make. */
import { describe, expect, test } from "vitest";
import { VirtuError } from "../../source/errors.ts";
import type { RequestName } from "../../source/instances/target.ts";
import type { InstanceDetails } from "../../source/instances/types.ts";
import { keys, openUi } from "./harness.tsx";
import { detailsOf, fakeInventory, nodeRowOf, providerOf, rowOf } from "./instance-fakes.ts";

const web1 = rowOf("web1", { memoryMiB: 1024, vcpus: 2 });
const web2 = rowOf("web2");

interface Wanted {
  details?: InstanceDetails;
  of?: string | null;
  rows?: (typeof web1)[];
  columns?: number;
  lines?: number;
}

function open(action: RequestName, { details = detailsOf(), of = null, rows = [web1], columns, lines }: Wanted = {}) {
  const inventory = fakeInventory(
    { instances: [web1, web2], nodes: [nodeRowOf("hv1")] },
    { refuses: () => null },
    providerOf({ details: async () => details }),
  );
  const ui = openUi({
    place: { screen: "instances" },
    above: [{ screen: "action", action, keys: rows.map(({ key }) => key), of }],
    inventory,
    site: null,
    columns,
    rows: lines,
  });
  return { ui, inventory };
}

const clear = "\u0015";

test("rename: checked as typed, a taken name refused, the command shown, then the table again", async () => {
  const { ui, inventory } = open("rename");
  await ui.waitFor("Rename web1");
  await ui.press(keys.enter);
  await ui.waitFor("that is its name now");
  await ui.press(keys.backspace, "2");
  await ui.waitFor("hv1 has one of that name");
  await ui.press(keys.enter);
  expect(inventory.requests).toEqual([]);
  await ui.press("/");
  await ui.waitFor("letters, digits and");
  await ui.press(keys.backspace, "0");
  await ui.waitFor("virsh rename web1");
  await ui.press(keys.enter);
  await ui.waitFor("2 instances");
  expect(inventory.requests).toEqual([{ do: "rename", to: "web20" }]);
});

test("remove: lists the disks that go, keeps them when told to, and wants the name typed", async () => {
  const { ui, inventory } = open("remove");
  await ui.waitFor("web1: vda /var/lib/libvirt/images/web1.qcow2 10G is deleted");
  await ui.press(keys.enter);
  await ui.waitFor("type web1 to remove web1");
  await ui.press(keys.tab, "wex");
  await ui.waitFor("✗ it is web1");
  await ui.press(keys.enter, keys.backspace, "b1", keys.up, keys.right);
  await ui.waitFor("qcow2 10G stays");
  expect(inventory.requests).toEqual([]);
  await ui.press(keys.enter);
  await ui.waitFor("2 instances");
  expect(inventory.requests).toEqual([{ do: "remove", keepDisks: true }]);
});

test("remove tells apart the disks that are not the instance's own", async () => {
  const [own] = detailsOf().disks;
  if (!own) throw new Error("no disk");
  const disks = [own, { ...own, id: "vdb", source: "/dev/sdb", stays: true } as const];
  const { ui } = open("remove", { details: detailsOf({ disks }) });
  await ui.waitFor("web1: vdb /dev/sdb 10G stays: it is not its own");
  await ui.waitFor("web1.qcow2 10G is deleted");
});

test("remove of several wants their number typed, and names each one's disks", async () => {
  const { ui, inventory } = open("remove", { rows: [web1, web2], lines: 40 });
  await ui.waitFor(/web1: vda [\s\S]*web2: vda /);
  await ui.press(keys.tab, "remove 2", keys.enter);
  await ui.waitFor("2 instances ·");
  expect(inventory.asked).toEqual(["remove web1 web2"]);
});

test("remove is offered also when nobody can say which disks there are, and says that", async () => {
  const inventory = fakeInventory(
    { instances: [web1] },
    { refuses: () => null },
    providerOf({ details: () => Promise.reject(new VirtuError({ kind: "timeout", what: "no answer" })) }),
  );
  const ui = openUi({
    place: { screen: "action", action: "remove", keys: [web1.key], of: null },
    inventory,
    site: null,
  });
  await ui.waitFor("web1: which disks it has is not known");
});

test("what needs the details says which host does not give them, and why", async () => {
  const inventory = fakeInventory(
    { instances: [web1] },
    { refuses: () => null },
    providerOf({
      details: () =>
        Promise.reject(new VirtuError({ kind: "timeout", what: "no answer", where: "hv1", why: "30 s passed" })),
    }),
  );
  const ui = openUi({ place: { screen: "action", action: "tag", keys: [web1.key], of: null }, inventory, site: null });
  await ui.waitFor("✗ hv1: no answer");
  await ui.waitFor("30 s passed");
});

test("a snapshot has a name, a description, and its memory or not", async () => {
  const snapshots = [{ name: "old", parent: null, at: null, state: "running", current: true, description: "" }];
  const { ui, inventory } = open("snapshot-create", { details: detailsOf({ snapshots }) });
  await ui.waitFor("Take a snapshot of web1");
  expect(ui.screen().join("\n")).toMatch(/Name +\[ 197001\d\d-\d{4} /);
  await ui.press(clear, "old");
  await ui.waitFor("there is one of that name");
  await ui.press("er", keys.down, "before upgrade", keys.down, keys.right);
  await ui.waitFor("as after a power cut");
  await ui.press(keys.enter);
  await ui.waitFor("2 instances");
  expect(inventory.requests).toEqual([
    { do: "snapshot-create", name: "older", description: "before upgrade", memory: false },
  ]);
});

test("memory: what the host has, what can be had without a new start, and no more than the host", async () => {
  const { ui, inventory } = open("set-memory");
  await ui.waitFor("hv1 has 12G free of 64G");
  await ui.press(clear, "4G");
  await ui.waitFor("It can have 2G while it runs; more needs a start anew.");
  await ui.press(clear, "100G");
  await ui.waitFor("its host has 64G");
  await ui.press(clear, "1536", keys.enter);
  await ui.waitFor("2 instances");
  expect(inventory.requests).toEqual([{ do: "set-memory", mebibytes: 1536 }]);
});

describe.each<[RequestName, Wanted, string, string[], unknown]>([
  ["set-vcpus", {}, "4 vCPUs at most while it runs", [clear, "3"], { do: "set-vcpus", count: 3 }],
  ["disk-add", {}, "Where", [clear, "5G", keys.down, keys.right], { do: "disk-add", mebibytes: 5120, pool: "default" }],
  ["disk-grow", { of: "vda" }, "it has 10G now", [clear, "12G"], { do: "disk-grow", disk: "vda", mebibytes: 12_288 }],
  ["disk-remove", { of: "vda" }, "is kept", [], { do: "disk-remove", disk: "vda", keepVolume: true }],
  ["nic-add", {}, "‹ default ›", [keys.right], { do: "nic-add", network: "br0" }],
  [
    "media-insert",
    {},
    "‹ sda, empty ›",
    [keys.down, keys.right],
    { do: "media-insert", disk: "sda", path: "/iso/rescue.iso" },
  ],
  [
    "media-insert",
    { of: "sda" },
    "on its host",
    [keys.down, keys.left, keys.down, "/own.iso"],
    { do: "media-insert", disk: "sda", path: "/own.iso" },
  ],
  [
    "nic-add",
    { details: detailsOf({ networks: [] }) },
    "as its host names it",
    ["br9"],
    { do: "nic-add", network: "br9" },
  ],
  ["set-memory", { rows: [web1, web2] }, "For web1, web2.", [clear, "2G"], { do: "set-memory", mebibytes: 2048 }],
  ["clone", {}, "vda 10G", [clear, "web1b"], { do: "clone", to: "web1b" }],
  ["note", {}, "Note on web1", ["ask Ann"], { do: "note", text: "ask Ann" }],
  [
    "tag",
    { details: detailsOf({ tags: ["lab", "old"] }) },
    "[ lab old",
    [clear, "lab web"],
    { do: "tag", add: ["web"], remove: ["old"] },
  ],
  ["tag", { rows: [web1, web2] }, "Take away", ["x y", keys.down, "z"], { do: "tag", add: ["x", "y"], remove: ["z"] }],
])("%s", (action, wanted, shown, typed, request) => {
  test.each([
    [80, 24],
    [200, 50],
  ])("at %i×%i", async (columns, lines) => {
    const { ui, inventory } = open(action, { ...wanted, columns, lines });
    await ui.waitFor(shown);
    await ui.waitFor("will run");
    await ui.press(...typed);
    await ui.waitFor(`virsh ${action} `);
    await ui.press(keys.enter);
    await ui.waitFor("2 instances ·");
    expect(inventory.requests).toEqual([request]);
  });
});

test("a disk whose content is deleted wants its name typed", async () => {
  const { ui, inventory } = open("disk-remove", { of: "vda" });
  await ui.waitFor("is kept");
  await ui.press(keys.right);
  await ui.waitFor("type vda");
  await ui.press(keys.enter);
  await ui.waitFor("type vda to delete what is on it");
  expect(inventory.requests).toEqual([]);
  await ui.press(keys.down, "vda", keys.enter);
  await ui.waitFor("2 instances ·");
  expect(inventory.requests).toEqual([{ do: "disk-remove", disk: "vda", keepVolume: false }]);
});

test("no disk shrinks, and none is larger than its pool", async () => {
  const grow = open("disk-grow", { of: "vda" });
  await grow.ui.waitFor("it has 10G now");
  await grow.ui.press(clear, "9G");
  await grow.ui.waitFor("no disk shrinks");
  const add = open("disk-add");
  await add.ui.waitFor("Where");
  await add.ui.press(clear, "30G", keys.down, keys.right);
  await add.ui.waitFor("only 20G are free there");
});

test("a network card is taken away only after asking", async () => {
  const { ui, inventory } = open("nic-remove", { of: "52:54:00:aa:bb:cc" });
  await ui.waitFor("is reached as 192.168.122.7");
  await ui.press(keys.enter);
  await ui.waitFor("2 instances ·");
  expect(inventory.requests).toEqual([]);
});

test("a shutdown with a limit that is checked as it is typed", async () => {
  const { ui, inventory } = open("shutdown");
  await ui.waitFor("Shut down web1 within a time limit");
  await ui.press(clear, "0");
  await ui.waitFor("1 to 86400 seconds");
  await ui.press(clear, "30", keys.enter);
  await ui.waitFor("2 instances ·");
  expect(inventory.requests).toEqual([{ do: "shutdown" }]);
  expect(inventory.options).toEqual([{ limitSeconds: 30 }]);
});

test("what was typed is still there after going back, and forgotten once it is done", async () => {
  const { ui } = open("note");
  await ui.waitFor("Note on web1");
  await ui.press("ask Ann", keys.esc);
  await ui.waitFor("2 instances ·");
  ui.navigation.open({ screen: "action", action: "note", keys: [web1.key], of: null });
  await ui.waitFor("[ ask Ann");
  await ui.press(keys.enter);
  await ui.waitFor("2 instances ·");
  ui.navigation.open({ screen: "action", action: "note", keys: [web1.key], of: null });
  await ui.waitFor("Empty: the note is taken away.");
});
