/** Runs as the screens' tests see them: plans of any size, views in any state, a handle that keeps what is decided. */
import type {
  CellState,
  CellView,
  Decision,
  Plan,
  RunHandle,
  RunState,
  RunView,
  Step,
} from "../../source/journey/plan.ts";
import type { RunSummary } from "../../source/journey/run-types.ts";

/** Epoch milliseconds. */
export const now = 1_763_841_600_000;

const titles: readonly [id: string, title: string, seconds: number][] = [
  ["sources", "package sources", 2],
  ["packages", "packages", 75],
  ["hosts-file", "hosts file", 1],
  ["kernel-links", "kernel links", 1],
  ["volume-group", "volume group xenvg", 4],
  ["bridge", "bridge xen-br0", 8],
  ["cluster", "cluster init", 20],
  ["join", "join the cluster", 12],
  ["systems", "OS definitions", 15],
  ["temporary", "temporary files", 1],
  ["verify", "cluster verify", 10],
];

/** Names as a site gives them; clusters of 60 nodes. */
export function nodeNames(n: number): string[] {
  return Array.from({ length: n }, (_, index) =>
    index < 120 ? `paravance-${index + 11}.rennes.example.org` : `parasilo-${index - 119}.rennes.example.org`,
  );
}

export function planOf(nodes: readonly string[], own: Partial<Plan> = {}): Plan {
  const steps: Step[] = titles.map(([id, title, usualSeconds], index) => ({
    id,
    title,
    why: `Why ${title} is there.`,
    changes: `What ${title} changes.`,
    needs: index === 0 ? [] : [{ step: titles[index - 1]?.[0] ?? "", on: "this-node" as const }],
    // The cluster is made on the first node only.
    cells: Object.fromEntries(
      (id === "cluster" ? nodes.slice(0, 1) : nodes).map((name) => [
        name,
        { check: `test -e /run/${id}`, script: `touch /run/${id}`, undo: null },
      ]),
    ),
    detached: true,
    secret: null,
    limitSeconds: 600,
    progress: id === "packages" ? ("apt" as const) : null,
    gives: [],
    usualSeconds,
  }));
  return {
    kind: "install-ganeti",
    title: `install Ganeti on ${nodes.length} nodes`,
    site: "rennes",
    jobId: 1874,
    nodes: nodes.map((name) => ({ name, host: { name } })),
    steps,
    minimum: nodes.length,
    ...own,
  };
}

export function cellOf(state: CellState, own: Partial<CellView> = {}): CellView {
  const began = state !== "pending" && state !== "blocked";
  const ended = began && state !== "running" && state !== "checking" && state !== "lost";
  return {
    state,
    startedAt: began ? now - 72_000 : null,
    endedAt: ended ? now : null,
    status: state === "done" ? 0 : null,
    tries: began ? 1 : 0,
    text: "",
    share: null,
    lines: began ? 40 : 0,
    ...own,
  };
}

export const failure = (own: Partial<CellView> = {}) =>
  cellOf("failed", {
    status: 100,
    startedAt: now - 31_000,
    text: "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 812",
    ...own,
  });

/**
 * A run in the middle: packages are installed, every `failEvery`-th node (from the third) failed there, the others are at
 * the bridge.
 */
export function runOf(nodes: readonly string[], own: Partial<RunView> = {}, failEvery = 10): RunView {
  const plan = own.plan ?? planOf(nodes);
  const cells: Record<string, Record<string, CellView>> = {};
  plan.steps.forEach((step, index) => {
    const of: Record<string, CellView> = {};
    nodes.forEach((name, number) => {
      if (!step.cells[name]) return;
      const bad = number % failEvery === 2;
      if (index === 0) of[name] = cellOf("already");
      else if (index === 1) of[name] = bad ? failure() : cellOf("done");
      else if (bad) of[name] = cellOf("blocked", { text: "packages failed on this node" });
      else if (index < 4) of[name] = cellOf("done", { startedAt: now - 2000 });
      else if (index === 4) of[name] = cellOf("done", { text: "sda5" });
      else if (index === 5) of[name] = cellOf("running", { startedAt: now - 4000 });
      else of[name] = cellOf("pending");
    });
    cells[step.id] = of;
  });
  return {
    id: "install-ganeti-1",
    plan,
    state: "running",
    startedAt: now - 220_000,
    endedAt: null,
    cells,
    out: [],
    secondsLeft: 250,
    engine: "pool",
    problem: null,
    ...own,
  };
}

export function summaryOf(run: RunView, own: Partial<RunSummary> = {}): RunSummary {
  const { id, plan, state, out, startedAt, endedAt } = run;
  return {
    id,
    kind: plan.kind,
    title: plan.title,
    site: plan.site,
    jobId: plan.jobId,
    state,
    nodes: plan.nodes.map(({ name }) => name),
    out,
    startedAt,
    endedAt,
    progress: { ended: 6, of: 10 },
    pid: null,
    ...own,
  };
}

export interface FakeHandle extends RunHandle {
  decided: Decision[];
  /** Reads of output: first line and count. */
  reads: [from: number, count: number][];
  detached: boolean;
  /** Replaces the view and tells who watches. */
  show(view: RunView): void;
  onView: (view: RunView) => void;
  finish(state: RunState): void;
}

/** A run whose output is `line N of STEP on NODE`, or what `output` says. */
export function handleOf(
  first: RunView,
  line: (number: number) => string = (number) => `line ${number} of the output`,
): FakeHandle {
  let view = first;
  let resolve: (view: RunView) => void = () => {};
  const handle: FakeHandle = {
    id: first.id,
    decided: [],
    reads: [],
    detached: false,
    onView: () => {},
    view: () => view,
    show(next) {
      view = next;
      handle.onView(next);
    },
    decide: (decision) => void handle.decided.push(decision),
    async output(step, node, from, count) {
      handle.reads.push([from, count]);
      const total = view.cells[step]?.[node]?.lines ?? 0;
      return Array.from({ length: Math.max(0, Math.min(count, total - from)) }, (_, index) => line(from + index));
    },
    done: new Promise<RunView>((onDone) => {
      resolve = onDone;
    }),
    async detach() {
      handle.detached = true;
    },
    finish(state) {
      handle.show({ ...view, state, endedAt: now });
      resolve(view);
    },
  };
  return handle;
}
