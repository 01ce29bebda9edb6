/** Asks nodes what they are before a run is planned for them, and keeps what they said while the form is open. */
import { toVirtuError } from "../errors.ts";
import type { PlanNode } from "../journey/plan.ts";
import type { Journeys } from "./journeys.ts";
import type { NodesAsked } from "./run-known.ts";
import type { Workspace } from "./workspace.ts";

/** By what a set of nodes is known again. */
export const askedKey = (nodes: readonly PlanNode[]): string => nodes.map(({ name }) => name).join(" ");

export class NodeAsking {
  private readonly workspace: Workspace;
  private readonly journeys: Journeys;
  private abort = new AbortController();

  constructor(workspace: Workspace, journeys: Journeys) {
    this.workspace = workspace;
    this.journeys = journeys;
  }

  /** Asks these nodes; another question that is still under way is given up. Never rejects. */
  async ask(nodes: readonly PlanNode[]): Promise<void> {
    this.abort.abort();
    this.abort = new AbortController();
    const { signal } = this.abort;
    const say = (change: Partial<NodesAsked>) => {
      const { asked } = this.workspace.state.runs;
      if (asked && !signal.aborted) this.workspace.store.dispatch({ type: "asked", asked: { ...asked, ...change } });
    };
    const key = askedKey(nodes);
    const nobody = { states: new Map(), failed: new Map() };
    this.workspace.store.dispatch({
      type: "asked",
      asked: { key, nodes, answered: 0, answers: nobody, over: false, error: null },
    });
    this.workspace.store.flush();
    try {
      let answered = 0;
      const failed = new Map<string, ReturnType<typeof toVirtuError>>();
      const answers = await this.journeys.askNodes(this.workspace.context, nodes, {
        signal,
        onAnswer: (name, error) => {
          answered += 1;
          if (error) failed.set(name, error);
          say({ answered, answers: { ...nobody, failed: new Map(failed) } });
        },
      });
      say({ answered: nodes.length, answers, over: true });
    } catch (thrown) {
      say({ over: true, error: toVirtuError(thrown) });
    }
    this.workspace.store.flush();
  }

  end(): void {
    this.abort.abort();
  }
}
