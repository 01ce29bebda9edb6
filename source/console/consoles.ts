/** The consoles that are open, in the order of their opening. Each goes on in the background. */
import { EventEmitter } from "node:events";
import path from "node:path";
import type { Pool } from "../ssh/types.ts";
import { recordingName } from "./recording.ts";
import type { ConsoleSession } from "./session.ts";
import type { ConsoleTarget, ConsoleView, Opening, Size, Way } from "./types.ts";

export interface ConsolesOptions {
  pool: Pool;
  /** Where recordings go that have no name of their own. */
  recordings: string;
  clock?: () => number;
  wakeMs?: number;
}

interface ConsolesEvents {
  /** `views()` gives something new. */
  change: [];
}

export class Consoles extends EventEmitter<ConsolesEvents> {
  private sessions: ConsoleSession[] = [];
  private nextId = 1;

  constructor(private readonly options: ConsolesOptions) {
    super();
  }

  views(): ConsoleView[] {
    return this.sessions.map((session) => session.view());
  }

  get(id: number): ConsoleSession | undefined {
    return this.sessions.find((session) => session.id === id);
  }

  /** The console of this instance or host, if one is open. */
  of(key: string): ConsoleSession | undefined {
    return this.sessions.find(({ target }) => target.key === key);
  }

  /**
   * Opens a console, or gives the one that is open. One that has ended is opened again, with what was on its screen above.
   * Resolves as soon as there is a session to look at; how its opening goes is for the session to tell.
   */
  async open(target: ConsoleTarget, way: Way, size: Size, opening: Opening = "attach"): Promise<ConsoleSession> {
    const before = this.of(target.key);
    if (before && (before.view().phase !== "ended" || before.way === way)) {
      if (before.view().phase === "ended") this.begin(before, size, opening);
      return before;
    }
    // The emulator is loaded with the first console.
    const { ConsoleSession } = await import("./session.ts");
    // Another call may have been quicker, and what has ended gives its place.
    const other = this.of(target.key);
    if (other && other !== before) return other;
    if (before) await this.close(before.id);
    const { pool, clock, wakeMs } = this.options;
    const session = new ConsoleSession({ pool, id: this.nextId, target, way, size, clock, wakeMs });
    this.nextId += 1;
    this.sessions = [...this.sessions, session];
    session.on("change", () => this.emit("change"));
    this.begin(session, size, opening);
    return session;
  }

  private begin(session: ConsoleSession, size: Size, opening: Opening): void {
    session.resize(size);
    void session.open(opening);
  }

  /** Opens one that has ended again. */
  reopen(id: number, opening: Opening): void {
    const session = this.get(id);
    if (session?.view().phase === "ended") void session.open(opening);
  }

  /** The one after this, or before it; round and round. */
  beside(id: number, step: 1 | -1): ConsoleSession | undefined {
    const index = this.sessions.findIndex((session) => session.id === id);
    const count = this.sessions.length;
    return this.sessions[(index + step + count) % count];
  }

  /** Starts or stops recording one, into a file of its own. */
  toggleRecording(id: number): void {
    const session = this.get(id);
    if (!session) return;
    if (session.view().recording !== null) void session.stopRecording();
    else session.record(path.join(this.options.recordings, recordingName(session.target.title, new Date(this.now()))));
  }

  private now(): number {
    return (this.options.clock ?? Date.now)();
  }

  async close(id: number): Promise<void> {
    const session = this.get(id);
    if (!session) return;
    this.sessions = this.sessions.filter((other) => other !== session);
    this.emit("change");
    await session.close();
  }

  /** Closes all of them. */
  async end(): Promise<void> {
    await Promise.all(this.sessions.map(({ id }) => this.close(id)));
  }
}
