/** Asks whether a condition of a wave holds for an instance, again and again until it does or its time is over. */
import { endOf, isSilent } from "../console/last-words.ts";
import { toVirtuError } from "../errors.ts";
import type { Pool } from "../ssh/types.ts";
import { plainLine } from "../text.ts";
import { pingCommand, portCommand } from "../tools/answers.ts";
import { cancelled, pause } from "../waiting.ts";
import type { Instance, Provider, Status } from "./types.ts";
import { type Condition, conditionText } from "./waves.ts";

export interface Asking {
  pool: Pool;
  provider: Provider;
  instance: Instance;
  /** A fresh look at its status; null when that could not be seen. */
  status: () => Promise<Status | null>;
  withinSeconds: number;
  signal: AbortSignal;
  /** Milliseconds between two looks (default 1000). */
  lookMs?: number;
}

/** The host itself must answer within this. */
const questionLimitMs = 15_000;
/** A question on the host gives up by itself. */
const questionSeconds = 3;

/** Null when the condition came to hold, or why it did not. Rejects only when it was cancelled. */
export async function holds(condition: Condition, asking: Asking): Promise<string | null> {
  const { withinSeconds, signal, lookMs = 1000 } = asking;
  if (condition.kind === "wait") {
    await pause(condition.seconds * 1000, signal);
    return null;
  }
  const end = performance.now() + withinSeconds * 1000;
  for (;;) {
    let why: string | null;
    try {
      why = await look(condition, asking, end - performance.now());
    } catch (thrown) {
      const error = toVirtuError(thrown);
      if (error.kind === "cancelled" || signal.aborted) throw error;
      why = whyOf(error);
    }
    if (why === null) return null;
    if (signal.aborted) throw cancelled();
    // A console's text stands in the reason, which says what it waits for.
    const what = condition.kind === "console" ? "console" : conditionText(condition);
    if (performance.now() >= end) return `${what}: ${why} after ${withinSeconds} s`;
    await pause(Math.min(lookMs, Math.max(1, end - performance.now())), signal);
  }
}

async function look(condition: Exclude<Condition, { kind: "wait" }>, asking: Asking, leftMs: number) {
  switch (condition.kind) {
    case "running":
    case "stopped": {
      const status = await asking.status();
      return status === condition.kind ? null : `it is ${status ?? "not seen"}`;
    }
    case "console":
      return consoleSays(condition.text, asking, leftMs);
    default:
      return answers(condition, asking);
  }
}

/** Its addresses, as far as anybody knows them; its name where nobody does. */
async function addressesOf({ provider, instance, signal }: Asking): Promise<string[]> {
  const { ip } = instance.facts;
  if (typeof ip === "string" && ip !== "") return ip.split(/[\s,/]+/).filter((one) => /^[0-9a-f.:]+$/i.test(one));
  try {
    const { nics } = await provider.details(instance, { signal, priority: "user", timeoutMs: questionLimitMs });
    const known = nics.flatMap(({ addresses }) => addresses.map((one) => one.replace(/\/\d+$/, "")));
    if (known.length > 0) return known;
  } catch (thrown) {
    const error = toVirtuError(thrown);
    if (error.kind === "cancelled") throw error;
  }
  return [instance.name];
}

async function answers(condition: { kind: "ping" } | { kind: "port"; port: number }, asking: Asking) {
  const { pool, provider, signal } = asking;
  const addresses = await addressesOf(asking);
  for (const address of addresses) {
    const command =
      condition.kind === "ping"
        ? pingCommand(address, questionSeconds)
        : portCommand(address, condition.port, questionSeconds);
    const result = await pool.exec(provider.target, command, {
      signal,
      priority: "user",
      timeoutMs: questionLimitMs,
    });
    if (result.outcome === "exited" && result.status === 0) return null;
    if (result.outcome !== "exited") return `${provider.target.name} gave no answer`;
    if (result.status === 127) return `${provider.target.name} has no program to ask with`;
  }
  return `${addresses.join(", ")} does not answer`;
}

/** The program itself may be what speaks: then it ends at once, and says why. */
const lastWordsMs = 500;

/** Opens the console, wakes it, and waits for words of the guest. */
async function consoleSays(wanted: string | null, asking: Asking, leftMs: number): Promise<string | null> {
  const { pool, provider, instance, signal } = asking;
  const way = provider.console(instance);
  if ("refusal" in way) return way.refusal;
  const timeoutMs = Math.max(1000, Math.min(leftMs, questionLimitMs));
  const channel = await pool.pty(way.host, way.command, { columns: 120, rows: 40, signal });
  let text = "";
  return new Promise((resolve) => {
    let settled = false;
    let speaking: NodeJS.Timeout | null = null;
    const settle = (why: string | null) => {
      if (settled) return;
      settled = true;
      clearInterval(waking);
      clearTimeout(limit);
      if (speaking) clearTimeout(speaking);
      if (way.leave !== null) channel.stream.write(way.leave);
      channel.close();
      resolve(why);
    };
    const wake = () => way.wake !== null && channel.stream.write(way.wake);
    const waking = setInterval(wake, 2000);
    const limit = setTimeout(() => settle(silence(wanted, text)), timeoutMs);
    wake();
    channel.stream.on("data", (chunk: Buffer) => {
      text = (text + chunk.toString("utf8")).slice(-20_000);
      if (wanted !== null) {
        if (linesOf(text).some((line) => line.includes(wanted))) settle(null);
      } else if (!isSilent(text)) speaking ??= setTimeout(() => settle(null), lastWordsMs);
    });
    channel.ended.then(
      ({ outcome, status }) => settle(outcome === "lost" ? "the link to it broke" : endOf(way, text, status).why),
      (thrown: unknown) => settle(whyOf(thrown)),
    );
  });
}

const linesOf = (text: string) => text.split(/\r?\n|\r/).map(plainLine);

function whyOf(thrown: unknown): string {
  const { what, why } = toVirtuError(thrown);
  return [what, why].filter(Boolean).join(": ");
}

/** What a console said instead of what was waited for. */
function silence(wanted: string | null, text: string): string {
  if (wanted === null || isSilent(text)) return "it says nothing";
  const last = linesOf(text)
    .map((line) => line.trim())
    .findLast((line) => line !== "");
  return `it has not said "${wanted}", but last "${last ?? ""}"`;
}
