/** Whether a host belongs to a Ganeti cluster, and to which. Reads small files: no gnt-* start-up (0.2 s of CPU each). */
import { type Command, sh } from "../ssh/command.ts";

const facts = sh`cat /var/lib/ganeti/ssconf_master_node; echo "@@virtu cluster"; cat /var/lib/ganeti/ssconf_cluster_name; echo "@@virtu groups"; cat /var/lib/ganeti/ssconf_nodegroups`;

/**
 * Prints, when gnt-cluster is there: its path, the user's number, whether sudo was used, the host's own name, the master,
 * the cluster's name, its node groups.
 */
export const ganetiProbe: Command = sh`PATH=$PATH:/usr/sbin:/usr/local/sbin; if command -v gnt-cluster; then id -u; hostname; if [ "$(id -u)" != 0 ] && sudo -n true; then echo sudo; echo "@@virtu master"; sudo -n sh -c ${facts.line}; else echo direct; echo "@@virtu master"; ${facts}; fi; fi`;

export interface GanetiFound {
  /** Directory of the programs with its slash, or empty. */
  directory: string;
  root: boolean;
  sudo: boolean;
  /** The host's own name, full or short. */
  hostname: string;
  /** Full name of the master; null: no cluster yet, or this user may not read it. */
  master: string | null;
  cluster: string | null;
  /** UUID of the first node group: differs between two clusters of one name. */
  group: string | null;
}

/** What `ganetiProbe` printed, or null when there is no Ganeti. */
export function parseGanetiProbe(text: string): GanetiFound | null {
  const [head = "", rest = ""] = text.split(/^@@virtu master\n/m);
  const [program = "", uid = "", hostname = "", how = ""] = head.split("\n");
  if (!program.endsWith("gnt-cluster")) return null;
  const [master = "", more = ""] = rest.split(/^@@virtu cluster\n/m);
  const [cluster = "", groups = ""] = more.split(/^@@virtu groups\n/m);
  return {
    directory: program.slice(0, -"gnt-cluster".length),
    root: uid === "0",
    sudo: how === "sudo",
    hostname,
    master: master.trim() || null,
    cluster: cluster.trim() || null,
    group: /^([0-9a-f-]{36}) /m.exec(groups)?.[1] ?? null,
  };
}

/** Two names of one host: equal, or one is the other without its domain. */
export function sameHost(one: string, other: string): boolean {
  const [a, b] = [one.toLowerCase(), other.toLowerCase()];
  return a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`);
}
