import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { csvOf, exportText, formatOf } from "../../source/instances/export.ts";
import type { Rates } from "../../source/monitor/rates.ts";
import { plain } from "../../source/text.ts";
import { columnsFor, grown } from "../../source/ui/screens/instances-columns.ts";
import { grouped, groupLine } from "../../source/ui/screens/instances-groups.ts";
import { sorted } from "../../source/ui/screens/instances-select.ts";
import { noLook, type UsageLook } from "../../source/ui/screens/instances-usage.ts";
import { keptFrom, viewFrom } from "../../source/ui/screens/views.tsx";
import { keys, openUi } from "./harness.tsx";
import { fakeInventory, hostOf, now, rowOf } from "./instance-fakes.ts";

const directory = mkdtempSync(path.join(os.tmpdir(), "virtu-export-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const usage = {
  ...{ cpuNs: 1, memoryMiB: 100, memorySource: "balloon" as const },
  ...{ diskReadBytes: 1, diskWrittenBytes: 1, netInBytes: 1, netOutBytes: 1 },
};
const rates = (cpu: number): Rates => ({
  ...{ cpu, memory: 10, memoryMiB: 100, memorySource: "balloon" },
  ...{ diskRead: 1000, diskWrite: 500, netIn: null, netOut: null },
});
const rows = [
  rowOf("a", { host: "hv2", facts: { tags: "web,prod" }, vcpus: 2, memoryMiB: 1024 }),
  rowOf("b", { host: "hv10", facts: { tags: "web" }, status: "stopped" }),
  rowOf("c", { host: "hv2" }),
];
const look: UsageLook = {
  ...noLook,
  rates: (key) => (key.endsWith("/a") ? rates(50) : key.endsWith("/c") ? rates(90) : null),
};

describe("groups", () => {
  test("stand in the order of their names, numbers as numbers, each with its instances", () => {
    const items = grouped(rows, "host", new Set());
    expect(items.map((item) => (item.kind === "group" ? `[${item.title}]` : item.row.name))).toEqual([
      "[hv2]",
      "a",
      "c",
      "[hv10]",
      "b",
    ]);
  });

  test("by tag: an instance stands in each of its tags, under keys of their own; one without a tag is not lost", () => {
    const items = grouped(rows, "tag", new Set());
    expect(items.map((item) => (item.kind === "group" ? `[${item.title}]` : item.row.name))).toEqual([
      "[prod]",
      "a",
      "[web]",
      "a",
      "b",
      "[without a tag]",
      "c",
    ]);
    expect(new Set(items.map(({ key }) => key)).size).toBe(items.length);
  });

  test("that are closed keep their sums", () => {
    const [first, ...others] = grouped(rows, "host", new Set(["group host hv2"]));
    expect(others.length).toBe(2);
    const line = plain(groupLine(first as never, 100, look));
    expect(line).toContain("hv2");
    // Half of two vCPUs and nine tenths of one.
    expect(line).toContain("2 instances · 2 ● · 1.9 of 3 vCPUs · 200M of 1.5G");
  });
});

describe("columns", () => {
  const widths = grown({}, [rowOf("web1", { usage })]);

  test("what is used comes with the first instance that tells it, and only where there is room", () => {
    const ids = (total: number, of = widths) => columnsFor(of, total, { by: "name", down: false }).map(({ id }) => id);
    expect(ids(77)).toEqual(["name", "status", "on", "cpu", "vcpu", "memory", "where"]);
    expect(ids(60)).not.toContain("cpu");
    expect(ids(77, grown({}, [rowOf("web1")]))).not.toContain("cpu");
    expect(ids(160)).toEqual(expect.arrayContaining(["cpu", "used", "disk", "net"]));
  });

  test("grow for what is new, and only for that", () => {
    const [web, long] = [rowOf("web1"), rowOf("a-much-longer-name.lab.example.org")];
    const first = grown({}, [web, rowOf("db1")]);
    expect(grown(first, [web, long], [web]).name).toBe(long.name.length);
    expect(grown(first, [web, long], [web, long])).toBe(first);
    expect(grown({ ...first, name: 44 }, [web, long])).toMatchObject({ name: 44 });
  });

  test("of the user's own come in his order and width, as far as they have room", () => {
    const own = columnsFor(widths, 40, { by: "name", down: false }, noLook, [
      { id: "memory" },
      { id: "name", width: 20 },
      { id: "where", width: 30 },
      { id: "os" },
    ]);
    expect(own.map(({ id, width }) => [id, width])).toEqual([
      ["memory", 5],
      ["name", 20],
      ["where", 13],
    ]);
  });

  test("a busy instance stands first by CPU, one of which nothing is known last", () => {
    expect(sorted(rows, { by: "cpu", down: true }, look).map(({ name }) => name)).toEqual(["c", "a", "b"]);
  });
});

describe("a named view", () => {
  test("comes back as it was kept", () => {
    const view = {
      columns: [{ id: "name" as const, width: 9 }],
      sort: { by: "cpu" as const, down: true },
      group: "tag" as const,
    };
    expect(viewFrom(keptFrom("busy", view, "web"))).toEqual(view);
    expect(viewFrom(keptFrom("plain", { columns: null, sort: { by: "name", down: false }, group: null }, ""))).toEqual({
      columns: null,
      sort: { by: "name", down: false },
      group: null,
    });
  });

  test("of another version loses only what this one does not know", () => {
    expect(
      viewFrom({ name: "x", columns: [{ id: "moon" }, { id: "on" }], sort: { by: "moon", down: true }, group: "moon" }),
    ).toEqual({
      columns: [{ id: "on" }],
      sort: { by: "name", down: false },
      group: null,
    });
  });
});

describe("export", () => {
  test("quotes what CSV needs quoted; what a spreadsheet would run is a text", () => {
    expect(
      csvOf({
        columns: ["name", "note"],
        rows: [
          ['a,"b"', "=SUM(1)"],
          ["-5", "two\nlines"],
        ],
        objects: [],
      }),
    ).toBe('name,note\r\n"a,""b""",\'=SUM(1)\r\n-5,"two\nlines"\r\n');
  });

  test("is of the kind that the file's name asks for", () => {
    const content = { columns: ["name"], rows: [["web1"]], objects: [{ name: "web1" }] };
    expect([formatOf("a.JSON"), formatOf("a.csv"), formatOf("a.txt")]).toEqual(["json", "csv", null]);
    expect(JSON.parse(exportText("out.json", content))).toEqual([{ name: "web1" }]);
    expect(exportText("out.csv", content)).toBe("name\r\nweb1\r\n");
  });
});

function open(columns = 100) {
  const inventory = fakeInventory({ hosts: [hostOf("hv2", { seenAt: now })], instances: rows });
  return openUi({ place: { screen: "instances" }, inventory, hosts: ["hv2"], site: null, columns, rows: 30 });
}

describe("the table", () => {
  test("groups, closes a group, and acts on all of it", async () => {
    const ui = open();
    await ui.waitFor("3 instances");
    await ui.press("b");
    await ui.waitFor(/▾ hv2 .*2 instances/);
    await ui.press(keys.left);
    const lines = await ui.waitFor(/▸ hv2/);
    expect(lines.join("\n")).not.toMatch(/^ *c {2}/m);
    await ui.press("x");
    const asked = (await ui.waitFor("Force off 2 instances?")).join("\n");
    expect(asked).toContain("a ");
    expect(asked).not.toContain("hv10");
  });

  test("shows the details of what is under the cursor, beside or below", async () => {
    const ui = open(150);
    await ui.waitFor("3 instances");
    await ui.press(keys.tab);
    const beside = await ui.waitFor(/─ a ─/);
    expect(beside.find((line) => line.includes("─ a ─"))).toContain("NAME");
    await ui.press(keys.down);
    await ui.waitFor(/─ b ─/);
    ui.resize(90, 30);
    const below = await ui.waitFor(/^─ b ─/m);
    expect(below.findIndex((line) => line.startsWith("─ b ─"))).toBeGreaterThan(10);
  });

  test("a column that is put away is gone from the table, and comes back by a reset", async () => {
    const ui = open();
    await ui.waitFor(/STATUS/);
    await ui.press("C");
    await ui.waitFor("virtu chooses the columns");
    await ui.press(keys.down, " ");
    await ui.waitFor("Your own columns");
    await ui.press(keys.esc);
    await ui.waitFor("3 instances");
    expect(ui.screen().join("\n")).not.toContain("STATUS");
    await ui.press("C", "r", keys.esc);
    await ui.waitFor(/STATUS/);
  });

  test("copies the whole row, or one cell of it", async () => {
    const ui = open();
    await ui.waitFor("3 instances");
    await ui.press("Y");
    await ui.waitFor("whole row");
    await ui.press(keys.enter);
    await ui.waitFor("3 instances");
    expect(ui.copied[0]?.split("\t")[0]).toBe("a");
    expect(ui.copied[0]).toContain("1G");
    expect(ui.copied[0]?.split("\t")[1]).toMatch(/^(running|shut off|stopped)$/);
    await ui.press("Y");
    const lines = await ui.waitFor("whole row");
    const cells = lines.slice(lines.findIndex((line) => line.includes("whole row")));
    await ui.press(
      ...cells
        .slice(
          0,
          cells.findIndex((line) => / MEM /.test(line)),
        )
        .map(() => keys.down),
      keys.enter,
    );
    await ui.waitFor("3 instances");
    expect(ui.copied[1]).toBe("1G");
  });

  test("tells of a group what it adds up to, whose state is what, and who uses the most", async () => {
    const ui = open();
    await ui.waitFor("3 instances");
    await ui.press("b", keys.home, "\t");
    const lines = (await ui.waitFor(/instances +\d+ ●/)).join("\n");
    expect(lines).toMatch(/vCPUs +\d/);
    expect(lines).toMatch(/memory +.*given/);
    expect(lines).toContain("← closes the group");
    await ui.press("d");
    await ui.waitFor("the cursor is on a group");
  });
});
