/** What every command of the stand-in of virsh is made of. */
import type { Call } from "../machine/machine.ts";
import type { LibvirtHost } from "../world/libvirt.ts";
import type { Domain } from "../world/libvirt-domain.ts";

export interface Line {
  flags: Set<string>;
  values: Map<string, string>;
  words: string[];
}

/** A command's failure: what follows `error: `, line by line. */
export class VirshError extends Error {
  constructor(...lines: string[]) {
    super(lines.map((line) => `error: ${line}\n`).join(""));
  }
}

export type Command = {
  options: readonly string[];
  /** Options that take the next word. */
  values?: readonly string[];
  /** Arguments in their order, each by its name as well; the first must be given. Their values are among the options'. */
  takes?: readonly string[];
  /** The name of the argument that must be given, and stays a word. */
  requires?: string;
  run(call: Call, host: LibvirtHost, line: Line): Promise<string> | string;
};

const common = [
  "domain",
  "mode",
  "graceful",
  "paused",
  "console",
  "force",
  "safe",
  "all",
  "reason",
  "verbose",
  "force-boot",
];

export function onDomain(
  act: (host: LibvirtHost, domain: Domain, line: Line, call: Call) => Promise<string> | string,
  more: { options?: readonly string[]; values?: readonly string[] } = {},
): Command {
  return {
    options: [...common, ...(more.options ?? [])],
    values: more.values ?? [],
    requires: "domain",
    run: (call, host, line) => {
      const [word = ""] = line.words;
      const domain = host.find(word);
      if (!domain) throw new VirshError(`failed to get domain '${word}'`);
      return act(host, domain, line, call);
    },
  };
}

export function running(verb: string, domain: Domain): void {
  if (domain.id === null) {
    throw new VirshError(
      `Failed to ${verb} domain '${domain.name}'`,
      "Requested operation is not valid: domain is not running",
    );
  }
}
