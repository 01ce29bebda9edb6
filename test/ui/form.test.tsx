import { expect, test } from "vitest";
import { openUi } from "./harness.tsx";

test.each([
  { columns: 60, under: true },
  { columns: 120, under: false },
])("a note that is cut beside its field is whole under the fields: $columns columns", async ({ columns, under }) => {
  const ui = openUi({ place: { screen: "hosts" }, above: [{ screen: "add-host" }], site: null, columns });
  const lines = await ui.waitFor("Nothing is installed");
  const at = lines.findIndex((line) => line.includes("❯Host"));
  expect(lines[at]?.includes("as you name it to ssh")).toBe(!under);
  expect(lines[at + 1]?.trim()).toBe(under ? "as you name it to ssh" : "");
});
