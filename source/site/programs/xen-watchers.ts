/** xentop and xenstore-watch on a dom0, as far as virtu calls them. */
import type { Program } from "../machine/machine.ts";
import type { XenDomain, XenHost } from "../world/xen.ts";

/** Its batch output: as many rounds as `-i` says, else one a second until it is ended. */
export function xentop(host: XenHost): Program {
  return async ({ args, out, process }) => {
    const iterations = args.includes("-i") ? Number(args[args.indexOf("-i") + 1]) : Number.POSITIVE_INFINITY;
    for (let round = 1; ; round += 1) {
      await out(usageTable(host));
      if (round >= iterations) return 0;
      await process.sleep(1);
    }
  };
}

function usageTable(host: XenHost): string {
  const width = Math.max(10, ...host.domains.map(({ name }) => name.length));
  const head = `${"NAME".padStart(width)}  STATE   CPU(sec) CPU(%)     MEM(k) MEM(%)  MAXMEM(k) MAXMEM(%) VCPUS NETS NETTX(k) NETRX(k) VBDS   VBD_OO   VBD_RD   VBD_WR  VBD_RSECT  VBD_WSECT SSID\n`;
  const rows = host.domains.map((domain) => {
    const seconds = host.cpuSeconds(domain);
    const memory = domain.memory * 1024;
    const state = usageStates[domain.state] ?? "--b---";
    const grown = Math.floor(seconds);
    return `${domain.name.padStart(width)} ${state} ${grown}    0.0     ${memory}    5.0     ${domain.maximumMemory * 1024}       9.0     ${domain.vcpus}    1 ${grown * 3} ${grown * 5}    1        0 ${grown * 2} ${grown * 3} ${grown * 40} ${grown * 90}    0\n`;
  });
  return `${head}${rows.join("")}`;
}

/** xentop's letters stand in another order than xl's. */
const usageStates: Partial<Record<XenDomain["state"], string>> = {
  crashed: "---c--",
  paused: "----p-",
  building: "----p-",
  dying: "-s--p-",
};

/** Says each of its watches once, and then what happens at or below it. */
export function xenstoreWatch(host: XenHost): Program {
  return async ({ args, out, process }) => {
    const lines = args.map((path) => `${path}\n`);
    let wake = () => {};
    const off = host.watch((path) => {
      if (!args.some((watch) => path === watch || path.startsWith(`${watch}/`))) return;
      lines.push(`${path}\n`);
      wake();
    });
    try {
      for (;;) {
        const [line] = lines.splice(0, 1);
        if (line !== undefined) await out(line);
        else
          await process.guard(
            new Promise<void>((resolve) => {
              wake = resolve;
            }),
          );
      }
    } finally {
      off();
    }
  };
}
