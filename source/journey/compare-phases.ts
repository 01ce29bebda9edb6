/** One instance through the phases of a comparison, each timed from its request until the provider's own state says so. */
import { toVirtuError } from "../errors.ts";
import { createInstance } from "../instances/create.ts";
import { awaitReady } from "../instances/create-ready.ts";
import type { CreateRow } from "../instances/create-types.ts";
import type { Action, ActionOutcome, Instance, Provider } from "../instances/types.ts";
import { isPassing, pause } from "../waiting.ts";
import { isOwn } from "./compare-clean.ts";
import { type Counter, counting } from "./compare-count.ts";
import { nowhere } from "./compare-model.ts";
import type { Reach } from "./compare-places.ts";
import { actionOf, type PlannedPlace } from "./compare-plan.ts";
import type { Phase, Sample, SampleState } from "./compare-types.ts";

export interface LifeOptions {
  reach: Reach;
  limitSeconds: number;
  signal: AbortSignal;
  onText: (text: string) => void;
  /** Waits for its turn on a libvirt host's storage, where several are made at the same time. */
  turn?: (signal?: AbortSignal) => Promise<() => void>;
  /** Kept before a migration begins. */
  onMove: (name: string, to: string) => Promise<void>;
  /** Milliseconds between two looks at the provider's state (default 500). */
  lookMs?: number;
  /** Seconds without an answer that count as silence (default 4). */
  silenceSeconds?: number;
}

/** Seconds in which a provider has to show what it said was done. */
const shownWithin = 60;
/** Seconds in which a guest that was asked to reboot has to fall silent. */
const silentWithin = 60;

/** Seconds without an answer that count as silence: a guest's reboot takes longer, and a lost packet or two do not. */
const silence = 4;

/** Why a phase ended without being done. */
class Ended extends Error {
  constructor(
    readonly state: SampleState,
    message: string,
  ) {
    super(message);
  }
}

interface Done {
  seconds: number;
  text: string;
}

export class Life {
  /** Where it is now. */
  private provider: Provider;
  private instance: Instance | null = null;
  private address: string | null;
  private options: LifeOptions;

  constructor(
    private readonly place: PlannedPlace,
    private readonly row: CreateRow,
    private readonly round: number,
    private readonly given: LifeOptions,
  ) {
    this.options = given;
    this.provider = place.provider;
    this.address = row.address;
  }

  /** The phase's time, or why there is none. Never rejects. */
  async phase(phase: Phase): Promise<Sample> {
    const { row, round, place, given } = this;
    // One for each phase: what listens to it goes with it, while the comparison's own may live for hours.
    this.options = { ...given, signal: AbortSignal.any([given.signal]) };
    const counter: Counter = { requests: 0 };
    const sample = { place: place.facts.id, round, name: row.name, phase };
    const began = performance.now();
    try {
      const { seconds, text } = await counting(counter, () => this.carry(phase, began));
      const { requests } = counter;
      const ready = await this.answers(phase, began);
      const said = [text, ready.text].filter(Boolean).join("; ");
      return { ...sample, state: "done", seconds, readySeconds: ready.seconds, requests, text: said };
    } catch (thrown) {
      const none = { seconds: null, readySeconds: null, requests: counter.requests };
      if (thrown instanceof Ended) return { ...sample, ...none, state: thrown.state, text: thrown.message };
      const error = toVirtuError(thrown);
      const state = error.kind === "cancelled" || this.options.signal.aborted ? "cancelled" : "failed";
      return { ...sample, ...none, state, text: [error.what, error.why].filter(Boolean).join(": ") };
    }
  }

  private carry(phase: Phase, began: number): Promise<Done> {
    const { signal } = this.options;
    if (signal.aborted) throw new Ended("cancelled", "cancelled before it began");
    if (phase === "create") return this.create(began);
    if (this.instance === null) throw new Ended("skipped", "it was not made");
    switch (phase) {
      case "start":
        return this.act(phase, began, this.instance, (now) => now?.status === "running");
      case "reboot":
        this.mustRun(this.instance);
        return this.act(phase, began, this.instance, rebooted(this.instance));
      case "migrate":
        this.mustRun(this.instance);
        return this.migrate(this.instance);
      case "stop":
        this.mustRun(this.instance);
        return this.stop(began, this.instance);
      case "remove":
        return this.remove(this.instance);
    }
  }

  private mustRun(instance: Instance): void {
    if (instance.status !== "running") throw new Ended("skipped", "it did not run");
  }

  private async create(began: number): Promise<Done> {
    const { provider, offers } = this.place;
    const { request } = this.row;
    const { signal, reach, onText, turn } = this.options;
    const outcome = await createInstance(provider, request, {
      ...{ pool: reach.pool, signal, turn, offers },
      onEvent: ({ text }) => onText(text),
    });
    if (signal.aborted) throw new Ended("cancelled", "cancelled while it was made");
    if (!outcome.ok) throw new Ended("failed", outcome.error ?? "it was not made");
    this.address ??= outcome.address;
    const wanted = request.start ? "running" : "stopped";
    const seconds = await this.shown(began, (now) => now !== null && now.status === wanted);
    return { seconds, text: outcome.notes.join("; ") };
  }

  private async act(
    phase: Exclude<Phase, "create">,
    began: number,
    instance: Instance,
    wanted: (now: Instance | null) => boolean,
  ): Promise<Done> {
    const outcome = await this.do(actionOf(phase, null), instance);
    const seconds = await this.shown(began, wanted);
    const onlyAsked = phase === "reboot" && instance.provider !== "xen" && /asked/.test(outcome.text ?? "");
    const asked = onlyAsked && this.place.facts.ready === null;
    return { seconds, text: [wordOf(outcome), asked ? "nobody waited for it" : ""].filter(Boolean).join(", ") };
  }

  private async do(action: Action, instance: Instance): Promise<ActionOutcome> {
    const { signal, limitSeconds, onText } = this.options;
    const refusal = this.provider.refuses(action.do, instance);
    if (refusal !== null) throw new Ended("refused", refusal);
    const outcome = await this.provider.act(action, instance, {
      ...{ signal, priority: "user", limitSeconds },
      onEvent: ({ text }) => onText(text),
    });
    if (!outcome.ok) throw new Ended("failed", outcome.error ?? "it was not done");
    return outcome;
  }

  private async migrate(instance: Instance): Promise<Done> {
    const { signal, reach, onMove } = this.options;
    const refusal = this.provider.refuses("migrate", instance);
    if (refusal !== null) throw new Ended("refused", refusal);
    const targets = await this.provider.targets("migrate", instance, { signal, priority: "user" });
    const target = targets.find((one) => one.refusal === null) ?? null;
    const { name } = this.provider;
    if (target === null && targets[0]) throw new Ended("refused", `${targets[0].name}: ${targets[0].refusal}`);
    if (target === null) throw new Ended("refused", nowhere[name]);
    await onMove(this.row.name, target.name);
    // Where it can go was found out before: the move itself is what is timed.
    const began = performance.now();
    const before = this.provider;
    const outcome = await this.do(actionOf("migrate", target.name), instance);
    const told = since(began);
    const { node } = instance;
    const others = reach.all.filter((one) => one.name === name && one.place !== before.place);
    for (const provider of others) {
      const found = await this.look(provider);
      if (!found) continue;
      this.provider = provider;
      this.instance = found;
      const copied = /copied/.test(outcome.text ?? "");
      return {
        seconds: told,
        text: copied ? "moved as it ran, its disks were copied" : "moved as it ran, its disks are shared",
      };
    }
    const seconds = await this.shown(began, (now) => now?.status === "running" && now.node !== node);
    const disks = instance.facts["diskTemplate"];
    const how = typeof disks === "string" ? `moved as it ran, no disk was copied (${disks})` : "moved as it ran";
    return { seconds, text: wordOf(outcome) || how };
  }

  /** A guest that does not listen is ended by force afterwards, which is not timed. */
  private async stop(began: number, instance: Instance): Promise<Done> {
    const { limitSeconds, signal } = this.options;
    try {
      const done = await this.act("stop", began, instance, (now) => now?.status === "stopped");
      const forced = this.provider.name === "ganeti" && done.seconds >= limitSeconds;
      return forced ? { ...done, text: `the guest did not listen: it was ended after ${limitSeconds} s` } : done;
    } catch (thrown) {
      if (thrown instanceof Ended && thrown.state === "failed" && !signal.aborted) await this.forceOff(instance);
      throw thrown;
    }
  }

  private async forceOff(instance: Instance): Promise<void> {
    const { signal } = this.options;
    await this.provider.act({ do: "force-off" }, instance, { signal, priority: "user" }).catch(() => null);
    this.instance = (await this.look(this.provider)) ?? this.instance;
  }

  private async remove(instance: Instance): Promise<Done> {
    if (instance.status !== "stopped") await this.forceOff(instance);
    const began = performance.now();
    const now = this.instance ?? instance;
    const done = await this.act("remove", began, now, (seen) => seen === null);
    return { ...done, text: "" };
  }

  /** The instance as that provider lists it, or null. */
  private async look(provider: Provider): Promise<Instance | null> {
    const { instances } = await provider.list({ signal: this.options.signal, priority: "user" });
    return instances.find((one) => isOwn(this.row, one)) ?? null;
  }

  /**
   * Seconds until the provider's own list showed it. Shown at the first look, it was so when the provider said that it was
   * done: the look itself does not count.
   */
  private async shown(began: number, wanted: (now: Instance | null) => boolean): Promise<number> {
    const told = since(began);
    const { lookMs = 500, signal } = this.options;
    for (let first = true; ; first = false) {
      try {
        const now = await this.look(this.provider);
        if (wanted(now)) {
          this.instance = now;
          return first ? told : since(began);
        }
        if (since(began) - told > shownWithin) {
          this.instance = now ?? this.instance;
          throw new Ended("failed", `it was said to be done, and it is ${now?.statusDetail ?? "not there"}`);
        }
      } catch (thrown) {
        if (!isPassing(thrown) || since(began) - told > shownWithin) throw thrown;
      }
      await pause(lookMs, signal);
    }
  }

  /** Waits for the guest where that was asked for: after its start, and after its reboot once it has fallen silent. */
  private async answers(phase: Phase, began: number): Promise<{ seconds: number | null; text: string }> {
    const { ready } = this.place.facts;
    const { request } = this.row;
    const boots = phase === "start" || phase === "reboot" || (phase === "create" && request.start);
    if (ready === null || !boots) return { seconds: null, text: "" };
    const { reach, signal, onText } = this.options;
    const wait = (limitSeconds: number) =>
      awaitReady(
        this.provider,
        request,
        { ...ready, limitSeconds },
        {
          ...{ pool: reach.pool, signal, address: this.address, onText, lookMs: this.options.lookMs ?? 500 },
          // The prompt from before a reboot must not count.
          wake: phase !== "reboot",
        },
      );
    if (phase === "reboot" && ready.by !== "console") {
      const asked = performance.now();
      while ((await wait(this.options.silenceSeconds ?? silence)).ready) {
        onText("it still answers");
        if (since(asked) > silentWithin) {
          return { seconds: null, text: `it went on answering for ${silentWithin} s: nobody saw it reboot` };
        }
        await pause(300, signal);
      }
    }
    const found = await wait(ready.limitSeconds);
    this.address = found.address ?? this.address;
    return found.ready ? { seconds: since(began), text: "" } : { seconds: null, text: `made no answer: ${found.text}` };
  }
}

/** Xen gives a domain another number at each start: so its reboot is seen. Where nothing tells, it runs again or still. */
function rebooted({ provider, facts }: Instance): (now: Instance | null) => boolean {
  const before = provider === "xen" ? facts["domainId"] : null;
  return (now) => now?.status === "running" && (typeof before !== "number" || now.facts["domainId"] !== before);
}

/** What an outcome says beyond that its job is done. */
function wordOf({ text, job }: ActionOutcome): string {
  return text === null || (job !== null && text.includes(job)) ? "" : text;
}

const since = (began: number): number => (performance.now() - began) / 1000;
