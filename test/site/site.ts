/** A site with a pool on it, as the program uses it; both end with the test. */
import { afterEach } from "vitest";
import { reserve } from "../../source/journey/reserve.ts";
import type { Context, Job, ReserveRequest, Site } from "../../source/journey/types.ts";
import { type EmbeddedSite, type SiteOptions, startSite } from "../../source/site/index.ts";
import { userLine } from "../../source/ssh/command.ts";
import { createPool } from "../../source/ssh/pool.ts";
import type { ExecResult, HostRef, Pool } from "../../source/ssh/types.ts";

const ends: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

export interface Opened {
  embedded: EmbeddedSite;
  pool: Pool;
  context: Context;
  site: Site;
  /** Runs a line on a host: the frontend's by default. */
  on(line: string, host?: string | HostRef): Promise<ExecResult>;
}

export async function open(options: SiteOptions & { sshProgram?: string } = {}): Promise<Opened> {
  const { sshProgram, ...siteOptions } = options;
  const embedded = await startSite({ speed: 400, ...siteOptions });
  ends.push(() => embedded.end());
  const asker = { secret: async () => null, hostKey: async () => "no" as const };
  const pool = createPool({ sshConfig: embedded.sshConfigFile, asker, sshProgram });
  ends.push(() => pool.end());
  const site = { name: "demo", frontend: embedded.frontend };
  return {
    embedded,
    pool,
    site,
    context: { pool, stateDir: embedded.configDir },
    on: (line, host = embedded.frontend) => pool.exec(typeof host === "string" ? { name: host } : host, userLine(line)),
  };
}

export function request(nodes: number, more: Partial<ReserveRequest> = {}): ReserveRequest {
  return { nodes, walltimeSeconds: 3600, subnet: 22, name: "virtu", ...more };
}

/** Waits as the journeys do, but not for long. */
export const briefly = async (): Promise<void> => {
  await new Promise((resolve) => setTimeout(resolve, 25));
};

export function reserveNodes(
  { context, site }: Opened,
  nodes: number,
  more: Partial<ReserveRequest> = {},
): Promise<Job> {
  return reserve(context, site, request(nodes, more), { pause: briefly });
}
