/** A pool whose terminals are in the test's hands. */
import { Duplex } from "node:stream";
import type { Command } from "../../source/ssh/command.ts";
import type { HostRef, Pool, PtyChannel, PtyOptions } from "../../source/ssh/types.ts";
import { idlePool } from "../ui/harness.tsx";

type Ended = Awaited<PtyChannel["ended"]>;

export class FakeChannel implements PtyChannel {
  /** What was typed, as text of one byte a character. */
  typed = "";
  readonly sizes: string[] = [];
  closed = false;
  /** How often the reader made it wait, and let it go on. */
  pauses = 0;
  resumes = 0;
  /** The remote program ends when it is left by Ctrl-]. */
  minds = true;
  readonly stream: Duplex;
  readonly ended: Promise<Ended>;
  private finish: (ended: Ended) => void = () => {};

  constructor(
    readonly host: string,
    readonly line: string | null,
    readonly options: PtyOptions,
  ) {
    this.ended = new Promise((resolve) => {
      this.finish = resolve;
    });
    this.stream = new Duplex({
      read: () => {},
      write: (chunk: Buffer, _encoding, done) => {
        this.typed += chunk.toString("latin1");
        if (this.minds && chunk.includes(0x1d)) this.end();
        done();
      },
    });
    this.stream.on("pause", () => {
      this.pauses += 1;
    });
    this.stream.on("resume", () => {
      this.resumes += 1;
    });
  }

  print(text: string | Buffer): void {
    this.stream.push(text);
  }

  resize(columns: number, rows: number): void {
    this.sizes.push(`${columns}x${rows}`);
  }

  close(): void {
    this.closed = true;
    this.end({ outcome: "signalled", status: null, signal: "HUP" });
  }

  end(ended: Partial<Ended> = {}): void {
    this.finish({ outcome: "exited", status: 0, signal: null, ...ended });
  }
}

export interface PtyPool extends Pool {
  channels: FakeChannel[];
  /** Refuses the next terminal with this. */
  refusal: Error | null;
}

export function ptyPool(): PtyPool {
  const pool = Object.assign(idlePool(), {
    channels: [] as FakeChannel[],
    refusal: null as Error | null,
    pty: async (host: HostRef, command: Command | null, options: PtyOptions) => {
      if (pool.refusal) throw pool.refusal;
      const channel = new FakeChannel(host.name, command?.line ?? null, options);
      pool.channels.push(channel);
      return channel;
    },
  });
  return pool as unknown as PtyPool;
}
