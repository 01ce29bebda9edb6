/** The user's settings: sites, hosts, defaults. Kept by `conf`, checked against a schema; no secret is ever stored here. */
import { copyFileSync, existsSync, readFileSync } from "node:fs";
import path from "node:path";
import Conf, { type Schema } from "conf";
import { type ParseError, parse, printParseErrorCode } from "jsonc-parser";
import { VirtuError } from "./errors.ts";

export interface SiteSettings {
  name: string;
  frontend: string;
  gateway?: string;
  imageFolder?: string;
}

export interface SettingsData {
  sites: SiteSettings[];
  /** Hosts whose instances are shown when none is named on the command line. */
  hosts: string[];
  /** libvirt connection URI. */
  libvirtUri: string;
  /** Seconds between two refreshes of what is looked at. */
  refreshSeconds: number;
  theme: "auto" | "dark" | "light";
}

const defaults: SettingsData = {
  sites: [],
  hosts: [],
  libvirtUri: "qemu:///system",
  refreshSeconds: 4,
  theme: "auto",
};

const schema: Schema<SettingsData> = {
  sites: {
    type: "array",
    items: {
      type: "object",
      properties: {
        name: { type: "string", minLength: 1 },
        frontend: { type: "string", minLength: 1 },
        gateway: { type: "string", minLength: 1 },
        imageFolder: { type: "string", minLength: 1 },
      },
      required: ["name", "frontend"],
      additionalProperties: false,
    },
  },
  hosts: { type: "array", items: { type: "string", minLength: 1 } },
  libvirtUri: { type: "string", minLength: 1 },
  refreshSeconds: { type: "number", minimum: 1, maximum: 3600 },
  theme: { enum: ["auto", "dark", "light"] },
};

/** Parses settings text; a fault is thrown with the line it stands on. */
function parseSettings(text: string, file: string): SettingsData {
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { disallowComments: true });
  const first = errors[0];
  if (first || typeof value !== "object" || value === null || Array.isArray(value)) {
    const line = first ? text.slice(0, first.offset).split("\n").length : 1;
    throw new VirtuError({
      kind: "usage",
      what: "The settings file can't be read",
      where: `${file}:${line}`,
      why: first ? `it is not JSON: ${printParseErrorCode(first.error)}` : "it does not hold a JSON object",
      hint: "Mend that line, or move the file away to start with none; virtu leaves it as it is.",
    });
  }
  return value as SettingsData;
}

/** The settings of one directory. Reading never writes; a broken file is copied aside before the first write. */
export class Settings {
  readonly file: string;
  /** What is wrong with the file, or null. While it is set the defaults are in force. */
  readonly problem: VirtuError | null;
  private readonly directory: string;
  private store: Conf<SettingsData> | null = null;

  constructor(directory: string) {
    this.directory = directory;
    this.file = path.join(directory, "settings.json");
    this.problem = this.open();
  }

  private open(): VirtuError | null {
    try {
      this.store = new Conf<SettingsData>({
        cwd: this.directory,
        configName: "settings",
        projectName: "virtu",
        schema,
        configFileMode: 0o600,
        deserialize: (text) => parseSettings(text, this.file),
      });
      // conf checks the schema when it is opened, and writes nothing as long as no default is given to it.
      return null;
    } catch (thrown) {
      if (thrown instanceof VirtuError) return thrown;
      const why = thrown instanceof Error ? thrown.message.replace(/^Config schema violation: /, "") : String(thrown);
      return new VirtuError({
        kind: "usage",
        what: "The settings file holds something virtu can't use",
        where: `${this.file}${this.lineOf(why)}`,
        why,
        hint: "Mend it, or move the file away to start with none; virtu leaves it as it is.",
      });
    }
  }

  /** `:12` for the line of the field that a schema violation names, or nothing. */
  private lineOf(violation: string): string {
    const field = /`([^`]+)`/
      .exec(violation)?.[1]
      ?.split("/")
      .filter((part) => !/^\d+$/.test(part))
      .pop();
    if (!field) return "";
    try {
      const lines = readFileSync(this.file, "utf8").split("\n");
      const index = lines.findIndex((line) => line.includes(`"${field}"`));
      return index < 0 ? "" : `:${index + 1}`;
    } catch {
      return "";
    }
  }

  get<K extends keyof SettingsData>(key: K): SettingsData[K] {
    return this.store?.get(key) ?? defaults[key];
  }

  /** Saves one setting. A file that could not be read is first copied to `settings.broken-N.json`. */
  set<K extends keyof SettingsData>(key: K, value: SettingsData[K]): void {
    if (!this.store) {
      this.setAside();
      this.store = new Conf<SettingsData>({
        cwd: this.directory,
        configName: "settings",
        projectName: "virtu",
        schema,
        configFileMode: 0o600,
        deserialize: () => ({}) as SettingsData,
      });
      this.store.set({ ...defaults, [key]: value });
      this.store = null;
      this.open();
      return;
    }
    this.store.set(key, value);
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
    return this.get("sites").find((site) => site.name === name);
  }

  addSite(site: SiteSettings): void {
    this.set("sites", [...this.get("sites").filter((other) => other.name !== site.name), site]);
  }
}
