/**
 * What a host runs, found in one round trip: each provider has a probe, a piece of shell that prints what its parser knows.
 * A further provider is one more entry of `probes`. What drives a provider is loaded where one is found.
 */
import { VirtuError } from "../errors.ts";
import { type Command, sh } from "../ssh/command.ts";
import type { HostRef, Pool } from "../ssh/types.ts";
import { ganetiProbe, parseGanetiProbe } from "../tools/ganeti-probe.ts";
import { defaultUri, parseVirshProbe, pollLimit, virshProbe, xenUri } from "../tools/virsh.ts";
import { explainVirsh, isNoDaemon, isNoDriver } from "../tools/virsh-errors.ts";
import { xeProbe } from "../tools/xe.ts";
import { explainXe } from "../tools/xe-errors.ts";
import { parseXeProbe } from "../tools/xe-parse.ts";
import { parseXlProbe, xlProbe } from "../tools/xl.ts";
import { explainXl, nothingAnswers } from "../tools/xl-errors.ts";
import { ask } from "./exec.ts";
import type { DiscoverOptions, Discovery, Provider } from "./types.ts";

interface Asked {
  pool: Pool;
  host: HostRef;
  known: readonly HostRef[];
  uri: string | undefined;
  /** What the probes before this one found. */
  found: readonly Provider[];
}

/** Why a provider can't be used. `idle`: it is there, and nothing runs it. */
interface Trouble {
  problem: VirtuError;
  idle: boolean;
}

/** null: it is not there. */
type Finding = { provider: Provider } | Trouble | null;

interface Probe {
  name: string;
  command: (asked: Asked) => Command;
  read: (text: string, asked: Asked) => Promise<Finding>;
}

const probes: readonly Probe[] = [
  {
    name: "ganeti",
    command: () => ganetiProbe,
    read: async (text, { pool, host, known }) => {
      const found = parseGanetiProbe(text);
      if (!found) return null;
      const { master } = found;
      if (master !== null) {
        const { GanetiProvider } = await import("./ganeti.ts");
        return { provider: new GanetiProvider({ pool, host, known, found: { ...found, master } }) };
      }
      const hidden = !found.root && !found.sudo;
      return {
        idle: true,
        problem: new VirtuError({
          kind: "refused",
          what: hidden ? "Ganeti can't be used" : "Ganeti is installed and belongs to no cluster",
          where: host.name,
          why: hidden ? "this user may not read which cluster it is" : undefined,
          hint: hidden
            ? "Log in as root (root@HOST), or allow this user sudo without a password."
            : "Make one with gnt-cluster init, or add the node to one.",
        }),
      };
    },
  },
  {
    // A dom0's domains are not those of its QEMU; asked only there, and not beside a URI that the user gave.
    name: "libvirt-xen",
    command: ({ uri }) =>
      uri === undefined ? sh`if grep -qs control_d /proc/xen/capabilities; then ${virshProbe(xenUri)}; fi` : sh`true`,
    read: (text, asked) => readLibvirt(text, { ...asked, uri: xenUri }, true),
  },
  {
    name: "libvirt",
    command: ({ uri }) => virshProbe(uri ?? defaultUri),
    // A dom0 can have QEMU's driver too, and no processor to run guests with it.
    read: async (text, asked) =>
      asked.found.some((other) => shows(other, "libvirt")) ? null : readLibvirt(text, asked),
  },
  {
    name: "xenserver",
    command: () => xeProbe,
    read: async (text, { pool, host, known }) => {
      const found = parseXeProbe(text);
      if (!found) return null;
      if (found.status === 0 && found.pool) {
        const { XenServerProvider } = await import("./xenserver.ts");
        return { provider: new XenServerProvider({ pool, host, known, found }) };
      }
      const late = found.status === 124;
      const problem = new VirtuError({
        kind: late ? "timeout" : "refused",
        what: "XenServer's xe can't be used",
        where: host.name,
        ...(late ? { why: "it did not answer in time", hint: "Look at xapi there." } : explainXe(found.text)),
        detail: found.text.trim() || undefined,
      });
      return { problem, idle: false };
    },
  },
  {
    name: "xen",
    command: () => xlProbe,
    read: async (text, { pool, host, found: others }) => {
      const found = parseXlProbe(text);
      // On a XenServer, xl shows the same guests without their real names: they are xapi's alone.
      if (!found || others.some(({ name }) => name === "xenserver")) return null;
      const { dom0, status } = found;
      if (dom0 && status === 0) {
        const elsewhere = (["libvirt", "ganeti"] as const).filter((name) => others.some((other) => shows(other, name)));
        const { XenProvider } = await import("./xen.ts");
        return { provider: new XenProvider({ pool, host, access: found, elsewhere }) };
      }
      const late = status === 124;
      const problem = new VirtuError({
        kind: late ? "timeout" : "refused",
        what: dom0 ? "Xen can't be used" : "Xen is installed and does not run",
        where: host.name,
        ...(late
          ? nothingAnswers
          : explainXl(dom0 ? found.text : "Can't find hypervisor information in sysfs!", status)),
        detail: found.text.trim() || undefined,
      });
      return { problem, idle: !dom0 };
    },
  },
];

/** `quiet`: it is no problem that libvirt knows no such connection, nobody asked for it. */
async function readLibvirt(
  text: string,
  { pool, host, known, uri: asked }: Asked,
  quiet = asked === undefined,
): Promise<Finding> {
  const uri = asked ?? defaultUri;
  const found = parseVirshProbe(text);
  if (!found) return quiet ? null : { idle: false, problem: noVirsh(host, uri) };
  if (found.status === 0) {
    const { LibvirtProvider } = await import("./libvirt.ts");
    return { provider: new LibvirtProvider({ pool, host, uri, known }) };
  }
  const late = found.status === 124;
  const problem = new VirtuError({
    kind: late ? "timeout" : "refused",
    what: `libvirt can't be used (${uri})`,
    where: host.name,
    ...(late
      ? { why: `it did not answer within ${pollLimit} s`, hint: "Look at libvirtd (or virtqemud) there." }
      : explainVirsh(found.text)),
    detail: found.text.trim() || undefined,
  });
  return { problem, idle: quiet && (isNoDaemon(found.text) || isNoDriver(found.text)) };
}

/** Whether a provider shows the domains that this one looks after on a dom0. */
function shows(provider: Provider, owner: "libvirt" | "ganeti"): boolean {
  return provider.name === owner && (owner === "ganeti" || provider.attachment.label === xenUri);
}

function noVirsh(host: HostRef, uri: string): VirtuError {
  return new VirtuError({
    kind: "refused",
    what: `libvirt can't be used (${uri})`,
    where: host.name,
    why: "virsh is not installed there",
    hint: "apt-get install libvirt-clients, or leave --uri out.",
  });
}

/** Everything but virsh's own limit is quick; a slow host gets its time. */
const discoverLimitMs = 30_000;

export async function discover(pool: Pool, host: HostRef, options: DiscoverOptions = {}): Promise<Discovery> {
  const { uri, known = [], ...request } = options;
  const providers: Provider[] = [];
  const asked: Asked = { pool, host, known, uri, found: providers };
  const parts = probes.map((probe) => sh`echo ${`@@virtu probe ${probe.name}`}; ${probe.command(asked)}`);
  const command = parts.reduce((one, other) => sh`${one}; ${other}`);
  const answer = await ask(pool, host, command, "finding out what runs there", {
    timeoutMs: discoverLimitMs,
    ...request,
  });
  const found: Trouble[] = [];
  for (const probe of probes) {
    const text = new RegExp(`^@@virtu probe ${probe.name}\\n([\\s\\S]*?)(?=^@@virtu probe |$(?![\\s\\S]))`, "m").exec(
      answer.stdout,
    )?.[1];
    const finding = text === undefined ? null : await probe.read(text, asked);
    if (finding && "provider" in finding) providers.push(finding.provider);
    else if (finding) found.push(finding);
  }
  // Installed and not in use is worth a word only where nothing else explains why the host is named.
  const active = found.filter(({ idle }) => !idle);
  const idle = providers.length > 0 ? [] : found.filter((trouble) => trouble.idle);
  const problems = [...active, ...idle].map(({ problem }) => problem);
  if (providers.length === 0 && problems.length === 0 && !answer.stdout.includes("@@virtu probe")) {
    throw new VirtuError({
      kind: "unparsed",
      what: "The host did not run the question what it runs",
      where: host.name,
      why: "its login shell is no POSIX shell, or its account has no shell",
      detail: `${answer.stderr}${answer.stdout}`.trim().slice(0, 2000) || undefined,
    });
  }
  return { providers, problems };
}
