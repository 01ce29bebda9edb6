/**
 * What a host runs, found in one round trip: each provider has a probe, a piece of shell that prints what its parser knows.
 * A further provider is one more entry of `probes`.
 */
import { VirtuError } from "../errors.ts";
import { type Command, sh } from "../ssh/command.ts";
import type { HostRef, Pool } from "../ssh/types.ts";
import { ganetiProbe, parseGanetiProbe } from "../tools/ganeti-probe.ts";
import { defaultUri, parseVirshProbe, pollLimit, virshProbe } from "../tools/virsh.ts";
import { explainVirsh, isNoDaemon } from "../tools/virsh-errors.ts";
import { ask } from "./exec.ts";
import { GanetiProvider } from "./ganeti.ts";
import { LibvirtProvider } from "./libvirt.ts";
import type { DiscoverOptions, Discovery, Provider, ProviderName } from "./types.ts";

interface Asked {
  pool: Pool;
  host: HostRef;
  known: readonly HostRef[];
  uri: string | undefined;
}

/** A provider, why it can't be used, or null: it is not there. `idle`: it is there, and nothing runs it. */
type Finding = { provider: Provider } | { problem: VirtuError; idle: boolean } | null;

interface Probe {
  name: ProviderName;
  command: (asked: Asked) => Command;
  read: (text: string, asked: Asked) => Finding;
}

const probes: readonly Probe[] = [
  {
    name: "ganeti",
    command: () => ganetiProbe,
    read: (text, { pool, host, known }) => {
      const found = parseGanetiProbe(text);
      if (!found) return null;
      const { master } = found;
      if (master !== null) return { provider: new GanetiProvider({ pool, host, known, found: { ...found, master } }) };
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
    name: "libvirt",
    command: ({ uri }) => virshProbe(uri ?? defaultUri),
    read: (text, { pool, host, uri: asked }) => {
      const uri = asked ?? defaultUri;
      const found = parseVirshProbe(text);
      if (!found) return asked === undefined ? null : { idle: false, problem: noVirsh(host, uri) };
      if (found.status === 0) return { provider: new LibvirtProvider({ pool, host, uri }) };
      const problem = new VirtuError({
        kind: found.status === 124 ? "timeout" : "refused",
        what: `libvirt can't be used (${uri})`,
        where: host.name,
        ...(found.status === 124
          ? { why: `it did not answer within ${pollLimit} s`, hint: "Look at libvirtd (or virtqemud) there." }
          : explainVirsh(found.text)),
        detail: found.text.trim() || undefined,
      });
      return { problem, idle: asked === undefined && isNoDaemon(found.text) };
    },
  },
];

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
  const asked: Asked = { pool, host, known, uri };
  const parts = probes.map((probe) => sh`echo ${`@@virtu probe ${probe.name}`}; ${probe.command(asked)}`);
  const command = parts.reduce((one, other) => sh`${one}; ${other}`);
  const answer = await ask(pool, host, command, "finding out what runs there", {
    timeoutMs: discoverLimitMs,
    ...request,
  });
  const findings = probes.map((probe) => {
    const text = new RegExp(`^@@virtu probe ${probe.name}\\n([\\s\\S]*?)(?=^@@virtu probe |$(?![\\s\\S]))`, "m").exec(
      answer.stdout,
    )?.[1];
    return text === undefined ? null : probe.read(text, asked);
  });
  const providers = findings.flatMap((finding) => (finding && "provider" in finding ? [finding.provider] : []));
  const problems = findings.flatMap((finding) => {
    if (!finding || !("problem" in finding)) return [];
    // Installed and not in use is worth a word only where nothing else explains why the host is named.
    return finding.idle && providers.length > 0 ? [] : [finding.problem];
  });
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
