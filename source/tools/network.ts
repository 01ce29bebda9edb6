/** A node's interfaces and addresses, and what configures them. */

export interface Address {
  family: "inet" | "inet6";
  address: string;
  prefix: number;
  broadcast: string | null;
  /** `global`, `link`, `host`. */
  scope: string;
  /** It came by DHCP or router advertisement, and goes again. */
  dynamic: boolean;
}

export interface Interface {
  name: string;
  /** MAC address. */
  mac: string | null;
  up: boolean;
  /** It is a bridge. */
  bridge: boolean;
  /** Bridge or bond that it is part of. */
  master: string | null;
  addresses: readonly Address[];
}

export interface NetworkManager {
  kind: "ifupdown" | "networkd" | "netplan" | "network-manager" | "unknown";
  /** Its configuration files, by path. */
  files: Readonly<Record<string, string>>;
}

interface Link {
  ifname: string;
  flags?: string[];
  address?: string;
  master?: string;
  linkinfo?: { info_kind?: string };
  addr_info?: {
    family: string;
    local?: string;
    prefixlen?: number;
    broadcast?: string;
    scope?: string;
    dynamic?: boolean;
  }[];
}

function list<T>(json: string): T[] {
  try {
    const value: unknown = JSON.parse(json);
    return Array.isArray(value) ? (value as T[]) : [];
  } catch {
    return [];
  }
}

/** `ip -json -details addr`; without `-details` no bridge is known as one. The loopback interface is left out. */
export function parseInterfaces(json: string): Interface[] {
  return list<Link>(json)
    .filter(({ ifname, flags }) => ifname && !flags?.includes("LOOPBACK"))
    .map(({ ifname, flags, address, master, linkinfo, addr_info }) => ({
      name: ifname,
      mac: address ?? null,
      up: flags?.includes("UP") ?? false,
      bridge: linkinfo?.info_kind === "bridge",
      master: master ?? null,
      addresses: (addr_info ?? []).flatMap(({ family, local, prefixlen, broadcast, scope, dynamic }) =>
        (family === "inet" || family === "inet6") && local !== undefined
          ? [
              {
                family,
                address: local,
                prefix: prefixlen ?? (family === "inet" ? 32 : 128),
                broadcast: broadcast ?? null,
                scope: scope ?? "global",
                dynamic: dynamic === true,
              } satisfies Address,
            ]
          : [],
      ),
    }));
}

/** `ip -json route`: the first default route with a gateway. */
export function parseGateway(json: string): { address: string; interface: string } | null {
  const found = list<{ dst?: string; gateway?: string; dev?: string }>(json).find(
    ({ dst, gateway, dev }) => dst === "default" && gateway && dev,
  );
  return found?.gateway && found.dev ? { address: found.gateway, interface: found.dev } : null;
}

/**
 * Who configures the network. Netplan only writes files for networkd or NetworkManager, so its own files go before both;
 * ifupdown may have the loopback alone while another does the rest.
 * @param active What `systemctl is-active networking systemd-networkd NetworkManager` printed, a line each.
 */
export function managerOf(active: readonly string[], files: Readonly<Record<string, string>>): NetworkManager {
  const [networking, networkd, manager] = active;
  const of = (pattern: RegExp) => Object.fromEntries(Object.entries(files).filter(([path]) => pattern.test(path)));
  const netplan = of(/^\/etc\/netplan\//);
  if (Object.keys(netplan).length > 0) return { kind: "netplan", files: netplan };
  const interfaces = of(/^\/etc\/network\//);
  const configured = Object.values(interfaces).some((text) => /^\s*iface\s+(?!lo\b)\S+\s+inet/m.test(text));
  if (configured && (networking === "active" || networkd !== "active")) return { kind: "ifupdown", files: interfaces };
  if (networkd === "active") return { kind: "networkd", files: of(/\/systemd\/network\//) };
  if (manager === "active") return { kind: "network-manager", files: {} };
  return { kind: "unknown", files: {} };
}

/** Dotted netmask of an IPv4 prefix: 24 is 255.255.255.0. */
export function netmask(prefix: number): string {
  return dotted(maskOf(prefix));
}

/** First address of the IPv4 network that an address lies in. */
export function networkOf(address: string, prefix: number): string {
  return dotted(numberOf(address) & maskOf(prefix));
}

/** Last address of the IPv4 network that an address lies in. */
export function broadcastOf(address: string, prefix: number): string {
  return dotted((numberOf(address) | ~maskOf(prefix)) >>> 0);
}

/** Whether a text is an IPv4 address. */
export function isAddress(text: string): boolean {
  return /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/.test(text);
}

/** Whether an IPv4 address lies in the network of another. */
export function inNetwork(address: string, network: string, prefix: number): boolean {
  return networkOf(address, prefix) === networkOf(network, prefix);
}

const maskOf = (prefix: number) => (prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0);
const numberOf = (address: string) =>
  address.split(".").reduce((number, part) => ((number << 8) | Number(part)) >>> 0, 0);
const dotted = (number: number) => [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join(".");

/** The n-th address after the first one of a network (1: the first host), or null beyond its end. */
export function addressIn(network: string, prefix: number, n: number): string | null {
  const address = dotted((numberOf(networkOf(network, prefix)) + n) >>> 0);
  return inNetwork(address, network, prefix) && address !== broadcastOf(network, prefix) ? address : null;
}
