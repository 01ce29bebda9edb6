/** What the user's ssh configuration says about a host: asked from `ssh -G`, once per host. */
import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { VirtuError } from "../errors.ts";
import { plain } from "../text.ts";
import { readConfig } from "./config-files.ts";
import type { NamedHost } from "./host-name.ts";
import { type Directives, type HostOptions, optionsOf } from "./host-options.ts";

interface Run {
  status: number | null;
  stdout: string;
  stderr: string;
  missing: boolean;
}

function run(program: string, args: readonly string[], stdin = ""): Promise<Run> {
  return new Promise((resolve) => {
    const child = execFile(program, args, { timeout: 20_000, maxBuffer: 4 << 20 }, (error, stdout, stderr) => {
      const code = (error as { code?: unknown } | null)?.code;
      const status = error ? (typeof code === "number" ? code : null) : 0;
      resolve({ status, stdout, stderr, missing: code === "ENOENT" });
    });
    child.stdin?.on("error", () => {});
    child.stdin?.end(stdin);
  });
}

function parseDump(text: string): Directives {
  const directives: Directives = new Map();
  for (const line of text.split("\n")) {
    const blank = line.indexOf(" ");
    if (blank <= 0) continue;
    const key = line.slice(0, blank);
    directives.set(key, [...(directives.get(key) ?? []), line.slice(blank + 1)]);
  }
  return directives;
}

export interface ResolverOptions {
  /** `-F FILE`. */
  configFile?: string | undefined;
  /** The ssh client to ask. */
  program?: string;
}

// No login name has a blank in it, so the configuration can't have given it.
const nobody = "virtu: no user";

export class Resolver {
  private readonly cache = new Map<string, Promise<HostOptions>>();
  private readonly program: string;
  private readonly configFile: string | undefined;
  private checked: Promise<void> | null = null;

  constructor(options: ResolverOptions = {}) {
    this.program = options.program ?? "ssh";
    this.configFile = options.configFile === undefined ? undefined : path.resolve(options.configFile);
  }

  /**
   * Options in force for a host. `defaultUser` counts only when neither the name nor the configuration gives a user.
   * Throws kind `usage` for a configuration that can't be read, naming its line where ssh does.
   */
  resolve(named: NamedHost, defaultUser?: string): Promise<HostOptions> {
    const key = JSON.stringify([named.user, named.host, named.port, named.user === null ? defaultUser : undefined]);
    let found = this.cache.get(key);
    if (!found) {
      found = this.ask(named, defaultUser);
      this.cache.set(key, found);
      // A mended configuration should count at the next try.
      found.catch(() => this.cache.delete(key));
    }
    return found;
  }

  private async ask(named: NamedHost, defaultUser: string | undefined): Promise<HostOptions> {
    await this.checkConfigFile();
    const words = ["-G"];
    if (this.configFile !== undefined) words.push("-F", this.configFile);
    if (named.port !== null) words.push("-p", String(named.port));
    if (named.user !== null) words.push("-l", named.user);
    const answer = await run(this.program, [...words, "--", named.host]);
    if (answer.missing) return this.fromFiles(named, defaultUser);
    if (answer.status !== 0) throw this.refused(named, answer.stderr);
    const options = optionsOf(named, parseDump(answer.stdout));
    if (named.user === null && defaultUser !== undefined && options.user === os.userInfo().username) {
      if (!(await this.namesUser(named))) return { ...options, user: defaultUser };
    }
    return options;
  }

  /**
   * `ssh -G` always prints a user, its own default included. Asked again behind the same configuration, a user that no
   * login can have shows whether one was configured.
   */
  private async namesUser(named: NamedHost): Promise<boolean> {
    const files = this.configFile
      ? [this.configFile]
      : [path.join(os.homedir(), ".ssh", "config"), "/etc/ssh/ssh_config"];
    const lines = files.flatMap((file) => [`Include "${file}"`, "Match all"]);
    const words = ["-G", "-F", "/dev/stdin"];
    if (named.port !== null) words.push("-p", String(named.port));
    // What Node gives a child as standard input is a socket, which nothing can open by name; cat makes a pipe of it.
    const line = ["-c", 'cat | "$0" "$@"', this.program, ...words, "--", named.host];
    const answer = await run("/bin/sh", line, `${lines.join("\n")}\nUser "${nobody}"\n`);
    return answer.status === 0 && parseDump(answer.stdout).get("user")?.[0] !== nobody;
  }

  private fromFiles(named: NamedHost, defaultUser: string | undefined): HostOptions {
    const files = this.configFile
      ? [this.configFile]
      : [path.join(os.homedir(), ".ssh", "config"), "/etc/ssh/ssh_config"];
    const directives = readConfig(files, named);
    if (!directives.has("user") && named.user === null && defaultUser !== undefined) {
      directives.set("user", [defaultUser]);
    }
    return optionsOf(named, directives);
  }

  private checkConfigFile(): Promise<void> {
    const file = this.configFile;
    if (file === undefined || file === "none") return Promise.resolve();
    this.checked ??= access(file, constants.R_OK).catch((thrown: NodeJS.ErrnoException) => {
      this.checked = null;
      throw new VirtuError({
        kind: "usage",
        what: "The ssh configuration file can't be read",
        where: file,
        why: thrown.code === "ENOENT" ? "there is no such file" : thrown.message,
        hint: "Check the path given with -F.",
      });
    });
    return this.checked;
  }

  private refused(named: NamedHost, stderr: string): VirtuError {
    const said = plain(stderr)
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "" && !line.startsWith("Pseudo-terminal"));
    const place = /^(\S.*?) ?(?:: )?line (\d+): /.exec(said[0] ?? "");
    const file = place?.[1]?.replace(/:$/, "");
    return new VirtuError({
      kind: "usage",
      what: `ssh can't make sense of the host ${named.host}`,
      where: file ? `${file}:${place?.[2]}` : (this.configFile ?? named.host),
      why: said[0] ?? "ssh -G gave no reason",
      hint: "Mend your ssh configuration, or choose another with -F FILE.",
      detail: said.slice(1).join("\n") || undefined,
    });
  }
}
