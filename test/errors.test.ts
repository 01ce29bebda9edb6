import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { reasonOf, toVirtuError, VirtuError } from "../source/errors.ts";

const thrownBy = (run: () => unknown): unknown => {
  try {
    return run();
  } catch (thrown) {
    return thrown;
  }
};

test("what this machine says of its files is told in words, not by its codes", () => {
  const directory = mkdtempSync(`${tmpdir()}/virtu-errors-`);
  const missing = thrownBy(() => readFileSync(`${directory}/none`));
  expect(reasonOf(missing)).toBe("there is no such file or directory");
  expect(toVirtuError(missing, "The plan can't be read")).toMatchObject({
    what: "The plan can't be read",
    why: "there is no such file or directory",
  });
  expect(reasonOf(thrownBy(() => readFileSync(directory)))).toBe("it is a directory");
  expect(reasonOf(Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" }))).toBe(
    "the disk is full",
  );
});

test("a part that is gone since the start says what to do", () => {
  const gone = Object.assign(new Error("Cannot find module 'part.js'"), { code: "ERR_MODULE_NOT_FOUND" });
  expect(toVirtuError(gone)).toMatchObject({
    what: "A part of virtu can't be loaded",
    hint: "Leave virtu and start it again; what runs on the hosts goes on.",
  });
});

test("what is told already is told as it is, and the rest in its own words", () => {
  expect(reasonOf(new VirtuError({ kind: "failed", what: "No", where: "here", why: "because" }))).toBe(
    "here: No: because",
  );
  expect(reasonOf(new Error("odd"))).toBe("odd");
  expect(reasonOf("odd")).toBe("odd");
});
