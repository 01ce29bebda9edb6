/** Programs about files: mkdir, rm, mv, cp, ls, chmod, touch, stat, mktemp and the like. */
import { baseName, FileError, type Listed, resolvePath } from "../machine/files.ts";
import type { Call, Program } from "../machine/machine.ts";
import { attempt, fullPath, options } from "./input.ts";

async function mkdir(call: Call): Promise<number> {
  const { given, words } = options(call.args, "m mode");
  const mode = Number.parseInt(given.get("m") ?? given.get("mode") ?? "755", 8);
  let status = 0;
  for (const word of words) {
    const made = await attempt(call, `cannot create directory '${word}'`, () => {
      call.machine.files.makeDirectory(fullPath(call, word), call.process.user, { parents: given.has("p"), mode });
      return true;
    });
    if (!made) status = 1;
  }
  return status;
}

async function rm(call: Call): Promise<number> {
  const { given, words } = options(call.args);
  const force = given.has("f");
  const recursive = given.has("r") || given.has("R");
  let status = 0;
  for (const word of words) {
    const path = fullPath(call, word);
    const entry = call.machine.files.look(path);
    if (!entry && force) continue;
    if (entry?.kind === "directory" && !recursive) {
      await call.err(`rm: cannot remove '${word}': Is a directory\n`);
      status = 1;
      continue;
    }
    const removed = await attempt(call, `cannot remove '${word}'`, () => {
      call.machine.files.remove(path);
      return true;
    });
    if (!removed) status = 1;
  }
  return status;
}

async function rmdir(call: Call): Promise<number> {
  let status = 0;
  for (const word of options(call.args).words) {
    const path = fullPath(call, word);
    const done = await attempt(call, `failed to remove '${word}'`, () => {
      if (call.machine.files.names(path).length > 0) throw new FileError("Directory not empty");
      call.machine.files.remove(path);
      return true;
    });
    if (!done) status = 1;
  }
  return status;
}

/** The path that a file gets: inside the target when that is a directory. */
function destination(call: Call, from: string, to: string): string {
  const path = fullPath(call, to);
  return call.machine.files.find(path)?.kind === "directory" ? `${path}/${baseName(from)}` : path;
}

async function mv(call: Call): Promise<number> {
  const { words } = options(call.args);
  const to = words.pop() ?? "";
  let status = 0;
  for (const word of words) {
    const from = fullPath(call, word);
    const known = call.machine.files.look(from) !== null;
    const moved = await attempt(call, known ? `cannot move '${word}' to '${to}'` : `cannot stat '${word}'`, () => {
      call.machine.files.rename(from, destination(call, from, to));
      return true;
    });
    if (!moved) status = 1;
  }
  return status;
}

function copy(call: Call, entry: Listed, to: string): void {
  const { files } = call.machine;
  if (entry.kind === "directory") {
    files.makeDirectory(to, call.process.user, { parents: true });
    for (const [name, child] of entry.entries) copy(call, child, `${to}/${name}`);
  } else if (entry.kind === "link") files.addLink(to, entry.target, call.process.user);
  else if (entry.kind === "file")
    files.writeText(to, entry.made ? entry.made() : entry.content, call.process.user, entry.mode);
}

async function cp(call: Call): Promise<number> {
  const { given, words } = options(call.args);
  const to = words.pop() ?? "";
  const recursive = ["r", "R", "a"].some((letter) => given.has(letter));
  let status = 0;
  for (const word of words) {
    const from = fullPath(call, word);
    const done = await attempt(call, `cannot stat '${word}'`, () => {
      const entry = call.machine.files.get(from);
      if (entry.kind === "directory" && !recursive) return false;
      copy(call, entry, destination(call, from, to));
      return true;
    });
    if (done === false) await call.err(`cp: -r not specified; omitting directory '${word}'\n`);
    if (!done) status = 1;
  }
  return status;
}

export function modeText(entry: Listed): string {
  const letters = "rwxrwxrwx";
  const bits = [...letters].map((letter, index) => ((entry.mode >> (8 - index)) & 1 ? letter : "-")).join("");
  return { directory: "d", file: "-", device: "c", link: "l" }[entry.kind] + bits;
}

function sizeOf(entry: Listed): number {
  if (entry.kind === "link") return entry.target.length;
  return entry.kind === "file" ? entry.content.length : 4096;
}

async function ls(call: Call): Promise<number> {
  const { given, words } = options(call.args);
  const visible = (name: string) => given.has("a") || given.has("A") || !name.startsWith(".");
  const row = (name: string, entry: Listed) => {
    if (!given.has("l")) return `${name}\n`;
    const date = new Date(entry.changed).toISOString().slice(0, 16).replace("T", " ");
    return `${modeText(entry)} 1 ${entry.owner} ${entry.owner} ${String(sizeOf(entry)).padStart(5)} ${date} ${name}\n`;
  };
  let status = 0;
  const paths = words.length > 0 ? words : ["."];
  const directories: { word: string; entry: Extract<Listed, { kind: "directory" }> }[] = [];
  for (const word of paths) {
    const entry = await attempt(call, `cannot access '${word}'`, () => call.machine.files.get(fullPath(call, word)));
    if (!entry) status = 2;
    else if (entry.kind === "directory" && !given.has("d")) directories.push({ word, entry });
    else await call.out(row(word, entry));
  }
  for (const { word, entry } of directories) {
    if (paths.length > 1) await call.out(`${word}:\n`);
    let names = [...entry.entries.keys()].filter(visible).sort();
    if (given.has("t")) {
      names = names.sort((a, b) => (entry.entries.get(b)?.changed ?? 0) - (entry.entries.get(a)?.changed ?? 0));
    }
    if (given.has("r")) names.reverse();
    if (given.has("l")) await call.out("total 0\n");
    for (const name of names) {
      const child = entry.entries.get(name);
      if (child) await call.out(row(name, child));
    }
  }
  return status;
}

async function chmod(call: Call): Promise<number> {
  const { words } = options(call.args.filter((arg) => arg !== "-R"));
  const [mode = "", ...paths] = words;
  let status = 0;
  for (const word of paths) {
    const entry = await attempt(call, `cannot access '${word}'`, () => call.machine.files.get(fullPath(call, word)));
    if (!entry) status = 1;
    else if (/^[0-7]+$/.test(mode)) entry.mode = Number.parseInt(mode, 8);
    else if (mode.includes("+x")) entry.mode |= 0o111;
  }
  return status;
}

async function touch(call: Call): Promise<number> {
  let status = 0;
  for (const word of options(call.args, "d t r").words) {
    const file = await attempt(call, `cannot touch '${word}'`, () => {
      const path = fullPath(call, word);
      return call.machine.files.find(path) ?? call.machine.files.create(path, call.process.user);
    });
    if (!file) status = 1;
    else file.changed = call.machine.clock.now();
  }
  return status;
}

const inodes = new WeakMap<object, number>();
let lastInode = 131_072;

function inodeOf(entry: object): number {
  const known = inodes.get(entry);
  if (known !== undefined) return known;
  lastInode += 1;
  inodes.set(entry, lastInode);
  return lastInode;
}

async function stat(call: Call): Promise<number> {
  const { given, words } = options(call.args, "c format");
  const format = given.get("c") ?? given.get("format") ?? "%n %s";
  let status = 0;
  for (const word of words) {
    const entry = await attempt(call, `cannot statx '${word}'`, () => call.machine.files.get(fullPath(call, word)));
    if (!entry) {
      status = 1;
      continue;
    }
    const values: Readonly<Record<string, string>> = {
      s: String(sizeOf(entry)),
      i: String(inodeOf(entry)),
      n: word,
      a: (entry.mode & 0o7777).toString(8),
      A: modeText(entry),
      U: entry.owner,
      Y: String(Math.floor(entry.changed / 1000)),
      F: {
        directory: "directory",
        file: sizeOf(entry) === 0 ? "regular empty file" : "regular file",
        device: "character special file",
        link: "symbolic link",
      }[entry.kind],
    };
    await call.out(`${format.replace(/%([a-zA-Z])/g, (all, letter: string) => values[letter] ?? all)}\n`);
  }
  return status;
}

async function ln(call: Call): Promise<number> {
  const { given, words } = options(call.args);
  const [target = "", name = baseName(target)] = words;
  if (!given.has("s")) {
    await call.err("ln: only symbolic links can be made here\n");
    return 1;
  }
  const entry = call.machine.files.find(fullPath(call, name));
  const inside = entry?.kind === "directory" && !given.has("n") && !given.has("T");
  const path = fullPath(call, inside ? `${name}/${baseName(target)}` : name);
  const done = await attempt(call, `failed to create symbolic link '${name}'`, () => {
    if (given.has("f") && call.machine.files.look(path)) call.machine.files.remove(path);
    call.machine.files.addLink(path, target, call.process.user);
    return true;
  });
  return done ? 0 : 1;
}

async function readlink(call: Call): Promise<number> {
  const { given, words } = options(call.args);
  let status = 0;
  for (const word of words) {
    const path = fullPath(call, word);
    const entry = call.machine.files.look(path);
    const whole = given.has("f") || given.has("e") || given.has("m");
    if (entry?.kind === "link") {
      await call.out(`${whole ? resolvePath(path.slice(0, path.lastIndexOf("/")), entry.target) : entry.target}\n`);
    } else if (whole) await call.out(`${path}\n`);
    else status = 1;
  }
  return status;
}

let made = 0;

async function mktemp(call: Call): Promise<number> {
  const { given, words } = options(call.args, "p suffix");
  const template = words[0] ?? "tmp.XXXXXXXXXX";
  const folder =
    given.get("p") ?? (words[0] === undefined || given.has("t") ? (call.process.env.get("TMPDIR") ?? "/tmp") : ".");
  made += 1;
  const name = template.replace(/X{3,}$/, (all) =>
    `${call.process.pid.toString(36)}${made.toString(36)}`.padStart(all.length, "a").slice(-all.length),
  );
  const shown = name.startsWith("/") || folder === "." ? name : `${folder}/${name}`;
  const done = await attempt(call, `failed to create file via template '${template}'`, () => {
    const { files } = call.machine;
    if (given.has("d")) files.makeDirectory(fullPath(call, shown), call.process.user, { mode: 0o700 });
    else files.writeText(fullPath(call, shown), "", call.process.user, 0o600);
    return true;
  });
  if (!done) return 1;
  await call.out(`${shown}\n`);
  return 0;
}

async function basename(call: Call): Promise<number> {
  const [word = "", suffix = ""] = options(call.args).words;
  const name = baseName(word.replace(/\/+$/, "")) || (word.startsWith("/") ? "/" : "");
  await call.out(
    `${suffix !== "" && name !== suffix && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name}\n`,
  );
  return 0;
}

async function dirname(call: Call): Promise<number> {
  const [word = ""] = options(call.args).words;
  const trimmed = word.replace(/\/+$/, "");
  const slash = trimmed.lastIndexOf("/");
  await call.out(
    `${slash < 0 ? (trimmed === "" && word !== "" ? "/" : ".") : trimmed.slice(0, slash).replace(/\/+$/, "") || "/"}\n`,
  );
  return 0;
}

export const filing = {
  mkdir,
  rm,
  rmdir,
  mv,
  cp,
  ls,
  chmod,
  touch,
  stat,
  mktemp,
  basename,
  dirname,
  ln,
  readlink,
} satisfies Record<string, Program>;
