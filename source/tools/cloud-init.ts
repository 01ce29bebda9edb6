/** The files of cloud-init's NoCloud source. JSON is YAML, and quotes everything right. */
import type { CloudInit } from "../instances/create-types.ts";

export interface CloudFile {
  name: "user-data" | "meta-data" | "network-config";
  content: string;
}

function userData({ user, keys, hostname, userData: own }: CloudInit): string {
  if (own !== null) return own.endsWith("\n") ? own : `${own}\n`;
  const data: Record<string, unknown> = {};
  if (hostname !== null) data["hostname"] = hostname.split(".")[0];
  if (hostname?.includes(".")) data["fqdn"] = hostname;
  if (user === null) {
    if (keys.length > 0) data["ssh_authorized_keys"] = keys;
  } else {
    const account = { name: user, sudo: "ALL=(ALL) NOPASSWD:ALL", shell: "/bin/bash", lock_passwd: true };
    // `default` keeps the image's own account.
    data["users"] = ["default", { ...account, ssh_authorized_keys: keys }];
  }
  return `#cloud-config\n${JSON.stringify(data, null, 2)}\n`;
}

/**
 * What cloud-init reads: user-data, meta-data (its id is new with every instance, so that it runs again on a copied disk),
 * and with a static address the network in netplan's format. The card is found by its MAC address and gets a name: where
 * netplan is not installed (Debian), cloud-init 22.4 writes files that match by name, and takes a pattern for one. `mac` null:
 * nobody knows it yet; then it is the first Ethernet card whatever its name is, which only netplan understands.
 */
export function cloudFiles(cloud: CloudInit, uuid: string, mac: string | null): CloudFile[] {
  const meta: Record<string, string> = { "instance-id": uuid };
  if (cloud.hostname !== null) meta["local-hostname"] = cloud.hostname;
  const files: CloudFile[] = [
    { name: "user-data", content: userData(cloud) },
    { name: "meta-data", content: `${JSON.stringify(meta)}\n` },
  ];
  const { network } = cloud;
  if (network !== null) {
    const found = mac === null ? { match: { name: "e*" } } : { match: { macaddress: mac }, "set-name": "eth0" };
    const card: Record<string, unknown> = { ...found, addresses: [network.address] };
    if (network.gateway !== null) card["routes"] = [{ to: "0.0.0.0/0", via: network.gateway }];
    if (network.dns.length > 0) card["nameservers"] = { addresses: network.dns };
    files.push({ name: "network-config", content: `${JSON.stringify({ version: 2, ethernets: { card0: card } })}\n` });
  }
  return files;
}
