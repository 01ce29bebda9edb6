import { expect, test } from "vitest";
import {
  addDisk,
  type Disks,
  diskFields,
  disksIn,
  mostDisks,
  oneDisk,
  realDisks,
  refusesDisks,
  removeDisk,
  valuesOfDisk,
} from "../../source/ui/screens/create-disks.ts";
import { choice, choices, either, text } from "../../source/ui/screens/create-field-kinds.ts";

const fieldsOf = (disks: Disks) =>
  diskFields(
    disks,
    [...choices(["new", "volume"]), { value: "none", label: "none" }],
    [
      text(2, "size", "size", 8, { initial: "10G", shown: either("disk", "new") }),
      choice(2, "volume", "volume", choices(["p/a", "p/b", "p/c"]), { shown: either("disk", "volume") }),
    ],
    ({ size }) => size ?? "",
  );
/** What a form holds when nothing was touched but these. */
const valuesIn = (disks: Disks, own: Record<string, string> = {}): Record<string, string> => ({
  ...Object.fromEntries(fieldsOf(disks).map(({ id, initial }) => [id, initial ?? ""])),
  ...own,
});
const add = (disks: Disks, own: Record<string, string>, field: string) =>
  addDisk(disks, valuesIn(disks, own), field, fieldsOf(disks));

test("a disk is added after the one with the cursor, of its kind, with a volume that no other has", () => {
  const second = add(oneDisk, { disk: "volume" }, "volume");
  expect(second.focus).toBe("disk.1");
  expect(valuesIn(second.disks)).toMatchObject({ "disk.1": "volume", "volume.1": "p/b" });
  const between = add(second.disks, { disk: "volume", "size.1": "7G" }, "disk");
  expect(disksIn(valuesIn(between.disks))).toEqual(["", ".2", ".1"]);
  expect(valuesIn(between.disks)["volume.2"]).toBe("p/c");
  const labels = fieldsOf(between.disks).filter(({ id }) => id.startsWith("disk"));
  expect(labels.map(({ label }) => label)).toEqual(["Disk 1", "Disk 2", "Disk 3"]);
});

test("its fields are shown by its own kind, and are one part with its own line", () => {
  const { disks } = add(oneDisk, {}, "disk");
  const values = valuesIn(disks, { "disk.1": "volume", "size.1": "3G" });
  const shown = fieldsOf(disks).filter((field) => field.shown?.(values) ?? true);
  expect(shown.map(({ id, part }) => `${part}: ${id}`)).toEqual([
    ...["disk: disk", "disk: size", "disk.1: disk.1", "disk.1: volume.1"],
  ]);
  expect(shown.map(({ summary }) => summary?.(values))).toEqual(["10G", undefined, "3G", undefined]);
  expect(valuesOfDisk(values, ".1")).toMatchObject({ disk: "volume", size: "3G", volume: "p/b" });
});

test("what another host has not is not begun with", () => {
  const begun = { slots: [{ id: 4, begin: { disk: "gone", volume: "q/x", size: "9G" } }], next: 5 };
  expect(valuesIn(begun)).toEqual({ "disk.4": "new", "size.4": "9G", "volume.4": "p/a" });
});

test("one that is removed leaves nothing to the next one that is added; the cursor stays near", () => {
  const { disks } = add(add(oneDisk, {}, "disk").disks, {}, "disk.1");
  const removed = removeDisk(disks, "size.1");
  expect(removed.focus).toBe("disk.2");
  expect(disksIn(valuesIn(removed.disks))).toEqual(["", ".2"]);
  expect(removeDisk(removed.disks, "disk.2").focus).toBe("disk");
  expect(add(removed.disks, {}, "disk").focus).toBe("disk.3");
});

test("the last one becomes none, and one that is added to none is the only one", () => {
  const { disks, focus } = removeDisk(oneDisk, "size");
  const values = valuesIn(disks);
  expect([focus, values[focus], realDisks(values)]).toEqual(["disk.1", "none", []]);
  expect(refusesDisks("remove", values)).toBe("it has no disk");
  const again = add(disks, {}, focus);
  expect(valuesIn(again.disks)).toMatchObject({ [again.focus]: "new" });
  expect(disksIn(valuesIn(again.disks))).toHaveLength(1);
  // Of several none is none: one is removed instead.
  const two = add(again.disks, {}, again.focus).disks;
  const kinds = (of: Disks) => fieldsOf(of)[0]?.choices?.map(({ value }) => value);
  expect([kinds(again.disks), kinds(two)]).toEqual([
    ["new", "volume", "none"],
    ["new", "volume"],
  ]);
});

test("there are only as many as a screen shows", () => {
  let disks = oneDisk;
  for (let n = 1; n < mostDisks; n += 1) ({ disks } = add(disks, {}, "disk"));
  expect(realDisks(valuesIn(disks))).toHaveLength(12);
  expect(refusesDisks("add", valuesIn(disks))).toMatch(/^12 are the most here/);
});
