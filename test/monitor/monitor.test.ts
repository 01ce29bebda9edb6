import { describe, expect, test } from "vitest";
import type { InstanceRow } from "../../source/instances/inventory-types.ts";
import type { Usage } from "../../source/instances/types.ts";
import { History } from "../../source/monitor/history.ts";
import { type Thresholds, thresholdsOf } from "../../source/monitor/limits.ts";
import { Monitor } from "../../source/monitor/monitor.ts";
import { ratesOf } from "../../source/monitor/rates.ts";

const nothing: Usage = {
  cpuNs: null,
  memoryMiB: null,
  memorySource: null,
  diskReadBytes: null,
  diskWrittenBytes: null,
  netInBytes: null,
  netOutBytes: null,
};
const look = (at: number, usage: Partial<Usage>) => ({ at, usage: { ...nothing, ...usage }, vcpus: 2, memoryMiB: 512 });

describe("rates", () => {
  test("are what was counted in the time between", () => {
    const before = look(10_000, { cpuNs: 5e9, diskReadBytes: 1000, netOutBytes: 0 });
    const now = look(14_000, {
      cpuNs: 9e9,
      diskReadBytes: 9000,
      netOutBytes: 2e6,
      memoryMiB: 128,
      memorySource: "balloon",
    });
    expect(ratesOf(before, now)).toEqual({
      cpu: 50,
      memory: 25,
      memoryMiB: 128,
      memorySource: "balloon",
      diskRead: 2000,
      diskWrite: null,
      netIn: null,
      netOut: 500_000,
    });
  });

  test("after a restart no counter makes a spike, also not one that is already higher than before", () => {
    const before = look(10_000, { cpuNs: 90e9, netInBytes: 10 });
    expect(ratesOf(before, look(14_000, { cpuNs: 1e9, netInBytes: 5e9 }))).toMatchObject({ cpu: null, netIn: null });
  });

  test("need two looks, and some time between them", () => {
    const first = look(10_000, { cpuNs: 1e9, memoryMiB: 256 });
    expect(ratesOf(null, first)).toMatchObject({ cpu: null, memory: 50 });
    expect(ratesOf(first, look(10_100, { cpuNs: 2e9 })).cpu).toBeNull();
  });
});

describe("history", () => {
  const start = 1_800_000_000_000;

  test("gives the looks of the last minutes as they were, and gaps as gaps", () => {
    const history = new History(1);
    for (const second of [0, 10, 20, 30]) history.add(start + second * 1000, [second]);
    history.add(start + 200_000, [200]);
    const parts = history.spread(0, start, start + 240_000, 24);
    expect(parts.slice(0, 5)).toEqual([0, 10, 20, 30, null]);
    expect(parts[20]).toBe(200);
    expect(parts.filter((part) => part !== null)).toEqual([0, 10, 20, 30, 200]);
  });

  test("parts between two looks are not empty", () => {
    const history = new History(1);
    history.add(start, [1]);
    history.add(start + 30_000, [7]);
    expect(history.spread(0, start, start + 40_000, 4)).toEqual([1, 7, 7, 7]);
  });

  test("keeps an hour and a day in means, and no more", () => {
    const history = new History(2);
    const hours = 30;
    for (let second = 0; second < hours * 3600; second += 30) history.add(start + second * 1000, [second / 3600, null]);
    const end = start + hours * 3_600_000;
    const day = history.spread(0, end - 24 * 3_600_000, end, 24);
    expect(day.every((part) => part !== null)).toBe(true);
    for (const [hour, part] of day.entries()) expect(part).toBeCloseTo(6.5 + hour, 0);
    const hour = history.spread(0, end - 3_600_000, end, 60);
    for (const [minute, part] of hour.entries()) expect(part).toBeCloseTo(29 + (minute + 0.5) / 60, 1);
    expect(history.spread(1, end - 3_600_000, end, 4)).toEqual([null, null, null, null]);
    // Three hours ago is kept as means of five minutes only; thirty hours ago no more.
    expect(history.spread(0, start, start + 3_600_000, 4)).toEqual([null, null, null, null]);
  });
});

const rowOf = (key: string, seenAt: number, usage: Partial<Usage> | null, own: Partial<InstanceRow> = {}) =>
  ({
    key,
    name: key,
    host: "hv1",
    vcpus: 1,
    memoryMiB: 1000,
    seenAt,
    stale: false,
    ...(usage && { usage: { ...nothing, ...usage } }),
    ...own,
  }) as InstanceRow;

describe("monitor", () => {
  const limits: Thresholds = thresholdsOf({ cpu: 80, seconds: 10 });
  /** CPU shares, one look in five seconds. */
  function load(monitor: Monitor, shares: readonly number[]) {
    let cpuNs = 0;
    return shares.flatMap((share, n) => {
      cpuNs += share * 5e7;
      return monitor.observe([rowOf("web1", n * 5000, { cpuNs })]);
    });
  }

  test("says once that one is above its limit for long enough, and once that it is well again", () => {
    const monitor = new Monitor(limits);
    const alarms = load(monitor, [0, 95, 20, 95, 95, 95, 95, 78, 95, 10, 10]);
    expect(alarms.map(({ on, at }) => [on, at])).toEqual([
      [true, 25_000],
      [false, 45_000],
    ]);
    expect(monitor.hot("web1")).toEqual([]);
  });

  test("an answer that is shown twice counts once; a stale row says nothing", () => {
    const monitor = new Monitor(limits);
    monitor.observe([rowOf("a", 1000, { cpuNs: 0 })]);
    monitor.observe([rowOf("a", 5000, { cpuNs: 2e9 })]);
    monitor.observe([rowOf("a", 5000, { cpuNs: 2e9 })]);
    expect(monitor.rates("a")?.cpu).toBe(50);
    monitor.observe([rowOf("a", 9000, { cpuNs: 9e9 }, { stale: true })]);
    expect(monitor.rates("a")?.cpu).toBe(50);
  });

  test("a look right after another takes nothing away of what is known", () => {
    const monitor = new Monitor(limits);
    monitor.observe([rowOf("a", 1000, { cpuNs: 0 })]);
    monitor.observe([rowOf("a", 5000, { cpuNs: 2e9 })]);
    monitor.observe([rowOf("a", 5100, { cpuNs: 2.01e9 })]);
    expect(monitor.rates("a")?.cpu).toBe(50);
    // The next one counts from the look before both.
    monitor.observe([rowOf("a", 9000, { cpuNs: 3e9 })]);
    expect(monitor.rates("a")?.cpu).toBe(25);
  });

  test("a row whose node is late with its state tells what was counted meanwhile", () => {
    const monitor = new Monitor(limits);
    const late = { stale: true, late: { node: "n1", since: 0, seenAt: 0 } };
    monitor.observe([rowOf("a", 1000, { cpuNs: 0, at: 1000 })]);
    monitor.observe([rowOf("a", 1000, { cpuNs: 2e9, at: 5000 }, late)]);
    expect(monitor.rates("a")?.cpu).toBe(50);
    monitor.observe([rowOf("a", 1000, null, late)]);
    expect(monitor.rates("a")?.cpu).toBe(50);
  });

  test("one that is off has no rates, and its next start makes no spike", () => {
    const monitor = new Monitor(limits);
    monitor.observe([rowOf("a", 1000, { cpuNs: 0 })]);
    monitor.observe([rowOf("a", 5000, null)]);
    expect(monitor.rates("a")).toBeNull();
    monitor.observe([rowOf("a", 9000, { cpuNs: 9e9 })]);
    expect(monitor.rates("a")?.cpu).toBeNull();
  });

  test("a day of two hundred instances stays in bounded memory, minutes of them take a part of it, and gone ones take theirs along", () => {
    const monitor = new Monitor(limits);
    const look = (at: number) =>
      monitor.observe(
        Array.from({ length: 200 }, (_, index) => rowOf(`i${index}`, at, { cpuNs: at * 1e6, netInBytes: at })),
      );
    const held = () => process.memoryUsage().arrayBuffers;
    const before = held();
    for (let n = 0; n < 10; n += 1) look(n * 4000);
    const minutes = held() - before;
    for (let n = 1; n < 350; n += 1) look(n * 300_000);
    const day = held() - before;
    for (let n = 0; n < 900; n += 1) look(350 * 300_000 + n * 4000);
    expect(held() - before - day).toBeLessThan(200_000);
    expect(minutes).toBeLessThan(day / 2);
    const at = (n: number) => 351 * 300_000 + n * 4000;
    for (let n = 900; n < 910; n += 1) {
      monitor.observe(Array.from({ length: 1000 }, (_, index) => rowOf(`short${n}-${index}`, at(n), { cpuNs: 0 })));
    }
    expect(monitor.spread("i1", "cpu", 0, at(900), 3)).toEqual([null, null, null]);
  });
});
