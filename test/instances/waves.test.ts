import { expect, test } from "vitest";
import { conditionText, waveOf, waveTitle } from "../../source/instances/waves.ts";

test("reads who, what must hold, and how long that may take", () => {
  const wave = waveOf("group=db host=hv1 until running and port 5432 within 90");
  expect(wave.selector).toMatchObject({ groups: ["db"], hosts: ["hv1"] });
  expect(wave.until).toEqual([{ kind: "running" }, { kind: "port", port: 5432 }]);
  expect(wave.withinSeconds).toBe(90);
  expect(waveTitle(wave)).toBe("group=db host=hv1");
  expect(wave.until.map(conditionText)).toEqual(["running", "port 5432"]);
});

test.each<[string, unknown]>([
  ["db1", []],
  ["db1 until ping", [{ kind: "ping" }]],
  ["db1 until stopped", [{ kind: "stopped" }]],
  ["db1 until console", [{ kind: "console", text: null }]],
  ["db1 until console db1 login:", [{ kind: "console", text: "db1 login:" }]],
  ["db1 until wait 30s", [{ kind: "wait", seconds: 30 }]],
  ["db1 until wait 2m", [{ kind: "wait", seconds: 120 }]],
])("%s", (text, until) => {
  expect(waveOf(text).until).toEqual(until);
});

test.each([
  ["", "names no instances"],
  ["until running", "names no instances"],
  ["db1 until", "no condition"],
  ["db1 until running within soon", "within takes a number"],
  ["db1 until port", "no condition"],
  ["db1 until port 70000", "no condition"],
  ["db1 until ping port 5", 'join them by "and"'],
  ["db1 until happy", "there are running"],
])("refuses %j: %s", (text, why) => {
  expect(() => waveOf(text)).toThrow(why);
});
