/**
 * A bridge that takes over a node's own address, made in the way in which the node is configured. The node itself undoes it
 * after a while unless virtu, having reached it again, says that all is well.
 */
import { type Command, sh } from "../ssh/command.ts";
import { type BridgeWish, bridgeOptions, configures, rewriteInterfaces } from "./ifupdown.ts";
import { rewriteNetplan } from "./netplan.ts";
import { type Address, broadcastOf, type Interface, netmask, networkOf } from "./network.ts";
import { networkdFiles, sectionsFor } from "./networkd.ts";
import type { NodeState } from "./node-state.ts";
import { nodeDirectory } from "./own-file.ts";

/** Seconds after which the node goes back by itself. */
export const rollbackSeconds = 60;

export interface BridgeChange {
  /** Files as they will be, by path; each is saved before. */
  files: Readonly<Record<string, string>>;
  /** Brings the bridge up once the files lie there; runs on the node while nobody may reach it. */
  down: Command;
  up: Command;
  /** To go back: before the saved files are put back, and after. */
  leave: Command;
  back: Command;
  address: string;
  prefix: number;
  port: string;
  gateway: string | null;
}

export type BridgeFinding =
  | { kind: "there" }
  | { kind: "change"; change: BridgeChange }
  | { kind: "problem"; text: string; hint: string };

/** What has to be done for a bridge of this name on a node. */
export function findBridge(state: NodeState, bridge: string): BridgeFinding {
  const there = state.interfaces.find(({ name }) => name === bridge);
  const problem = (text: string, hint: string): BridgeFinding => ({ kind: "problem", text, hint });
  if (there && !there.bridge) return problem(`${bridge} is there and is no bridge`, "Choose another name.");
  const owner = ownerOf(state);
  if (!owner) return problem("no interface with the node's address was found", "Give it an IPv4 address first.");
  const [port, address] = owner;
  if (there) {
    if (port.name === bridge) return { kind: "there" };
    return problem(`${bridge} is there, but the node's address is on ${port.name}`, "Choose another name.");
  }
  if (port.bridge) return problem(`its address is on another bridge, ${port.name}`, `Use that one: ${port.name}.`);
  const wish: BridgeWish = { bridge, port: port.name, mac: port.mac };
  const gateway = state.gateway?.interface === port.name ? state.gateway.address : null;
  const shared = { address: address.address, prefix: address.prefix, port: port.name, gateway };
  switch (state.network.kind) {
    case "ifupdown":
      return { kind: "change", change: { ...shared, ...byIfupdown(state, wish, address, gateway) } };
    case "networkd":
      return { kind: "change", change: { ...shared, ...byNetworkd(state, wish, address, gateway) } };
    case "netplan": {
      const change = byNetplan(state, wish);
      if (change) return { kind: "change", change: { ...shared, ...change } };
      return problem(
        `no netplan file defines ${port.name} in a form that virtu can rewrite`,
        `Make the bridge ${bridge} by hand, or name one that is there.`,
      );
    }
    default:
      return problem(
        `its network is configured by ${state.network.kind === "network-manager" ? "NetworkManager" : "nothing that virtu knows"}`,
        `Make the bridge ${bridge} by hand, or name one that is there.`,
      );
  }
}

function ownerOf(state: NodeState): [Interface, Address] | null {
  for (const one of state.interfaces) {
    const address = one.addresses.find((own) => own.family === "inet" && own.address === state.address);
    if (address) return [one, address];
  }
  return null;
}

type Way = Pick<BridgeChange, "files" | "down" | "up" | "leave" | "back">;

function byIfupdown(state: NodeState, wish: BridgeWish, own: Address, gateway: string | null): Way {
  const { bridge, port } = wish;
  const mine = Object.entries(state.network.files).filter(([, text]) => configures(text, port));
  const files =
    mine.length > 0
      ? Object.fromEntries(mine.map(([path, text]) => [path, rewriteInterfaces(text, wish)]))
      : { [`/etc/network/interfaces.d/${bridge}`]: stanza(wish, own, gateway) };
  return {
    files,
    down: sh`ifdown --force ${port}
ip addr flush dev ${port}`,
    up: sh`ifup ${port}; ip link set ${port} up; ifup ${bridge}`,
    leave: sh`ifdown --force ${bridge}; ip link del ${bridge}`,
    back: sh`ifup --force ${port}`,
  };
}

/** For an interface that something else than its files has configured. */
function stanza(wish: BridgeWish, own: Address, gateway: string | null): string {
  const { address, prefix } = own;
  const method = own.dynamic
    ? [`iface ${wish.bridge} inet dhcp`]
    : [
        `iface ${wish.bridge} inet static`,
        `  address ${address}`,
        `  netmask ${netmask(prefix)}`,
        `  network ${networkOf(address, prefix)}`,
        `  broadcast ${own.broadcast ?? broadcastOf(address, prefix)}`,
        ...(gateway === null ? [] : [`  gateway ${gateway}`]),
      ];
  return [`iface ${wish.port} inet manual`, "", `auto ${wish.bridge}`, ...method, ...bridgeOptions(wish), ""].join(
    "\n",
  );
}

function byNetworkd(state: NodeState, wish: BridgeWish, own: Address, gateway: string | null): Way {
  const { bridge, port } = wish;
  const fixed = [
    "[Network]",
    `Address=${own.address}/${own.prefix}`,
    ...(gateway === null ? [] : [`Gateway=${gateway}`]),
  ];
  const sections = sectionsFor(state.network.files, wish) ?? (own.dynamic ? ["[Network]", "DHCP=yes"] : fixed);
  return {
    files: networkdFiles(wish, sections),
    down: sh`:`,
    up: sh`networkctl reload && sleep 1; networkctl reconfigure ${port} ${bridge}; ip addr flush dev ${port} scope global`,
    leave: sh`:`,
    back: sh`ip link set ${port} nomaster; ip link del ${bridge}; networkctl reload; networkctl reconfigure ${port}; sleep 5`,
  };
}

function byNetplan(state: NodeState, wish: BridgeWish): Way | null {
  for (const [path, text] of Object.entries(state.network.files)) {
    const rewritten = rewriteNetplan(text, wish);
    if (rewritten === null) continue;
    return {
      files: { [path]: rewritten },
      down: sh`:`,
      up: sh`netplan generate && netplan apply`,
      leave: sh`:`,
      back: sh`ip link set ${wish.port} nomaster; ip link del ${wish.bridge}; netplan apply; sleep 5`,
    };
  }
  return null;
}

const placeOf = (bridge: string) => `${nodeDirectory}/bridge-${bridge}`;

/** Ends 0 if the bridge is there, up, and has the node's address. */
export function bridgeCheck(bridge: string, address: string): Command {
  return sh`export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
[ -d ${`/sys/class/net/${bridge}/bridge`} ] && ip -4 addr show dev ${bridge} up 2> /dev/null | grep -qF ${`inet ${address}/`} || exit 1`;
}

/** Ends 0 if the bridge is there and nothing waits to undo it. */
export function keepCheck(bridge: string, address: string): Command {
  return sh`${bridgeCheck(bridge, address)}
[ ! -e ${placeOf(bridge)} ] || exit 1`;
}

/** What the node runs by itself, or the script when the bridge does not come up: everything as it was. */
function rollback(bridge: string, change: BridgeChange): Command {
  const place = placeOf(bridge);
  const { port, address, prefix, gateway } = change;
  const restores = Object.keys(change.files).map(
    (file, index) =>
      sh`if [ -e ${`${place}/old/${index}`} ]; then cp -p ${`${place}/old/${index}`} ${file}; else rm -f ${file}; fi
`,
  );
  const route = gateway === null ? sh`:` : sh`ip route replace default via ${gateway}`;
  return sh`export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
set -x
${change.leave}
${restores}${change.back}
if ! ip -4 addr show dev ${port} | grep -qF ${`inet ${address}/`}; then
  ip link set ${port} nomaster; ip link set ${port} up; ip addr add ${`${address}/${prefix}`} dev ${port}; ${route}
fi
rm -f ${`${place}/saved`}
`;
}

/**
 * Applies the change. Whoever makes the directory `decided` first has the last word: the timer (back), or `keepScript`.
 */
export function bridgeScript(bridge: string, change: BridgeChange): Command {
  const place = placeOf(bridge);
  const paths = Object.keys(change.files);
  const saves = paths.map(
    (file, index) => sh`
  if [ -e ${file} ]; then cp -p ${file} ${`${place}/old/${index}`} || exit 1; fi`,
  );
  const stages = Object.values(change.files).map(
    (text, index) => sh`
printf '%s' ${text} > ${`${place}/new/${index}`} || exit 1`,
  );
  const installs = paths.map(
    (file, index) => sh`
cp ${`${place}/new/${index}`} ${file}`,
  );
  // A timer of an earlier try finds another number and does nothing.
  const timer = sh`sleep ${rollbackSeconds}; [ "$(cat ${`${place}/try`} 2> /dev/null)" = "$1" ] && mkdir ${`${place}/decided`} 2> /dev/null && sh ${`${place}/rollback`}`;
  return sh`${bridgeCheckAsIf(bridge, change.address)}
mkdir -p ${`${place}/new`} || exit 1
if [ ! -e ${`${place}/saved`} ]; then
  rm -rf ${`${place}/old`}; mkdir -p ${`${place}/old`} || exit 1${saves}
  touch ${`${place}/saved`}
fi${stages}
printf '%s' ${rollback(bridge, change).line} > ${`${place}/rollback`} || exit 1
rm -rf ${`${place}/decided`}
try=$(date +%s).$$
printf '%s\\n' "$try" > ${`${place}/try`} || exit 1
setsid -f sh -c ${timer.line} timer "$try" < /dev/null > ${`${place}/log`} 2>&1
echo ${`the node goes back by itself in ${rollbackSeconds} s unless it is reached again`}
${change.down}${installs}
${change.up}
tries=0
while ! ip -4 addr show dev ${bridge} 2> /dev/null | grep -qF ${`inet ${change.address}/`}; do
  tries=$((tries + 1))
  if [ "$tries" -gt 30 ]; then
    echo ${`${bridge} did not come up with ${change.address}; the former configuration is put back`} >&2
    mkdir ${`${place}/decided`} 2> /dev/null && sh ${`${place}/rollback`} > ${`${place}/log`} 2>&1
    cat ${`${place}/log`} >&2
    exit 1
  fi
  sleep 1
done
ip -4 addr show dev ${bridge}`;
}

const bridgeCheckAsIf = (bridge: string, address: string) =>
  sh`if (${bridgeCheck(bridge, address)}
); then echo ${`${bridge} is there`}; exit 0; fi`;

/** Says that the node was reached again. A change that was undone meanwhile is made once more, and this fails. */
export function keepScript(bridge: string, change: BridgeChange): Command {
  const place = placeOf(bridge);
  return sh`if [ ! -e ${place} ]; then ${bridgeCheck(bridge, change.address)}
exit 0; fi
if mkdir ${`${place}/decided`} 2> /dev/null; then
  if (${bridgeCheck(bridge, change.address)}
  ); then rm -rf ${place}; echo ${`${bridge} stays`}; exit 0; fi
  rmdir ${`${place}/decided`}
else
  echo 'the node was not reached in time and went back to its former configuration' >&2
fi
(${bridgeScript(bridge, change)}
) || exit $?
echo 'the bridge was made once more: try this step again within a minute to keep it' >&2
exit 1`;
}
