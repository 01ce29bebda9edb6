// Draws the README's pictures: `npm run pictures`. The script itself is TypeScript, bundled here for the Node that runs it.
import { mkdirSync } from "node:fs";
import { build } from "esbuild";

const outfile = "node_modules/.cache/virtu-pictures/pictures.mjs";
mkdirSync("node_modules/.cache/virtu-pictures", { recursive: true });
await build({
  entryPoints: ["test/pictures/pictures.ts"],
  outfile,
  bundle: true,
  packages: "external",
  platform: "node",
  format: "esm",
  logLevel: "warning",
});
const { main } = await import(new URL(`../../${outfile}`, import.meta.url).href);
process.exitCode = await main(process.argv.slice(2));
