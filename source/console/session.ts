/** One console: a channel of the pool behind a virtual screen. It goes on whether somebody looks at it or not. */
import { EventEmitter } from "node:events";
import { toVirtuError } from "../errors.ts";
import type { Pool, PtyChannel } from "../ssh/types.ts";
import { endOf, isSilent, withoutNoise } from "./last-words.ts";
import { Recording } from "./recording.ts";
import { GuestScreen } from "./screen.ts";
import { Silence } from "./silence.ts";
import type { ConsoleEnd, ConsoleTarget, ConsoleView, Opening, Phase, Size, Way } from "./types.ts";

/** Bytes that may wait for the screen before the guest is made to wait, and when it may go on. */
const high = 256 * 1024;
const low = 64 * 1024;
/** Bytes of what was printed last that are kept to find out why it ended. */
const wordsKept = 4096;
/** Bytes typed while it opens that are kept for it. */
const typedKept = 64 * 1024;

export interface SessionOptions {
  pool: Pool;
  id: number;
  target: ConsoleTarget;
  way: Way;
  size: Size;
  clock?: () => number;
  /** Milliseconds of silence after which a getty is woken (default 700). */
  wakeMs?: number;
  /** Milliseconds that the remote program has to leave by itself (default 1000). */
  leaveMs?: number;
}

interface SessionEvents {
  /** `view()` gives something new. */
  change: [];
  /** Something new is on the screen. */
  drawn: [];
}

export class ConsoleSession extends EventEmitter<SessionEvents> {
  readonly id: number;
  readonly target: ConsoleTarget;
  readonly screen: GuestScreen;
  readonly way: Way;
  private phase: Phase = "opening";
  private ending: ConsoleEnd | null = null;
  private channel: PtyChannel | null = null;
  private abort = new AbortController();
  private recording: Recording | null = null;
  private note: string | null = null;
  private unseen = false;
  private watched = false;
  private openedAt: number;
  private words = "";
  /** What came first and is not clear yet; null: the beginning is over. */
  private beginning: Buffer | null = null;
  private typed: Buffer[] = [];
  private waiting = 0;
  private silence: Silence | null = null;
  /** `note` is about the silence. */
  private saysSilent = false;
  private leaving = false;
  private round = 0;

  constructor(private readonly options: SessionOptions) {
    super();
    this.id = options.id;
    this.target = options.target;
    this.way = options.way;
    this.screen = new GuestScreen(options.size);
    this.screen.onAnswer = (text) => this.send(Buffer.from(text, "latin1"));
    this.openedAt = this.now();
  }

  private now(): number {
    return (this.options.clock ?? Date.now)();
  }

  view(): ConsoleView {
    return {
      id: this.id,
      target: this.target,
      phase: this.phase,
      end: this.ending,
      recording: this.recording?.file ?? null,
      note: this.note,
      unseen: this.unseen,
      openedAt: this.openedAt,
      lastLine: this.screen.lastText(),
    };
  }

  /** True while nothing of the guest was seen: only what the remote program says by itself. */
  get silent(): boolean {
    return isSilent(this.words);
  }

  /** Opens the channel, for the first time or again. Never rejects: how it went is in `view()`. */
  async open(opening: Opening): Promise<void> {
    const { pool, way } = { pool: this.options.pool, way: this.way };
    const command = opening === "attach" ? way.command : opening === "start" ? way.start : way.takeOver;
    this.round += 1;
    const { round } = this;
    this.abort = new AbortController();
    this.phase = "opening";
    this.ending = null;
    this.leaving = false;
    this.note = null;
    this.words = "";
    this.beginning = Buffer.alloc(0);
    this.openedAt = this.now();
    this.changed();
    if (command === undefined || (command === null && opening !== "attach")) {
      this.ended({ kind: "refused", why: "this can't be done here", hint: "", detail: "" });
      return;
    }
    try {
      const { signal } = this.abort;
      const channel = await pool.pty(way.host, command, { ...this.screen.size, term: "xterm-256color", signal });
      if (round !== this.round) return channel.close();
      this.attach(channel, round);
      // What starts prints by itself; a key could stop its boot loader.
      if (opening !== "start") this.minded(round).begin();
    } catch (thrown) {
      if (round !== this.round) return;
      const error = toVirtuError(thrown);
      const kind = error.kind === "cancelled" ? "left" : error.kind === "connection" ? "lost" : "refused";
      const why = [error.what, error.why].filter(Boolean).join(": ");
      this.ended({ kind, why, hint: error.hint ?? "", detail: error.detail ?? "" });
    }
  }

  private attach(channel: PtyChannel, round: number): void {
    this.channel = channel;
    this.phase = "open";
    channel.stream.on("data", (bytes: Buffer) => {
      if (round === this.round) this.received(bytes, channel);
    });
    for (const bytes of this.typed.splice(0)) channel.stream.write(bytes);
    void channel.ended.then(async ({ outcome, status }) => {
      // The last of what it printed is on its way to the screen.
      await this.screen.write(Buffer.alloc(0));
      if (round !== this.round) return;
      this.channel = null;
      if (this.leaving) this.ended({ kind: "left", why: "it was closed", hint: "", detail: "" });
      else if (outcome === "lost") this.ended({ ...lost, detail: "" });
      else this.ended(endOf(this.way, this.words, status));
    });
    this.changed();
  }

  private received(chunk: Buffer, { stream }: PtyChannel): void {
    const bytes = this.beginning ? withoutNoise(Buffer.concat([this.beginning, chunk])) : chunk;
    if (this.beginning) this.beginning = bytes === null ? Buffer.concat([this.beginning, chunk]) : null;
    if (bytes === null || bytes.length === 0) return;
    // The banner and what follows it at once are enough: a boot that prints for minutes is no silence.
    this.words = `${this.words}${bytes.toString("utf8")}`.slice(-wordsKept);
    this.recording?.output(bytes);
    this.waiting += bytes.length;
    if (this.waiting > high) stream.pause();
    void this.screen.write(bytes).then(() => {
      this.waiting -= bytes.length;
      if (this.waiting < low && stream.isPaused()) stream.resume();
      if (!this.watched && !this.unseen) {
        this.unseen = true;
        this.changed();
      }
      this.emit("drawn");
    });
    if (this.saysSilent && !this.silent) {
      this.note = null;
      this.saysSilent = false;
      this.changed();
    }
    this.silence?.heard();
  }

  private minded(round: number): Silence {
    const { way } = this;
    this.silence = new Silence({
      way,
      wakeMs: this.options.wakeMs ?? 700,
      isSilent: () => this.silent,
      wake: (key) => this.channel?.stream.write(key),
      onStill: (note) => {
        this.note = note;
        this.saysSilent = true;
        this.changed();
      },
      onHeld: (who) => {
        if (round === this.round)
          this.giveUp({ ...inUse, why: `somebody else has this console open (${who})`, detail: "" });
      },
    });
    return this.silence;
  }

  /** It waits for nothing: its end is told, and the remote program is left without waiting for its own. */
  private giveUp(end: ConsoleEnd): void {
    const { channel, way } = this;
    this.round += 1;
    this.channel = null;
    if (way.leave) channel?.stream.write(way.leave);
    channel?.close();
    this.ended(end);
  }

  private ended(end: ConsoleEnd): void {
    this.silence?.end();
    this.phase = "ended";
    this.ending = end;
    this.typed = [];
    this.changed();
  }

  private changed(): void {
    this.emit("change");
  }

  /** Keys for the guest, byte by byte as they were typed. */
  send(bytes: Buffer): void {
    this.silence?.typed();
    if (this.channel) this.channel.stream.write(bytes);
    else if (this.phase === "opening") {
      const kept = this.typed.reduce((sum, one) => sum + one.length, 0);
      if (kept + bytes.length <= typedKept) this.typed.push(bytes);
    }
  }

  resize(size: Size): void {
    const before = this.screen.size;
    if (before.columns === size.columns && before.rows === size.rows) return;
    this.screen.resize(size);
    this.channel?.resize(size.columns, size.rows);
    this.recording?.resize(size);
  }

  /** Somebody looks at it from now on, or no longer. */
  watch(on: boolean): void {
    this.watched = on;
    if (!this.unseen) return;
    this.unseen = false;
    this.changed();
  }

  /** Begins to record into this file. What can't be written is said in `note`, and ends nothing. */
  record(file: string): void {
    if (this.recording) return;
    this.note = null;
    try {
      this.recording = new Recording({
        file,
        title: `${this.target.title}${this.target.host ? ` on ${this.target.host}` : ""}`,
        size: this.screen.size,
        start: this.screen.snapshot(),
        clock: this.options.clock,
        onBroken: (why) => {
          this.recording = null;
          this.note = `the recording broke off: ${why}`;
          this.changed();
        },
      });
    } catch (thrown) {
      this.note = `it can't be recorded: ${toVirtuError(thrown).why ?? ""}`;
    }
    this.changed();
  }

  /** Resolves when the recording is complete. */
  async stopRecording(): Promise<void> {
    const { recording } = this;
    if (!recording) return;
    this.recording = null;
    await recording.end();
    this.changed();
  }

  /** Leaves the remote program as it wants to be left, then closes the channel. The session can't be used afterwards. */
  async close(): Promise<void> {
    this.leaving = true;
    this.silence?.end();
    const { channel } = this;
    if (!channel) this.abort.abort();
    else {
      if (this.way.leave) {
        channel.stream.write(this.way.leave);
        let timer: NodeJS.Timeout | undefined;
        const late = new Promise<void>((resolve) => {
          timer = setTimeout(resolve, this.options.leaveMs ?? 1000);
        });
        await Promise.race([channel.ended, late]);
        clearTimeout(timer);
      }
      channel.close();
    }
    await this.stopRecording();
    this.round += 1;
    this.screen.end();
  }
}

const inUse = { kind: "in-use", hint: "Wait until they leave it, or take it over." } as const;

const lost = {
  kind: "lost",
  why: "the link to the host broke",
  hint: "What runs in the guest goes on; open it again.",
} as const;
