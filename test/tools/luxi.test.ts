import { describe, expect, test } from "vitest";
import { instanceFields, nodeFields, parseList, parseTable } from "../../source/tools/ganeti.ts";
import { detailFields, parseDefaultLink } from "../../source/tools/ganeti-details.ts";
import {
  LuxiFrames,
  luxiCells,
  luxiRequest,
  luxiRows,
  parseJobChange,
  parseLuxiReply,
} from "../../source/tools/luxi.ts";
import { fixture } from "../instances/fake-pool.ts";

const result = (name: string) => {
  const reply = parseLuxiReply(fixture("ganeti", `${name}.json`));
  if (!reply?.ok) throw new Error(`${name} is no reply`);
  return reply.result;
};

describe("messages", () => {
  test("end by the byte 3 and hold no version", () => {
    expect(luxiRequest("Query", ["job", ["id"], null]).toString()).toBe(
      '{"method":"Query","args":["job",["id"],null]}\x03',
    );
  });

  test("are cut out of whatever pieces arrive, also within a letter", () => {
    const frames = new LuxiFrames();
    const bytes = Buffer.from('{"a":"é"}\x03{"b":1}\x03{"c"');
    expect(frames.push(bytes.subarray(0, 7))).toEqual([]);
    expect(frames.push(bytes.subarray(7))).toEqual(['{"a":"é"}', '{"b":1}']);
    expect(frames.push(Buffer.from(":2}\x03"))).toEqual(['{"c":2}']);
  });

  test("are results, refusals or nothing that is known", () => {
    expect(parseLuxiReply('{"success":true,"result":25}')).toEqual({ ok: true, result: 25 });
    expect(parseLuxiReply('{"success":false,"result":["JobLost",["Can\'t load job file"]]}')).toEqual({
      ok: false,
      text: "Can't load job file",
    });
    expect(parseLuxiReply('{"success":false,"result":"Failed to parse request"}')).toMatchObject({ ok: false });
    expect(parseLuxiReply("{}")).toBeNull();
    expect(parseLuxiReply("Traceback")).toBeNull();
  });
});

describe("tables", () => {
  const printed = (name: string, part: string, fields: readonly string[]) =>
    parseTable(parseList(fixture("ganeti", `${name}.stdout`), [part])[part]?.text ?? "", fields);

  test.each([
    ["two-ways-instances", "two-ways-list", "instances", instanceFields],
    ["two-ways-instance", "two-ways-details", "instance", detailFields],
  ] as const)("%s gives the very cells of gnt-* (%s)", (luxi, gnt, part, fields) => {
    const plain = (cells: unknown) =>
      // gnt-instance prints some lists as Python does, LUXI's are joined here: both are read by `listCell`.
      JSON.parse(
        JSON.stringify(cells)
          .replaceAll("[None]", "None")
          .replace("[None, None]", "None,None")
          .replace(/\['([\w-]+)'\]/, "$1"),
      );
    const cells = luxiCells(result(luxi), fields);
    expect(cells).toEqual(plain(printed(gnt, part, fields)));
  });

  test("give nodes that are offline or do not answer without figures", () => {
    const nodes = luxiCells(result("two-ways-nodes"), nodeFields) ?? [];
    expect(nodes.map(({ name, role, mfree }) => [name?.split(".")[0], role, mfree === null])).toEqual([
      ["node1", "M", false],
      ["node2", "C", true],
      ["node3", "O", true],
    ]);
  });

  test("of another form are told from good ones", () => {
    expect(luxiRows({ fields: [], data: [[[0, 1]]] }, ["a", "b"])).toBeNull();
    expect(luxiRows("nothing", ["a"])).toBeNull();
    expect(luxiRows({ data: [[[3, null]]] }, ["a"])).toEqual([{ a: null }]);
  });
});

describe("the change of a job", () => {
  test("has values for the next question, and what was logged", () => {
    const change = parseJobChange([["running", [null]], [[4, [1_795_576_881, 415_755], "message", " - INFO: moving"]]]);
    expect(change).toEqual({ values: ["running", [null]], serial: 4, messages: ["INFO: moving"] });
  });

  test("may be that there was none, or of no known form", () => {
    expect(parseJobChange("nochange")).toBeNull();
    expect(parseJobChange(null)).toBeNull();
    expect(parseJobChange({})).toBeUndefined();
  });
});

test("the default link is found in what gnt-cluster info prints", () => {
  expect(parseDefaultLink(fixture("ganeti", "two-ways-details.stdout"))).toBe("br0");
  expect(parseDefaultLink("Default nic parameters: \n  default: \n    mode: routed\nlink: br9\n")).toBeNull();
});
