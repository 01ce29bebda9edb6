import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { describeImage } from "../../source/tools/env-file.ts";

const recorded = (name: string) => readFileSync(new URL(`../../fixtures/kadeploy/${name}`, import.meta.url), "utf8");
const file = "/home/alice/image/xen.env";

describe("an image file", () => {
  test("YAML, as kaenv3 -p prints it", () => {
    expect(describeImage(file, recorded("kaenv3-print.stdout"))).toEqual({
      kind: "image",
      name: "virtu-xen",
      version: "1",
      arch: null,
      user: null,
      description: "Wheezy + Xen 4.1 + ganeti prerequisites, a long description that overflows",
      file,
      problem: null,
    });
  });

  test("of 2012: described, and flagged where Kadeploy refuses it", () => {
    expect(describeImage(file, recorded("2012-print.stdout"))).toMatchObject({
      name: "squeeze-x64-xen",
      version: "3",
      description: "Debian Squeeze x64 Xen",
      problem: expect.stringMatching(/2012/),
    });
    expect(describeImage(file, recorded("2012-print.stdout"), true).problem).toBeNull();
  });

  test.each([
    ['description: "with: a colon # and \\"quotes\\""', 'with: a colon # and "quotes"'],
    ["description: 'it''s'", "it's"],
    ["description: plain # a comment", "plain"],
    ["description: >\n  folded\n  over lines", "folded over lines"],
    ["description: first\n  and second", "first and second"],
  ])("%s", (text, description) => {
    expect(describeImage(file, `name: a\n${text}\nimage:\n  file: x\n`)).toMatchObject({ description, problem: null });
  });

  test("without a name it has that of its file", () => {
    expect(describeImage(file, "image:\n  file: a.tgz\n").name).toBe("xen");
  });

  test.each([
    ["", /can't be read/],
    ["\u0000\u0001garbage", /can't be read/],
    ["name: a\n", /names no image/],
  ])("%j has a problem", (text, problem) => {
    expect(describeImage(file, text).problem).toMatch(problem);
  });
});
