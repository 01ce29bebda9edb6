/** The commands for many, by the built program, on the embedded site: its libvirt hosts, its Ganeti cluster, its at. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EmbeddedSite, startSite } from "../../source/site/index.ts";
import { runProgram } from "../program.ts";

let site: EmbeddedSite;
const hosts = ["--host", "hv1,hv2"];

beforeAll(async () => {
  site = await startSite({ speed: 400 });
  writeFileSync(
    path.join(site.configDir, "settings.json"),
    JSON.stringify({ groups: { shop: [{ glob: "shop*" }, { name: "git" }], off: [{ state: "stopped" }] } }),
  );
});
afterAll(() => site.end());

const virtu = (...args: string[]) => runProgram(args, { sshConfig: site.sshConfigFile, config: site.configDir });

interface Row {
  name: string;
  host: string;
  status: string;
}

const list = async (...words: string[]): Promise<Row[]> => {
  const ran = await virtu("instances", ...hosts, ...words, "--json");
  expect(ran.status, ran.stderr).toBe(0);
  return (JSON.parse(ran.stdout) as Row[]).map(({ name, host, status }) => ({ name, host, status }));
};

describe("selectors", () => {
  test("list what they mean, before anything is done to it", async () => {
    const all = await list();
    const shop = all.filter(({ name }) => ["shop", "shop-db", "git"].includes(name));
    expect(shop).toHaveLength(3);
    expect(await list("--group", "shop")).toEqual(shop);
    expect((await list("--glob", "s*", "--state", "running")).map(({ name }) => name)).toEqual(["shop", "shop-db"]);
    expect(await list("--group", "off", "--provider", "libvirt")).toEqual(
      all.filter(({ status }) => status === "stopped"),
    );
  });

  test("that choose nothing, or mean nothing, are refused with what there is", async () => {
    const nothing = await virtu("shutdown", ...hosts, "--json");
    expect(nothing.status).toBe(2);
    expect(nothing.stderr).toContain("No instance is named");
    const group = await virtu("shutdown", "--group", "prod", ...hosts, "--json");
    expect(group.status).toBe(2);
    expect(group.stderr).toContain("the settings know shop, off");
    const none = await virtu("start", "--glob", "nosuch*", ...hosts, "--json");
    expect(none.status).toBe(2);
  });

  test("ask before more is stopped than was named; with --yes it is done, and kept in a file", async () => {
    const asked = await virtu("shutdown", "--group", "shop", ...hosts, "--json");
    expect(asked.status).toBe(2);
    expect(asked.stderr).toContain("hv1");
    expect((await list("--group", "shop", "--state", "running")).length).toBeGreaterThan(0);
    const summary = path.join(site.configDir, "summary.txt");
    const ran = await virtu("shutdown", "--group", "shop", ...hosts, "--json", "--yes", "--summary", summary);
    expect(ran.status, ran.stderr).toBe(0);
    expect(await list("--group", "shop", "--state", "running")).toEqual([]);
    expect(readFileSync(summary, "utf8")).toMatch(/^shut down .*: \d+ done\n/);
  });
});

test("waves: shown by --dry-run with their order, then done in it", async () => {
  const off = await list("--state", "stopped");
  const [first, second] = off;
  if (!first || !second) throw new Error("two that are off are needed");
  const waves = ["--wave", `${first.host}/${first.name} until running`, "--wave", `${second.host}/${second.name}`];
  const dry = await virtu("start", ...waves, ...hosts, "--dry-run");
  expect(dry.status, dry.stderr).toBe(0);
  expect(dry.stdout.split("\n")[0]).toMatch(new RegExp(`^wave 1, ${first.host}: .*virsh .* start `));
  const ran = await virtu("start", ...waves, ...hosts);
  expect(ran.status, ran.stderr).toBe(0);
  expect(ran.stderr).toMatch(/wave 1 .*: done[\s\S]*wave 2 /);
  const wrong = await virtu("start", "--wave", "web1 until happy", ...hosts);
  expect(wrong.status).toBe(2);
  expect(wrong.stderr).toContain("there are running, stopped, ping");
});

describe("at a time", () => {
  test("is kept by the hosts, listed, and taken back", async () => {
    const dry = await virtu("at", "+2h", "shutdown", "--all", ...hosts, "--dry-run");
    expect(dry.stdout).toMatch(/^hv1 at .*: .*virsh .* shutdown /m);
    const kept = await virtu("at", "+2h", "start", "--group", "off", ...hosts, "--yes", "--json");
    expect(kept.status, kept.stderr).toBe(0);
    const jobs = JSON.parse(kept.stdout) as { host: string; id: string; carrier: string; ok: boolean }[];
    expect(jobs.every(({ ok, carrier }) => ok && carrier === "at")).toBe(true);
    const listed = await virtu("scheduled", ...hosts, "--json");
    expect(listed.status, listed.stderr).toBe(0);
    expect(
      (JSON.parse(listed.stdout) as { id: string; state: string }[]).map(({ id, state }) => `${id} ${state}`).sort(),
    ).toEqual(jobs.map(({ id }) => `${id} waiting`).sort());
    const back = await virtu("unschedule", ...jobs.map(({ id }) => id), ...hosts, "--json");
    expect(back.status, back.stderr).toBe(0);
    expect(JSON.parse((await virtu("scheduled", ...hosts, "--json")).stdout)).toEqual([]);
  });

  test("a time that is none, an action that is none, and an action on nodes are refused", async () => {
    for (const words of [
      ["noon", "start", "--all"],
      ["19:00", "explode", "web1"],
      ["19:00", "node", "drain", "n1"],
    ]) {
      const ran = await virtu("at", ...words, ...hosts, "--yes");
      expect(ran.status, words.join(" ")).toBe(2);
      expect(ran.stderr).not.toBe("");
    }
  });
});

test("an action that a provider has not is refused for each, with the reason", async () => {
  const [one] = await list("--state", "running");
  const ran = await virtu("failover", `${one?.host}/${one?.name}`, ...hosts, "--yes", "--json");
  expect(ran.status).toBe(1);
  expect((JSON.parse(ran.stdout) as { error: string }[])[0]?.error).not.toBe("");
});

test("the summary of one run does not overwrite another's without a yes", async () => {
  const summary = path.join(site.configDir, "other.json");
  const [one] = await list("--state", "stopped");
  const name = `${one?.host}/${one?.name}`;
  expect((await virtu("start", name, ...hosts, "--summary", summary)).status).toBe(0);
  expect(existsSync(summary)).toBe(true);
  const again = await virtu("reboot", name, ...hosts, "--summary", summary);
  expect(again.status).toBe(2);
  expect(again.stderr).toContain("Overwrite");
});
