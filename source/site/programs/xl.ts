/** xl 4.17 on a dom0, as far as virtu calls it. */
import type { Call, Program } from "../machine/machine.ts";
import type { XenDomain, XenHost } from "../world/xen.ts";
import { GuestConsoleRefused, joinConsole } from "./guest-console.ts";
import { unbuildable, value } from "./xl-file.ts";

/** What xl says on stderr when it fails, and its status. */
class XlError extends Error {
  constructor(
    message: string,
    readonly status = 1,
  ) {
    super(message);
  }
}

const nobody = "00000000-0000-0000-0000-000000000000";

function letters({ state }: XenDomain, host: XenHost): string {
  if (state === "building" || state === "paused") return "--p---";
  if (state === "crashed") return "---sc-";
  if (state === "dying") return "--ps--";
  // Most guests wait for something at any moment.
  return host.clock.seconds() % 5 === 0 ? "r-----" : "-b----";
}

function list(host: XenHost, verbose: boolean, only: XenDomain | null): string {
  const head = `Name                                        ID   Mem VCPUs\tState\tTime(s)${verbose ? "   UUID                            Reason-Code\tSecurity Label" : ""}\n`;
  const row = (name: string, id: number, memory: number, vcpus: number, state: string, time: number, uuid: string) => {
    const numbers = `${String(id).padStart(5)} ${String(memory).padStart(5)} ${String(vcpus).padStart(5)}`;
    const reason = state[4] === "c" ? "3" : "-";
    const more = verbose ? ` ${uuid} ${reason.padStart(8)}                -` : "";
    return `${name.padEnd(40)} ${numbers}     ${state} ${time.toFixed(1).padStart(9)}${more}\n`;
  };
  const guests = (only ? [only] : host.domains).map((domain) => {
    const built = domain.state !== "building";
    const numbers = [built ? domain.memory : 0, built ? domain.vcpus : 0] as const;
    return row(domain.name, domain.id, ...numbers, letters(domain, host), host.cpuSeconds(domain), domain.uuid);
  });
  const self = only ? "" : row("Domain-0", 0, host.hostMemory, 4, "r-----", host.clock.seconds() % 100_000, nobody);
  return `${head}${self}${guests.join("")}`;
}

function info(host: XenHost): string {
  const facts: Record<string, string | number> = {
    host: host.hostname,
    release: "6.1.0-56-amd64",
    machine: "x86_64",
    nr_cpus: 16,
    virt_caps: "pv hvm hap gnttab-v1 gnttab-v2",
    total_memory: host.totalMemory,
    free_memory: host.freeMemory,
    xen_major: 4,
    xen_minor: 17,
    xen_extra: ".7",
    xen_version: "4.17.7",
    xen_scheduler: "credit2",
    xen_commandline: "dom0_mem=2048M,max:2048M",
  };
  return Object.entries(facts)
    .map(([key, value]) => `${key.padEnd(23)}: ${value}\n`)
    .join("");
}

function known(host: XenHost, word = ""): XenDomain {
  const domain = host.find(word);
  if (!domain) throw new XlError(`${word} is an invalid domain identifier (rc=-6)\n`);
  return domain;
}

async function create({ args, machine, process, err }: Call, host: XenHost): Promise<string> {
  const quiet = args.includes("-q");
  const [path = ""] = args.slice(1).filter((word) => !word.startsWith("-"));
  const file = machine.files.find(path);
  if (file?.kind !== "file") throw new XlError(`Failed to read config file: ${path}: No such file or directory\n`, 3);
  if (!quiet) await err(`Parsing config from ${path}\n`);
  const name = value(file.content, "name");
  if (name === null) throw new XlError("Domain name must be specified.\n");
  const missing = unbuildable(machine.files, file.content);
  if (args.includes("-n")) return "";
  if (host.find(name)) {
    throw new XlError(
      `libxl: error: libxl_domain.c:81:libxl__domain_rename: Domain 99:Domain with name "${name}" already exists.\n`,
      3,
    );
  }
  const memory = Number(value(file.content, "memory") ?? 128);
  if (memory > host.freeMemory) {
    throw new XlError(
      "xc: error: panic: xg_dom_boot.c:119: xc_dom_boot_mem_init: can't allocate low memory for domain: Out of memory\n",
      3,
    );
  }
  if (missing !== null) {
    await process.work(6);
    throw new XlError(missing, 3);
  }
  const vcpus = Number(value(file.content, "vcpus") ?? 1);
  const domain = host.add({
    ...{ name, memory, vcpus, uuid: value(file.content, "uuid") ?? undefined },
    maximumMemory: Number(value(file.content, "maxmem") ?? memory),
    maximumVcpus: Number(value(file.content, "maxvcpus") ?? vcpus),
  });
  await process.work(10);
  domain.state = "running";
  return "";
}

async function save(call: Call, host: XenHost): Promise<string> {
  const [, word, path = ""] = call.args;
  const domain = known(host, word);
  await call.err(`Saving to ${path} new xl format (info 0x3/0x0/1207)\n`);
  for (const percent of [25, 50, 75, 100]) {
    await call.process.work(3);
    await call.err(`xc: progress: Frames: ${percent * 100}/10000  ${String(percent).padStart(3)}%\n`);
  }
  const { name, memory, maximumMemory, vcpus, maximumVcpus } = domain;
  call.machine.files.writeText(
    path,
    JSON.stringify({ name, memory, maximumMemory, vcpus, maximumVcpus }),
    "root",
    0o600,
  );
  host.remove(domain);
  return "";
}

async function restore(call: Call, host: XenHost): Promise<string> {
  const file = call.machine.files.find(call.args[1] ?? "");
  if (file?.kind !== "file") throw new XlError("Can't open restore file: No such file or directory\n");
  await call.process.work(15);
  host.add(JSON.parse(file.content)).state = "running";
  return "";
}

/** Until Ctrl-] or the guest's end; one at a time. */
async function consoleOf(call: Call, host: XenHost): Promise<number> {
  const domain = known(host, call.args[1]);
  try {
    await joinConsole(call, domain.guest, false);
    return 0;
  } catch (thrown) {
    if (!(thrown instanceof GuestConsoleRefused)) throw thrown;
    await call.err(`xenconsole: Could not lock /var/lock/xenconsole.${domain.id}: Resource temporarily unavailable\n`);
    return 11;
  }
}

const changes: Record<string, (call: Call, host: XenHost) => Promise<string> | string> = {
  list: ({ args }, host) => {
    const word = args.slice(1).find((other) => !other.startsWith("-"));
    return list(host, args.includes("-v"), word === undefined ? null : known(host, word));
  },
  info: (_call, host) => info(host),
  create,
  save,
  restore,
  destroy: async ({ args, process }, host) => {
    const domain = known(host, args[1]);
    await process.work(4);
    host.remove(domain);
    return "";
  },
  pause: ({ args }, host) => {
    known(host, args[1]).state = "paused";
    return "";
  },
  unpause: ({ args }, host) => {
    known(host, args[1]).state = "running";
    return "";
  },
  uptime: ({ args }, host) => {
    const domain = known(host, args[1]);
    const seconds = Math.floor((host.clock.now() - domain.startedAt) / 1000);
    const two = (count: number) => String(Math.floor(count) % 60).padStart(2, "0");
    const time = `${Math.floor(seconds / 3600)}:${two(seconds / 60)}:${two(seconds)}`;
    return `Name                                ID Uptime\n${domain.name.padEnd(35)} ${domain.id}  ${time}\n`;
  },
  rename: ({ args }, host) => {
    const [, word, to = ""] = args;
    const domain = known(host, word);
    if (host.find(to)) {
      throw new XlError(
        `libxl: error: libxl_domain.c:81:libxl__domain_rename: Domain ${domain.id}:Domain with name "${to}" already exists.\nCan't rename domain '${domain.name}'.\n`,
      );
    }
    domain.name = to;
    host.wrote(domain, "name");
    return "";
  },
  "mem-set": ({ args }, host) => {
    const domain = known(host, args[1]);
    const memory = Number.parseInt(args[2] ?? "", 10);
    if (memory > domain.maximumMemory) {
      throw new XlError(
        `libxl: error: libxl_mem.c:278:libxl_set_memory_target: Domain ${domain.id}:memory_dynamic_max must be less than or equal to memory_static_max\n\ncannot set domid ${domain.id} dynamic max memory to : ${memory}\n`,
      );
    }
    domain.memory = memory;
    host.wrote(domain, "memory/target");
    return "";
  },
  "vcpu-set": ({ args }, host) => {
    const domain = known(host, args[1]);
    const vcpus = Number(args[2]);
    if (vcpus > domain.maximumVcpus) {
      throw new XlError(
        `libxl: error: libxl_domain.c:1869:libxl_set_vcpuonline: Domain ${domain.id}:Requested ${vcpus} VCPUs, however maxcpus is ${domain.maximumVcpus}!: Function not implemented\n`,
      );
    }
    domain.vcpus = vcpus;
    host.wrote(domain, `cpu/${vcpus - 1}/availability`);
    return "";
  },
  shutdown: (call, host) => ask(call, host, false),
  reboot: (call, host) => ask(call, host, true),
};

async function ask({ args, process, err }: Call, host: XenHost, again: boolean): Promise<string> {
  const domain = known(
    host,
    args.slice(1).find((word) => !word.startsWith("-")),
  );
  await err(`${again ? "Rebooting" : "Shutting down"} domain ${domain.id}\n`);
  if (domain.state === "crashed") {
    await process.work(60);
    throw new XlError(
      "libxl: error: libxl_domain.c:854:pvcontrol_cb: guest didn't acknowledge control request: -9\nshutdown failed (rc=-9)\n",
    );
  }
  host.ask(domain, again);
  return "";
}

export function xl(host: XenHost): Program {
  return async (call) => {
    const [verb = ""] = call.args;
    if (call.process.user !== "root") {
      await call.err(
        "xencall: error: Could not obtain handle on privileged command interface: Permission denied\nlibxl: error: libxl.c:102:libxl_ctx_alloc: cannot open libxc handle: Permission denied\ncannot init xl context\n",
      );
      return 1;
    }
    try {
      if (verb === "console") return await consoleOf(call, host);
      const change = changes[verb];
      if (!change) throw new XlError("command not implemented\n");
      await call.out(await change(call, host));
      return 0;
    } catch (thrown) {
      if (!(thrown instanceof XlError)) throw thrown;
      await call.err(thrown.message);
      return thrown.status;
    }
  };
}
