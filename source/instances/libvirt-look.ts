/** What is read of one domain when somebody looks at it alone. */
import { VirtuError } from "../errors.ts";
import { domainWord } from "../tools/virsh.ts";
import { detailsCommand, parseDetails } from "../tools/virsh-details.ts";
import { explainVirsh } from "../tools/virsh-errors.ts";
import { ask } from "./exec.ts";
import type { LibvirtPlace } from "./libvirt-act.ts";
import type { Instance, InstanceDetails, ProviderOptions } from "./types.ts";

/** Snapshots are read one by one, some hundredths of a second each. */
const detailsLimitMs = 30_000;

export async function detailsOf(
  place: LibvirtPlace,
  instance: Instance,
  options: ProviderOptions,
): Promise<InstanceDetails> {
  const { pool, host, uri } = place;
  // A batch knows domains by UUID without any doubt; the test driver's own change.
  const uuid = instance.facts["uuid"];
  const word = typeof uuid === "string" ? uuid : domainWord(instance);
  const answer = await ask(pool, host, detailsCommand(uri, word), `reading ${instance.name}`, {
    timeoutMs: detailsLimitMs,
    ...options,
  });
  const details = parseDetails(answer.stdout);
  if (details) return details;
  throw new VirtuError({
    kind: answer.status === 124 ? "timeout" : "refused",
    what: `${instance.name} can't be read`,
    where: host.name,
    ...(answer.status === 124 ? { why: "libvirt did not answer in time" } : explainVirsh(answer.stderr)),
    detail: answer.stderr.trim() || undefined,
  });
}
