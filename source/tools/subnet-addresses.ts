/**
 * Addresses for instances from a job's subnet, by Grid'5000's rules: a subnet is a part of its site's /14, whose mask and
 * gateway (the last host address of it) count for the instances; the MAC address is 00:16:3e and the last three bytes of the
 * address; addresses that end in .0 or .255 are not used. Nobody gives them out by DHCP.
 */

export interface NetworkFacts {
  prefixLength: number;
  netmask: string;
  gateway: string;
}

/** Second byte of each site's /14 (Grid'5000's reference repository, March 2026). */
const sites: ReadonlySet<number> = new Set([132, 136, 140, 144, 156, 160, 164, 168, 172, 176, 180]);

/** An IPv4 address as a number, or null. */
export function addressNumber(text: string): number | null {
  const bytes = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  if (!bytes || bytes.some((byte) => byte > 255)) return null;
  return bytes.reduce((number, byte) => number * 256 + byte, 0);
}

export function addressText(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");
}

/** The mask of a prefix length: 14 gives 255.252.0.0. */
export function netmaskOf(prefixLength: number): string {
  return addressText(2 ** 32 - 2 ** (32 - prefixLength));
}

/** First and last address of `10.144.0.0/22` (any address of it will do before the slash) or `10.144.0.5-10.144.0.40`. */
export function rangeOf(text: string): { first: number; last: number } | null {
  const subnet = /^([\d.]+)\/(\d{1,2})$/.exec(text);
  if (subnet) {
    const address = addressNumber(subnet[1] ?? "");
    const prefixLength = Number(subnet[2]);
    if (address === null || prefixLength > 32) return null;
    const size = 2 ** (32 - prefixLength);
    const first = Math.floor(address / size) * size;
    return { first, last: first + size - 1 };
  }
  const [low, high] = text.split("-").map((part) => addressNumber(part.trim()));
  if (low === undefined || low === null || high === null) return null;
  const last = high ?? low;
  return low <= last && text.split("-").length <= 2 ? { first: low, last } : null;
}

/** Up to `count` addresses of a range or subnet in order, without those that are taken or never used. */
export function usableAddresses(range: string, count: number, taken: ReadonlySet<string>): string[] {
  const found: string[] = [];
  const limits = rangeOf(range);
  if (limits === null) return found;
  for (let number = limits.first; number <= limits.last && found.length < count; number += 1) {
    const last = number % 256;
    const address = addressText(number);
    if (last !== 0 && last !== 255 && !taken.has(address)) found.push(address);
  }
  return found;
}

/** The MAC address that belongs to an address: `00:16:3e:84:08:01` for 10.132.8.1. */
export function macOf(address: string): string {
  const bytes = address.split(".").slice(1).map(Number);
  return ["00", "16", "3e", ...bytes.map((byte) => byte.toString(16).padStart(2, "0"))].join(":");
}

/** The address that a MAC address of that rule belongs to; null: it is of no such rule. */
export function addressOfMac(mac: string): string | null {
  const [, ...bytes] = /^00:16:3e:([\da-f]{2}):([\da-f]{2}):([\da-f]{2})$/i.exec(mac) ?? [];
  return bytes.length === 3 ? ["10", ...bytes.map((byte) => String(Number.parseInt(byte, 16)))].join(".") : null;
}

/** Mask and gateway of the site that lends an address; null: it is none of Grid'5000's. */
export function siteNetwork(address: string): NetworkFacts | null {
  const number = addressNumber(address);
  if (number === null) return null;
  const size = 2 ** 18;
  const base = Math.floor(number / size) * size;
  const [first, second] = addressText(base).split(".").map(Number);
  if (first !== 10 || second === undefined || !sites.has(second)) return null;
  return { prefixLength: 14, netmask: netmaskOf(14), gateway: addressText(base + size - 2) };
}
