/** A part of virtu in a process of its own, which kills itself where it is told to: what the next one makes of it is tested. */
import path from "node:path";
import { build } from "esbuild";
import { expect } from "vitest";
import { run } from "./program.ts";

/** Bundles a program of the tests for the Node that runs them; gives its file. */
export async function bundled(entry: string): Promise<string> {
  const outfile = path.join("node_modules/.cache/virtu-test", `${path.basename(entry, ".ts")}.mjs`);
  await build({
    ...{ entryPoints: [entry], outfile, bundle: true, packages: "external" },
    ...{ platform: "node", format: "esm", logLevel: "warning" },
  });
  return outfile;
}

/** Runs it until it has killed itself; anything else that it does fails the test. */
export async function untilKilled(bundle: string, args: readonly string[], input?: string): Promise<void> {
  const { status, stdout, stderr } = await run(process.execPath, [bundle, ...args], { input });
  expect(status, `it ended by itself\n${stdout}${stderr}`).toBeNull();
}
