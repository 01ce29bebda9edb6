/** Programs that tell about the host and the time: date, hostname, uname, id and the like. */
import type { Call, Machine, Program } from "../machine/machine.ts";
import { processes } from "./processes.ts";

export function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}

const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `Sun Nov  2 10:53:30 2026`, as asctime has it, in UTC: the hosts' time zone. */
export function asctime(ms: number): string {
  const date = new Date(ms);
  const clock = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(twoDigits).join(":");
  return `${days[date.getUTCDay()]} ${months[date.getUTCMonth()]} ${String(date.getUTCDate()).padStart(2)} ${clock} ${date.getUTCFullYear()}`;
}

/** `2026-11-02 10:53:30` in UTC. */
export function dateTime(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString().slice(0, 19).replace("T", " ");
}

async function date({ args, machine, out }: Call): Promise<number> {
  const now = machine.clock.now();
  // The hosts' clocks are right; setting one is taken for done.
  if (args.some((arg) => arg === "-s" || arg.startsWith("--set"))) return 0;
  const format = args.find((arg) => arg.startsWith("+"))?.slice(1);
  if (format === undefined) {
    await out(`${asctime(now).replace(/ (\d{4})$/, " UTC $1")}\n`);
    return 0;
  }
  const moment = new Date(now);
  const values: Readonly<Record<string, string>> = {
    s: String(Math.floor(now / 1000)),
    N: String((now % 1000) * 1_000_000).padStart(9, "0"),
    Y: String(moment.getUTCFullYear()),
    m: twoDigits(moment.getUTCMonth() + 1),
    d: twoDigits(moment.getUTCDate()),
    H: twoDigits(moment.getUTCHours()),
    M: twoDigits(moment.getUTCMinutes()),
    S: twoDigits(moment.getUTCSeconds()),
    F: dateTime(now / 1000).slice(0, 10),
    T: dateTime(now / 1000).slice(11),
    z: "+0000",
    Z: "UTC",
    "%": "%",
  };
  await out(`${format.replace(/%([a-zA-Z%])/g, (all, letter: string) => values[letter] ?? all)}\n`);
  return 0;
}

function hostRows(machine: Machine): string[][] {
  const text = machine.files.find("/etc/hosts") ? machine.files.readText("/etc/hosts") : "";
  return text
    .split("\n")
    .map((line) => line.replace(/#.*/, "").trim().split(/\s+/))
    .filter((row) => row.length > 1);
}

/** The address of a name and its line in /etc/hosts, or null. */
export function resolveName(machine: Machine, name: string): { address: string; names: string[] } | null {
  const row = hostRows(machine).find(([address, ...names]) => address === name || names.includes(name));
  return row?.[0] === undefined ? null : { address: row[0], names: row.slice(1) };
}

/** What `hostname -f` says: the first name of the own line in /etc/hosts. */
export function fullName(machine: Machine): string {
  return resolveName(machine, machine.hostName)?.names[0] ?? machine.name;
}

async function hostname({ args, machine, out }: Call): Promise<number> {
  const [given] = args;
  if (args.includes("-I")) {
    const own = hostRows(machine).filter((row) => row.includes(machine.name));
    await out(`${own.map(([address]) => address).join(" ")} \n`);
  } else if (given !== undefined && !given.startsWith("-")) machine.hostName = given;
  else if (args.includes("-s")) await out(`${machine.hostName.split(".")[0]}\n`);
  else await out(`${args.includes("-f") || args.includes("--fqdn") ? fullName(machine) : machine.hostName}\n`);
  return 0;
}

const kernelFile = "/proc/sys/kernel/osrelease";

async function uname({ args, machine, out }: Call): Promise<number> {
  const facts = {
    s: "Linux",
    n: machine.hostName,
    r: machine.files.find(kernelFile) ? machine.files.readText(kernelFile).trim() : "6.1.0-28-amd64",
    v: "#1 SMP PREEMPT_DYNAMIC Debian 6.1.119-1 (2024-11-22)",
    m: "x86_64",
    o: "GNU/Linux",
  };
  const letters = args.flatMap((arg) => [...arg.slice(1)]);
  const wanted = letters.includes("a") ? ["s", "n", "r", "v", "m", "o"] : letters.length > 0 ? letters : ["s"];
  await out(
    `${Object.entries(facts)
      .filter(([letter]) => wanted.includes(letter))
      .map(([, value]) => value)
      .join(" ")}\n`,
  );
  return 0;
}

async function nproc({ machine, out }: Call): Promise<number> {
  const text = machine.files.find("/proc/cpuinfo") ? machine.files.readText("/proc/cpuinfo") : "";
  await out(`${text.match(/^processor/gm)?.length ?? 1}\n`);
  return 0;
}

async function getconf({ args, out }: Call): Promise<number> {
  await out(`${args[0] === "PAGESIZE" ? 4096 : 100}\n`);
  return 0;
}

async function id({ args, machine, process, out, err }: Call): Promise<number> {
  const name = args.find((arg) => !arg.startsWith("-")) ?? process.user;
  const account = machine.account(name);
  if (!account) {
    await err(`id: '${name}': no such user\n`);
    return 1;
  }
  const { uid } = account;
  if (args.some((arg) => /^-[a-z]*n/.test(arg))) await out(`${name}\n`);
  else if (args.some((arg) => /^-[uggG]/.test(arg))) await out(`${uid}\n`);
  else await out(`uid=${uid}(${name}) gid=${uid}(${name}) groups=${uid}(${name})\n`);
  return 0;
}

async function whoami({ process, out }: Call): Promise<number> {
  await out(`${process.user}\n`);
  return 0;
}

async function getent({ args, machine, out }: Call): Promise<number> {
  const [database, ...keys] = args;
  if (database === "passwd") {
    let missing = 0;
    for (const key of keys) {
      const account = machine.account(key);
      if (account) await out(`${key}:x:${account.uid}:${account.uid}::${account.home}:/bin/sh\n`);
      else missing = 2;
    }
    return missing;
  }
  let missing = 0;
  for (const key of keys) {
    const found = resolveName(machine, key);
    if (!found) missing = 2;
    else if (database?.startsWith("ahosts")) {
      const kinds = [`STREAM ${found.names[0]}`, "DGRAM  ", "RAW    "];
      await out(kinds.map((kind) => `${found.address.padEnd(15)} ${kind}\n`).join(""));
    } else await out(`${found.address.padEnd(15)} ${found.names.join(" ")}\n`);
  }
  return missing;
}

/** Root runs the rest; anybody else would have to give a password. */
async function sudo(call: Call): Promise<number> {
  const words = call.args.filter((arg, index) => !(index === 0 && arg === "-n"));
  if (call.process.user === "root") return processes.env({ ...call, name: "env", args: words });
  await call.err("sudo: a password is required\n");
  return 1;
}

async function which({ args, machine, process, out }: Call): Promise<number> {
  let missing = 0;
  for (const name of args) {
    const found = machine.lookUp(name, process.env.get("PATH"));
    if (found) await out(`${found.path}\n`);
    else missing = 1;
  }
  return missing;
}

export const about = { date, hostname, uname, nproc, getconf, id, whoami, getent, sudo, which } satisfies Record<
  string,
  Program
>;
