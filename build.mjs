// Bundles the program into dist/: cli.js of a few lines, what nearly every start needs, and one chunk for each thing that is
// loaded only when needed (the screen with Ink, ssh2, the embedded site). Nothing is left to be installed beside it.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
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

// `--version` loads nothing of the program, and is no part of what its base is put in front of.
const programApart = {
  name: "program-apart",
  setup(pluginBuild) {
    pluginBuild.onResolve({ filter: /\/program\.ts$/ }, () => ({ path: "./program.js", external: true }));
  },
};

// What the screen begins with is one chunk as well: each part of the screens that is loaded later is told to need all of it.
const screenTogether = {
  name: "screen-together",
  setup(pluginBuild) {
    pluginBuild.onLoad({ filter: /[\\/]screens[\\/]part-\w+\.ts$/ }, ({ path }) => ({
      contents: `import "../begin.ts";\n${readFileSync(path, "utf8")}`,
      loader: "ts",
    }));
  },
};

const { outdir, metafile } = parseArgs({
  options: {
    outdir: { type: "string", default: "dist" },
    // meta.json tells what is in each chunk.
    metafile: { type: "boolean", default: false },
  },
}).values;
const { version } = JSON.parse(readFileSync("package.json", "utf8"));
const common = {
  outdir,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  minify: true,
  define: { "process.env.NODE_ENV": '"production"', VIRTU_VERSION: JSON.stringify(version) },
  logLevel: "warning",
};
rmSync(outdir, { recursive: true, force: true });
await build({ ...common, entryPoints: ["cli.tsx"], plugins: [programApart] });
const result = await build({
  ...common,
  entryPoints: { program: "source/commands/program.ts" },
  inject: ["source/base.ts"],
  splitting: true,
  legalComments: "linked",
  metafile,
  // jsonc-parser's main entry is UMD, which no bundler can follow; its module entry is plain.
  mainFields: ["module", "main"],
  plugins: [withoutDevtools, quicker, screenTogether],
  // ssh2's native parts are optional and have a pure twin.
  external: ["*.node", "cpu-features"],
  banner: {
    js: 'import { createRequire as virtuCreateRequire } from "node:module"; const require = virtuCreateRequire(import.meta.url); const __dirname = import.meta.dirname;',
  },
});
if (result.metafile) writeFileSync(path.join(outdir, "meta.json"), JSON.stringify(result.metafile));
