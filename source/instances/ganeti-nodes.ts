/** Actions on a cluster's nodes. */
import { VirtuError } from "../errors.ts";
import { type Command, sh } from "../ssh/command.ts";
import type { ExecResult } from "../ssh/types.ts";
import { findJob, type GanetiAccess, gnt } from "../tools/ganeti.ts";
import { nodeStepsOf, stepCommand } from "../tools/ganeti-actions.ts";
import { explainGaneti } from "../tools/ganeti-errors.ts";
import { pause } from "../waiting.ts";
import type { GanetiJob } from "./ganeti-job.ts";
import type { GanetiMaster } from "./ganeti-master.ts";
import { refusesNode } from "./ganeti-rules.ts";
import type {
  ActionEvent,
  ActionOutcome,
  HostNode,
  NodeAction,
  NodeActionName,
  NodeActions,
  ProviderOptions,
  Refusal,
} from "./types.ts";

/** Stopping and starting the daemons takes seconds; a node that does not answer makes it wait for its vote. */
const failoverLimitMs = 300_000;

export class GanetiNodes implements NodeActions {
  constructor(
    private readonly master: GanetiMaster,
    private readonly carry: (jobs: readonly GanetiJob[]) => Promise<ActionOutcome>,
  ) {}

  refuses(action: NodeActionName, node: HostNode): Refusal {
    return refusesNode(action, node);
  }

  preview(action: NodeAction, node: HostNode): string[] {
    const steps = nodeStepsOf(action, node);
    if (steps) return steps.map((step) => stepCommand(this.master.access, step).line);
    return [failoverCommand(this.master.wayTo(node.name).access).line];
  }

  async act(
    action: NodeAction,
    node: HostNode,
    options: ProviderOptions & { onEvent?: (event: ActionEvent) => void },
  ): Promise<ActionOutcome> {
    const steps = nodeStepsOf(action, node);
    if (!steps) return this.makeMaster(node.name, options);
    return this.carry(
      steps.map((step) => ({
        what: `${node.name} got its ${action.do}`,
        submit: (access) => stepCommand(access, step),
        find: (recent, seconds) => findJob(recent, step, seconds),
        leavesJobs: action.do === "evacuate",
        onEvent: options.onEvent,
        signal: options.signal,
      })),
    );
  }

  /** No job: it is done on the new master, which takes the daemons over. */
  private async makeMaster(
    node: string,
    { signal, onEvent }: ProviderOptions & { onEvent?: (event: ActionEvent) => void },
  ): Promise<ActionOutcome> {
    const { host, access } = this.master.wayTo(node);
    onEvent?.({ text: `${node} takes the master's daemons over` });
    const run = (command: Command): Promise<ExecResult> =>
      this.master.pool.exec(host, command, { signal, priority: "user", timeoutMs: failoverLimitMs });
    const result = await run(failoverCommand(access));
    if (result.outcome !== "exited") {
      onEvent?.({ text: "the connection broke: looking who is the master" });
      return this.lookWhoIsMaster(node, access, run, signal);
    }
    if (result.status === 0) {
      this.master.moveTo(node);
      return done(`${node} is the master`, result.stdout.trim() || null);
    }
    const { why, hint } = explainGaneti(result.stderr);
    const detail = result.stderr.trim() || null;
    return { ok: false, job: null, text: null, error: hint ? `${why}. ${hint}` : why, detail };
  }

  /** It goes on without us, so the answer may take a while. */
  private async lookWhoIsMaster(
    node: string,
    access: GanetiAccess,
    run: (command: Command) => Promise<ExecResult>,
    signal: AbortSignal | undefined,
  ): Promise<ActionOutcome> {
    for (let wait = 1000; wait < 60_000; wait *= 2) {
      await pause(wait, signal);
      const asked = await run(gnt(access, "gnt-cluster", ["getmaster"])).catch((thrown: unknown) => {
        if (thrown instanceof VirtuError && thrown.kind === "connection") return null;
        throw thrown;
      });
      if (asked?.outcome === "exited" && asked.stdout.trim() === node) {
        this.master.moveTo(node);
        return done(`${node} is the master`, null);
      }
    }
    throw new VirtuError({
      kind: "connection",
      what: `Nobody knows whether ${node} became the master`,
      where: node,
      why: "the connection broke while it took over",
      hint: "On any node: gnt-cluster getmaster",
    });
  }
}

/** Its output goes into a file that has no name any more: it must not end when the connection does. */
function failoverCommand(access: GanetiAccess): Command {
  const call = gnt(access, "gnt-cluster", ["master-failover"]);
  return sh`out=$(mktemp) && exec 3<"$out" 4>"$out" && rm -f "$out" && { ${call} >&4 2>&1 </dev/null; status=$?; cat <&3 >&2; exit $status; }`;
}

function done(text: string, detail: string | null): ActionOutcome {
  return { ok: true, job: null, text, error: null, detail };
}
