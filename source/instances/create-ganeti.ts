/** Makes one instance on a Ganeti cluster: a job that is followed; takes away what a failed one leaves. */
import { VirtuError } from "../errors.ts";
import {
  addCommand,
  findAddJob,
  findRemoveJob,
  parseSelected,
  parseWhere,
  removeCommand,
  tryAddCommand,
  whereCommand,
} from "../tools/ganeti-create.ts";
import { explainGaneti } from "../tools/ganeti-errors.ts";
import type { Made, MakeOptions } from "./create-maker.ts";
import type { GanetiRequest } from "./create-types.ts";
import type { GanetiProvider } from "./ganeti.ts";

/** `version` as `gnt-cluster info` gives it, or null: then no option is used that only one version has. */
export async function makeOnGaneti(
  ganeti: GanetiProvider,
  request: GanetiRequest,
  version: string | null,
  options: MakeOptions,
): Promise<Made> {
  const { name } = request;
  const made: Made = {
    ok: false,
    node: null,
    job: null,
    notes: [],
    error: null,
    detail: null,
    cleanedUp: [],
    leftBehind: [],
  };
  options.onStep("create", "submitting the job");
  try {
    const outcome = await ganeti.job({
      what: `${name} was made`,
      submit: (access) => addCommand(access, request, version),
      find: (recent, seconds) => findAddJob(recent, name, seconds),
      signal: options.signal,
      onEvent: ({ text, job }) => {
        made.job = job ?? made.job;
        const selected = parseSelected(text);
        if (selected) made.notes.push(`${selected.allocator} chose ${selected.nodes.join(", ")}`);
        options.onStep("create", text, { job });
      },
    });
    const { ok, job, error, detail } = outcome;
    Object.assign(made, { ok, job, error, detail });
    // A refusal came before anything was made; so did one of a job whose checks failed.
    if (!ok && job !== null && !/prerequisites not met/.test(detail ?? ""))
      await cleanUp(ganeti, request, made, options);
    if (ok) made.node = (await lookUp(ganeti, name))?.node ?? null;
  } catch (thrown) {
    if (!(thrown instanceof VirtuError)) throw thrown;
    made.error = [thrown.what, thrown.why].filter(Boolean).join(": ");
    made.detail = thrown.detail ?? null;
    if (thrown.hint) made.notes.push(thrown.hint);
    // Its job goes on without us: what it makes is not ours to judge now.
    if (made.job !== null) made.leftBehind.push(`Ganeti job ${made.job}, which goes on (gnt-job info ${made.job})`);
  }
  return made;
}

export interface Placement {
  /** The allocator that answered: `hail`. */
  allocator: string;
  /** Primary, and secondary where there is one. */
  nodes: string[];
}

/**
 * Where the allocator would put it, asked beforehand: Ganeti runs its own checks and makes nothing (a job of it stays in
 * its list). Rejects with a `VirtuError` when it refuses, with its reason.
 */
export async function askPlacement(
  ganeti: GanetiProvider,
  request: GanetiRequest,
  version: string | null,
  signal?: AbortSignal,
): Promise<Placement | null> {
  const answer = await ganeti.run((access) => tryAddCommand(access, request, version), { timeoutMs: 120_000, signal });
  if (answer.outcome === "exited" && answer.status === 0) {
    const said = answer.stdout.split("\n").map(parseSelected);
    return said.find((selected) => selected !== null) ?? null;
  }
  throw new VirtuError({
    ...{ kind: "refused", what: `${request.name} has no place`, where: ganeti.cluster },
    ...explainGaneti(answer.stderr),
    detail: answer.stderr.trim() || undefined,
  });
}

/** Null: the cluster has no such instance, or gave no answer. */
async function lookUp(ganeti: GanetiProvider, name: string): Promise<ReturnType<typeof parseWhere>> {
  try {
    const { outcome, status, stdout } = await ganeti.run((access) => whereCommand(access, name), { timeoutMs: 45_000 });
    return outcome === "exited" && status === 0 ? parseWhere(stdout, name) : null;
  } catch (thrown) {
    if (thrown instanceof VirtuError) return null;
    throw thrown;
  }
}

/** Our job got past its checks, so the name was free: what bears it now is what the job made. */
async function cleanUp(
  ganeti: GanetiProvider,
  { name }: GanetiRequest,
  made: Made,
  { onStep }: MakeOptions,
): Promise<void> {
  if ((await lookUp(ganeti, name)) === null) return;
  onStep("cleaning", `taking away what is left of ${name}`);
  try {
    const { ok, error } = await ganeti.job({
      what: `${name} was removed`,
      submit: (access) => removeCommand(access, name),
      find: (recent, seconds) => findRemoveJob(recent, name, seconds),
      signal: undefined,
      onEvent: undefined,
    });
    if (ok) made.cleanedUp.push(`instance ${name}`);
    else made.leftBehind.push(`instance ${name}: ${error}`);
  } catch (thrown) {
    if (!(thrown instanceof VirtuError)) throw thrown;
    made.leftBehind.push(`instance ${name}: ${thrown.why ?? thrown.what}`);
  }
}
