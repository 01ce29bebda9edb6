/**
 * Parts of Ganeti's tables. The master daemon asks the nodes of the rows that are wanted, and no others, and none at all for
 * fields that stand in the configuration: a part is as quick as its own nodes. Measured on 3.0.2 with a QEMU stopped on one of
 * two nodes (`gnt-instance list`: 6.6 s for all, 1.4 s for the other node); source: Ganeti/Query/Query.hs. Filters: ganeti(7).
 */
import { type Command, sh } from "../ssh/command.ts";
import {
  type GanetiAccess,
  type InstanceField,
  instanceFields,
  type NodeField,
  nodeFields,
  tableCommand,
} from "./ganeti.ts";

/** A table, and what its fields are. */
export interface TableKind<F extends string> {
  what: "instance" | "node";
  fields: readonly F[];
  /** Those that a node is asked for. */
  live: readonly F[];
  name: F;
  /** The node that is asked. */
  node: F;
}

export const instanceKind: TableKind<InstanceField> = {
  what: "instance",
  fields: instanceFields,
  live: ["status", "oper_vcpus", "oper_ram"],
  name: "name",
  node: "pnode",
};

export const nodeKind: TableKind<NodeField> = {
  what: "node",
  fields: nodeFields,
  live: ["dtotal", "dfree", "mtotal", "mnode", "mfree"],
  name: "name",
  node: "name",
};

/** The rows of these nodes; `others`: of all but these. */
export interface NodeChoice {
  names: readonly string[];
  others: boolean;
}

/** The filter of a LUXI query; null: every row. */
export function luxiFilter(field: string, { names, others }: NodeChoice): unknown {
  if (names.length === 0 && others) return null;
  return [others ? "&" : "|", ...names.map((name) => [others ? "!=" : "=", field, name])];
}

/** The same for a gnt-* program. */
export function filterWords(field: string, { names, others }: NodeChoice): string[] {
  if (names.length === 0 && others) return [];
  const terms = names.map((name) => `${field} ${others ? "!=" : "=="} "${name}"`);
  return ["-F", terms.join(others ? " and " : " or ")];
}

/** One table or a part of it, for `parseTable`; cut off after `limitSeconds` (status 124). */
export function partCommand<F extends string>(
  access: GanetiAccess,
  { what, node }: TableKind<F>,
  fields: readonly F[],
  choice: NodeChoice,
  limitSeconds: number,
): Command {
  // Within sudo, as nobody but root may end what root runs.
  const call = tableCommand({ ...access, sudo: false }, `gnt-${what}`, fields, filterWords(node, choice));
  return sh`${access.sudo ? sh`sudo -n ` : sh``}timeout -k 1 ${limitSeconds} env ${call}`;
}

/** Both tables in one go, each without the rows of some nodes. Each is framed by `@@virtu NAME` and `@@virtu end STATUS`. */
export function listCommand(access: GanetiAccess, without: Record<"instance" | "node", readonly string[]>): Command {
  const table = <F extends string>({ what, fields, node }: TableKind<F>) =>
    tableCommand(access, `gnt-${what}`, fields, filterWords(node, { names: without[what], others: true }));
  return sh`echo '@@virtu instances'; ${table(instanceKind)}; echo "@@virtu end $?"; echo '@@virtu nodes'; ${table(nodeKind)}; echo "@@virtu end $?"`;
}
