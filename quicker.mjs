// Changes to packages in the bundle, for a quick start, for keys on large terminals and for weeks of running. Each of them
// fails loudly when the package's file is no longer the one that it was made for.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ours = (name) => fileURLToPath(new URL(`source/ui/${name}.ts`, import.meta.url));

/** By file: what is put before it, and what is put in place of what. */
const changes = {
  // On Node 20 a frame of 200 columns and 50 rows costs Ink a third of the time: frames in which nothing lies over anything
  // else are joined from whole lines.
  "ink/build/output.js": {
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
  "ink/build/measure-text.js": {
    swaps: [
      [
        "    cache.set(text, dimensions);",
        "    if (cache.size > 4000) cache.clear();\n    cache.set(text, dimensions);",
      ],
    ],
  },
  "ink/build/wrap-text.js": {
    head: "let kept = 0;",
    swaps: [
      ["const cache = {};", "let cache = {};"],
      [
        "    cache[cacheKey] = wrappedText;",
        "    if (++kept > 4000) {\n        kept = 0;\n        cache = {};\n    }\n    cache[cacheKey] = wrappedText;",
      ],
    ],
  },
  // What plain text needs nothing of, and takes 25 ms to make: expressions of Unicode properties, the segmenter's data.
  "string-width/index.js": {
    head: `
function late(make) {
  let made;
  const get = () => (made ??= make());
  return {
    test: (text) => get().test(text),
    segment: (text) => get().segment(text),
    [Symbol.search]: (text) => get()[Symbol.search](text),
    [Symbol.match]: (text) => get()[Symbol.match](text),
  };
}`,
    swaps: [
      ["new Intl.Segmenter()", "late(() => new Intl.Segmenter())"],
      ...["visibleCharacter", "spacingMark", "rgiEmoji", "unqualifiedKeycap", "extendedPictographic"].map((name) => [
        new RegExp(`^(const ${name}Regex = )(/.+/[gimsuvy]*);$`, "gm"),
        "$1late(() => $2);",
      ]),
    ],
  },
  // Ink's layout would fetch its own bytes, with all of Node's HTTP.
  "yoga-layout/dist/binaries/yoga-wasm-base64-esm.js": {
    swaps: [
      ['return w||"function"!=typeof fetch?', "return true?"],
      [
        "var b=xa(a.slice(37)),c=new Uint8Array(b.length);for(a=0;a<b.length;++a)c[a]=b.charCodeAt(a);var d=c",
        'var d=Buffer.from(a.slice(37),"base64")',
      ],
    ],
  },
  // HTTP through a session, which virtu has none of; the server and its keys, which only the embedded site needs.
  "ssh2/lib/index.js": {
    swaps: [
      ["require('./http-agents.js')", "{}"],
      ["Server: require('./server.js')", "get Server() { return require('./server.js'); }"],
      ["...require('./keygen.js')", "get generateKeyPairSync() { return require('./keygen.js').generateKeyPairSync; }"],
    ],
  },
  // Only a key with a passphrase needs it.
  "ssh2/lib/protocol/keyParser.js": {
    swaps: [
      [
        "const bcrypt_pbkdf = require('bcrypt-pbkdf').pbkdf;",
        "const bcrypt_pbkdf = (...words) => require('bcrypt-pbkdf').pbkdf(...words);",
      ],
    ],
  },
  // The server tells a session from a channel by the name of its class, which the bundle shortens.
  "ssh2/lib/utils.js": { swaps: [["channel.constructor.name === 'Session'", "channel.constructor.isSession"]] },
  "ssh2/lib/server.js": {
    swaps: [
      ["class Session extends EventEmitter {", "class Session extends EventEmitter {\n  static isSession = true;"],
    ],
  },
};

function changed(file, { head = "", swaps }) {
  let contents = readFileSync(file, "utf8");
  for (const [before, after] of swaps) {
    const times =
      typeof before === "string" ? contents.split(before).length - 1 : (contents.match(before) ?? []).length;
    if (times !== 1) throw new Error(`${file} does not hold this once: ${before}`);
    contents = contents.replace(before, after);
  }
  return `${head}\n${contents}`;
}

export const quicker = {
  name: "quicker",
  setup(pluginBuild) {
    // Ink measures every line of every frame: ours is string-width with a quick way for plain text.
    pluginBuild.onResolve({ filter: /^string-width$/ }, ({ importer }) =>
      /[\\/]node_modules[\\/]/.test(importer) ? { path: ours("width") } : undefined,
    );
    const files = Object.keys(changes).map((file) => file.replaceAll(".", "\\.").replaceAll("/", "[\\\\/]"));
    pluginBuild.onLoad({ filter: new RegExp(`node_modules[\\\\/](${files.join("|")})$`) }, ({ path }) => {
      const name = path.replaceAll("\\", "/").split("/node_modules/").pop();
      return { contents: changed(path, changes[name]), loader: "js" };
    });
  },
};
