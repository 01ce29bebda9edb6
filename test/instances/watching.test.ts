import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { VirtuError } from "../../source/errors.ts";
import type { Provider, ProviderEvent } from "../../source/instances/types.ts";
import { Watching } from "../../source/instances/watching.ts";

type Watch = NonNullable<Provider["watch"]>;
type Asked = Parameters<Watch>[0];

const event = (changes = true): ProviderEvent => ({
  at: 1,
  key: null,
  name: "web1",
  text: "Started",
  by: null,
  changes,
});

/** A provider whose streams are in the test's hands: `streams` holds each one that was opened. */
class Streams {
  readonly streams: (Asked & { end: (error?: VirtuError) => void })[] = [];
  readonly provider: Provider;

  constructor(place: string) {
    const watch: Watch = (asked) =>
      new Promise((resolve, reject) => {
        this.streams.push({ ...asked, end: (error) => (error ? reject(error) : resolve()) });
        asked.signal.addEventListener("abort", () => resolve());
      });
    this.provider = { place, watch } as Partial<Provider> as Provider;
  }

  get last() {
    const last = this.streams.at(-1);
    if (!last) throw new Error("nothing is followed");
    return last;
  }
}

const opened: Watching[] = [];
function watch(...hosts: Streams[]) {
  const told: string[] = [];
  const stale: string[] = [];
  const watching = new Watching({
    onEvent: ({ place }, { text }) => told.push(`${place} ${text}`),
    onStale: ({ place }) => stale.push(place),
  });
  opened.push(watching);
  watching.follow(hosts.map(({ provider }) => provider));
  return { watching, told, stale };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  for (const watching of opened.splice(0)) watching.stop();
  vi.useRealTimers();
});

const lost = new VirtuError({ kind: "connection", what: "The link broke" });

describe("following", () => {
  test("a burst of news is one reading, within a second", async () => {
    const host = new Streams("a");
    const { told, stale, watching } = watch(host);
    expect(watching.isLive("a")).toBe(false);
    host.last.onReady();
    await vi.advanceTimersByTimeAsync(1000);
    expect(stale).toEqual(["a"]);
    expect(watching.isLive("a")).toBe(true);
    for (let n = 0; n < 5; n += 1) host.last.onEvent(event());
    await vi.advanceTimersByTimeAsync(1000);
    expect(told.length).toBe(5);
    expect(stale).toEqual(["a", "a"]);
  });

  test("news that change no row are told, and nothing is read", async () => {
    const host = new Streams("a");
    const { told, stale } = watch(host);
    host.last.onEvent(event(false));
    await vi.advanceTimersByTimeAsync(1000);
    expect(told).toEqual(["a Started"]);
    expect(stale).toEqual([]);
  });

  test("a broken stream is opened again with growing pauses, and what was missed is read", async () => {
    const host = new Streams("a");
    const { stale, watching } = watch(host);
    host.last.end(lost);
    await vi.advanceTimersByTimeAsync(500);
    expect(stale).toEqual(["a"]);
    expect(watching.isLive("a")).toBe(false);
    expect(host.streams.length).toBe(1);
    await vi.advanceTimersByTimeAsync(600);
    expect(host.streams.length).toBe(2);
    host.last.end(lost);
    await vi.advanceTimersByTimeAsync(1900);
    expect(host.streams.length).toBe(2);
    await vi.advanceTimersByTimeAsync(200);
    expect(host.streams.length).toBe(3);
  });

  test("one that is refused is not asked for again", async () => {
    const host = new Streams("a");
    const { watching } = watch(host);
    host.last.end(new VirtuError({ kind: "refused", what: "No events here" }));
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(host.streams.length).toBe(1);
    expect(watching.isLive("a")).toBe(false);
  });

  test("who is no longer shown is no longer followed; the others go on untouched", async () => {
    const [a, b] = [new Streams("a"), new Streams("b")];
    const { watching, stale } = watch(a, b);
    a.last.onEvent(event());
    watching.follow([b.provider]);
    expect(a.last.signal.aborted).toBe(true);
    expect(b.last.signal.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(stale).toEqual([]);
    expect([a.streams.length, b.streams.length]).toEqual([1, 1]);
    watching.stop();
    expect(b.last.signal.aborted).toBe(true);
  });
});
