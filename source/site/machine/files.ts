/** A file system in memory. Paths are absolute; failures are `FileError` with the words of `strerror`. */
import { OpenFile } from "./open-file.ts";

export class FileError extends Error {}

interface Common {
  mode: number;
  owner: string;
  /** Epoch milliseconds. */
  changed: number;
}

export interface RegularFile extends Common {
  kind: "file";
  content: string;
  /** Made when it is read: `/proc/uptime`. */
  made?: () => string;
  /** Called after each change, for `tail -f`. */
  watchers: Set<() => void>;
}

export interface Directory extends Common {
  kind: "directory";
  entries: Map<string, Listed>;
}

export interface Device extends Common {
  kind: "device";
  /** A disk, for `[ -b ]`. */
  block?: boolean;
  open(): OpenFile;
}

export interface Link extends Common {
  kind: "link";
  target: string;
}

export type Entry = RegularFile | Directory | Device;
/** What a directory holds: links as such. */
export type Listed = Entry | Link;

/** An absolute path without `.` and `..`. */
export function resolvePath(directory: string, path: string): string {
  const parts: string[] = [];
  for (const part of `${path.startsWith("/") ? "" : directory}/${path}`.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

export class FileSystem {
  readonly root: Directory;

  constructor(private readonly now: () => number) {
    this.root = this.newDirectory("root", 0o755);
  }

  private newDirectory(owner: string, mode: number): Directory {
    return { kind: "directory", entries: new Map(), mode, owner, changed: this.now() };
  }

  /** What lies at a path, through all links; null: nothing, or a link that leads nowhere. */
  find(path: string, links = 0): Entry | null {
    const parts = path.split("/").filter(Boolean);
    let entry: Entry = this.root;
    for (const [index, part] of parts.entries()) {
      if (entry.kind !== "directory") return null;
      const next = entry.entries.get(part);
      if (!next) return null;
      if (next.kind !== "link") entry = next;
      else {
        if (links > 8) return null;
        const target = this.find(resolvePath(`/${parts.slice(0, index).join("/")}`, next.target), links + 1);
        if (!target) return null;
        entry = target;
      }
    }
    return entry;
  }

  /** As `find`, but a link at the end is given as such. */
  look(path: string): Listed | null {
    if (path === "/") return this.root;
    const directory = this.find(path.slice(0, path.lastIndexOf("/")) || "/");
    return directory?.kind === "directory" ? (directory.entries.get(baseName(path)) ?? null) : null;
  }

  get(path: string): Entry {
    const entry = this.find(path);
    if (!entry) throw new FileError("No such file or directory");
    return entry;
  }

  directory(path: string): Directory {
    const entry = this.get(path);
    if (entry.kind !== "directory") throw new FileError("Not a directory");
    return entry;
  }

  private parent(path: string): { directory: Directory; name: string } {
    return { directory: this.directory(path.slice(0, path.lastIndexOf("/")) || "/"), name: baseName(path) };
  }

  makeDirectory(path: string, owner: string, options: { parents?: boolean; mode?: number } = {}): void {
    const existing = this.find(path);
    if (existing || this.look(path)) {
      if (options.parents && existing?.kind === "directory") return;
      throw new FileError("File exists");
    }
    if (options.parents) this.makeDirectory(path.slice(0, path.lastIndexOf("/")) || "/", owner, { parents: true });
    const { directory, name } = this.parent(path);
    directory.entries.set(name, this.newDirectory(owner, options.mode ?? 0o755));
    directory.changed = this.now();
  }

  readText(path: string): string {
    const entry = this.get(path);
    if (entry.kind === "directory") throw new FileError("Is a directory");
    if (entry.kind === "device") return "";
    return entry.made ? entry.made() : entry.content;
  }

  /** The file, made empty when it is not there. */
  create(path: string, owner: string, mode = 0o644): RegularFile | Device {
    const entry = this.find(path);
    if (entry?.kind === "directory") throw new FileError("Is a directory");
    if (entry) return entry;
    const { directory, name } = this.parent(path);
    if (name === "") throw new FileError("Is a directory");
    const file: RegularFile = { kind: "file", content: "", watchers: new Set(), mode, owner, changed: this.now() };
    directory.entries.set(name, file);
    return file;
  }

  writeText(path: string, content: string, owner = "root", mode?: number): void {
    const file = this.create(path, owner, mode);
    if (file.kind === "file") this.setContent(file, content);
    if (mode !== undefined) file.mode = mode;
  }

  setContent(file: RegularFile, content: string): void {
    file.content = content;
    file.changed = this.now();
    for (const call of file.watchers) call();
  }

  /** A file whose text is made anew for each reader. */
  addMade(path: string, made: () => string): void {
    this.makeDirectory(path.slice(0, path.lastIndexOf("/")) || "/", "root", { parents: true });
    const file = this.create(path, "root", 0o444);
    if (file.kind === "file") file.made = made;
  }

  addDevice(path: string, open: () => OpenFile, block = false): void {
    const { directory, name } = this.parent(path);
    directory.entries.set(name, { kind: "device", block, open, mode: 0o666, owner: "root", changed: this.now() });
  }

  addLink(path: string, target: string, owner = "root"): void {
    const { directory, name } = this.parent(path);
    if (directory.entries.has(name)) throw new FileError("File exists");
    directory.entries.set(name, { kind: "link", target, mode: 0o777, owner, changed: this.now() });
  }

  remove(path: string): void {
    const { directory, name } = this.parent(path);
    if (!directory.entries.delete(name)) throw new FileError("No such file or directory");
    directory.changed = this.now();
  }

  rename(from: string, to: string): void {
    const entry = this.look(from);
    if (!entry) throw new FileError("No such file or directory");
    const target = this.look(to);
    if (target === entry) return;
    if (target?.kind === "directory" && entry.kind !== "directory") throw new FileError("Is a directory");
    const { directory, name } = this.parent(to);
    this.remove(from);
    directory.entries.set(name, entry);
    directory.changed = this.now();
  }

  names(path: string): string[] {
    return [...this.directory(path).entries.keys()].sort();
  }

  /** Opens for one of the shell's redirections. */
  open(path: string, how: "read" | "write" | "append", owner: string, mode?: number): OpenFile {
    if (how === "read") {
      const entry = this.get(path);
      if (entry.kind === "device") return entry.open();
      if (entry.kind === "directory") throw new FileError("Is a directory");
      return new RegularOpenFile(this, entry, "read");
    }
    const file = this.create(path, owner, mode);
    if (file.kind === "device") return file.open();
    if (how === "write") this.setContent(file, "");
    return new RegularOpenFile(this, file, how);
  }
}

export class RegularOpenFile extends OpenFile {
  private offset = 0;

  constructor(
    private readonly files: FileSystem,
    readonly file: RegularFile,
    private readonly how: "read" | "write" | "append",
  ) {
    super();
  }

  async write(text: string): Promise<void> {
    if (this.how === "read") throw new FileError("Bad file descriptor");
    const { content } = this.file;
    if (this.how === "append" || this.offset === content.length) {
      this.files.setContent(this.file, content + text);
      this.offset = this.file.content.length;
      return;
    }
    const before = content.slice(0, this.offset).padEnd(this.offset, "\0");
    this.files.setContent(this.file, before + text + content.slice(this.offset + text.length));
    this.offset += text.length;
  }

  protected async take(): Promise<string | null> {
    if (this.how !== "read") throw new FileError("Bad file descriptor");
    const content = this.file.made ? this.file.made() : this.file.content;
    if (this.offset >= content.length) return null;
    const piece = content.slice(this.offset);
    this.offset = content.length;
    return piece;
  }
}
