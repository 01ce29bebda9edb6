/** ip, ifup, ifdown, brctl: showing a node's network, and putting its address onto a bridge. */
import type { Call, Machine, Program } from "../machine/machine.ts";
import { broadcastOf, type Link, type NodeNetwork, prefixOf } from "../world/node-network.ts";

function addressRow({ address, prefix, dynamic }: Link["addresses"][number], link: Link) {
  const isLoopback = link.kind === "loopback";
  return {
    family: "inet",
    local: address,
    prefixlen: prefix,
    ...(isLoopback ? {} : { broadcast: broadcastOf(address, prefix) }),
    scope: isLoopback ? "host" : "global",
    ...(dynamic ? { dynamic: true } : {}),
    label: link.name,
  };
}

function linkRow(network: NodeNetwork, link: Link, details: boolean) {
  const flags = link.kind === "loopback" ? ["LOOPBACK"] : ["BROADCAST", "MULTICAST"];
  return {
    ifindex: network.links.indexOf(link) + 1,
    ifname: link.name,
    flags: [...flags, ...(link.up ? ["UP", "LOWER_UP"] : [])],
    mtu: link.kind === "loopback" ? 65_536 : 1500,
    ...(link.master ? { master: link.master } : {}),
    operstate: link.kind === "loopback" ? "UNKNOWN" : link.up ? "UP" : "DOWN",
    address: link.mac,
    ...(details && link.kind === "bridge" ? { linkinfo: { info_kind: "bridge" } } : {}),
  };
}

function textRow(network: NodeNetwork, link: Link): string {
  const { flags, mtu, operstate } = linkRow(network, link, false);
  const number = network.links.indexOf(link) + 1;
  const addresses = link.addresses.map(
    ({ address, prefix }) =>
      `    inet ${address}/${prefix} scope ${link.kind === "loopback" ? "host" : "global"} ${link.name}\n`,
  );
  return `${number}: ${link.name}: <${flags.join(",")}> mtu ${mtu} state ${operstate}\n    link/ether ${link.mac}\n${addresses.join("")}`;
}

/** What /sys shows of a bridge. */
const bridgeFolder = (name: string) => `/sys/class/net/${name}`;

function makeBridge({ machine }: Call, network: NodeNetwork, name: string): Link {
  machine.files.makeDirectory(`${bridgeFolder(name)}/bridge`, "root", { parents: true });
  return network.addBridge(name);
}

function removeLink({ machine }: Call, network: NodeNetwork, name: string): void {
  if (network.link(name)?.kind === "bridge") machine.files.remove(bridgeFolder(name));
  network.remove(name);
  if (network.gateway?.link === name) network.gateway = null;
}

/** Words after a keyword: `dev eno1`. */
function after(words: readonly string[], keyword: string): string | undefined {
  const index = words.indexOf(keyword);
  return index < 0 ? undefined : words[index + 1];
}

async function show(call: Call, network: NodeNetwork, words: readonly string[], flags: readonly string[]) {
  const json = flags.some((flag) => /^-j(?:son)?$/.test(flag));
  const details = flags.some((flag) => /^-d(?:etails)?$/.test(flag));
  const [object = ""] = words;
  if (/^r/.test(object)) {
    const { gateway } = network;
    const routes = gateway ? [{ dst: "default", gateway: gateway.address, dev: gateway.link, flags: [] }] : [];
    await call.out(
      json
        ? `${JSON.stringify(routes)}\n`
        : routes.map((route) => `default via ${route.gateway} dev ${route.dev}\n`).join(""),
    );
    return 0;
  }
  const named =
    after(words, "dev") ?? words.slice(1).find((word) => !["show", "list", "up", "scope", "global"].includes(word));
  const chosen = network.links.filter(({ name }) => named === undefined || name === named);
  if (named !== undefined && chosen.length === 0) {
    await call.err(`Device "${named}" does not exist.\n`);
    return 1;
  }
  if (json) {
    const rows = chosen.map((link) => ({
      ...linkRow(network, link, details),
      ...(object.startsWith("a") ? { addr_info: link.addresses.map((one) => addressRow(one, link)) } : {}),
    }));
    await call.out(`${JSON.stringify(rows)}\n`);
  } else if (flags.some((flag) => /^-o/.test(flag))) {
    const rows = chosen.flatMap((link) => link.addresses.map((one) => ({ link, row: addressRow(one, link) })));
    const text = rows.map(
      ({ link, row }) =>
        `${network.links.indexOf(link) + 1}: ${link.name}    inet ${row.local}/${row.prefixlen} ${row.broadcast ? `brd ${row.broadcast} ` : ""}scope ${row.scope} ${link.name}\n`,
    );
    await call.out(text.join(""));
  } else await call.out(chosen.map((link) => textRow(network, link)).join(""));
  return 0;
}

async function changeLink(call: Call, network: NodeNetwork, [verb, ...words]: readonly string[]): Promise<number> {
  const name = after(words, "name") ?? after(words, "dev") ?? words.find((word) => word !== "link") ?? "";
  const link = network.link(name);
  if (verb === "add") {
    if (link) {
      await call.err("RTNETLINK answers: File exists\n");
      return 2;
    }
    makeBridge(call, network, name);
    return 0;
  }
  if (!link) {
    await call.err(`Cannot find device "${name}"\n`);
    return 1;
  }
  if (verb?.startsWith("del")) removeLink(call, network, name);
  if (words.includes("up")) link.up = true;
  if (words.includes("down")) link.up = false;
  if (words.includes("nomaster")) link.master = null;
  link.master = after(words, "master") ?? link.master;
  return 0;
}

async function changeAddress(call: Call, network: NodeNetwork, [verb, ...words]: readonly string[]): Promise<number> {
  const link = network.link(after(words, "dev") ?? "");
  if (!link) {
    await call.err(`Cannot find device "${after(words, "dev") ?? ""}"\n`);
    return 1;
  }
  if (verb === "flush") {
    link.addresses = [];
    return 0;
  }
  const [address = "", prefix = "32"] = (words.find((word) => /^\d+\.\d+\.\d+\.\d+/.test(word)) ?? "").split("/");
  if (verb?.startsWith("del")) {
    const before = link.addresses.length;
    link.addresses = link.addresses.filter((one) => one.address !== address);
    if (link.addresses.length < before) return 0;
    await call.err("RTNETLINK answers: Cannot assign requested address\n");
    return 2;
  }
  if (network.addAddress(link, address, Number(prefix)) || verb === "replace") return 0;
  await call.err("RTNETLINK answers: File exists\n");
  return 2;
}

function changeRoute(network: NodeNetwork, [verb, ...words]: readonly string[]): number {
  if (verb?.startsWith("del")) network.gateway = null;
  const via = after(words, "via");
  if (via !== undefined && words[0] === "default")
    network.gateway = { address: via, link: after(words, "dev") ?? "eno1" };
  return 0;
}

function ip(network: NodeNetwork): Program {
  return async (call) => {
    const flags = call.args.filter((arg) => arg.startsWith("-"));
    const words = call.args.filter((arg) => !arg.startsWith("-"));
    const [object = "", verb = "show"] = words;
    if (/^(?:show|list|ls|get)$/.test(verb) || !/^(?:add|del|set|flush|replace|change|append)/.test(verb)) {
      return show(
        call,
        network,
        words.filter((word) => !/^(?:show|list|ls|get)$/.test(word)),
        flags,
      );
    }
    if (object.startsWith("l")) return changeLink(call, network, words.slice(1));
    if (object.startsWith("a")) return changeAddress(call, network, words.slice(1));
    if (object.startsWith("r")) return changeRoute(network, words.slice(1));
    return 0;
  };
}

interface Stanza {
  method: string;
  options: Map<string, string>;
}

/** The stanzas of /etc/network/interfaces and the files beside it. */
function stanzas(machine: Machine): Map<string, Stanza> {
  const folder = "/etc/network/interfaces.d";
  const names = machine.files.find(folder) ? machine.files.names(folder).map((name) => `${folder}/${name}`) : [];
  const found = new Map<string, Stanza>();
  let current: Stanza | null = null;
  for (const path of ["/etc/network/interfaces", ...names]) {
    if (!machine.files.find(path)) continue;
    for (const line of machine.files.readText(path).split("\n")) {
      const [word = "", ...rest] = line.trim().split(/\s+/);
      if (word === "iface") {
        current = { method: rest[2] ?? "manual", options: new Map() };
        if (rest[1] !== "inet6") found.set(rest[0] ?? "", current);
      } else if (/^(?:auto|allow-|source|mapping)/.test(word)) current = null;
      else if (word !== "" && !word.startsWith("#")) current?.options.set(word.replaceAll("-", "_"), rest.join(" "));
    }
  }
  return found;
}

async function bringUp(call: Call, network: NodeNetwork, name: string, stanza: Stanza): Promise<void> {
  const ports = (stanza.options.get("bridge_ports") ?? "").split(" ").filter((port) => port !== "" && port !== "none");
  const link = stanza.options.has("bridge_ports") ? makeBridge(call, network, name) : network.link(name);
  if (!link) return;
  await call.process.work(2);
  link.up = true;
  const old = ports.flatMap((port) => network.link(port) ?? []);
  for (const port of old) Object.assign(port, { master: name, up: true });
  if (stanza.method === "manual") return;
  const { lease } = network;
  const isDhcp = stanza.method === "dhcp";
  const [given = "", bits] = (stanza.options.get("address") ?? "").split("/");
  const address = isDhcp ? lease.address : given;
  const netmask = stanza.options.get("netmask") ?? "255.255.240.0";
  const prefix = isDhcp ? lease.prefix : bits === undefined ? prefixOf(netmask) : Number(bits);
  if (address !== "") {
    for (const port of old) port.addresses = port.addresses.filter((one) => one.address !== address);
    network.addAddress(link, address, prefix, isDhcp);
  }
  const gateway = isDhcp ? lease.gateway : stanza.options.get("gateway");
  if (gateway !== undefined) network.gateway = { address: gateway, link: name };
}

function ifup(network: NodeNetwork, down: boolean): Program {
  return async (call) => {
    const known = stanzas(call.machine);
    const words = call.args.filter((arg) => !arg.startsWith("-"));
    const names = call.args.includes("-a") ? [...known.keys()].filter((name) => name !== "lo") : words;
    let status = 0;
    for (const name of names) {
      const stanza = known.get(name);
      const link = network.link(name);
      if (!stanza) {
        await call.err(`${call.name}: unknown interface ${name}\n`);
        status = 1;
      } else if (!down) await bringUp(call, network, name, stanza);
      else if (link?.kind === "bridge") removeLink(call, network, name);
      else if (link) Object.assign(link, { up: false, addresses: [] });
    }
    return status;
  };
}

/** `networking` starts everything that is configured. */
export function networkPrograms(network: NodeNetwork): Record<string, Program> {
  return { ip: ip(network), ifup: ifup(network, false), ifdown: ifup(network, true), ifquery: () => 0 };
}

export function bridgePrograms(network: NodeNetwork): Record<string, Program> {
  return {
    brctl: async (call) => {
      const [verb, name = "", port = ""] = call.args;
      if (verb === "show") {
        const bridges = network.links.filter(({ kind }) => kind === "bridge");
        const lines = bridges.map((bridge) => {
          const ports = network.links.filter(({ master }) => master === bridge.name).map((link) => link.name);
          return `${bridge.name}\t\t8000.${bridge.mac.replaceAll(":", "")}\tno\t\t${ports.join(" ")}\n`;
        });
        await call.out(`bridge name\tbridge id\t\tSTP enabled\tinterfaces\n${lines.join("")}`);
      } else if (verb === "addbr") makeBridge(call, network, name);
      else if (verb === "delbr") removeLink(call, network, name);
      else if (verb === "addif") {
        const link = network.link(port);
        if (link) link.master = name;
      }
      return 0;
    },
  };
}
