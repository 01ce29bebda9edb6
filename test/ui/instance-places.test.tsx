/** The screens of a single instance: what was read of it, snapshots, hardware, definition, and where it can go. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { VirtuError } from "../../source/errors.ts";
import type { InstanceDetails, Provider, SnapshotInfo } from "../../source/instances/types.ts";
import type { Place } from "../../source/ui/navigation.ts";
import { keys, openUi } from "./harness.tsx";
import { detailsOf, fakeInventory, itemOf, now, providerOf, rowOf } from "./instance-fakes.ts";

const web1 = rowOf("web1", { memoryMiB: 1024 });

const snapshot = (name: string, own: Partial<SnapshotInfo> = {}): SnapshotInfo => ({
  name,
  parent: null,
  at: now / 1000 - 3600,
  state: "running",
  current: false,
  description: "",
  ...own,
});

const tree = [
  snapshot("clean", { state: "shutoff", at: now / 1000 - 864_000, description: "after install" }),
  snapshot("before", { parent: "clean" }),
  snapshot("tried", { parent: "before", current: true }),
  snapshot("other", { parent: "clean", state: "disk-snapshot" }),
];

function open(
  place: Place,
  {
    details = detailsOf(),
    provider = {},
    columns,
    rows,
  }: Partial<{ details: InstanceDetails; provider: Partial<Provider>; columns: number; rows: number }> = {},
) {
  const asked: string[] = [];
  const inventory = fakeInventory(
    { instances: [web1] },
    { refuses: () => null },
    providerOf({
      details: async ({ name }) => {
        asked.push(name);
        return details;
      },
      ...provider,
    }),
  );
  const ui = openUi({ place: { screen: "instances" }, above: [place], inventory, site: null, columns, rows });
  return { ui, inventory, asked };
}

const sizes: [number, number][] = [
  [80, 24],
  [200, 50],
];

test("an instance: disks, cards, snapshots, tags, note, what was told of it, and more", async () => {
  const details = detailsOf({
    snapshots: tree,
    tags: ["lab"],
    note: "ask \u001b[31mAnn\nor Bob",
    more: [["OS", "debian"]],
  });
  const { ui, inventory } = open({ screen: "instance", key: web1.key }, { details, rows: 60 });
  inventory.emit("event", {
    at: now - 5000,
    key: web1.key,
    name: "web1",
    text: "started",
    by: "ann",
    changes: true,
    host: "hv1",
    provider: "libvirt",
    cluster: null,
  });
  await ui.waitFor("Disks  (h changes them)");
  await ui.waitFor(/5 s ago +started, by ann/);
  const text = ui.screen().join("\n");
  for (const wanted of [
    /vda +10G · qcow2 · \/var\/lib\/libvirt\/images\/web1.qcow2/,
    /sda \(cdrom\) +empty/,
    /52:54:00:aa:bb:cc +default · 52:54:00:aa:bb:cc · 192.168.122.7/,
    /^ clean +disks, off · 10 d old · after install$/m,
    /^ {5}tried +disks \+ memory · 1 h old · current$/m,
    /^ Tags\n lab$/m,
    /^ {3}ask Ann\n {3}or Bob$/m,
    /OS +debian/,
  ]) {
    expect(text).toMatch(wanted);
  }
});

test("an instance whose details can't be had says which host and why; R asks again", async () => {
  let fails = true;
  const { ui } = open(
    { screen: "instance", key: web1.key },
    {
      rows: 50,
      provider: {
        details: async () => {
          if (!fails) return detailsOf();
          throw new VirtuError({
            kind: "timeout",
            what: "virsh was cut off",
            where: "hv1",
            why: "30 s passed",
            hint: "Look there.",
          });
        },
      },
    },
  );
  await ui.waitFor(/✗ disks, network cards and snapshots are not known: hv1: virsh was cut off:\s+30 s passed/);
  await ui.waitFor("Look there.");
  fails = false;
  await ui.press("R");
  await ui.waitFor(/vda +10G/);
});

test("details are read again when an action on it has ended, or somebody changed it; not for others", async () => {
  const { ui, inventory, asked } = open({ screen: "instance", key: web1.key });
  await ui.waitFor("vda");
  const read = asked.length;
  const item = itemOf(web1, "start", { state: "done", endedAt: now });
  inventory.emit("action", { ...item, key: "libvirt/hv1/other" });
  expect(asked.length).toBe(read);
  inventory.emit("action", item);
  expect(asked.length).toBe(read + 1);
});

describe.each(sizes)("at %i×%i", (columns, rows) => {
  test("snapshots stand in a tree with their ages, the current one marked", async () => {
    const { ui } = open(
      { screen: "snapshots", key: web1.key },
      { details: detailsOf({ snapshots: tree }), columns, rows },
    );
    await ui.waitFor("web1 · 4 snapshots");
    const text = ui.screen().join("\n");
    expect(text).toMatch(/❯clean +disks, off +10 d after install/);
    expect(text).toMatch(/ ├ before +disks \+ memory +1 h/);
    expect(text).toMatch(/ {3}└ tried ◂ here +disks \+ memory +1 h/);
    expect(text).toMatch(/ └ other +disks, live +1 h/);
  });

  test("hardware: every part with its size", async () => {
    const { ui } = open({ screen: "hardware", key: web1.key }, { columns, rows });
    await ui.waitFor(/❯memory +1G 2G at most while it runs/);
    await ui.waitFor(/disk +vda +10G qcow2 · /);
    await ui.waitFor(/CD drive +sda +empty/);
  });

  test("targets with free memory and why one can't be taken", async () => {
    const { ui } = open(
      { screen: "move-to", action: "migrate", keys: [web1.key] },
      {
        columns,
        rows,
        provider: {
          targets: async () => [
            { name: "hv2", memoryFreeMiB: 20_480, refusal: null, note: "shared storage" },
            { name: "hv3", memoryFreeMiB: 200, refusal: "it has 200M free, 1G is needed", note: "" },
          ],
        },
      },
    );
    await ui.waitFor(/❯hv2 +20G ✓ shared storage/);
    await ui.waitFor(/hv3 +200M ✗ it has 200M free, 1G is needed/);
    await ui.waitFor("virsh migrate web1");
  });
});

test("going back to a snapshot says what is lost and warns of the trap; the safe answer is first", async () => {
  const { ui, inventory } = open({ screen: "snapshots", key: web1.key }, { details: detailsOf({ snapshots: tree }) });
  await ui.waitFor("4 snapshots");
  await ui.press(keys.down, keys.enter);
  await ui.waitFor("Revert web1 to before?");
  await ui.waitFor("what was written to the disks of web1 in the 1 h since then is lost");
  await ui.waitFor("libvirt can refuse");
  await ui.waitFor("virsh snapshot-revert web1");
  await ui.press(keys.enter);
  await ui.waitFor("4 snapshots");
  await ui.press(keys.enter);
  await ui.waitFor("Revert web1 to before?");
  await ui.press(keys.down, keys.enter);
  await ui.waitFor("4 snapshots");
  expect(inventory.requests).toEqual([{ do: "snapshot-revert", name: "before" }]);
});

test("deleting a snapshot names those under it, which stay", async () => {
  const { ui, inventory } = open({ screen: "snapshots", key: web1.key }, { details: detailsOf({ snapshots: tree }) });
  await ui.waitFor("4 snapshots");
  await ui.press("D");
  await ui.waitFor("the way back to clean (after install)");
  await ui.waitFor("2 snapshots under it stay: before, other");
  await ui.press(keys.down, keys.enter);
  await ui.waitFor("4 snapshots");
  expect(inventory.requests).toEqual([{ do: "snapshot-delete", name: "clean" }]);
});

test("a snapshot tree that goes round in a circle ends", async () => {
  const circle = [snapshot("a", { parent: "b" }), snapshot("b", { parent: "a" }), snapshot("c")];
  const { ui } = open({ screen: "snapshots", key: web1.key }, { details: detailsOf({ snapshots: circle }) });
  await ui.waitFor(/❯c /);
});

test("hardware leads to the form of the part under the cursor, and back to it", async () => {
  const { ui } = open({ screen: "hardware", key: web1.key });
  await ui.waitFor("❯memory");
  await ui.press(keys.down, keys.down, keys.enter);
  await ui.waitFor("Grow the disk vda of web1");
  await ui.press(keys.esc);
  await ui.waitFor("❯disk");
  await ui.press("e");
  await ui.waitFor("there is no medium under the cursor");
  await ui.press(keys.down, keys.down, "D");
  await ui.waitFor("Remove the network card 52:54:00:aa:bb:cc of web1?");
});

test("a migration goes to the target under the cursor, live or not, after asking", async () => {
  const { ui, inventory } = open(
    { screen: "move-to", action: "migrate", keys: [web1.key] },
    {
      provider: {
        targets: async () => [
          { name: "hv3", memoryFreeMiB: 200, refusal: "too small", note: "" },
          { name: "hv2", memoryFreeMiB: 20_480, refusal: null, note: "" },
        ],
      },
    },
  );
  await ui.waitFor("❯hv3");
  await ui.press(keys.enter);
  await ui.waitFor("too small");
  await ui.press(keys.down, "l");
  await ui.waitFor("Not live: the guest stands still");
  await ui.press(keys.enter);
  await ui.waitFor("Migrate web1 to hv2?");
  await ui.press(keys.down, keys.enter);
  await ui.waitFor("1 instance");
  expect(inventory.requests).toEqual([{ do: "migrate", to: "hv2", live: false }]);
});

test("targets that can't be found out: where and why, and R asks again", async () => {
  let fails = true;
  const { ui } = open(
    { screen: "move-to", action: "failover", keys: [web1.key] },
    {
      provider: {
        targets: async () => {
          if (fails) throw new VirtuError({ kind: "connection", what: "The host can't be reached", where: "hv2" });
          return [];
        },
      },
    },
  );
  await ui.waitFor("✗ hv2: The host can't be reached");
  fails = false;
  await ui.press("R");
  await ui.waitFor("where the provider chooses");
});

const directory = mkdtempSync(path.join(tmpdir(), "virtu-places-"));
const before = process.env["VISUAL"];
afterAll(() => rmSync(directory, { recursive: true }));
afterEach(() => {
  if (before === undefined) delete process.env["VISUAL"];
  else process.env["VISUAL"] = before;
});

/** Makes this shell script the user's editor; `$1` is the file. */
function useScript(script: string): void {
  const file = path.join(directory, "editor.sh");
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  process.env["VISUAL"] = file;
}

describe("a definition", () => {
  const text = `<domain>\n  <name>web1</name>\n${Array.from({ length: 60 }, (_, n) => `  <device n="${n}"/>`).join("\n")}\n</domain>\n`;
  const details = detailsOf({ definition: { text, language: "xml", editable: true } });
  const place: Place = { screen: "definition", key: web1.key };

  test("is read with line numbers, and searched", async () => {
    const { ui } = open(place, { details });
    await ui.waitFor(/❯ {3}1 <domain>/);
    await ui.press("/", 'n="4', keys.enter);
    await ui.waitFor("11 of 63");
    await ui.press("n");
    await ui.waitFor(/❯ {3}7 {3}<device n="4"/);
    await ui.press("n");
    await ui.waitFor(/❯ {2}43 {3}<device n="40"/);
  });

  test("is edited: what changes is shown, nothing is sent before it is applied", async () => {
    useScript(`sed -i 's/n="7"/n="seven"/' "$1"`);
    const { ui, inventory } = open(place, { details });
    await ui.waitFor("e edits it");
    await ui.press("e");
    await ui.waitFor("What changes in web1");
    await ui.waitFor(/- {3}<device n="7"\/> *\n *\+ {3}<device n="seven"\/>/);
    await ui.waitFor("… 6 lines as before");
    expect(inventory.requests).toEqual([]);
    await ui.press(keys.enter);
    await ui.waitFor("What changes in web1");
    expect(inventory.requests).toEqual([{ do: "define", text: text.replace('n="7"', 'n="seven"') }]);
    inventory.set({
      instances: [{ ...web1, action: { ...itemOf(web1, "start"), action: "define", state: "done", run: 1 } }],
    });
    await ui.waitFor("The definition is changed.");
    await ui.waitFor("e edits it");
  });

  test("that its host refuses stays as typed, with what the host said, to be edited again", async () => {
    useScript(`sed -i 's/n="7"/n="seven"/' "$1"`);
    const { ui, inventory } = open(place, { details });
    await ui.waitFor("e edits it");
    await ui.press("e");
    await ui.waitFor("What changes in web1");
    await ui.press(keys.enter);
    const failed = { ...itemOf(web1, "start"), action: "define" as const, state: "failed" as const, run: 1 };
    inventory.set({
      instances: [{ ...web1, action: { ...failed, error: "XML error: seven", detail: "error: XML error: seven" } }],
    });
    await ui.waitFor("✗ XML error: seven");
    await ui.waitFor("| error: XML error: seven");
    useScript(`sed -i 's/seven/77/' "$1"`);
    await ui.press(keys.esc);
    await ui.waitFor("a change is not applied yet: e shows it");
    await ui.press("e");
    await ui.waitFor('n="seven"');
    await ui.press("e");
    await ui.waitFor('n="77"');
    await ui.press(keys.enter);
    expect(inventory.requests.at(-1)).toEqual({ do: "define", text: text.replace('n="7"', 'n="77"') });
  });

  test("that can't be read is not sent; discarding asks", async () => {
    useScript(`sed -i 's/<.name>//' "$1"`);
    const { ui, inventory } = open(place, { details });
    await ui.waitFor("e edits it");
    await ui.press("e");
    await ui.waitFor("✗ line 63: </domain> stands where </name> of line 2 is awaited");
    await ui.press(keys.enter);
    expect(inventory.requests).toEqual([]);
    await ui.press("D");
    await ui.waitFor("Forget what you changed of web1?");
    await ui.press(keys.down, keys.enter);
    await ui.waitFor("e edits it");
  });

  test("that is left as it was, or an editor that fails, changes nothing and is said", async () => {
    useScript("true");
    const { ui } = open(place, { details });
    await ui.waitFor("e edits it");
    await ui.press("e");
    await ui.waitFor("Nothing was changed.");
    useScript("exit 1");
    await ui.press("e");
    await ui.waitFor("gave nothing back: it ended with status 1");
  });

  test("that its provider takes not back is only read", async () => {
    const { ui } = open(place, {
      details: detailsOf({ definition: { text: "- Instance name: web1\n", language: "text", editable: false } }),
    });
    await ui.waitFor("its provider takes no definition back");
    await ui.press("e");
    await ui.waitFor(/› its provider takes no definition back/);
  });
});
