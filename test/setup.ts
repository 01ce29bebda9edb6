import { vi } from "vitest";

// Ink draws nothing until it exits where CI is set, and colours would depend on who runs the tests.
delete process.env["CI"];
delete process.env["NO_COLOR"];

// The library gives up after a second: on a shared machine that is no sign of a defect. Who waits ends when what is awaited comes.
const patience = { timeout: 15_000 };
const { waitFor, waitUntil } = vi;
vi.waitFor = (callback, options) =>
  waitFor(callback, typeof options === "number" ? options : { ...patience, ...options });
vi.waitUntil = (callback, options) =>
  waitUntil(callback, typeof options === "number" ? options : { ...patience, ...options });
