import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { beforeEach, expect, test } from "vitest";
import { holderOf, processStart, takeLocalLock } from "../../source/journey/lock.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "virtu-lock-"));
  file = path.join(folder, "lock");
});

const written = (holder: object) => writeFileSync(file, `${JSON.stringify(holder)}\n`);

test("is held until it is given back, and leaves nothing", async () => {
  const unlock = await takeLocalLock(file, "r", false);
  expect(await holderOf(file)).toMatchObject({ pid: process.pid });
  await expect(takeLocalLock(file, "r", true)).rejects.toMatchObject({ kind: "refused" });
  await unlock();
  expect(readdirSync(folder)).toEqual([]);
});

test("one of many gets it", async () => {
  written({ pid: 0x7ffffff0, host: os.hostname(), started: "1" });
  const taken = await Promise.allSettled(Array.from({ length: 20 }, () => takeLocalLock(file, "r", false)));
  expect(taken.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  expect(readdirSync(folder)).toEqual(["lock"]);
});

test("of a process that was killed it is nobody's; nor of one whose number another has now", async () => {
  const child = spawn("sleep", ["600"]);
  const started = await processStart(child.pid ?? 0);
  written({ pid: child.pid, host: os.hostname(), started });
  expect(await holderOf(file)).toMatchObject({ pid: child.pid });
  await expect(takeLocalLock(file, "r", false)).rejects.toMatchObject({
    kind: "refused",
    where: `process ${child.pid}`,
  });
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
  expect(await holderOf(file)).toBeNull();
  written({ pid: process.pid, host: os.hostname(), started: "0" });
  const unlock = await takeLocalLock(file, "r", false);
  await unlock();
});

test("of another machine it is taken only on demand", async () => {
  written({ pid: 1, host: "elsewhere.example", started: "1" });
  await expect(takeLocalLock(file, "r", false)).rejects.toMatchObject({ hint: expect.stringContaining("--take-lock") });
  const unlock = await takeLocalLock(file, "r", true);
  expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ pid: process.pid });
  await unlock();
  expect(existsSync(file)).toBe(false);
});

test("half written, it holds nothing", async () => {
  writeFileSync(file, '{"pid":');
  await (await takeLocalLock(file, "r", false))();
});
