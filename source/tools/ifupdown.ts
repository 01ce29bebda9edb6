/** /etc/network/interfaces, rewritten so that a bridge takes over what an interface was. */

/** What a bridge is to be. */
export interface BridgeWish {
  bridge: string;
  /** Interface that becomes its only port. */
  port: string;
  /** The port's MAC address, which the bridge keeps, so that DHCP gives it the same lease. */
  mac: string | null;
}

const keyword = /^(?:auto|allow-\S+|iface|mapping|source|source-directory|no-auto-down|no-scripts|rename|template)\b/;

/** The options that make an interface a bridge, as package bridge-utils reads them. */
export function bridgeOptions({ port, mac }: BridgeWish): string[] {
  return [
    `  bridge_ports ${port}`,
    "  bridge_stp off",
    "  bridge_fd 0",
    "  bridge_maxwait 0",
    ...(mac === null ? [] : [`  bridge_hw ${mac}`]),
  ];
}

/** Whether a file configures this interface (or an alias of it, `eth0:1`). */
export function configures(text: string, port: string): boolean {
  return text.split("\n").some((line) => {
    const [word, name] = line.trim().split(/\s+/);
    return word === "iface" && (name === port || name?.startsWith(`${port}:`) === true);
  });
}

/**
 * The file with the bridge in the interface's place: its stanzas and their options (address, netmask, gateway, commands) go
 * over to the bridge, the interface itself becomes `manual`. Everything else stays line by line.
 */
export function rewriteInterfaces(text: string, wish: BridgeWish): string {
  const { bridge, port } = wish;
  const out: string[] = [];
  let added = false;
  const logical = text.replace(/\\\n\s*/g, " ").split("\n");
  let end: string[] = [];
  for (const line of logical) {
    const words = line.trim().split(/\s+/);
    const [word = "", name = ""] = words;
    if (keyword.test(word)) {
      // The bridge's own options end its stanza, before the next one begins.
      out.push(...end);
      end = [];
    }
    if (word === "auto" || word.startsWith("allow-")) {
      const others = words.slice(1).filter((one) => one !== port && !one.startsWith(`${port}:`));
      const aliases = words.slice(1).filter((one) => one.startsWith(`${port}:`));
      if (others.length === words.length - 1) out.push(line);
      else if (others.length > 0) out.push([word, ...others].join(" "));
      if (aliases.length > 0) out.push(`auto ${aliases.map((one) => one.replace(port, bridge)).join(" ")}`);
      continue;
    }
    if (word === "iface" && name === port) {
      if (!added) {
        out.push(`iface ${port} inet manual`, "", `auto ${bridge}`);
        end = bridgeOptions(wish);
        added = true;
      }
      out.push(["iface", bridge, ...words.slice(2)].join(" "));
      continue;
    }
    if (word === "iface" && name.startsWith(`${port}:`)) {
      out.push(["iface", name.replace(port, bridge), ...words.slice(2)].join(" "));
      continue;
    }
    // A stanza's options come before the blank lines that follow it.
    if (end.length > 0 && line.trim() === "") {
      out.push(...end);
      end = [];
    }
    out.push(line);
  }
  const rest = out.at(-1) === "" ? out.splice(-1) : [];
  return [...out, ...end, ...rest].join("\n");
}
