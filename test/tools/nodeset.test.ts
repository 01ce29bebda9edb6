import { describe, expect, test } from "vitest";
import { fold, unfold, unfoldAmong } from "../../source/tools/nodeset.ts";

describe("unfold", () => {
  test.each([
    ["dahu-[1-3,5].grenoble.grid5000.fr", [1, 2, 3, 5].map((n) => `dahu-${n}.grenoble.grid5000.fr`)],
    ["dahu-[1,3].g,troll-1.g", ["dahu-1.g", "dahu-3.g", "troll-1.g"]],
    ["dahu-1.g, troll-[8-11].g", ["dahu-1.g", "troll-8.g", "troll-9.g", "troll-10.g", "troll-11.g"]],
    ["n[01-03]", ["n01", "n02", "n03"]],
    ["r[1-2]n[1-2]", ["r1n1", "r1n2", "r2n1", "r2n2"]],
    ["", []],
    ["plain", ["plain"]],
    ["x[3-1]", []],
  ])("%s", (folded, names) => {
    expect(unfold(folded)).toEqual(names);
  });

  test("a range without end does not fill the memory", () => {
    expect(unfold("n[1-999999999]").length).toBeLessThanOrEqual(100_000);
  });
});

describe("unfoldAmong", () => {
  const known = ["a-1.site", "a-2.site", "b-7.site"];
  test("groups glued together by Ruby 1.8", () => {
    expect(unfoldAmong("a-[1-2].siteb-7.site", known)).toEqual(known);
  });
  test("an array as Ruby 1.9 prints it", () => {
    expect(unfoldAmong('["a-[1-2].site", "b-7.site"]', known)).toEqual(known);
  });
  test("names that were not asked for are left out", () => {
    expect(unfoldAmong("a-[1-9].site", known)).toEqual(["a-1.site", "a-2.site"]);
  });
});

describe("fold", () => {
  test.each([
    [["d-3.g", "d-1.g", "d-2.g", "d-10.g"], "d-[1-3,10].g"],
    [["d-1.g", "t-1.g"], "d-1.g,t-1.g"],
    [["n08", "n09", "n10"], "n[08-10]"],
    [["lone.g", "d-1.g"], "d-1.g,lone.g"],
    [[], ""],
  ])("%j", (names, folded) => {
    expect(fold(names)).toBe(folded);
  });

  test("what is folded unfolds to the same names", () => {
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return seed % below;
    };
    for (let round = 0; round < 200; round += 1) {
      const names = new Set(
        Array.from({ length: random(30) }, () => `${"abc"[random(3)]}-${random(40)}.${["x.fr", "y"][random(2)]}`),
      );
      expect(new Set(unfold(fold(names)))).toEqual(names);
    }
  });
});
