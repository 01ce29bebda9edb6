import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FileTaken, localPath, writeLocal } from "../source/local-file.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "virtu-file-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const at = (name: string) => path.join(directory, name);
const read = (name: string) => readFileSync(at(name), "utf8");
const modeOf = (name: string) => statSync(at(name)).mode & 0o777;
const failure = (typed: string, over = false) => writeLocal(typed, "new", { over }).catch((thrown) => thrown);

test("~ is the user's home, at the front and alone", () => {
  expect(localPath("~/a.csv")).toBe(path.join(homedir(), "a.csv"));
  expect(localPath("~")).toBe(homedir());
  expect(localPath("~a")).toBe(path.resolve("~a"));
  expect(localPath("a/~/b")).toBe(path.resolve("a/~/b"));
});

describe("a file that is written", () => {
  test("is there whole, with the permissions asked for, and nothing beside it", async () => {
    expect(await writeLocal(at("a"), "new", { mode: 0o600 })).toBe(at("a"));
    expect(read("a")).toBe("new");
    expect(modeOf("a")).toBe(0o600);
    await writeLocal(at("b"), new Uint8Array([1, 2]));
    expect(modeOf("b")).toBe(0o666 & ~process.umask());
    expect(readdirSync(directory).sort()).toEqual(["a", "b"]);
  });

  test("is never one that is there, unless that was said; then it keeps its permissions", async () => {
    writeFileSync(at("a"), "mine");
    chmodSync(at("a"), 0o640);
    const refused = await failure(at("a"));
    expect(refused).toBeInstanceOf(FileTaken);
    expect(refused).toMatchObject({ where: at("a"), why: "there is one of that name already" });
    expect(read("a")).toBe("mine");
    await writeLocal(at("a"), "new", { over: true, mode: 0o600 });
    expect(read("a")).toBe("new");
    expect(modeOf("a")).toBe(0o640);
    expect(readdirSync(directory)).toEqual(["a"]);
  });

  test("is what a link stands for, not the link", async () => {
    writeFileSync(at("a"), "mine");
    symlinkSync("a", at("link"));
    expect(await failure(at("link"))).toBeInstanceOf(FileTaken);
    await writeLocal(at("link"), "new", { over: true });
    expect(read("a")).toBe("new");
    symlinkSync("nowhere", at("dangling"));
    expect(await failure(at("dangling"))).toBeInstanceOf(FileTaken);
    expect(readdirSync(directory).sort()).toEqual(["a", "dangling", "link"]);
  });

  test("may be a device, which stays one", async () => {
    await writeLocal("/dev/null", "new");
    expect(statSync("/dev/null").isCharacterDevice()).toBe(true);
  });
});

describe("one that can't be written says why and what to do", () => {
  test("a folder that is missing, or none", async () => {
    writeFileSync(at("a"), "mine");
    expect(await failure(at("no/such/a"))).toMatchObject({
      what: "The file can't be written",
      where: at("no/such/a"),
      why: `there is no directory ${at("no/such")}`,
      hint: expect.stringContaining("Make it first"),
    });
    expect(await failure(at("a/b"))).toMatchObject({
      why: "a part of its path is not a directory",
      hint: "Choose another place.",
    });
    expect(read("a")).toBe("mine");
  });

  test("a folder in its place, whether it may be written over or not", async () => {
    mkdirSync(at("a"));
    for (const over of [false, true]) expect(await failure(at("a"), over)).toMatchObject({ why: "it is a directory" });
    expect(await failure(`${at("b")}/`)).toMatchObject({ why: "it is a directory", hint: "Add the file's name." });
    expect(readdirSync(directory)).toEqual(["a"]);
  });

  test.skipIf(process.platform !== "linux")("a full disk", async () => {
    expect(await failure("/dev/full")).toMatchObject({
      why: "the disk is full",
      hint: expect.stringContaining("Make room"),
      kind: "failed",
    });
  });

  test("a name that is too long", async () => {
    const told = await writeLocal(at("x".repeat(300)), "", { what: "The plan", kind: "usage" }).catch(
      (thrown) => thrown,
    );
    expect(told).toMatchObject({
      what: "The plan can't be written",
      kind: "usage",
      why: "the name is too long",
    });
    expect(readdirSync(directory)).toEqual([]);
  });
});
