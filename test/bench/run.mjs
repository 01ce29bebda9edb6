// Measures the budgets of the built program. `node test/bench/run.mjs [--check] [PART …]`; the parts are listed by --help.
// The bench itself is TypeScript, bundled here for the Node that runs it.
import { mkdirSync } from "node:fs";
import { build } from "esbuild";

const outfile = "node_modules/.cache/virtu-bench/bench.mjs";
mkdirSync("node_modules/.cache/virtu-bench", { recursive: true });
await build({
  entryPoints: ["test/bench/bench.ts"],
  outfile,
  bundle: true,
  packages: "external",
  platform: "node",
  format: "esm",
  logLevel: "warning",
});
const { main } = await import(new URL(`../../${outfile}`, import.meta.url).href);
process.exitCode = await main(process.argv.slice(2));
