// Changes to Ink 6.8 in the bundle, for keys on large terminals and for weeks of running: on Node 20 a frame of 200 columns
// and 50 rows costs it a third of the time. Each of them fails loudly when Ink's file is no longer the one it was made for.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ours = (name) => fileURLToPath(new URL(`source/ui/${name}.ts`, import.meta.url));

/** By file of ink/build: what is put before it, and what is put in place of what. */
const changes = {
  // Frames in which nothing lies over anything else are joined from whole lines.
  "output.js": {
    head: `import { quickOutput } from ${JSON.stringify(ours("quick-output"))};`,
    swaps: [
      [
        "    get() {\n",
        `    get() {
        const quick = quickOutput(this.operations, this.height);
        if (quick !== null) return { output: quick, height: this.height };
`,
      ],
    ],
  },
  // These two keep every text that was ever drawn, and a clock draws a new one each second.
  "measure-text.js": {
    head: "",
    swaps: [
      [
        "    cache.set(text, dimensions);",
        "    if (cache.size > 4000) cache.clear();\n    cache.set(text, dimensions);",
      ],
    ],
  },
  "wrap-text.js": {
    head: "let kept = 0;",
    swaps: [
      ["const cache = {};", "let cache = {};"],
      [
        "    cache[cacheKey] = wrappedText;",
        "    if (++kept > 4000) {\n        kept = 0;\n        cache = {};\n    }\n    cache[cacheKey] = wrappedText;",
      ],
    ],
  },
};

/** Stands for a regular expression that is made when it is first used. */
const late = `
function late(make) {
  let made;
  const get = () => (made ??= make());
  return {
    test: (text) => get().test(text),
    [Symbol.search]: (text) => get()[Symbol.search](text),
    [Symbol.match]: (text) => get()[Symbol.match](text),
  };
}`;

export const quickerInk = {
  name: "quicker-ink",
  setup(pluginBuild) {
    // Ink measures every line of every frame: ours is string-width with a quick way for plain text.
    pluginBuild.onResolve({ filter: /^string-width$/ }, ({ importer }) =>
      /[\\/]node_modules[\\/]/.test(importer) ? { path: ours("width") } : undefined,
    );
    // Its regular expressions of Unicode properties take 16 ms to make, and plain text needs none of them.
    pluginBuild.onLoad({ filter: /node_modules[\\/]string-width[\\/]index\.js$/ }, ({ path }) => {
      const before = readFileSync(path, "utf8");
      const contents = before.replace(/^const (\w+) = (\/.+\/[gimsuvy]*);$/gm, "const $1 = late(() => $2);");
      if (contents === before) throw new Error(`${path} holds no regular expression that could wait`);
      return { contents: contents + late, loader: "js" };
    });
    pluginBuild.onLoad({ filter: /[\\/]ink[\\/]build[\\/](output|measure-text|wrap-text)\.js$/ }, ({ path }) => {
      const { head, swaps } = changes[path.split(/[\\/]/).pop()];
      let contents = readFileSync(path, "utf8");
      for (const [before, after] of swaps) {
        if (contents.split(before).length !== 2) throw new Error(`${path} does not hold this once: ${before}`);
        contents = contents.replace(before, () => after);
      }
      return { contents: `${head}\n${contents}`, loader: "js" };
    });
  },
};
