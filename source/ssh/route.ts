/** The way to a host: its options, and the session of the jump host in front of it, of any depth. */
import { VirtuError } from "../errors.ts";
import { parseHostName } from "./host-name.ts";
import type { HostOptions } from "./host-options.ts";
import type { Resolver } from "./resolve.ts";
import type { HostRef } from "./types.ts";

export interface Route {
  /** Equal for everything that shares the connection. */
  key: string;
  /** As shown: `root@node-1`. */
  label: string;
  options: HostOptions;
  via: Route | null;
  /** A job's own known_hosts file. */
  jobFile: string | null;
}

// Nobody has that many jump hosts; a configuration whose hosts jump over each other has.
const deepest = 16;

export class Router {
  constructor(private readonly resolver: Resolver) {}

  /** Throws kind `usage` for a name that means nothing and for jump hosts that never end. */
  async route(ref: HostRef, depth = 0): Promise<Route> {
    const options = await this.resolver.resolve(parseHostName(ref.name), ref.user);
    let via: Route | null = null;
    if (options.proxyJump.length > 0) via = await this.jumps(options.proxyJump, options.alias, depth);
    else if (options.proxyCommand === null && ref.via) {
      const jump = await this.route(ref.via, depth + 1);
      const itself = jump.options.hostname === options.hostname && jump.options.port === options.port;
      via = itself ? jump.via : jump;
    }
    return make(options, via, ref.knownHostsFile ?? null);
  }

  /** A list of jumps: the first one is reached as its own configuration says, each further one through it. */
  private async jumps(names: readonly string[], alias: string, depth: number): Promise<Route> {
    if (depth + names.length > deepest) {
      throw new VirtuError({
        kind: "usage",
        what: "Its jump hosts never end",
        where: alias,
        why: `more than ${deepest} ProxyJump hosts follow each other`,
        hint: "Look for a Host pattern in your ssh configuration that also covers the jump host itself.",
      });
    }
    let via: Route | null = null;
    for (const [index, name] of names.entries()) {
      if (index === 0) via = await this.route({ name }, depth + 1);
      else via = make(await this.resolver.resolve(parseHostName(name)), via, null);
    }
    return via as Route;
  }
}

function make(options: HostOptions, via: Route | null, jobFile: string | null): Route {
  const { user, hostname, port, alias, proxyCommand, hostKeyAlias } = options;
  const way = via ? ` via ${via.key}` : proxyCommand === null ? "" : ` by ${proxyCommand}`;
  // Who was asked for as one machine must not be given a connection that was checked as another.
  const identity = `${hostKeyAlias === null ? "" : ` as ${hostKeyAlias}`}${jobFile === null ? "" : ` keys ${jobFile}`}`;
  return {
    key: `${user}@${hostname}:${port}${way}${identity}`,
    label: `${user}@${alias}${port === 22 ? "" : `:${port}`}`,
    options,
    via,
    jobFile,
  };
}
