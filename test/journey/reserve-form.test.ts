import { describe, expect, it } from "vitest";
import { checkRequest, hasUsagePolicy, policyWarnings, type ReserveValues } from "../../source/journey/reserve.ts";
import type { ReserveRequest } from "../../source/journey/types.ts";

const good: ReserveValues = { nodes: "4", walltime: "2:30" };
const errorsOf = (values: Partial<ReserveValues>) => {
  const checked = checkRequest({ ...good, ...values });
  return "errors" in checked ? checked.errors : null;
};

describe("the reservation form", () => {
  it("has defaults for all but two fields", () => {
    const expected = { nodes: 4, walltimeSeconds: 9000, subnet: 22, name: "virtu" };
    expect(checkRequest(good)).toEqual({ request: expected });
    expect(checkRequest({ ...good, name: " ", subnet: "", start: "", queue: "" })).toEqual({ request: expected });
  });

  it("takes all fields", () => {
    const values = {
      nodes: " 2 ",
      walltime: "90 min",
      subnet: "/20",
      cluster: "paravance",
      properties: "memnode > 3 AND disktype='SSD'",
      queue: "default",
      project: "p1",
      name: "mine",
      start: "2026-3-2 9:05",
    };
    expect(checkRequest(values)).toEqual({
      request: {
        nodes: 2,
        walltimeSeconds: 5400,
        subnet: 20,
        cluster: "paravance",
        properties: "memnode > 3 AND disktype='SSD'",
        queue: "default",
        project: "p1",
        name: "mine",
        start: "2026-03-02 09:05:00",
      },
    });
    expect(checkRequest({ ...good, subnet: "none" })).toMatchObject({ request: { subnet: null } });
  });

  it.each([
    [{ nodes: "" }, "nodes", /How many/],
    [{ nodes: "0" }, "nodes", /At least one/],
    [{ nodes: "two" }, "nodes", /whole number/],
    [{ nodes: "1.5" }, "nodes", /whole number/],
    [{ walltime: "0:90" }, "walltime", /up to 59/],
    [{ subnet: "24" }, "subnet", /\/16 to \/22/],
    [{ cluster: "a b" }, "cluster", /letters/],
    [{ cluster: "x' OR '1'='1" }, "cluster", /letters/],
    [{ queue: "-q" }, "queue", /letters/],
    [{ project: "p;rm" }, "project", /letters/],
    [{ name: "a/b" }, "name", /letters/],
    [{ properties: "cluster='grisou" }, "properties", /quote is not closed/],
    [{ properties: 'cluster="grisou"' }, "properties", /single quotes/],
    [{ properties: "(a=1" }, "properties", /not closed/],
    [{ properties: "a=1)" }, "properties", /not opened/],
    [{ properties: "a=1}/x" }, "properties", /Braces/],
    [{ properties: "a=1; drop" }, "properties", /One condition/],
    [{ properties: "grisou" }, "properties", /compares/],
    [{ start: "tomorrow" }, "start", /Write the start as/],
    [{ start: "2026-02-30 10:00" }, "start", /no such day/],
    [{ start: "2026-02-03 25:00" }, "start", /no such day/],
  ] as const)("%j is wrong in %s", (values, field, text) => {
    const errors = errorsOf(values);
    expect(Object.keys(errors ?? {})).toEqual([field]);
    expect(errors?.[field]).toMatch(text);
  });

  it("says all that is wrong at once", () => {
    expect(Object.keys(errorsOf({ nodes: "0", walltime: "x", start: "y" }) ?? {}).sort()).toEqual([
      "nodes",
      "start",
      "walltime",
    ]);
  });
});

describe("the usage policy", () => {
  const request = (hours: number, start?: string): ReserveRequest => ({
    nodes: 4,
    walltimeSeconds: hours * 3600,
    subnet: 22,
    name: "virtu",
    start,
  });
  // French time is an hour ahead of UTC in winter, two in summer.
  const at = (utc: string) => Date.parse(`${utc}Z`) / 1000;

  it("belongs to Grid'5000", () => {
    expect(hasUsagePolicy({ name: "rennes", frontend: "rennes.g5k" })).toBe(true);
    expect(hasUsagePolicy({ name: "x", frontend: "frontend", gateway: "access.grid5000.fr" })).toBe(true);
    expect(hasUsagePolicy({ name: "lab", frontend: "oar.example.org" })).toBe(false);
  });

  it.each([
    ["an hour by day", 1, "2026-11-24T10:00", null],
    ["three hours by day", 3, "2026-11-24T10:00", /More than 2 h by day/],
    ["across the evening", 3, "2026-11-24T15:30", /cross 19:00 on Tuesday/],
    ["across the evening, submitted after 17:00", 2, "2026-11-24T16:30", null],
    ["an hour across the evening, at once", 1, "2026-11-24T15:55", null],
    ["by night until the morning", 13, "2026-11-24T18:30", null],
    ["by night into the morning", 15, "2026-11-24T18:30", /cross 9:00 on Wednesday/],
    ["all of Saturday", 14, "2026-11-28T06:00", null],
    ["from Sunday night into Monday", 12, "2026-11-29T22:00", /cross 9:00 on Monday/],
    ["all of a holiday", 9, "2026-11-11T08:00", null],
    ["all of Easter Monday", 9, "2026-04-06T08:00", null],
    ["across the evening in summer", 3, "2026-07-07T14:30", /cross 19:00/],
    ["after the evening in summer", 3, "2026-07-07T17:30", null],
  ])("%s", (_, hours, now, text) => {
    const warnings = policyWarnings(request(hours), at(now));
    if (text === null) expect(warnings).toEqual([]);
    else expect(warnings[0]).toMatch(text);
  });

  it("reads the start as French time", () => {
    expect(policyWarnings(request(2, "2026-11-24 18:00:00"), at("2026-11-23T12:00"))[0]).toMatch(/cross 19:00/);
    expect(policyWarnings(request(13, "2026-11-24 19:30:00"), at("2026-11-23T12:00"))).toEqual([]);
  });
});
