/**
 * The user's settings: sites, hosts, defaults. No secret is ever stored here. Written by `conf` (atomic, owner only); read
 * without it, because loading it with its schema compiler takes longer than a headless command may before it connects.
 */
import { copyFileSync, existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { reasonOf, VirtuError } from "./errors.ts";
import { globOf } from "./instances/glob.ts";
import type { ParallelSettings } from "./instances/limits.ts";
import type { Groups } from "./instances/selector.ts";
import type { Thresholds } from "./monitor/limits.ts";

export interface SiteSettings {
  name: string;
  frontend: string;
  gateway?: string;
  imageFolder?: string;
}

/** How the instance table is shown, under a name. Words of columns, sorts and groups are the screen's own. */
export interface ViewSettings {
  name: string;
  columns?: { id: string; width?: number }[];
  sort?: { by: string; down: boolean };
  group?: string;
  filter?: string;
}

export interface SettingsData {
  sites: SiteSettings[];
  /** Hosts whose instances are shown when none is named on the command line. */
  hosts: string[];
  /** libvirt connection URI to ask every host for; empty: `qemu:///system`, where libvirt is. */
  libvirtUri: string;
  /** Seconds between two refreshes of what is looked at. */
  refreshSeconds: number;
  /** Above so many nodes a run is carried by TakTuk on the frontend, where it is installed. */
  taktukAbove: number;
  /** Seconds that TakTuk gives one connection. */
  taktukConnectSeconds: number;
  /** The key that leads back from a console, with what follows it: `ctrl+]`, `ctrl+a`, … */
  consoleKey: string;
  /** Seconds between two looks at what instances use, while it is shown. */
  usageSeconds: number;
  /**
   * Above these an instance, a node or a pool is marked and told: percent of its CPUs, of its memory, of its size (null:
   * never), for so many seconds. What is given here is watched also while nobody looks.
   */
  thresholds: Partial<Thresholds>;
  /** Named views of the instance table. */
  views: ViewSettings[];
  /** Groups of instances, by name: `{"lab": [{"glob": "lab-*"}, {"tag": "lab", "host": "hv1"}]}`. */
  groups: Groups;
  /** Actions at once: on each place, for places of a provider, on a host as a whole. */
  parallel: Partial<ParallelSettings>;
}

const defaults: SettingsData = {
  sites: [],
  hosts: [],
  libvirtUri: "",
  refreshSeconds: 4,
  taktukAbove: 64,
  taktukConnectSeconds: 10,
  consoleKey: "ctrl+]",
  usageSeconds: 10,
  thresholds: {},
  views: [],
  groups: {},
  parallel: {},
};

/** What is wrong with a value, and where below it; or null. */
type Check = (value: unknown) => { at: (string | number)[]; why: string } | null;

const text: Check = (value) => (typeof value === "string" && value !== "" ? null : { at: [], why: "must be a text" });

const list =
  (item: Check): Check =>
  (value) => {
    if (!Array.isArray(value)) return { at: [], why: "must be a list" };
    for (const [index, entry] of value.entries()) {
      const wrong = item(entry);
      if (wrong) return { at: [index, ...wrong.at], why: wrong.why };
    }
    return null;
  };

const site: Check = (value) => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { at: [], why: "must be an object" };
  for (const field of ["name", "frontend"]) {
    if (!(field in value)) return { at: [], why: `needs "${field}"` };
  }
  for (const [field, entry] of Object.entries(value)) {
    if (!["name", "frontend", "gateway", "imageFolder"].includes(field))
      return { at: [field], why: "is no field of a site" };
    if (text(entry)) return { at: [field], why: "must be a text" };
  }
  return null;
};

/** An object each of whose values passes, by its key. */
const object =
  (checkOf: (key: string) => Check | string): Check =>
  (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      return { at: [], why: "must be an object" };
    }
    for (const [key, entry] of Object.entries(value)) {
      const check = checkOf(key);
      const wrong = typeof check === "string" ? { at: [], why: check } : check(entry);
      if (wrong) return { at: [key, ...wrong.at], why: wrong.why };
    }
    return null;
  };

const limit: Check = (value) =>
  typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= 1000
    ? null
    : { at: [], why: "must be a whole number from 1 to 1000" };

const oneOf =
  (...words: readonly string[]): Check =>
  (value) =>
    words.some((word) => word === value) ? null : { at: [], why: `must be one of ${words.join(", ")}` };

const provider = oneOf("ganeti", "libvirt", "xen", "xenserver");

const glob: Check = (value) =>
  text(value) ?? (globOf(value as string) ? null : { at: [], why: "is no pattern: a [ in it is never closed" });

const ruleFields: Readonly<Record<string, Check>> = {
  name: text,
  glob,
  tag: text,
  host: text,
  provider,
  state: oneOf("running", "stopped", "paused", "error", "unknown"),
};

const rule: Check = (value) => {
  const known = `knows ${Object.keys(ruleFields).join(", ")}`;
  const wrong = object((field) => ruleFields[field] ?? `is no field of a rule, which ${known}`)(value);
  if (wrong) return wrong;
  // It would hold for every instance of every host.
  return Object.keys(value as object).length === 0 ? { at: [], why: `is an empty rule; a rule ${known}` } : null;
};

const groups = object((name) =>
  /^[^\s,=]+$/.test(name) ? list(rule) : "is no group's name: it holds a blank, , or =",
);

const parallel = object((field) => {
  if (field === "default") return limit;
  if (field === "hosts") return object(() => limit);
  if (field === "providers") return object((name) => (provider(name) ? "is no provider" : limit));
  return "is no limit; there are default, providers, hosts";
});

const thresholds: Check = (value) => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { at: [], why: "must be an object" };
  for (const [field, entry] of Object.entries(value)) {
    if (!["cpu", "memory", "storage", "seconds"].includes(field)) return { at: [field], why: "is no threshold" };
    const never = entry === null && field !== "seconds";
    if (!never && !(typeof entry === "number" && entry >= (field === "seconds" ? 0 : 1))) {
      return { at: [field], why: field === "seconds" ? "must be a number from 0 on" : "must be a percentage, or null" };
    }
  }
  return null;
};

const seconds: Check = (value) =>
  typeof value === "number" && value >= 1 && value <= 3600 ? null : { at: [], why: "must be a number from 1 to 3600" };

const view: Check = (value) => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { at: [], why: "must be an object" };
  if (!("name" in value)) return { at: [], why: 'needs "name"' };
  for (const [field, entry] of Object.entries(value)) {
    const fits =
      field === "columns"
        ? Array.isArray(entry) && entry.every((column) => typeof column?.id === "string")
        : field === "sort"
          ? typeof entry === "object" && entry !== null && "by" in entry && typeof entry.by === "string"
          : ["name", "group", "filter"].includes(field) && typeof entry === "string";
    if (!fits) return { at: [field], why: "is not as virtu writes it for a view" };
  }
  return null;
};

const checks: Record<keyof SettingsData, Check> = {
  views: list(view),
  thresholds,
  groups,
  parallel,
  sites: list(site),
  hosts: list(text),
  libvirtUri: (value) => (typeof value === "string" ? null : { at: [], why: "must be a text" }),
  refreshSeconds: seconds,
  usageSeconds: seconds,
  taktukAbove: (value) =>
    typeof value === "number" && Number.isInteger(value) && value >= 1
      ? null
      : { at: [], why: "must be a whole number from 1 on" },
  taktukConnectSeconds: (value) =>
    typeof value === "number" && value >= 1 && value <= 300 ? null : { at: [], why: "must be a number from 1 to 300" },
  consoleKey: (value) =>
    // Ctrl-[ is Esc, and Ctrl-I, Ctrl-J and Ctrl-M are Tab and Enter: a guest can't do without them.
    typeof value === "string" && /^ctrl\+[a-hkln-z\\\]^_]$/i.test(value)
      ? null
      : { at: [], why: "must be ctrl+ and a letter (not i, j, m) or one of ] \\ ^ _" },
};

function firstFault(data: Record<string, unknown>): { at: (string | number)[]; why: string } | null {
  for (const [field, check] of Object.entries(checks)) {
    const wrong = data[field] === undefined ? null : check(data[field]);
    if (wrong) return { at: [field, ...wrong.at], why: wrong.why };
  }
  return null;
}

/** The settings of one directory. Reading never writes; a broken file is copied aside before the first write. */
export class Settings {
  readonly file: string;
  private readonly directory: string;
  private data: Partial<SettingsData> = {};
  private broken: VirtuError | null = null;

  private constructor(directory: string) {
    this.directory = directory;
    this.file = path.join(directory, "settings.json");
  }

  /** Reads the settings; what is wrong with them is `problem`, and never rejects. */
  static async open(directory: string): Promise<Settings> {
    const settings = new Settings(directory);
    await settings.read();
    return settings;
  }

  /** What is wrong with the file, or null. While it is set the defaults are in force. */
  get problem(): VirtuError | null {
    return this.broken;
  }

  private async read(): Promise<void> {
    let content: string;
    try {
      content = readFileSync(this.file, "utf8");
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return;
      this.broken = this.fault("The settings file can't be read", this.file, reasonOf(thrown));
      return;
    }
    let data: unknown;
    try {
      data = JSON.parse(content);
    } catch {
      const { parse, printParseErrorCode } = await import("jsonc-parser");
      const errors: { error: number; offset: number; length: number }[] = [];
      parse(content, errors);
      const [first] = errors;
      const why = first ? `it is not JSON: ${printParseErrorCode(first.error)}` : "it is not JSON";
      this.broken = this.fault("The settings file can't be read", this.lineAt(content, first?.offset ?? 0), why);
      return;
    }
    if (typeof data !== "object" || data === null || Array.isArray(data)) {
      this.broken = this.fault("The settings file can't be read", this.lineAt(content, 0), "it holds no JSON object");
      return;
    }
    const fault = firstFault(data as Record<string, unknown>);
    if (!fault) {
      this.data = data as Partial<SettingsData>;
      return;
    }
    const { findNodeAtLocation, parseTree } = await import("jsonc-parser");
    const tree = parseTree(content);
    const node = tree && findNodeAtLocation(tree, fault.at);
    const name = fault.at
      .map((part) => (typeof part === "number" ? `[${part}]` : `.${part}`))
      .join("")
      .slice(1);
    const where = this.lineAt(content, node?.offset ?? 0);
    this.broken = this.fault("The settings file holds something virtu can't use", where, `${name} ${fault.why}`);
  }

  private lineAt(content: string, offset: number): string {
    return `${this.file}:${content.slice(0, offset).split("\n").length}`;
  }

  private fault(what: string, where: string, why: string): VirtuError {
    const hint = "Mend it, or move the file away to start with none; virtu leaves it as it is.";
    return new VirtuError({ kind: "usage", what, where, why, hint });
  }

  get<K extends keyof SettingsData>(key: K): SettingsData[K] {
    return this.data[key] ?? defaults[key];
  }

  /**
   * Saves one setting; in force at once, also when it can't be written (then it rejects). A file that could not be read
   * is first copied to `settings.broken-N.json`.
   */
  async set<K extends keyof SettingsData>(key: K, value: SettingsData[K]): Promise<void> {
    this.data = { ...this.data, [key]: value };
    const { default: Conf } = await import("conf");
    if (this.broken) this.setAside();
    const start = this.broken ? () => ({}) as SettingsData : undefined;
    const store = new Conf<SettingsData>({
      cwd: this.directory,
      configName: "settings",
      projectName: "virtu",
      configFileMode: 0o600,
      ...(start ? { deserialize: start } : {}),
    });
    store.set(key, value);
    this.broken = null;
  }

  private setAside(): void {
    for (let n = 1; ; n += 1) {
      const aside = path.join(this.directory, `settings.broken-${n}.json`);
      if (existsSync(aside)) continue;
      copyFileSync(this.file, aside);
      return;
    }
  }

  /** The site of that name, or undefined. */
  site(name: string): SiteSettings | undefined {
    return this.get("sites").find((one) => one.name === name);
  }

  addSite(added: SiteSettings): Promise<void> {
    return this.set("sites", [...this.get("sites").filter((other) => other.name !== added.name), added]);
  }
}
