/** virsh 9.0: batches, tables, the life of domains. The connection's URI must be one of QEMU's system. */
import type { Call, Program } from "../machine/machine.ts";
import type { LibvirtHost } from "../world/libvirt.ts";
import type { Domain } from "../world/libvirt-domain.ts";
import { GuestConsoleRefused, joinConsole } from "./guest-console.ts";
import { guestPicture } from "./guest-picture.ts";
import { changes } from "./virsh-changes.ts";
import { type Command, type Line, onDomain, running, VirshError } from "./virsh-command.ts";
import { event } from "./virsh-event.ts";
import { hostCommands } from "./virsh-host.ts";
import { networkCommands } from "./virsh-networks.ts";
import { storageCommands } from "./virsh-pools.ts";
import { snapshots } from "./virsh-snapshots.ts";
import { domainStats, info, list, ordered } from "./virsh-tables.ts";

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

const commands: Readonly<Record<string, Command>> = {
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
  start: onDomain(async (host, domain, { flags }, call) => {
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
  console: onDomain(async (_host, domain, { flags }, call) => {
    if (domain.id === null) throw new VirshError("The domain is not running");
    return openConsole(call, domain, flags.has("force"), () => {});
  }),
  domdisplay: onDomain((host, domain) => {
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
  shutdown: onDomain((host, domain) => {
    running("shutdown", domain);
    host.powerButton(domain);
    return `Domain '${domain.name}' is being shutdown\n\n`;
  }),
  reboot: onDomain((host, domain) => {
    running("reboot", domain);
    host.reboot(domain);
    return `Domain '${domain.name}' is being rebooted\n\n`;
  }),
  destroy: onDomain(async (host, domain, _line, call) => {
    running("destroy", domain);
    await call.process.work(domain.frozen ? 60 : 4);
    host.off(domain, 2);
    return `Domain '${domain.name}' destroyed\n\n`;
  }),
  suspend: onDomain((host, domain) => {
    running("suspend", domain);
    host.pause(domain);
    return `Domain '${domain.name}' suspended\n\n`;
  }),
  resume: onDomain((host, domain) => {
    running("resume", domain);
    host.resume(domain);
    return `Domain '${domain.name}' resumed\n\n`;
  }),
  domstate: onDomain((_host, domain, { flags }) => {
    const reason = flags.has("reason") ? ` (${domain.saved ? "saved" : reasons[domain.state]})` : "";
    return `${domain.state}${reason}\n\n`;
  }),
  dominfo: onDomain((host, domain) => info(host, domain)),
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
      const more = ["cpu-total", "balloon", "vcpu", "interface", "block"].some((group) => flags.has(group));
      const stateOnly = flags.has("state") && !more;
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
  event,
  ...changes,
  ...hostCommands,
  ...networkCommands,
  ...snapshots,
  ...storageCommands,
};

/** Words to a command; a fault here ends the whole batch before anything ran. */
function parse(words: readonly string[]): { command: Command; line: Line } {
  const [name = "", ...rest] = words;
  const command = commands[name];
  if (!command) throw new VirshError(`unknown command: '${name}'`);
  const line: Line = { flags: new Set(), values: new Map(), words: [] };
  for (let index = 0; index < rest.length; index += 1) {
    const word = rest[index] ?? "";
    if (!word.startsWith("--") || name === "echo") {
      line.words.push(word);
      continue;
    }
    const [flag = "", value] = word.slice(2).split("=");
    if (command.values?.includes(flag) || command.takes?.includes(flag)) {
      line.values.set(flag, value ?? rest[++index] ?? "");
      continue;
    }
    if (!command.options.includes(flag)) throw new VirshError(`command '${name}' doesn't support option --${flag}`);
    if (flag === "domain" && command.requires === "domain") line.words.unshift(value ?? rest[++index] ?? "");
    else line.flags.add(flag);
  }
  for (const name of command.takes ?? []) {
    if (!line.values.has(name) && line.words.length > 0) line.values.set(name, line.words.shift() ?? "");
  }
  const [first] = command.takes ?? [];
  if (first !== undefined && !line.values.has(first)) {
    throw new VirshError(`command '${name}' requires <${first}> option`);
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

/** `delay`: real seconds before every answer. */
export function virsh(host: LibvirtHost, delay: () => number): Program {
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
      for (const words of lines) parsed.push(parse(words));
    });
    if (isScript !== 0) return 1;
    if (delay() > 0) await call.process.sleep(delay());
    const named = /^qemu\+ssh:\/\/(?:[^@/]*@)?([^/:.?]+)[^?]*\/system(?:\?|$)/.exec(uri)?.[1];
    const peer = named === undefined ? undefined : host.peers.find(({ hostname }) => hostname === named);
    if (!(await connect(call, peer ? "qemu:///system" : uri))) return 1;
    let status = 0;
    for (const { command, line } of parsed) {
      status = await said(call, async () => {
        await call.out(await command.run(call, peer ?? host, line));
      });
      // A command that failed leaves an empty line.
      if (status !== 0) await call.out("\n");
    }
    return status;
  };
}
