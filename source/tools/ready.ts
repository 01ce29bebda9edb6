/** How a host is asked whether a guest answers, and what it says about the guest's address. */
import { type Command, sh } from "../ssh/command.ts";

/** Status 0: it answered. */
export function pingCommand(address: string): Command {
  return sh`ping -n -c 1 -W 2 ${address}`;
}

/** The domain's state, then the addresses that the host's DHCP gave it; where there are none, what it saw of them (ARP). */
export function domainNewsCommand(uri: string, uuid: string): Command {
  const virsh = sh`LC_ALL=C.UTF-8 timeout 10 virsh -c ${uri}`;
  const addresses = (source: string) => sh`${virsh} domifaddr ${uuid} --source ${source}`;
  return sh`${virsh} domstate ${uuid} && { ${addresses("lease")} 2>/dev/null; echo '@@virtu seen'; ${addresses("arp")} 2>/dev/null; true; }`;
}

/** The state in virsh's word and the first IPv4 address; null when libvirt knows it no more. */
export function parseDomainNews(stdout: string): { state: string; address: string | null } | null {
  const [state = ""] = stdout.split("\n");
  if (state.trim() === "") return null;
  const found = /\bipv4\s+([\d.]+)\/\d+/.exec(stdout);
  return { state: state.trim(), address: found?.[1] ?? null };
}

export function startDomainCommand(uri: string, uuid: string): Command {
  return sh`LC_ALL=C.UTF-8 virsh -c ${uri} start ${uuid}`;
}

/** Its serial console, on a terminal. */
export function domainConsoleCommand(uri: string, uuid: string): Command {
  return sh`LC_ALL=C.UTF-8 virsh -c ${uri} console ${uuid}`;
}
