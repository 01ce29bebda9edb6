/**
 * The records that XenServer and XCP-ng keep of what guests and hosts use (RRD), as one HTTP request gives the newest of them.
 * The sources are those of github.com/xapi-project/xen-api:
 *
 * - ocaml/xcp-rrdd/bin/rrdd/xcp_rrdd.ml: the daemon answers `/rrd_updates` on a Unix socket of its own and asks nobody who he
 *   is, as only root can open it. So the question makes no session in xapi, and needs no master of the pool.
 * - ocaml/xapi/xapi_http.ml (`is_unix_socket`) and rrdd_proxy.ml: on its socket xapi trusts whoever could open it, and hands the
 *   connection over to the daemon.
 * - ocaml/xcp-rrdd/bin/rrdd/rrdd_http_handler.ml and ocaml/libs/xapi-rrd/lib/rrd_updates.ml: the parameters and the answer. XML
 *   is asked for, which has been the same all the time; the JSON was given its rows at another place in 2024.
 * - ocaml/xcp-rrdd/bin/rrdp-cpu, rrdp-squeezed, rrdp-netdev, rrdp-iostat: the names and units of the numbers.
 *
 * It has been tried on texts made by these rules, not on a real host.
 */

/**
 * The daemon's socket, and xapi's. That of XenServer before 7.0, below /var/xapi, is of no use: its sshd forwards none.
 */
export const rrdSockets: readonly string[] = ["/var/lib/xcp/xcp-rrdd", "/var/lib/xcp/xapi"];

/** Bytes of an answer: a legend has about a hundred bytes for each number, and a guest up to some hundred numbers. */
const answerLimit = 16 * 1024 * 1024;
const headLimit = 64 * 1024;

/** Seconds between two rows of the finest record. */
const stepSeconds = 5;
/** Seconds that are always asked for: a number that is missing in the newest row is likely in one before. */
const leastSeconds = 20;
/** The finest record reaches ten minutes back. */
const mostSeconds = 120;

/** The question for the rows of the last seconds; those of the newest one are counted by the host's own clock. */
export function rrdRequest(seconds: number): string {
  const start = Math.min(mostSeconds, Math.max(leastSeconds, Math.ceil(seconds)));
  const query = `start=-${start}&interval=${stepSeconds}&cf=AVERAGE&host=true`;
  return `GET /rrd_updates?${query} HTTP/1.0\r\nUser-Agent: virtu\r\nConnection: close\r\n\r\n`;
}

export interface HttpAnswer {
  status: number;
  /** The words behind it. */
  reason: string;
  body: string;
}

/** Reads one HTTP answer as it comes. */
export class HttpAnswerReader {
  private readonly chunks: Buffer[] = [];
  private head: { status: number; reason: string; from: number; length: number | null } | null = null;
  private bytes = 0;

  /** It is longer than any answer should be. */
  get tooLong(): boolean {
    return this.bytes > (this.head ? answerLimit : headLimit);
  }

  /** The answer, once its length says that it is whole. */
  push(chunk: Buffer): HttpAnswer | null {
    this.chunks.push(chunk);
    this.bytes += chunk.length;
    this.head ??= this.readHead();
    const { from = 0, length = null } = this.head ?? {};
    return length !== null && this.bytes >= from + length ? this.answer() : null;
  }

  /** Nothing more comes; null: it is not whole, or none. */
  end(): HttpAnswer | null {
    return this.head && this.head.length === null ? this.answer() : null;
  }

  private readHead() {
    const text = Buffer.concat(this.chunks).toString("latin1");
    const end = text.indexOf("\r\n\r\n");
    const [, status, reason = ""] = /^HTTP\/\d\.\d (\d{3}) ?([^\r\n]*)\r\n/.exec(text) ?? [];
    if (end < 0 || status === undefined) return null;
    const length = /^content-length: *(\d+) *$/im.exec(text.slice(0, end).replaceAll("\r", ""))?.[1];
    return { status: Number(status), reason, from: end + 4, length: length === undefined ? null : Number(length) };
  }

  private answer(): HttpAnswer | null {
    if (!this.head) return null;
    const { status, reason, from, length } = this.head;
    const all = Buffer.concat(this.chunks);
    return { status, reason, body: all.toString("utf8", from, length === null ? all.length : from + length) };
  }
}

/** Numbers by their names, each for the same moments, the newest first; NaN where the host has none. */
export type RrdColumns = ReadonlyMap<string, readonly number[]>;

export interface RrdUpdates {
  /** Seconds since the epoch by the host's clock, the newest first. */
  times: readonly number[];
  /** By UUID. Domain 0 is one of the guests. */
  guests: ReadonlyMap<string, RrdColumns>;
  /** The host that answered. */
  host: { uuid: string; columns: RrdColumns } | null;
}

/** What is read of the legend; there may be ten times as many numbers. */
const wanted = /^(?:cpu\d+|cpu_avg|memory|memory_internal_free|vbd_[a-z]+\d*_(?:read|write)|vif_\d+_(?:rx|tx))$/;

/**
 * An answer: `<xport>` with its legend and its rows. Null: it is none, or has holes. A large host's has two megabytes every few
 * seconds, so that only those numbers are looked at that are wanted.
 */
export function parseRrdUpdates(xml: string): RrdUpdates | null {
  const [head = "", ...lines] = xml.split("<row>");
  const legend = [...head.matchAll(/<entry>([^<]*)<\//g)].map(([, entry = ""]) => entry);
  const rows = lines.map((line) => {
    const [, time, values = ""] = /^\s*<t>(\d+)<\/t>\s*<v>(.*)<\/v>\s*<\/row>/s.exec(line) ?? [];
    return { time: Number(time), values: values.split(/<\/v>\s*<v>/) };
  });
  const whole = rows.every(({ time, values }) => time > 0 && values.length === legend.length);
  if (!/<\/xport>\s*$/.test(lines.at(-1) ?? "") || !whole) return null;
  rows.sort((one, other) => other.time - one.time);
  const guests = new Map<string, Map<string, readonly number[]>>();
  const host = new Map<string, readonly number[]>();
  let hostUuid: string | null = null;
  legend.forEach((entry, column) => {
    const [, kind, uuid = "", name = ""] = /^AVERAGE:(vm|host):([0-9a-f-]{36}):(\w+)$/.exec(entry) ?? [];
    if (kind === "host") hostUuid = uuid;
    if (kind === undefined || !wanted.test(name)) return;
    const columns = kind === "host" ? host : (guests.get(uuid) ?? new Map<string, readonly number[]>());
    if (kind === "vm") guests.set(uuid, columns);
    // What is no number becomes NaN, as those that are missing are called anyway.
    columns.set(
      name,
      rows.map(({ values }) => Number(values[column] || "NaN")),
    );
  });
  return {
    times: rows.map(({ time }) => time),
    guests,
    host: hostUuid === null ? null : { uuid: hostUuid, columns: host },
  };
}

/** What a guest does now. Null: nobody tells. */
export interface XeRates {
  /** vCPUs that are busy. */
  cpu: number | null;
  /** MiB of its memory that it uses. */
  memoryMiB: number | null;
  /** Bytes a second. */
  diskRead: number | null;
  diskWrite: number | null;
  netIn: number | null;
  netOut: number | null;
}

/**
 * The mean over the last seconds. A number that is missing there is taken from the newest row that has it: xcp-rrdd drops what
 * is a little above its limit, as a vCPU's is that is busy all the time. Null: no row has it, as for a disk that is gone.
 */
function lately(values: readonly number[] | undefined, times: readonly number[], seconds: number): number | null {
  const since = (times[0] ?? 0) - Math.max(seconds, stepSeconds);
  const known = (values ?? []).map((value, row) => ({ value, time: times[row] ?? 0 }));
  const told = known.filter(({ value }) => Number.isFinite(value) && value >= 0);
  const late = told.filter(({ time }) => time > since);
  if (late.length === 0) return told[0]?.value ?? null;
  return late.reduce((sum, { value }) => sum + value, 0) / late.length;
}

/** All numbers of one kind together; null when not one of them is known. */
function sumOf(columns: RrdColumns, kind: RegExp, times: readonly number[], seconds: number): number | null {
  let sum: number | null = null;
  for (const [name, values] of columns) {
    if (!kind.test(name)) continue;
    const value = lately(values, times, seconds);
    if (value !== null) sum = (sum ?? 0) + value;
  }
  return sum;
}

/** What a guest did in the last seconds. */
export function guestRates(columns: RrdColumns, times: readonly number[], seconds: number): XeRates {
  const sum = (kind: RegExp) => sumOf(columns, kind, times, seconds);
  // Bytes that it was given; KiB that are free in it, which only its guest agent can tell.
  const given = lately(columns.get("memory"), times, 0);
  const free = lately(columns.get("memory_internal_free"), times, 0);
  return {
    cpu: sum(/^cpu\d+$/),
    memoryMiB: given === null || free === null ? null : Math.max(0, given / 1024 - free) / 1024,
    ...{ diskRead: sum(/^vbd_.*_read$/), diskWrite: sum(/^vbd_.*_write$/) },
    // As the guest sees it: the daemon has turned the directions of dom0's end round.
    ...{ netIn: sum(/^vif_.*_rx$/), netOut: sum(/^vif_.*_tx$/) },
  };
}

/** CPUs of a host, and how many of them were busy in the last seconds; null where it does not say. */
export function hostRates(
  columns: RrdColumns,
  times: readonly number[],
  seconds: number,
): { cpus: number; busy: number } | null {
  const cpus = [...columns.keys()].filter((name) => /^cpu\d+$/.test(name)).length;
  const share = lately(columns.get("cpu_avg"), times, seconds);
  return share === null || cpus === 0 ? null : { cpus, busy: Math.min(1, share) * cpus };
}
