/** The ssh options that virtu honours, from the lines that `ssh -G` prints. Pure, apart from the home directory. */
import os from "node:os";
import path from "node:path";
import type { NamedHost } from "./host-name.ts";

/** Lower-case keyword → its values in order, one for each line. */
export type Directives = Map<string, string[]>;

export type AuthMethodName = "publickey" | "keyboard-interactive" | "password";

export interface HostOptions {
  /** The name that was asked for. */
  alias: string;
  hostname: string;
  user: string;
  port: number;
  /** Jump hosts from the first to the last, as written. */
  proxyJump: string[];
  /** A shell command whose standard input and output are the connection; its % marks are already replaced. */
  proxyCommand: string | null;
  identityFiles: string[];
  identitiesOnly: boolean;
  /** Socket of the agent, or null. */
  identityAgent: string | null;
  userKnownHostsFiles: string[];
  globalKnownHostsFiles: string[];
  strictHostKeyChecking: "yes" | "ask" | "accept-new" | "no";
  hostKeyAlias: string | null;
  hashKnownHosts: boolean;
  connectTimeoutMs: number | null;
  addressFamily: 0 | 4 | 6;
  bindAddress: string | null;
  /** Methods that may be used, the preferred first. */
  methods: AuthMethodName[];
  passwordPrompts: number;
  /** Never ask anything. */
  batchMode: boolean;
}

const defaultIdentities = ["id_rsa", "id_ecdsa", "id_ed25519", "id_dsa"].map((name) => `~/.ssh/${name}`);
const allMethods: readonly AuthMethodName[] = ["publickey", "keyboard-interactive", "password"];

function isYes(value: string | undefined, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  return /^(yes|true|unbound|host-bound)$/i.test(value);
}

/** Seconds of an ssh time (`90`, `1m30s`), or null. */
export function sshTime(value: string | undefined): number | null {
  if (value === undefined || !/^(\d+[smhdw]?)+$/i.test(value)) return null;
  const unit: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
  let seconds = 0;
  for (const part of value.toLowerCase().matchAll(/(\d+)([smhdw]?)/g)) {
    seconds += Number(part[1]) * (unit[part[2] || "s"] ?? 1);
  }
  return seconds;
}

/** `ssh -G` prints a list of files without its quotes: a word that starts no path belongs to the one before it. */
export function splitFiles(value: string): string[] {
  const files: string[] = [];
  for (const word of value.split(" ").filter(Boolean)) {
    const startsPath = /^["~/%]/.test(word) || word === "none" || files.length === 0;
    if (startsPath) files.push(word);
    else files.push(`${files.pop()} ${word}`);
  }
  return files.map((file) => file.replace(/^"(.*)"$/, "$1")).filter((file) => file !== "none");
}

function expand(value: string, marks: Record<string, string>): string {
  const home = os.homedir();
  const text = value === "~" || value.startsWith("~/") ? home + value.slice(1) : value;
  const filled = text.replace(/%(.)/g, (whole, letter: string) => marks[letter] ?? whole);
  return filled.replace(/\$\{([^}]+)\}/g, (whole, name: string) => process.env[name] ?? whole);
}

function agentSocket(value: string | undefined, marks: Record<string, string>): string | null {
  if (value === undefined || value === "SSH_AUTH_SOCK") return process.env["SSH_AUTH_SOCK"] || null;
  if (value === "none") return null;
  if (value.startsWith("$") && !value.startsWith("${")) return process.env[value.slice(1)] || null;
  return expand(value, marks);
}

function methodsOf(directives: Directives): AuthMethodName[] {
  const first = (key: string) => directives.get(key)?.[0];
  const preferred = first("preferredauthentications")?.split(",") ?? allMethods;
  const allowed: Record<AuthMethodName, boolean> = {
    publickey: isYes(first("pubkeyauthentication"), true),
    "keyboard-interactive": isYes(first("kbdinteractiveauthentication"), true),
    password: isYes(first("passwordauthentication"), true),
  };
  return preferred.filter(
    (name): name is AuthMethodName => Object.hasOwn(allowed, name) && allowed[name as AuthMethodName],
  );
}

function strictness(value: string | undefined): HostOptions["strictHostKeyChecking"] {
  if (value === "accept-new" || value === "ask") return value;
  if (/^(yes|true)$/i.test(value ?? "")) return "yes";
  if (/^(no|off|false)$/i.test(value ?? "")) return "no";
  return "ask";
}

/** Directives of one host as options, with ssh's own defaults for what is not said. */
export function optionsOf(named: NamedHost, directives: Directives): HostOptions {
  const first = (key: string) => directives.get(key)?.[0];
  const given = (key: string) => {
    const value = first(key);
    return value === undefined || value.toLowerCase() === "none" ? null : value;
  };
  const hostname = first("hostname") ?? named.host;
  const user = named.user ?? first("user") ?? os.userInfo().username;
  const port = named.port ?? Number(first("port") ?? 22);
  const jump = given("proxyjump");
  const marks: Record<string, string> = {
    "%": "%",
    h: hostname,
    n: named.host,
    p: String(port),
    r: user,
    u: os.userInfo().username,
    d: os.homedir(),
    i: String(os.userInfo().uid),
    l: os.hostname(),
    L: os.hostname().split(".")[0] ?? "",
    k: given("hostkeyalias") ?? named.host,
    j: jump ?? "",
  };
  const files = (key: string, fallback: string[]) =>
    (directives.get(key)?.flatMap(splitFiles) ?? fallback).map((file) => expand(file, marks));
  const sshDir = path.join(os.homedir(), ".ssh");
  const command = given("proxycommand");
  const timeout = sshTime(first("connecttimeout"));
  const family = first("addressfamily");
  return {
    alias: named.host,
    hostname,
    user,
    port,
    proxyJump: jump === null ? [] : jump.split(",").filter(Boolean),
    // ssh takes the home directory of a ProxyCommand from its shell, so only marks are replaced.
    proxyCommand: command?.replace(/%(.)/g, (whole, letter: string) => marks[letter] ?? whole) ?? null,
    identityFiles: (directives.get("identityfile") ?? defaultIdentities)
      .filter((file) => file.toLowerCase() !== "none")
      .map((file) => expand(file.replace(/^"(.*)"$/, "$1"), marks)),
    identitiesOnly: isYes(first("identitiesonly"), false),
    identityAgent: agentSocket(first("identityagent"), marks),
    userKnownHostsFiles: files("userknownhostsfile", [
      path.join(sshDir, "known_hosts"),
      path.join(sshDir, "known_hosts2"),
    ]),
    globalKnownHostsFiles: files("globalknownhostsfile", ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"]),
    strictHostKeyChecking: strictness(first("stricthostkeychecking")),
    hostKeyAlias: given("hostkeyalias"),
    hashKnownHosts: isYes(first("hashknownhosts"), false),
    connectTimeoutMs: timeout === null || timeout === 0 ? null : timeout * 1000,
    addressFamily: family === "inet" ? 4 : family === "inet6" ? 6 : 0,
    bindAddress: given("bindaddress"),
    methods: methodsOf(directives),
    passwordPrompts: Number(first("numberofpasswordprompts") ?? 3) || 3,
    batchMode: isYes(first("batchmode"), false),
  };
}
