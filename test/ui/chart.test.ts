import { describe, expect, test } from "vitest";
import { plain } from "../../source/text.ts";
import { chartLines, roundTop, sparkline, valuesFor } from "../../source/ui/components/chart-lines.ts";
import { chartMetrics, chartText } from "../../source/ui/screens/chart-text.ts";
import { widthOf } from "../../source/ui/theme.ts";

test("a sparkline has a bar for each value, none where nobody looked, and shows the least load", () => {
  expect(sparkline([null, 0, 0.1, 50, 100, 400], 100)).toBe(" ▁▁▄██");
});

const options = {
  width: 28,
  height: 6,
  most: 100,
  format: (value: number) => `${value} %`,
  times: ["10 min", "5 min", "now"],
} as const;
const drawn = (...values: (number | null)[][]) =>
  chartLines(
    values.map((one, index) => ({ label: `i${index}`, values: one })),
    options,
  ).map(plain);

describe("a chart", () => {
  const length = valuesFor(options.width);

  test("has its axis, its times, and every line within its width", () => {
    const lines = drawn(Array.from({ length }, (_, x) => (x / (length - 1)) * 100));
    expect(lines).toEqual([
      " 100 % │               ⣀⡠⠤⠒⠉",
      "       │          ⣀⡠⠔⠒⠉     ",
      "       │     ⣀⠤⠔⠊⠉          ",
      "       │⣀⠤⠒⠊⠉               ",
      "   0 % └────────────────────",
      "        10 min 5 min     now",
    ]);
    for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(options.width);
  });

  test("a step is a line without holes, a gap stays empty", () => {
    const values: (number | null)[] = Array.from({ length }, (_, x) => (x < 10 ? 0 : x < 20 ? 100 : null));
    const lines = drawn(values);
    for (const line of lines.slice(0, 4)) expect(line.slice(8 + 5, 8 + 6)).not.toBe(" ");
    for (const line of lines.slice(0, 4)) expect(line.slice(8 + 10).trim()).toBe("");
  });

  test("what is above the top is at the top", () => {
    expect(drawn(new Array(length).fill(900))[0]).toContain("⠉⠉⠉⠉");
  });
});

test("the names are of those that are drawn: what is off comes last, where there is room", () => {
  const line = (label: string, value: number | null) => ({
    label,
    now: value,
    spread: (_from: number, _to: number, count: number) => new Array<number | null>(count).fill(value),
  });
  const lines = [line("off1", null), line("off2", null), line("web1", 10), line("off3", null), line("web2", 20)];
  const metric = chartMetrics(true, false)[0];
  if (!metric) throw new Error("there is no metric");
  const text = chartText(lines, { metric, span: 300, now: 1_000_000, width: 60, height: 9 });
  expect(text[0]).toContain("web1");
  expect(text[1]).toContain("web2");
  expect(text[2]).toContain("off1");
  expect(text.join("\n")).toContain("and 2 more, drawn without their names");
});

test("the top of an axis is round and holds everything", () => {
  const top = (value: number) => roundTop([{ label: "", values: [value, null] }], 100);
  expect([top(3), top(101), top(430), top(5000), top(1e6 + 1)]).toEqual([100, 200, 500, 5000, 2e6]);
});
