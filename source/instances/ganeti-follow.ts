/** Follows one Ganeti job by LUXI: the master daemon answers as soon as the job changes. */
import { VirtuError } from "../errors.ts";
import type { Priority } from "../ssh/types.ts";
import { isOver } from "../tools/ganeti-jobs.ts";
import { parseJobChange } from "../tools/luxi.ts";
import type { Luxi } from "./ganeti-luxi.ts";

/** The daemon says "no change" after so long; Ganeti's own limit is below 30 s. */
const waitSeconds = 20;
const graceMs = 15_000;

export interface FollowOptions {
  signal: AbortSignal | undefined;
  priority?: Priority;
  onMessage: (message: string) => void;
  onStatus?: (status: string) => void;
}

/** Resolves when the job is over. Rejects when the connection breaks, or when Ganeti does not know the job. */
export async function followJob(
  luxi: Luxi,
  id: string,
  options: FollowOptions,
): Promise<{ status: string; results: unknown[] }> {
  const { signal, priority } = options;
  const line = await luxi.open({ signal, priority });
  try {
    let values: unknown[] | null = null;
    let serial = -1;
    for (;;) {
      const question = [Number(id), ["status", "opresult"], values, serial, waitSeconds];
      const change = parseJobChange(await line.ask("WaitForJobChange", question, waitSeconds * 1000 + graceMs));
      if (change === undefined) throw new VirtuError({ kind: "unparsed", what: `Ganeti told nothing of job ${id}` });
      if (change === null) continue;
      values = change.values;
      serial = change.serial ?? serial;
      for (const message of change.messages) options.onMessage(message);
      const [status, results] = change.values;
      options.onStatus?.(String(status));
      if (isOver(String(status))) return { status: String(status), results: Array.isArray(results) ? results : [] };
    }
  } finally {
    line.close();
  }
}
