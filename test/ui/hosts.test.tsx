import { expect, test } from "vitest";
import { VirtuError } from "../../source/errors.ts";
import { keys, openUi } from "./harness.tsx";
import { fakeInventory, hostOf, itemOf, now, rowOf } from "./instance-fakes.ts";

const refused = new VirtuError({
  kind: "authentication",
  what: "The host lets nobody in",
  where: "root@hv2",
  why: "it accepts only public keys, and none of yours",
  hint: "Add your key to its authorized_keys.",
  detail: "publickey: id_ed25519\npublickey: \u001b[2Jid_rsa",
});

function open() {
  const asked: string[] = [];
  const inventory = fakeInventory(
    {
      hosts: [
        hostOf("hv1", { notes: ["the QEMU process of web1 does not answer"] }),
        hostOf("hv2", { state: "error", seenAt: null, providers: [], error: refused, retryAt: now + 9000 }),
      ],
      instances: [rowOf("web1"), rowOf("web2")],
    },
    {
      refresh: async (hosts) => void asked.push(`refresh ${hosts?.join(" ")}`),
      addHost: ({ name }) => void asked.push(`add ${name}`),
      removeHost: (name) => void asked.push(`remove ${name}`),
    },
  );
  const ui = openUi({
    place: { screen: "instances" },
    above: [{ screen: "hosts" }],
    inventory,
    hosts: ["hv1", "hv2"],
    site: null,
  });
  return { ui, inventory, asked };
}

test("lists every host with what was found, and tells all of what is wrong with the one under the cursor", async () => {
  const { ui } = open();
  await ui.waitFor(/hv1 +● ok +2 +0 s ago +12 ms libvirt/);
  await ui.waitFor("the QEMU process of web1 does not answer");
  await ui.press(keys.down);
  await ui.waitFor("✗ root@hv2: The host lets nobody in");
  const text = ui.screen().join("\n");
  expect(text).toContain("why  it accepts only public keys");
  expect(text).toContain("do   Add your key");
  // What the host said is shown line by line and can't touch the screen.
  expect(text).toMatch(/\| publickey: id_ed25519\n.*\| publickey: id_rsa/);
  expect(text).toContain("tried again in 9 s; R tries now");
});

test("tries the host under the cursor again, and only that one", async () => {
  const { ui, asked } = open();
  await ui.waitFor("hv2");
  await ui.press(keys.down, "R");
  expect(asked).toEqual(["refresh hv2"]);
});

test("shows a host no more, says that nothing changed there, and keeps that in the settings", async () => {
  const { ui, asked } = open();
  await ui.waitFor("hv2");
  await ui.press(keys.down, "D");
  await ui.waitFor("hv2 is shown no more; nothing changed on it.");
  expect(asked).toEqual(["remove hv2"]);
  expect(ui.workspace.settings.get("hosts")).toEqual(["hv1"]);
});

test("does not let go of a host on which an action runs", async () => {
  const { ui, inventory, asked } = open();
  await ui.waitFor("hv2");
  inventory.set({ pending: [itemOf(rowOf("web1"), "start")] });
  await ui.waitFor("1 action");
  await ui.press("D");
  await ui.waitFor("an action runs on it");
  expect(asked).toEqual([]);
});

test("leads to the instances of the host under the cursor, and says why there are none", async () => {
  const { ui } = open();
  await ui.waitFor("hv2");
  await ui.press(keys.down, keys.enter);
  await ui.waitFor("it shows no instance");
  await ui.press(keys.up, keys.enter);
  await ui.waitFor(/\/ hv1 {2}2 of 2 · /);
  expect(ui.navigation.here()).toEqual({ screen: "instances" });
});

test("adds a host, after saying what is wrong with its name", async () => {
  const { ui, inventory, asked } = open();
  await ui.waitFor("hv2");
  await ui.press("a");
  await ui.waitFor("as you name it to ssh");
  await ui.press(keys.enter);
  await ui.waitFor("a host is needed");
  await ui.press("hv1");
  await ui.waitFor("✗ it is shown already");
  await ui.press(keys.backspace, "3;rm");
  await ui.waitFor("that is no host");
  await ui.press(keys.enter);
  expect(asked).toEqual([]);
  await ui.press(keys.backspace, keys.backspace, keys.backspace, keys.enter);
  await ui.waitFor(/HOST +STATE/);
  expect(asked).toEqual(["add hv3"]);
  // The new one has the cursor once it is there: what is wrong with it is told in full.
  inventory.set({ hosts: [hostOf("hv1"), hostOf("hv2"), hostOf("hv3", { state: "error", error: refused })] });
  await ui.waitFor(/❯hv3 +✗ error/);
  expect(ui.workspace.settings.get("hosts")).toEqual(["hv1", "hv2", "hv3"]);
});

test("H leads from an empty table straight to the first host's name", async () => {
  const ui = openUi({ place: { screen: "instances" }, inventory: fakeInventory({ hosts: [] }), site: null });
  await ui.waitFor("No host yet");
  await ui.press("H");
  await ui.waitFor("▸ instances ▸ hosts ▸ new host");
});
