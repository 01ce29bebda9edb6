/** The commands that go with a step's start, by a real shell, at a moment that no run can be stopped at. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { followMark, followStep, readEnd, stopStep } from "../../source/journey/run-remote.ts";
import type { Command } from "../../source/ssh/command.ts";

let home: string;
let folder: string;
let children: ChildProcess[];
beforeEach(() => {
  home = mkdtempSync(path.join(os.tmpdir(), "virtu-remote-"));
  folder = path.join(home, ".virtu/runs/r1/x.1");
  mkdirSync(folder, { recursive: true });
  children = [];
});
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(home, { recursive: true, force: true });
});

function begin(program: string, words: readonly string[], PATH = process.env["PATH"]): ChildProcess {
  const child = spawn(program, words, { env: { HOME: home, PATH }, stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  return child;
}

function run(command: Command, PATH?: string): { child: ChildProcess; printed: () => string } {
  const child = begin("sh", ["-c", command.line], PATH);
  let text = "";
  child.stdout?.on("data", (chunk) => {
    text += chunk;
  });
  return { child, printed: () => text };
}

const put = (name: string, text: string | number) => writeFileSync(path.join(folder, name), `${text}\n`);
const boot = () => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();

/** A start that has told its number and nothing else yet. */
function justBegun(): ChildProcess {
  const script = begin("sleep", ["1000"]);
  writeFileSync(path.join(folder, "output"), "");
  put("pid", script.pid ?? 0);
  return script;
}

test("a start that has told only its number yet is followed to its end, not taken for ended", async () => {
  const script = justBegun();
  const { child, printed } = run(followStep("r1", "x.1", 0));
  await vi.waitFor(() => expect(printed()).toBe(`${followMark}\n`));
  put("boot", boot());
  put("worker", script.pid ?? 0);
  appendFileSync(path.join(folder, "output"), "text\n");
  await vi.waitFor(() => expect(printed()).toBe(`${followMark}\ntext\n`));
  expect(child.exitCode).toBeNull();
  appendFileSync(path.join(folder, "output"), "#virtu r1/x.1 0 1\n");
  script.kill("SIGKILL");
  await once(child, "close");
  expect(readEnd("r1", "x.1", printed().split("\n").at(-2) ?? "")).toEqual({ status: 0, seconds: 1 });
});

test("a start that is stopped in that moment ends as well", async () => {
  justBegun();
  const worker = begin("sleep", ["1000"]);
  // The start goes on while it is waited for.
  const bin = path.join(home, "bin");
  mkdirSync(bin);
  writeFileSync(path.join(bin, "sleep"), `#!/bin/sh\necho ${boot()} > boot\necho ${worker.pid} > worker\n`, {
    mode: 0o755,
  });
  const { child } = run(stopStep("r1", "x.1"), `${bin}:${process.env["PATH"]}`);
  expect(await once(child, "close")).toEqual([0, null]);
  await vi.waitFor(() => expect(worker.signalCode).toBe("SIGTERM"));
});

test("a start that never came further, or is of an earlier boot, is not waited for", async () => {
  const script = justBegun();
  script.kill("SIGKILL");
  await once(script, "close");
  const gone = run(followStep("r1", "x.1", 0));
  await once(gone.child, "close");
  expect(gone.printed()).toBe(`${followMark}\n`);
  const other = begin("sleep", ["1000"]);
  put("pid", other.pid ?? 0);
  put("boot", "an earlier one");
  put("worker", other.pid ?? 0);
  appendFileSync(path.join(folder, "output"), "text\n");
  const earlier = run(followStep("r1", "x.1", 0));
  await once(earlier.child, "close");
  expect(earlier.printed()).toBe(`${followMark}\ntext\n`);
  await once(run(stopStep("r1", "x.1")).child, "close");
  expect(other.signalCode).toBeNull();
});
