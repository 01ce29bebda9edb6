// Bundles cli.tsx into dist/: an entry of a few lines, and one chunk for each thing that is loaded only when needed
// (the screen with Ink, the session pool, the embedded site). Nothing is left to be installed beside it.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { build } from "esbuild";
import { quicker } from "./quicker.mjs";

// Ink asks for them only when DEV=true, and react-devtools-core is not installed.
const withoutDevtools = {
  name: "without-devtools",
  setup(pluginBuild) {
    pluginBuild.onResolve({ filter: /^(react-devtools-core|\.\/devtools\.js)$/ }, ({ path }) => ({
      path,
      namespace: "empty",
    }));
    pluginBuild.onLoad({ filter: /.*/, namespace: "empty" }, () => ({ contents: "export default {};" }));
  },
};

const { version } = JSON.parse(readFileSync("package.json", "utf8"));
rmSync("dist", { recursive: true, force: true });
const result = await build({
  entryPoints: { cli: "cli.tsx" },
  outdir: "dist",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  minify: true,
  legalComments: "linked",
  metafile: process.argv.includes("--metafile"),
  define: { "process.env.NODE_ENV": '"production"', VIRTU_VERSION: JSON.stringify(version) },
  // jsonc-parser's main entry is UMD, which no bundler can follow; its module entry is plain.
  mainFields: ["module", "main"],
  plugins: [withoutDevtools, quicker],
  // ssh2's native parts are optional and have a pure twin.
  external: ["*.node", "cpu-features"],
  banner: {
    js: 'import { createRequire as virtuCreateRequire } from "node:module"; const require = virtuCreateRequire(import.meta.url); const __dirname = import.meta.dirname;',
  },
  logLevel: "warning",
});
if (result.metafile) writeFileSync("dist/meta.json", JSON.stringify(result.metafile));
