/** What Ganeti found when it verified the cluster that a run has made. */
import { type Finding, parseFindings } from "../tools/ganeti-verify.ts";
import type { RunHandle, RunView } from "./plan.ts";

export type { Finding } from "../tools/ganeti-verify.ts";

/** More lines than any verify prints. */
const lines = 20_000;

/** From the kept output of the step `verify`; empty where it found nothing or did not run. */
export async function verifyFindings(handle: Pick<RunHandle, "output">, view: RunView): Promise<Finding[]> {
  const cells = Object.entries(view.cells["verify"] ?? {}).filter(([, { tries }]) => tries > 0);
  const outputs = await Promise.all(cells.map(([node]) => handle.output("verify", node, 0, lines)));
  return parseFindings(outputs.flat());
}

/** A finding as lines: what Ganeti says, then what it means. */
export function findingLines({ level, item, text, meaning }: Finding): string[] {
  const about = item === null ? text : `${item}: ${text}`;
  return meaning === null ? [`${level}: ${about}`] : [`${level}: ${about}`, `  ${meaning}`];
}
