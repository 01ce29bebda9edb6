/** Image description files (`.env`): YAML since Kadeploy 3.2, `key : value` lines before. Only what a list shows is read. */
import type { Environment } from "../journey/types.ts";

/** Top-level keys with their values as text; a nested block becomes the text of its lines. Both ways of writing fit. */
function topLevel(text: string): Map<string, string> {
  const values = new Map<string, string>();
  let key: string | null = null;
  for (const line of text.split("\n")) {
    if (/^\s*(#.*)?$/.test(line) || /^(---|\.\.\.|%)/.test(line)) continue;
    const pair = /^([A-Za-z_][\w-]*)\s*:(?:\s+(.*?))?\s*$/.exec(line);
    if (pair?.[1] !== undefined) {
      key = pair[1];
      values.set(key, scalar(pair[2] ?? ""));
    } else if (key !== null && /^[\s-]/.test(line)) {
      // Further lines of a folded text or a block.
      values.set(key, `${values.get(key)} ${line.trim()}`.trim());
    }
  }
  return values;
}

function scalar(text: string): string {
  const value = text.trim();
  const double = /^"((?:[^"\\]|\\.)*)"/.exec(value);
  if (double?.[1] !== undefined) return double[1].replace(/\\(["\\/])/g, "$1");
  const single = /^'((?:[^']|'')*)'/.exec(value);
  if (single?.[1] !== undefined) return single[1].replaceAll("''", "'");
  // `|` and `>` announce a text on the lines below.
  if (/^[|>][+-]?\d?$/.test(value)) return "";
  return value.replace(/\s+#.*$/, "");
}

const keysOf2012 = ["tarball", "fdisktype", "environment_kind", "demolishing_env"];

/**
 * What an image file says of itself.
 *
 * @param of2012 whether the site's Kadeploy is of 2012 too, and takes such files
 */
export function describeImage(file: string, text: string, of2012 = false): Environment {
  const values = topLevel(text);
  const stem = (file.split("/").pop() ?? file).replace(/\.env$/, "");
  const old = !values.has("image") && keysOf2012.some((key) => values.has(key));
  return {
    kind: "image",
    name: values.get("name") || stem,
    version: values.get("version") || null,
    arch: values.get("arch") || null,
    user: null,
    description: values.get("description") ?? "",
    file,
    problem: problemOf(values, old, of2012),
  };
}

function problemOf(values: ReadonlyMap<string, string>, old: boolean, of2012: boolean): string | null {
  if (values.size === 0) return "it can't be read, or is no image description";
  if (old && !of2012) return "it is written in the way of 2012, which Kadeploy refuses since 3.2";
  if (!old && !values.has("image")) return "it names no image";
  return null;
}
