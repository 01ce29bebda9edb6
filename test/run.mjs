// Runs a TypeScript program of this folder: `node test/run.mjs FILE [ARGUMENT …]`. It is bundled here for the Node that
// runs it; what it exports as `main` gets the arguments and gives the exit status.
import path from "node:path";
import { build } from "esbuild";

const [entry, ...args] = process.argv.slice(2);
const outfile = path.resolve("node_modules/.cache/virtu", `${path.basename(entry, ".ts")}.mjs`);
await build({
  entryPoints: [entry],
  outfile,
  bundle: true,
  packages: "external",
  platform: "node",
  format: "esm",
  logLevel: "warning",
});
const { main } = await import(`file://${outfile}`);
process.exitCode = await main(args);
