/**
 * The order of a run where one is asked for: waves of instances, and what must hold for the instances of a wave before the
 * next one begins. The text of a wave, as it is typed: `group=db until port 5432 within 120`. Pure.
 */
import { VirtuError } from "../errors.ts";
import type { Selector } from "./selector.ts";
import { selectorOf, selectorText } from "./selector-words.ts";

/** What must hold for an instance. */
export type Condition =
  /** A fresh look sees it in this state. */
  | { kind: "running" }
  | { kind: "stopped" }
  /** It answers a ping from its host. */
  | { kind: "ping" }
  /** Something listens on its TCP port, as seen from its host. */
  | { kind: "port"; port: number }
  /** Its console prints something: a login prompt, or this text. */
  | { kind: "console"; text: string | null }
  /** No question: so much time goes by. */
  | { kind: "wait"; seconds: number };

export interface WaveRule {
  selector: Selector;
  /** All must hold. */
  until: readonly Condition[];
  /** Seconds within which they must. */
  withinSeconds: number;
}

/** A wave with the instances that it has come to mean. */
export interface Wave {
  /** As it was asked for: `group=db`. */
  title: string;
  /** The action is done to these. */
  keys: readonly string[];
  /** Already as the action wants them: nothing is done to them, and the conditions are asked of them too. */
  also: readonly string[];
  until: readonly Condition[];
  withinSeconds: number;
}

/** - `stop`: what waits for a wave that failed is taken back; - `go-on`: the next wave begins all the same. */
export type OnFailure = "stop" | "go-on";

export const usualWithin = 120;

/** Reads the text of a wave: SELECTOR… [until CONDITION [and CONDITION…] [within SECONDS]]. Throws a usage error. */
export function waveOf(text: string): WaveRule {
  const words = text.trim().split(/\s+/).filter(Boolean);
  const until = words.indexOf("until");
  const chosen = until < 0 ? words : words.slice(0, until);
  if (chosen.length === 0) throw wrong(text, "it names no instances");
  const selector = selectorOf(chosen);
  if (until < 0) return { selector, until: [], withinSeconds: usualWithin };
  const rest = words.slice(until + 1);
  const within = rest.lastIndexOf("within");
  const seconds = within < 0 ? usualWithin : secondsOf(rest.slice(within + 1), text);
  const conditions: Condition[] = [];
  let current: string[] = [];
  for (const word of [...(within < 0 ? rest : rest.slice(0, within)), "and"]) {
    if (word !== "and") current.push(word);
    else {
      conditions.push(conditionOf(current, text));
      current = [];
    }
  }
  return { selector, until: conditions, withinSeconds: seconds };
}

function secondsOf(words: readonly string[], text: string): number {
  const match = /^(\d{1,6})(s|min|m)?$/.exec(words.join(""));
  if (!match) throw wrong(text, "within takes a number of seconds, or minutes as 5m");
  return Number(match[1]) * (match[2]?.startsWith("m") ? 60 : 1);
}

function conditionOf(words: readonly string[], text: string): Condition {
  const [kind, value, ...more] = words;
  if (kind === "console") return { kind, text: value === undefined ? null : words.slice(1).join(" ") };
  if (more.length > 0) throw wrong(text, `"${words.join(" ")}" is more than one condition: join them by "and"`);
  if ((kind === "running" || kind === "stopped" || kind === "ping") && value === undefined) return { kind };
  if (kind === "port" && /^\d{1,5}$/.test(value ?? "") && Number(value) >= 1 && Number(value) <= 65_535) {
    return { kind, port: Number(value) };
  }
  if (kind === "wait") return { kind, seconds: secondsOf([value ?? ""], text) };
  throw wrong(
    text,
    `"${words.join(" ")}" is no condition: there are running, stopped, ping, port N, console [TEXT], wait N`,
  );
}

function wrong(text: string, why: string): VirtuError {
  return new VirtuError({
    kind: "usage",
    what: "A wave can't be read",
    where: text,
    why,
    hint: "Write it like: group=db until port 5432 within 120",
  });
}

export function conditionText(condition: Condition): string {
  switch (condition.kind) {
    case "port":
      return `port ${condition.port}`;
    case "console":
      return condition.text === null ? "console" : `console ${condition.text}`;
    case "wait":
      return `wait ${condition.seconds}`;
    default:
      return condition.kind;
  }
}

export function waveTitle({ selector }: WaveRule): string {
  return selectorText(selector);
}
