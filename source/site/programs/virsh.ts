/** virsh 9.0: batches, tables, the life of domains. The connection's URI must be one of QEMU's system. */
import type { Call, Program } from "../machine/machine.ts";
import type { Domain, LibvirtHost } from "../world/libvirt.ts";
import { GuestConsoleRefused, joinConsole } from "./guest-console.ts";
import { guestPicture } from "./guest-picture.ts";
import { domainStats, info, list, ordered, table } from "./virsh-tables.ts";

/** A command line cut as virsh cuts it: blanks part words, `;` parts commands, quotes and backslashes hold. */
export function cut(line: string): string[][] {
  const commands: string[][] = [[]];
  let word: string | null = null;
  let quote = "";
  const end = () => {
    if (word !== null) commands.at(-1)?.push(word);
    word = null;
  };
  for (let index = 0; index < line.length; index += 1) {
    const character = line[index] ?? "";
    if (character === "\\" && quote !== "'") word = (word ?? "") + (line[++index] ?? "");
    else if (quote !== "") {
      if (character === quote) quote = "";
      else word = (word ?? "") + character;
    } else if (character === "'" || character === '"') {
      quote = character;
      word ??= "";
    } else if (character === ";" || character === "\n") {
      end();
      commands.push([]);
    } else if (/\s/.test(character)) end();
    else word = (word ?? "") + character;
  }
  end();
  return commands.filter((words) => words.length > 0);
}

export interface Line {
  flags: Set<string>;
  /** Options that take a word: `--uri URI`. */
  values: Map<string, string>;
  words: string[];
}

/** A command's failure: what follows `error: `, line by line. */
export class VirshError extends Error {
  constructor(...lines: string[]) {
    super(lines.map((line) => `error: ${line}\n`).join(""));
  }
}

export type Command = {
  options: readonly string[];
  /** Of them those that take the next word; `domain` then stands for the first argument. */
  values?: readonly string[];
  /** The name of the argument that must be given. */
  requires?: string;
  run(call: Call, host: LibvirtHost, line: Line): Promise<string> | string;
};

export function onDomain(
  verb: string,
  act: (host: LibvirtHost, domain: Domain, line: Line, call: Call) => Promise<string> | string,
): Command {
  return {
    options: [
      "domain",
      "mode",
      "graceful",
      "paused",
      "console",
      "force",
      "safe",
      "all",
      "reason",
      "verbose",
      verb === "domstate" ? "reason" : "force-boot",
    ],
    requires: "domain",
    run: (call, host, line) => {
      const [word = ""] = line.words;
      const domain = host.find(word);
      if (!domain) throw new VirshError(`failed to get domain '${word}'`);
      return act(host, domain, line, call);
    },
  };
}

function running(verb: string, domain: Domain): void {
  if (domain.id === null) {
    throw new VirshError(
      `Failed to ${verb} domain '${domain.name}'`,
      "Requested operation is not valid: domain is not running",
    );
  }
}

async function openConsole(
  call: Call,
  { guest, name }: Domain,
  force: boolean,
  onAttached: () => void,
): Promise<string> {
  if (!call.process.files.get(0)?.terminal) {
    throw new VirshError("Cannot run interactive console without a controlling TTY");
  }
  await call.out(`Connected to domain '${name}'\nEscape character is ^] (Ctrl + ])\n`);
  try {
    await joinConsole(call, guest, force, onAttached);
  } catch (thrown) {
    if (!(thrown instanceof GuestConsoleRefused)) throw thrown;
    throw new VirshError("operation failed: Active console session exists for this domain");
  }
  return "\n";
}

const reasons: Readonly<Record<string, string>> = {
  running: "booted",
  paused: "user",
  "shut off": "shutdown",
  "in shutdown": "user",
};

export type Commands = Readonly<Record<string, Command>>;

const commands: Commands = {
  echo: { options: ["shell", "xml"], run: (_call, _host, { words }) => `${words.join(" ")}\n` },
  list: {
    options: [
      ...[
        "all",
        "inactive",
        "title",
        "name",
        "uuid",
        "id",
        "managed-save",
        "with-managed-save",
        "autostart",
        "transient",
      ],
      ...["persistent", "state-running", "state-shutoff", "state-paused"],
    ],
    run: (_call, host, { flags }) => list(host, flags),
  },
  start: onDomain("start", async (host, domain, { flags }, call) => {
    if (domain.id !== null) throw new VirshError("Domain is already active");
    await call.process.work(8);
    if (!flags.has("console")) {
      host.start(domain);
      return `Domain '${domain.name}' started\n\n`;
    }
    // The domain is made paused, and resumed when the console is attached.
    await call.out(`Domain '${domain.name}' started\n`);
    return openConsole(call, domain, false, () => host.start(domain));
  }),
  console: onDomain("console", async (_host, domain, { flags }, call) => {
    if (domain.id === null) throw new VirshError("The domain is not running");
    return openConsole(call, domain, flags.has("force"), () => {});
  }),
  domdisplay: onDomain("domdisplay", (host, domain) => {
    running("get display of", domain);
    return `vnc://127.0.0.1:${host.display(domain)}\n\n`;
  }),
  screenshot: {
    options: ["domain", "file", "screen"],
    requires: "domain",
    run: (call, host, { words: [word = "", file = `${word}.ppm`] }) => {
      const domain = host.find(word);
      if (!domain) throw new VirshError(`failed to get domain '${word}'`);
      if (domain.id === null)
        throw new VirshError(
          `could not take a screenshot of ${word}`,
          "Requested operation is not valid: domain is not running",
        );
      call.machine.files.writeText(file, guestPicture(domain, host.clock.now()), call.process.user);
      return `Screenshot saved to ${file}, with type of image/x-portable-pixmap\n`;
    },
  },
  shutdown: onDomain("shutdown", (host, domain) => {
    running("shutdown", domain);
    host.powerButton(domain);
    return `Domain '${domain.name}' is being shutdown\n\n`;
  }),
  reboot: onDomain("reboot", (host, domain) => {
    running("reboot", domain);
    host.reboot(domain);
    return `Domain '${domain.name}' is being rebooted\n\n`;
  }),
  destroy: onDomain("destroy", async (host, domain, _line, call) => {
    running("destroy", domain);
    await call.process.work(domain.frozen ? 60 : 4);
    host.off(domain, 2);
    return `Domain '${domain.name}' destroyed\n\n`;
  }),
  suspend: onDomain("suspend", (host, domain) => {
    running("suspend", domain);
    domain.state = "paused";
    domain.reason = 1;
    host.changed();
    return `Domain '${domain.name}' suspended\n\n`;
  }),
  resume: onDomain("resume", (host, domain) => {
    running("resume", domain);
    domain.state = "running";
    host.changed();
    return `Domain '${domain.name}' resumed\n\n`;
  }),
  domstate: onDomain("domstate", (_host, domain, { flags }) => {
    const reason = flags.has("reason") ? ` (${domain.saved ? "saved" : reasons[domain.state]})` : "";
    return `${domain.state}${reason}\n\n`;
  }),
  dominfo: onDomain("dominfo", (host, domain) => info(host, domain)),
  domstats: {
    options: [
      "state",
      "cpu-total",
      "balloon",
      "vcpu",
      "interface",
      "block",
      "raw",
      "nowait",
      "enforce",
      "list-active",
      "list-running",
    ],
    run: async (call, host, { flags, words }) => {
      const stateOnly = flags.has("state");
      // A guest whose monitor hangs blocks the first question for more than its bare state, --nowait or not.
      const blocking = host.frozen().filter((domain) => !domain.stuck || !flags.has("nowait"));
      if (!stateOnly && blocking.length > 0) {
        for (const domain of blocking) domain.stuck = true;
        await host.thawed((promise) => call.process.guard(promise));
      }
      const chosen = words.length > 0 ? words.flatMap((word) => host.find(word) ?? []) : ordered(host.domains);
      return chosen.map((domain) => domainStats(host, domain, stateOnly, domain.frozen)).join("");
    },
  },
  hostname: { options: [], run: (_call, host) => `${host.hostname}\n\n` },
  uri: { options: [], run: () => "qemu:///system\n\n" },
  version: {
    options: ["daemon"],
    run: () =>
      "Compiled against library: libvirt 9.0.0\nUsing library: libvirt 9.0.0\nUsing API: QEMU 9.0.0\nRunning hypervisor: QEMU 7.2.22\n\n",
  },
  nodeinfo: {
    options: [],
    run: () =>
      "CPU model:           x86_64\nCPU(s):              16\nCPU frequency:       2596 MHz\nCPU socket(s):       2\nCore(s) per socket:  8\nThread(s) per core:  1\nNUMA cell(s):        1\nMemory size:         65843576 KiB\n\n",
  },
  nodememstats: {
    options: ["cell"],
    run: (_call, host) => {
      const used = host.domains.filter(({ id }) => id !== null).reduce((sum, domain) => sum + domain.memory, 2_400_000);
      const row = (name: string, kib: number) => `${name.padEnd(7)}: ${String(kib).padStart(20)} KiB\n`;
      return `${row("total", 65_843_576)}${row("free", 65_843_576 - used - 3_853_332)}${row("buffers", 167_572)}${row("cached", 3_685_760)}\n`;
    },
  },
  nodecpustats: {
    options: ["cpu", "percent"],
    run: (_call, host) => {
      const up = (host.clock.now() - host.bootedAt) * 1e6;
      const row = (name: string, ns: number) => `${`${name}:`.padEnd(15)} ${String(Math.floor(ns)).padStart(20)}\n`;
      return `${row("user", up * 0.8)}${row("system", up * 0.2)}${row("idle", up * 15)}${row("iowait", up * 0.01)}\n`;
    },
  },
  "pool-list": {
    options: ["all", "details", "inactive", "name"],
    run: (_call, _host, { flags }) =>
      flags.has("name")
        ? "default             \n\n"
        : flags.has("details")
          ? table(
              ["Name", "State", "Autostart", "Persistent", "Capacity", "Allocation", "Available"],
              [["default", "running", "yes", "yes", "931.51 GiB", "127.67 GiB", "803.84 GiB"]],
            )
          : table(["Name", "State", "Autostart"], [["default", "active", "yes"]]),
  },
  "net-list": {
    options: ["all", "inactive", "name"],
    run: (_call, _host, { flags }) =>
      flags.has("name")
        ? "default\n\n"
        : table(["Name", "State", "Autostart", "Persistent"], [["default", "active", "yes", "yes"]]),
  },
};

/** Words to a command; a fault here ends the whole batch before anything ran. */
function parse(words: readonly string[], more: Commands): { command: Command; line: Line } {
  const [name = "", ...rest] = words;
  const command = commands[name] ?? more[name];
  if (!command) throw new VirshError(`unknown command: '${name}'`);
  const line: Line = { flags: new Set(), values: new Map(), words: [] };
  for (let at = 0; at < rest.length; at += 1) {
    const word = rest[at] ?? "";
    if (!word.startsWith("--") || name === "echo") {
      line.words.push(word);
      continue;
    }
    const [flag = "", given] = word.slice(2).split("=");
    const takes = command.values?.includes(flag) ?? false;
    if (!takes && !command.options.includes(flag))
      throw new VirshError(`command '${name}' doesn't support option --${flag}`);
    const value = given ?? (takes ? rest[++at] : undefined);
    if (value !== undefined && flag === "domain") line.words.push(value);
    else if (value !== undefined && takes) line.values.set(flag, value);
    else line.flags.add(flag);
  }
  if (command.requires && line.words.length === 0)
    throw new VirshError(`command '${name}' requires <${command.requires}> option`);
  return { command, line };
}

async function said(call: Call, run: () => Promise<void>): Promise<number> {
  try {
    await run();
    return 0;
  } catch (thrown) {
    if (!(thrown instanceof VirshError)) throw thrown;
    await call.err(thrown.message);
    return 1;
  }
}

async function connect(call: Call, uri: string): Promise<boolean> {
  const refusal = !/^\w+(?:\+\w+)?:\/\//.test(uri)
    ? "internal error: Unable to parse URI"
    : uri === "qemu:///system" && (call.process.user === "root" || call.args.includes("-r"))
      ? null
      : uri === "qemu:///system"
        ? "authentication unavailable: no polkit agent available to authenticate action 'org.libvirt.unix.manage'"
        : `no connection driver available for ${uri}`;
  if (refusal === null) return true;
  await call.err(`error: failed to connect to the hypervisor\nerror: ${refusal}\n`);
  return false;
}

/** `delay`: real seconds before every answer; `more`: further commands. */
export function virsh(host: LibvirtHost, delay: () => number, more: Commands = {}): Program {
  return async (call) => {
    let uri = "qemu:///system";
    let index = 0;
    for (; call.args[index]?.startsWith("-"); index += 1) {
      const arg = call.args[index] ?? "";
      if (arg === "-c" || arg === "--connect") uri = call.args[++index] ?? "";
      else if (arg.startsWith("--connect=")) uri = arg.slice(10);
      else if (arg === "--version" || arg === "-v") {
        await call.out("9.0.0\n");
        return 0;
      }
    }
    const rest = call.args.slice(index);
    // One word is a whole batch; several are one command.
    const lines = rest.length === 1 ? cut(rest[0] ?? "") : [rest];
    const parsed: ReturnType<typeof parse>[] = [];
    const isScript = await said(call, async () => {
      for (const words of lines) parsed.push(parse(words, more));
    });
    if (isScript !== 0) return 1;
    if (delay() > 0) await call.process.sleep(delay());
    if (!(await connect(call, uri))) return 1;
    let status = 0;
    for (const { command, line } of parsed) {
      status = await said(call, async () => {
        await call.out(await command.run(call, host, line));
      });
      // A command that failed leaves an empty line.
      if (status !== 0) await call.out("\n");
    }
    return status;
  };
}
