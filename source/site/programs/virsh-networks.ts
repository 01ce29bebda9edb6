/** virsh on networks, and on the cards of domains in them. */
import type { LibvirtHost } from "../world/libvirt.ts";
import type { HostNetworks, SiteNetwork } from "../world/libvirt-networks.ts";
import { type Command, onDomain, VirshError } from "./virsh-command.ts";
import { table } from "./virsh-tables.ts";

const yesNo = (is: boolean) => (is ? "yes" : "no");

function onNetwork(
  run: (network: SiteNetwork, host: LibvirtHost, flags: ReadonlySet<string>) => string,
  options: readonly string[] = [],
): Command {
  return {
    options,
    takes: ["network"],
    run: (_call, host, { flags, values }) => {
      const name = values.get("network") ?? "";
      const network = host.networks.find(name);
      if (network) return run(network, host, flags);
      throw new VirshError(
        `failed to get network '${name}'`,
        `Network not found: no network with matching name '${name}'`,
      );
    },
  };
}

/** `24` as `255.255.255.0`. */
function netmask(prefix: number): string {
  return [0, 8, 16, 24].map((before) => 256 - 2 ** (8 - Math.min(8, Math.max(0, prefix - before)))).join(".");
}

function definition({ name, uuid, bridge, address, prefix, range }: SiteNetwork): string {
  const { from, to } = range ?? {};
  const dhcp = range === null ? "" : `    <dhcp>\n      <range start='${from}' end='${to}'/>\n    </dhcp>\n`;
  return `<network>
  <name>${name}</name>
  <uuid>${uuid}</uuid>
  <forward mode='nat'/>
  <bridge name='${bridge}' stp='on' delay='0'/>
  <ip address='${address}' netmask='${netmask(prefix)}'>
${dhcp}  </ip>
</network>

`;
}

function define(networks: HostNetworks, text: string): string {
  const [name, address, prefix, from, to] = [
    /<name>([^<]*)<\/name>/,
    / address=["']([^"']+)/,
    / prefix=["'](\d+)/,
    / start=["']([^"']+)/,
    / end=["']([^"']+)/,
  ].map((pattern) => pattern.exec(text)?.[1]);
  const refusal = !name
    ? "XML error: missing name"
    : networks.find(name)
      ? `operation failed: network '${name}' already exists with uuid ${networks.find(name)?.uuid}`
      : null;
  if (!name || refusal !== null) throw new VirshError("Failed to define network from /dev/stdin", refusal ?? "");
  const range = from && to ? { from, to } : null;
  networks.define({ name, address: address ?? "", prefix: Number(prefix ?? 24), range });
  return `Network ${name} defined from /dev/stdin\n\n`;
}

/** For which dnsmasq gives a lease. */
const leaseSeconds = 3600;

function leases(network: SiteNetwork, { domains, networks, clock }: LibvirtHost): string {
  const until = new Date((clock.seconds() + leaseSeconds) * 1000).toISOString().slice(0, 19).replace("T", " ");
  const rows = domains.flatMap((domain) =>
    domain.set.nics
      .filter(({ source }) => source === network.name)
      .flatMap((nic) => {
        const address = networks.lease(nic, domain);
        if (address === null) return [];
        return [[until, nic.mac, "ipv4", `${address}/${network.prefix}`, domain.name.replaceAll(" ", "-"), "-"]];
      }),
  );
  return table(["Expiry Time", "MAC address", "Protocol", "IP address", "Hostname", "Client ID or DUID"], rows);
}

export const networkCommands: Readonly<Record<string, Command>> = {
  "net-list": {
    options: ["all", "inactive", "name", "uuid"],
    run: (_call, { networks }, { flags }) => {
      const chosen = networks.all.filter(({ active }) =>
        flags.has("inactive") ? !active : active || flags.has("all"),
      );
      if (flags.has("uuid")) return `${chosen.map(({ uuid }) => `${uuid}\n`).join("")}\n`;
      if (flags.has("name")) return `${chosen.map(({ name }) => `${name}\n`).join("")}\n`;
      return table(
        ["Name", "State", "Autostart", "Persistent"],
        chosen.map(({ name, active, autostart }) => [name, active ? "active" : "inactive", yesNo(autostart), "yes"]),
      );
    },
  },
  "net-dumpxml": onNetwork(definition, ["inactive"]),
  "net-dhcp-leases": onNetwork(leases),
  "net-define": {
    options: [],
    takes: ["file"],
    run: async (call, host) => define(host.networks, await call.process.readAll()),
  },
  "net-start": onNetwork((network, { networks }) => {
    const fail = (why: string) => new VirshError(`Failed to start network ${network.name}`, why);
    if (network.active) throw fail("Requested operation is not valid: network is already active");
    const other = networks.all.find(({ active, address }) => active && address === network.address);
    if (other) throw fail(`internal error: Network is already in use by interface ${other.bridge}`);
    network.active = true;
    return `Network ${network.name} started\n\n`;
  }),
  "net-autostart": onNetwork(
    (network, _host, flags) => {
      network.autostart = !flags.has("disable");
      return `Network ${network.name} ${network.autostart ? "marked" : "unmarked"} as autostarted\n\n`;
    },
    ["disable"],
  ),
  "net-destroy": onNetwork((network) => {
    if (!network.active) {
      const why = `Requested operation is not valid: network '${network.name}' is not active`;
      throw new VirshError(`Failed to destroy network ${network.name}`, why);
    }
    network.active = false;
    return `Network ${network.name} destroyed\n\n`;
  }),
  // One that is active stays until it is stopped, and is then gone.
  "net-undefine": onNetwork((network, { networks }) => {
    networks.undefine(network);
    return `Network ${network.name} has been undefined\n\n`;
  }),
  domiflist: onDomain(
    (host, domain) =>
      table(
        ["Interface", "Type", "Source", "Model", "MAC"],
        domain.set.nics.map(({ mac, type, source }) => [
          host.interfaces.get(domain) ?? "-",
          type,
          source,
          "virtio",
          mac,
        ]),
      ),
    { options: ["inactive"] },
  ),
  domifaddr: onDomain(
    (host, domain) => {
      const rows = domain.set.nics.flatMap((nic) => {
        const address = host.networks.lease(nic, domain);
        const prefix = host.networks.find(nic.source)?.prefix;
        return address === null ? [] : [[host.interfaces.get(domain) ?? "-", nic.mac, "ipv4", `${address}/${prefix}`]];
      });
      return table(["Name", "MAC address", "Protocol", "Address"], rows);
    },
    { options: ["full"], values: ["source"] },
  ),
};
