import { mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { Recording, recordingName } from "../../source/console/recording.ts";

function directory(): string {
  const made = mkdtempSync(path.join(tmpdir(), "virtu-recording-"));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

const size = { columns: 80, rows: 23 };

test("an asciicast v2: header with the size, what is shown with its time, sizes as they change; for the owner only", async () => {
  const file = path.join(directory(), "deep", "web1.cast");
  let now = 1_000_000;
  const onBroken = vi.fn();
  const recording = new Recording({
    file,
    title: "web1 on hv1",
    size,
    start: "\u001b[Hold",
    onBroken,
    clock: () => now,
  });
  now += 1500;
  // A character cut in two by the network is one again.
  recording.output(Buffer.from("né", "utf8").subarray(0, 2));
  recording.output(Buffer.from("né", "utf8").subarray(2));
  now += 250;
  recording.resize({ columns: 100, rows: 40 });
  await recording.end();
  const lines = readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines).toEqual([
    { version: 2, width: 80, height: 23, timestamp: 1000, title: "web1 on hv1", env: { TERM: "xterm-256color" } },
    [0, "o", "\u001b[Hold"],
    [1.5, "o", "n"],
    [1.5, "o", "é"],
    [1.75, "r", "100x40"],
  ]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(onBroken).not.toHaveBeenCalled();
});

test("a full disk ends the recording and nothing else", async () => {
  const onBroken = vi.fn();
  // The device that is always full.
  const open = () => openSync("/dev/full", "w");
  const file = path.join(directory(), "web1.cast");
  const recording = new Recording({ file, title: "web1", size, start: "", onBroken, open });
  await vi.waitFor(() => expect(onBroken).toHaveBeenCalledOnce());
  recording.output(Buffer.from("more"));
  await recording.end();
  expect(onBroken.mock.calls[0]?.[0]).toMatch(/ENOSPC/);
});

test("what is there already is never written over", () => {
  const file = path.join(directory(), "web1.cast");
  writeFileSync(file, "mine");
  expect(() => new Recording({ file, title: "web1", size, start: "", onBroken: () => {} })).toThrow(/EEXIST/);
  expect(readFileSync(file, "utf8")).toBe("mine");
});

test("a file's name says whose and when, whatever the instance is called", () => {
  const at = new Date("2026-11-25T03:15:07Z");
  expect(recordingName("web1.example.org", at)).toBe("web1.example.org-2026-11-25T03-15-07.cast");
  expect(recordingName("../../etc/x y", at)).toBe("_.._etc_x_y-2026-11-25T03-15-07.cast");
});
