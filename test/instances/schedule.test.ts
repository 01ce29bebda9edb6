/** Actions at a time, carried by a real shell, with stand-ins of at, atq and atrm before it. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createInventory, type Inventory } from "../../source/instances/inventory.ts";
import {
  cancelScheduled,
  carriersOf,
  listScheduled,
  planSchedule,
  scheduleAction,
} from "../../source/instances/schedule.ts";
import { parseWhen, whenText } from "../../source/instances/when.ts";
import { calendarStamp, timerUnit } from "../../source/tools/systemd-timer.ts";
import { ScriptedPool } from "./fake-pool.ts";
import { domains, isDiscovery, isPoll, libvirtHost } from "./script.ts";

let home: string;
let inventory: Inventory;
let pool: ScriptedPool;

/** What at is given, in `$HOME/spool/N` with its time; `deny` makes it refuse. atd is taken for alive when `atd` is there. */
const programs = {
  at: `#!/bin/sh
[ ! -e "$HOME/deny" ] || { echo "You do not have permission to use at." >&2; exit 1; }
n=$(($(ls "$HOME/spool" | wc -l) + 7))
{ echo "# $2 $TZ"; cat; } >"$HOME/spool/$n"
printf 'warning: commands will be executed using /bin/sh\\njob %s at Wed Nov 25 19:00:00 2026\\n' $n >&2`,
  atq: `#!/bin/sh
for job in $(ls "$HOME/spool"); do printf '%s\\tWed Nov 25 19:00:00 2026 a root\\n' "$job"; done`,
  atrm: `#!/bin/sh
rm "$HOME/spool/$1"`,
  cat: `#!/bin/sh
[ "$1" != /run/atd.pid ] || { [ ! -e "$HOME/atd" ] || echo 1; exit; }
exec /bin/cat "$@"`,
  virsh: `#!/bin/sh
echo "virsh $*" >>"$HOME/virsh"
case "$*" in *db1) echo "error: no such thing" >&2; exit 1 ;; esac`,
};

const file = (name: string) => path.join(home, name);
const text = (name: string) => readFileSync(file(name), "utf8");
const spool = () => readdirSync(file("spool"));
const folders = () => (existsSync(file(".virtu/scheduled")) ? readdirSync(file(".virtu/scheduled")) : []);

beforeEach(async () => {
  home = mkdtempSync(path.join(os.tmpdir(), "virtu-at-"));
  mkdirSync(file("bin"));
  mkdirSync(file("spool"));
  writeFileSync(file("atd"), "");
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(file(`bin/${name}`), `${script}\n`);
    chmodSync(file(`bin/${name}`), 0o755);
  }
  pool = new ScriptedPool(({ line, options }) => {
    if (isDiscovery(line)) return libvirtHost;
    if (isPoll(line)) return domains({ web1: true, db1: true });
    const env = { HOME: home, PATH: `${file("bin")}:${process.env["PATH"]}`, TZ: "UTC" };
    const { stdout, stderr, status } = spawnSync("sh", ["-c", line], {
      env,
      input: options.stdin ?? "",
      encoding: "utf8",
    });
    return { stdout, stderr, status };
  });
  inventory = createInventory({ pool, hosts: [{ name: "hv1" }] });
  await inventory.refresh();
});
afterEach(() => {
  inventory.end();
  rmSync(home, { recursive: true });
});

const at = Date.UTC(2030, 10, 25, 19, 0) / 1000;
const context = () => ({ pool, inventory });
const keep = (names: readonly string[] = ["web1"]) => {
  const keys = inventory.view().instances.flatMap(({ key, name }) => (names.includes(name) ? [key] : []));
  return scheduleAction(context(), { do: "shutdown" }, planSchedule(context(), { do: "shutdown" }, keys), at);
};

describe("on a host with at", () => {
  test("is kept there in UTC, listed from there, and taken back", async () => {
    const [outcome] = await keep(["web1", "db1"]);
    expect(outcome).toMatchObject({ host: "hv1", error: null, names: ["db1", "web1"], job: { carrier: "at" } });
    expect(spool()).toEqual(["7"]);
    const [id = ""] = folders();
    expect(text("spool/7")).toBe(`# 203011251900 UTC0\nexec sh '${file(`.virtu/scheduled/${id}/script`)}'\n`);
    const { jobs, problems } = await listScheduled(context());
    expect(problems).toEqual([]);
    expect(jobs).toMatchObject([
      { id, host: "hv1", at, action: "shutdown", names: ["db1", "web1"], state: "waiting", clock: { zone: "UTC" } },
    ]);
    await cancelScheduled(context(), { id, host: "hv1" });
    expect([spool(), folders()]).toEqual([[], []]);
    expect((await listScheduled(context())).jobs).toEqual([]);
    await expect(cancelScheduled(context(), { id, host: "hv1" })).rejects.toThrow(/no job/);
  });

  test("runs each line though one before it failed, and what came of it is listed", async () => {
    await keep(["web1", "db1"]);
    const [id = ""] = folders();
    // As atd does it.
    const env = { HOME: home, PATH: `${file("bin")}:${process.env["PATH"]}`, TZ: "UTC0" };
    spawnSync("sh", [], { env, input: text("spool/7"), cwd: "/" });
    rmSync(file("spool/7"));
    expect(text("virsh").trim().split("\n")).toEqual([
      "virsh -c qemu:///system shutdown db1",
      "virsh -c qemu:///system shutdown web1",
    ]);
    expect(text(`.virtu/scheduled/${id}/output`)).toBe("== db1\nerror: no such thing\n== web1\n");
    const { jobs } = await listScheduled(context());
    const results = [
      { name: "db1", status: 1 },
      { name: "web1", status: 0 },
    ];
    expect(jobs).toMatchObject([{ id, state: "failed", results }]);
    await cancelScheduled(context(), { id, host: "hv1" });
    expect(folders()).toEqual([]);
  });

  test("is lost when at has it no more and it never began; running it can't be taken back", async () => {
    await keep();
    const [id = ""] = folders();
    rmSync(file("spool/7"));
    expect((await listScheduled(context())).jobs[0]?.state).toBe("lost");
    writeFileSync(file(`.virtu/scheduled/${id}/started`), "1\n");
    expect((await listScheduled(context())).jobs[0]?.state).toBe("running");
    await expect(cancelScheduled(context(), { id, host: "hv1" })).rejects.toThrow(/begun/);
  });

  test("names that mean something to a shell mean nothing there", async () => {
    const provider = inventory.providers()[0];
    const instance = inventory.view().instances[0];
    if (!provider || !instance) throw new Error("nothing is there");
    const name = "a'; touch $HOME/hurt; '";
    const line = provider.unattended({ do: "shutdown" }, { ...instance, name, id: name, facts: { uuid: null } });
    if (!line) throw new Error("no line");
    const plan = { jobs: [{ target: provider.target, lines: [{ name, line }] }], left: [] };
    await scheduleAction(context(), { do: "shutdown" }, plan, at);
    spawnSync("sh", [], { env: { HOME: home, PATH: `${file("bin")}:${process.env["PATH"]}` }, input: text("spool/7") });
    expect(existsSync(file("hurt"))).toBe(false);
    expect((await listScheduled(context())).jobs[0]).toMatchObject({ names: [name], results: [{ name, status: 0 }] });
  });
});

test("refused where nothing can carry it, and where the account may not; nothing is left behind", async () => {
  rmSync(file("atd"));
  const [none] = await keep();
  if (!existsSync("/run/systemd/system")) {
    expect(none?.error?.hint).toContain("Install and start at");
    expect(folders()).toEqual([]);
    writeFileSync(file("atd"), "");
    writeFileSync(file("deny"), "");
    const [denied] = await keep();
    expect(denied?.error?.why).toContain("may not use at");
    expect(folders()).toEqual([]);
  }
});

test("a host says what would carry it, and who is on one that has nothing is left out with the reason", async () => {
  const targets = [{ name: "hv1" }];
  expect(await carriersOf(pool, targets)).toEqual({ hv1: "at" });
  rmSync(file("atd"));
  const without = existsSync("/run/systemd/system") ? "systemd" : "none";
  expect(await carriersOf(pool, targets)).toEqual({ hv1: without });
  const dead = new ScriptedPool(() => ({ outcome: "lost" }));
  expect(await carriersOf(dead, targets)).toEqual({});
  const [key = ""] = inventory.view().instances.map((row) => row.key);
  const { jobs, left } = planSchedule(context(), { do: "shutdown" }, [key], new Set(["hv1"]));
  expect(jobs).toEqual([]);
  expect(left).toMatchObject([{ reason: "hv1 has neither at nor systemd to carry it: install at" }]);
});

test("what takes more than a line is left out, with the reason", () => {
  const [key = ""] = inventory.view().instances.map((row) => row.key);
  const plan = planSchedule(context(), { do: "migrate", to: "hv2", live: true }, [key, "gone"]);
  expect(plan.jobs).toEqual([]);
  expect(plan.left).toMatchObject([{ reason: expect.stringContaining("virtu must be open") }, { reason: /no longer/ }]);
});

test("a systemd timer has the time in UTC, and runs at the next start what was missed", () => {
  expect(calendarStamp(at)).toBe("2030-11-25 19:00:00 UTC");
  expect(timerUnit("1234abcd", at)).toMatch(
    /OnCalendar=2030-11-25 19:00:00 UTC\n[\s\S]*Persistent=true[\s\S]*timers.target/,
  );
});

describe("times", () => {
  const now = new Date(2026, 10, 25, 18, 0, 30).getTime() / 1000;
  const local = (...parts: [number, number, number, number, number]) => new Date(...parts).getTime() / 1000;

  test.each<[string, number]>([
    ["19:00", local(2026, 10, 25, 19, 0)],
    ["7:30", local(2026, 10, 26, 7, 30)],
    ["tomorrow 19:00", local(2026, 10, 26, 19, 0)],
    ["today 19:00", local(2026, 10, 25, 19, 0)],
    ["2026-12-24 06:05", local(2026, 11, 24, 6, 5)],
    ["2026-12-24T06:05", local(2026, 11, 24, 6, 5)],
    ["+30m", local(2026, 10, 25, 18, 31)],
    ["now + 2 hours", local(2026, 10, 25, 20, 1)],
  ])("%s", (typed, seconds) => {
    expect(parseWhen(typed, now)).toBe(seconds);
  });

  test.each([
    ["noon", "no time"],
    ["25:00", "no such time of day"],
    ["2026-02-30 10:00", "no such day"],
    ["today 17:00", "past"],
    ["2020-01-01 10:00", "past"],
  ])("%s is refused: %s", (typed, why) => {
    expect(() => parseWhen(typed, now)).toThrow(why);
  });

  test("another zone's host is shown with what its clock says then", () => {
    const text = whenText(at, at - 60, { offsetMinutes: 345, zone: "NPT" });
    expect(text).toMatch(/\(there (2030-11-26 )?00:45 NPT\)$/);
    expect(whenText(at, at - 60, { offsetMinutes: -new Date(at * 1000).getTimezoneOffset(), zone: "X" })).not.toContain(
      "there",
    );
  });
});
