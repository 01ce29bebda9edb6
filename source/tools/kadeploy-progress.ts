/**
 * One run of kadeploy3, as its output tells it line by line: a pure reducer. Any beginning of an output gives a state
 * that can be drawn; the files of deployed and failed nodes, read after the end, have the last word (`conclude`).
 */
import type { FailedNode, MacroStep, NodeProgress, PhaseState } from "../journey/types.ts";
import { errorCode, explainRefusal, type KadeployRefusal } from "./kadeploy-errors.ts";
import { address, type KadeployEvent, readLine } from "./kadeploy-lines.ts";
import { unfoldAmong } from "./nodeset.ts";

export const macroSteps: readonly MacroStep[] = ["boot-mini-os", "copy-image", "boot-new"];

interface Track {
  progress: NodeProgress;
  /** `server/set` that it is in, or null once it is out of the deployment. */
  set: string | null;
  /** What is known of its failure before the final list says it. */
  hint: string | null;
  failedStep: string | null;
}

export interface KadeployState {
  readonly tracks: ReadonlyMap<string, Track>;
  readonly workflowId: string | null;
  /** Epoch seconds as far as they are known: see `advance`. */
  readonly clock: number;
  readonly startedAt: number;
  readonly list: "ok" | "ko" | null;
  /** The node of the last line of the failed list: a reason may have several lines. */
  readonly lastFailed: string | null;
  /** 2012: named, its nodes come on the next line. */
  readonly microName: string | null;
  readonly cancelled: boolean;
  /** Lines that belong to no deployment, newest last: the text of an error. */
  readonly strange: readonly string[];
}

function untouched(node: string): NodeProgress {
  const phase = { state: "pending" as PhaseState, seconds: null, startedAt: null };
  return {
    node,
    phases: { "boot-mini-os": { ...phase }, "copy-image": { ...phase }, "boot-new": { ...phase } },
    microStep: null,
    state: "pending",
    reason: null,
  };
}

/** The state before kadeploy3 has printed anything. */
export function startKadeploy(nodes: readonly string[], atSeconds: number): KadeployState {
  return {
    tracks: new Map(
      nodes.map((node) => [node, { progress: untouched(node), set: "/0", hint: null, failedStep: null }]),
    ),
    workflowId: null,
    clock: atSeconds,
    startedAt: atSeconds,
    list: null,
    lastFailed: null,
    microName: null,
    cancelled: false,
    strange: [],
  };
}

/** Which of the three phases an instance of a macro-step belongs to; null for a word that no Kadeploy uses. */
export function phaseOf(instance: string): MacroStep | null {
  if (/^SetDeployment/.test(instance)) return "boot-mini-os";
  if (/^BroadcastEnv/.test(instance)) return "copy-image";
  if (/^BootNewEnv/.test(instance)) return "boot-new";
  return null;
}

type Change = (track: Track) => Track;

function change(state: KadeployState, nodes: readonly string[], make: Change): KadeployState {
  if (nodes.length === 0) return state;
  const tracks = new Map(state.tracks);
  for (const node of nodes) {
    const track = tracks.get(node);
    if (track) tracks.set(node, make(track));
  }
  return { ...state, tracks };
}

const withProgress = (track: Track, changes: Partial<NodeProgress>): Track => ({
  ...track,
  progress: { ...track.progress, ...changes },
});

/** Begins a phase; those before it are over, a retry begins it anew. */
function beginPhase(track: Track, phase: MacroStep, at: number): Track {
  const phases = { ...track.progress.phases };
  for (const step of macroSteps) {
    if (step === phase) break;
    const { state, seconds, startedAt } = phases[step];
    if (state === "done") continue;
    phases[step] = { state: "done", seconds: seconds ?? (startedAt === null ? null : at - startedAt), startedAt };
  }
  phases[phase] = { state: "running", seconds: null, startedAt: at };
  return withProgress({ ...track, hint: null }, { phases, state: "running", microStep: null, reason: null });
}

function endPhase(track: Track, phase: MacroStep, state: "done" | "failed", seconds: number): Track {
  const phases = { ...track.progress.phases, [phase]: { ...track.progress.phases[phase], state, seconds } };
  return withProgress(track, { phases });
}

function deployed(track: Track): Track {
  const phases = { ...track.progress.phases };
  for (const step of macroSteps) phases[step] = { ...phases[step], state: "done" };
  return withProgress({ ...track, failedStep: null }, { phases, state: "deployed", microStep: null, reason: null });
}

/** `step` is Kadeploy's `Macro-micro`, or null when only the micro-step that it was in is known (2012). */
function failed(track: Track, step: string | null, reason: string): Track {
  const [macro = "", micro = null] = step?.split(/-(.*)/) ?? [];
  const running = macroSteps.find((name) => /running|failed/.test(track.progress.phases[name].state));
  const phase = phaseOf(macro) ?? running ?? "boot-mini-os";
  const index = macroSteps.indexOf(phase);
  const phases = { ...track.progress.phases };
  macroSteps.forEach((name, position) => {
    const state = position < index ? "done" : position === index ? "failed" : "pending";
    phases[name] = { ...phases[name], state };
  });
  const microStep = micro ?? track.progress.microStep;
  return withProgress(
    { ...track, set: null, failedStep: step ?? microStep },
    { phases, state: "failed", microStep, reason },
  );
}

const missing = (track: Track, reason: string): Track =>
  withProgress({ ...track, set: null }, { state: "missing", microStep: null, reason });

/** The name as it was asked for: Kadeploy may answer with the full name of a short one. */
function asked(state: KadeployState, name: string): string | null {
  if (state.tracks.has(name)) return name;
  const short = name.split(".")[0];
  for (const node of state.tracks.keys()) {
    if (node.split(".")[0] === short && (!node.includes(".") || !name.includes("."))) return node;
  }
  return null;
}

function inList(state: KadeployState, text: string): KadeployState | null {
  const [, name = "", reason = null] = /^(\S+)(?: \((.*?)\)?)?$/.exec(text) ?? [];
  const node = name === "" ? null : asked(state, name);
  if (state.list === "ok") return node === null ? null : change(state, [node], deployed);
  if (node === null) {
    // A reason is what a command printed, and may go on over lines.
    if (state.lastFailed === null) return null;
    return change(state, [state.lastFailed], (track) =>
      withProgress(track, { reason: `${track.progress.reason} ${text.trim().replace(/\)$/, "")}` }),
    );
  }
  const detail = /^([A-Za-z]\w*-\w+): ?(.*)$/.exec(reason ?? "");
  const step = detail?.[1] ?? null;
  const why = (detail?.[2] ?? reason ?? "").replace(/^stderr: /, "");
  return {
    ...change(state, [node], (track) => failed(track, step, why || track.hint || "Kadeploy gives no reason")),
    lastFailed: node,
  };
}

function apply(
  state: KadeployState,
  event: KadeployEvent,
  { server, set, live }: { server: string; set: string; live: boolean },
): KadeployState {
  const key = `${server}/${set}`;
  const all = [...state.tracks.keys()];
  const own = () => all.filter((node) => state.tracks.get(node)?.set === key);
  const named = (folded: string | null) => (folded === null ? own() : unfoldAmong(folded, all));
  const at = state.clock;
  switch (event.kind) {
    case "workflow":
      return { ...state, workflowId: event.id };
    case "launch":
      return event.nodes === null ? state : change(state, named(event.nodes), (track) => ({ ...track, set: key }));
    case "discard":
      return change(state, named(event.nodes), (track) => missing(track, "in use by another deployment"));
    case "step": {
      const phase = phaseOf(event.instance);
      if (phase === null) return state;
      return change(state, named(event.nodes), (track) => ({ ...beginPhase(track, phase, at), set: key }));
    }
    case "micro":
      return change(state, own(), (track) => withProgress(track, { microStep: event.name, state: "running" }));
    case "micro-name":
      return { ...state, microName: event.name };
    case "micro-nodes":
      return change(state, named(event.nodes), (track) =>
        withProgress({ ...track, set: key }, { microStep: state.microName, state: "running" }),
      );
    case "micro-failed":
      return change(state, named(event.nodes), (track) => ({ ...track, hint: `failed on step ${event.name}` }));
    case "step-failed": {
      const phase = phaseOf(event.instance);
      if (phase === null) return state;
      return change(state, named(event.nodes), (track) => endPhase(track, phase, "failed", event.seconds));
    }
    case "timeout":
      return change(state, own(), (track) => ({
        ...track,
        hint: event.name === null ? "timed out" : `timed out in step ${event.name}`,
      }));
    case "step-end": {
      const phase = phaseOf(event.instance);
      if (phase === null) return state;
      const nodes = own();
      const begun = state.tracks.get(nodes[0] ?? "")?.progress.phases[phase].startedAt ?? null;
      const clock = live || begun === null ? at : Math.max(at, begun + event.seconds);
      return { ...change(state, nodes, (track) => endPhase(track, phase, "done", event.seconds)), clock };
    }
    case "nodes-end":
      return {
        ...change(state, named(event.nodes), deployed),
        clock: live ? at : Math.max(at, state.startedAt + event.seconds),
      };
    case "nodes-failed":
      return change(state, named(event.nodes), (track) =>
        failed(track, null, track.hint ?? "Kadeploy gives no reason yet"),
      );
    case "split-row":
      return change(state, named(event.nodes), (track) => ({ ...track, set: `${server}/${event.set}` }));
    case "ok-list":
      return { ...state, list: "ok", lastFailed: null };
    case "ko-list":
      return { ...state, list: "ko", lastFailed: null };
    case "cancelled":
      return { ...state, cancelled: true };
    default:
      return state;
  }
}

/**
 * Takes one line of output (standard output and error together, as they came).
 *
 * @param atSeconds epoch seconds when the line came; null when it is read again later. Then the clock goes on by what
 *   the lines themselves say ("End of step … after 16s").
 */
export function advance(state: KadeployState, line: string, atSeconds: number | null): KadeployState {
  const timed = atSeconds !== null && atSeconds > state.clock ? { ...state, clock: atSeconds } : state;
  const { server, set, text } = address(line);
  const event = readLine(text);
  const listed = timed.list !== null && event === null ? inList(timed, text) : null;
  if (listed) return listed;
  if (event) return apply(timed, event, { server, set, live: atSeconds !== null });
  return { ...timed, strange: [...timed.strange.slice(-19), text] };
}

/** How the nodes stand, in the order they were asked for. */
export function progressOf(state: KadeployState): NodeProgress[] {
  return [...state.tracks.values()].map((track) => track.progress);
}

export interface KadeployOutcome {
  deployed: string[];
  failed: FailedNode[];
  missing: string[];
  /** What stopped it as a whole, or null when it ran to its end. */
  refusal: (KadeployRefusal & { detail: string | null }) | null;
}

/**
 * The end of a run. Its exit status does not say whether a node is up; the two files do, and a node in neither is missing.
 *
 * @param ok content of the `-o` file, `ko` of the `-n` file: one name a line
 */
export function conclude(
  state: KadeployState,
  ended: { ok: readonly string[]; ko: readonly string[]; status: number | null },
): { state: KadeployState; outcome: KadeployOutcome } {
  const names = (listed: readonly string[]) =>
    listed.map((name) => asked(state, name.trim())).filter((name) => name !== null);
  const ok = new Set(names(ended.ok));
  const ko = new Set(names(ended.ko).filter((name) => !ok.has(name)));
  const text = state.strange.join("\n").trim();
  // Its status is no sign: 0 when all nodes failed, and perhaps not 0 in a later version when some did.
  const killed = ended.status !== null && ended.status > 128;
  const stopped = killed || state.cancelled || errorCode(text) !== null || (ok.size === 0 && ko.size === 0);
  const refusal = !stopped
    ? null
    : state.cancelled
      ? { why: "it was cancelled", hint: "Its nodes are half written: deploy on them again.", detail: null }
      : { ...explainRefusal(text, ended.status === 0 ? null : ended.status), detail: text || null };
  let next = change(state, [...ok], deployed);
  next = change(next, [...ko], (track) =>
    track.progress.state === "failed" ? track : failed(track, null, track.hint ?? "Kadeploy gives no reason"),
  );
  const left = [...state.tracks.keys()].filter((node) => !ok.has(node) && !ko.has(node));
  next = change(next, left, (track) =>
    missing(
      track,
      track.progress.state === "missing" && track.progress.reason !== null
        ? track.progress.reason
        : (refusal?.why ?? track.progress.reason ?? "Kadeploy lists it neither as deployed nor as failed"),
    ),
  );
  return {
    state: next,
    outcome: {
      deployed: [...state.tracks.keys()].filter((node) => ok.has(node)),
      failed: [...ko].map((node) => {
        const track = next.tracks.get(node);
        return { node, step: track?.failedStep ?? null, reason: track?.progress.reason ?? "" };
      }),
      missing: left,
      refusal,
    },
  };
}
