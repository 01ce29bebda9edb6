import { describe, expect, it } from "vitest";
import { formatWalltime, parseIncrement, parseWalltime, readDuration } from "../../source/journey/walltime.ts";

describe("a walltime as people write it", () => {
  it.each([
    ["2:30", 9000],
    ["1:30:00", 5400],
    ["0:05", 300],
    ["2", 7200],
    ["2h30", 9000],
    ["2h30m", 9000],
    ["2 h 30 min", 9000],
    ["2H30", 9000],
    ["1.5 h", 5400],
    ["1,5h", 5400],
    ["90 min", 5400],
    ["90min", 5400],
    ["90m", 5400],
    ["90 minutes", 5400],
    ["45 s", 45],
    ["1d", 86_400],
    ["1d12h", 129_600],
    ["1d12", 129_600],
    ["2 days", 172_800],
    ["  3h ", 10_800],
    ["100:00:00", 360_000],
  ])("%s", (text, seconds) => {
    expect(parseWalltime(text)).toEqual({ seconds });
  });

  it.each([
    ["", /How long/],
    ["0", /nothing/],
    ["0:0:0", /nothing/],
    ["0 min", /nothing/],
    ["0:90", /up to 59: write 90 min/],
    ["1:75", /up to 59: write 135 min/],
    ["1:75:00", /up to 59/],
    ["1h75", /up to 59/],
    ["1:00:75", /Seconds/],
    ["1:00:00:00", /At most hours:minutes:seconds/],
    ["-1", /negative/],
    ["-0:30", /negative/],
    ["+1", /extending/],
    ["abc", /not a time/],
    ["1x", /not a time/],
    ["1:", /not a time/],
    [":30", /not a time/],
    ["1h 2h", /larger unit/],
    ["30 min 2 h", /larger unit/],
    ["2 30", /not a time/],
    ["1e3", /not a time/],
    ["9999999", /more than a year/],
  ])("refuses %j with a sentence", (text, error) => {
    const parsed = parseWalltime(text);
    expect(parsed).toHaveProperty("error");
    expect((parsed as { error: string }).error).toMatch(error);
    expect((parsed as { error: string }).error).toMatch(/^[A-Z"].*[.?]$/);
  });
});

describe("an extension", () => {
  it.each([
    ["+0:30:00", 1800],
    ["+0:30", 1800],
    ["0:30:00", 1800],
    ["+ 30 min", 1800],
    ["+1", 3600],
  ])("%s", (text, seconds) => expect(parseIncrement(text)).toEqual({ seconds }));

  it.each(["-0:30", "+0:90", "+", "", "+0", "++1"])("refuses %j", (text) => {
    expect(parseIncrement(text)).toHaveProperty("error");
  });
});

it("writes walltimes as OAR takes them", () => {
  expect([9000, 45, 5400, 360_000, 3599].map(formatWalltime)).toEqual([
    "2:30:00",
    "0:00:45",
    "1:30:00",
    "100:00:00",
    "0:59:59",
  ]);
});

it("says durations as people read them", () => {
  expect([9000, 45, 3600, 129_600, 0, 3605].map(readDuration)).toEqual([
    "2 h 30 min",
    "45 s",
    "1 h",
    "1 d 12 h",
    "0 s",
    "1 h 5 s",
  ]);
});
