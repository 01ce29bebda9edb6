/** Where a cluster is driven: its master as it is known now, followed when it moves, and the ways to ask it. */
import { toVirtuError } from "../errors.ts";
import { type Command, sh } from "../ssh/command.ts";
import type { ExecOptions, ExecResult, HostRef, Pool } from "../ssh/types.ts";
import type { GanetiAccess } from "../tools/ganeti.ts";
import { masterIn } from "../tools/ganeti-errors.ts";
import { type GanetiFound, sameHost } from "../tools/ganeti-probe.ts";
import { type Answer, ask } from "./exec.ts";
import { Luxi } from "./ganeti-luxi.ts";

export interface MasterOptions {
  pool: Pool;
  found: GanetiFound & { master: string };
  /** The host as the user named it. */
  host: HostRef;
  known: readonly HostRef[];
}

/** Every node of a cluster keeps the name of its master in this file. */
const masterFile = "/var/lib/ganeti/ssconf_master_node";

export class GanetiMaster {
  readonly luxi: Luxi;
  target: HostRef;
  access: GanetiAccess;

  constructor(private readonly options: MasterOptions) {
    const { found, host, pool } = options;
    this.access = { directory: found.directory, sudo: found.sudo };
    this.target = host;
    this.luxi = new Luxi(pool, () => this.target);
    this.moveTo(found.master);
  }

  get pool(): Pool {
    return this.options.pool;
  }

  /** The way to a node of the cluster, and how commands are called there: as the user named it, or through the named host. */
  wayTo(node: string): { host: HostRef; access: GanetiAccess } {
    const { found, host, known } = this.options;
    const access = { directory: found.directory, sudo: found.sudo };
    if (sameHost(found.hostname, node)) return { host, access };
    const named = [host, ...known].find((other) => sameHost(bareName(other), node));
    if (named) return { host: named, access };
    return { host: { name: node, via: host, user: "root" }, access: { ...access, sudo: false } };
  }

  /** True when it is another host than before. */
  moveTo(master: string): boolean {
    const { host, access } = this.wayTo(master);
    const moved = host.name !== this.target.name;
    this.target = host;
    this.access = access;
    this.luxi.reset();
    return moved;
  }

  /** Asks the master; when it has moved, once more the new one. */
  private async follow<T extends { stderr: string }>(question: (target: HostRef) => Promise<T>): Promise<T> {
    let answer: T;
    try {
      answer = await question(this.target);
    } catch (thrown) {
      if (toVirtuError(thrown).kind !== "connection" || !(await this.lookAround())) throw thrown;
      return question(this.target);
    }
    const master = masterIn(answer.stderr);
    if (master === null) return answer;
    this.moveTo(master);
    return question(this.target);
  }

  /** The master is out of reach: the named host, when it is another one, knows whether there is a new one. */
  private async lookAround(): Promise<boolean> {
    const { host, found, pool } = this.options;
    if (host.name === this.target.name) return false;
    const read = found.sudo ? sh`sudo -n cat ${masterFile}` : sh`cat ${masterFile}`;
    try {
      const { stdout } = await ask(pool, host, read, "looking for the master", { timeoutMs: 10_000 });
      const master = stdout.trim();
      return master !== "" && this.moveTo(master);
    } catch {
      // What is wrong with the master itself is the better thing to tell.
      return false;
    }
  }

  /** A question whose answer is needed whole. `what` names the undertaking: `reading the instances`. */
  ask(command: (access: GanetiAccess) => Command, what: string, options: ExecOptions = {}): Promise<Answer> {
    return this.follow((target) => ask(this.pool, target, command(this.access), what, options));
  }

  /** A command on the master, however it ends. */
  run(command: (access: GanetiAccess) => Command, options: ExecOptions = {}): Promise<ExecResult> {
    return this.follow((target) => this.pool.exec(target, command(this.access), { priority: "user", ...options }));
  }
}

/** A host's name without user and port. */
function bareName(host: HostRef): string {
  return host.name.replace(/^[^@]*@/, "").replace(/:\d+$/, "");
}
