/**
 * The socket of xcp-rrdd, as far as virtu asks it: `/rrd_updates`, written from the rules of its own sources (rrd_updates.ml,
 * rrdd_http_handler.ml, the rrdp-* programs), not from a recording.
 */
import { type Duplex, duplexPair } from "node:stream";
import type { Machine } from "../machine/machine.ts";
import type { XenPool } from "../world/xenserver.ts";
import { dom0Share, guestLoad, vcpuShare } from "../world/xenserver-load.ts";

const socket = "/var/lib/xcp/xcp-rrdd";
const step = 5;
/** Rows that the finest record keeps. */
const kept = 120;
const cpus = 16;
const memoryKib = 32 * 1024 * 1024;

/** Numbers of one subject by their names, at a moment in epoch seconds. */
type Numbers = (seconds: number) => Readonly<Record<string, number>>;

function subjects(pool: XenPool, host: string): Map<string, Numbers> {
  const guests = pool.guests.filter((guest) => guest.host === host && guest.state === "running");
  const busy = (seconds: number) =>
    guests.reduce((sum, guest) => {
      return (
        sum + Array.from({ length: guest.vcpus }, (_, cpu) => vcpuShare(guest, cpu, seconds)).reduce((a, b) => a + b)
      );
    }, dom0Share(seconds));
  const all = new Map<string, Numbers>();
  all.set(`host:${host}`, (seconds) => ({
    ...{ memory_total_kib: memoryKib, memory_free_kib: pool.free(host) / 1024, cpu_avg: busy(seconds) / cpus },
    ...Object.fromEntries(Array.from({ length: cpus }, (_, cpu) => [`cpu${cpu}`, busy(seconds) / cpus])),
  }));
  for (const guest of guests) {
    all.set(`vm:${guest.uuid}`, (seconds) => {
      const { read, write, received, sent, freeKib } = guestLoad(guest, seconds);
      const shares = Array.from({ length: guest.vcpus }, (_, cpu) => vcpuShare(guest, cpu, seconds));
      return {
        cpu_usage: shares.reduce((sum, share) => sum + share, 0) / shares.length,
        ...Object.fromEntries(shares.map((share, cpu) => [`cpu${cpu}`, share])),
        ...{ memory_target: guest.memory, memory: guest.memory, memory_internal_free: freeKib },
        ...{ vif_0_rx: received, vif_0_tx: sent, vif_0_rx_errors: 0 },
        ...{ vbd_xvda_read: read, vbd_xvda_write: write, vbd_xvda_read_latency: 420, vbd_xvda_iops_read: 9 },
      };
    });
  }
  return all;
}

/** As OCaml prints a float here. */
const printed = (value: number) => (value === 0 ? "0.0" : String(Number(value.toPrecision(15))));

function xport(pool: XenPool, host: string, query: URLSearchParams): string {
  const last = Math.floor(pool.clock.seconds() / step) * step;
  const asked = Number(query.get("start"));
  const start = asked < 0 ? pool.clock.seconds() + asked : asked;
  const times = Array.from({ length: kept }, (_, row) => last - row * step).filter((time) => time >= start);
  const shown = [...subjects(pool, host)].filter(([name]) => query.get("host") === "true" || !name.startsWith("host:"));
  const legend = shown.flatMap(([name, numbers]) => Object.keys(numbers(last)).map((key) => `AVERAGE:${name}:${key}`));
  const row = (time: number) => {
    const values = shown.flatMap(([, numbers]) => Object.values(numbers(time)));
    return `<row><t>${time}</t>${values.map((value) => `<v>${printed(value)}</v>`).join("")}</row>`;
  };
  const meta = `<start>${times.at(-1) ?? last}</start><step>${step}</step><end>${last}</end><rows>${times.length}</rows><columns>${legend.length}</columns>`;
  const entries = legend.map((entry) => `<entry>${entry}</entry>`).join("");
  return `<xport><meta>${meta}<legend>${entries}</legend></meta><data>${times.map(row).join("")}</data></xport>`;
}

function answer(pool: XenPool, host: string, request: string): string {
  const [, path = ""] = /^GET (\S+) HTTP\/1\.[01]\r\n/.exec(request) ?? [];
  const { pathname, searchParams } = new URL(path, "http://localhost");
  if (pathname !== "/rrd_updates" || !searchParams.has("start")) {
    return "HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\n\r\n<html><body><h1>HTTP 500 internal server error</h1></body></html>";
  }
  const body = xport(pool, host, searchParams);
  return `HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: ${body.length}\r\nCache-Control: no-cache, no-store\r\nContent-Type: text/xml\r\n\r\n${body}`;
}

function serve(pool: XenPool, host: string): Duplex {
  const [near, far] = duplexPair();
  near.once("close", () => far.destroy());
  far.on("error", () => {});
  near.on("error", () => {});
  let request = "";
  far.setEncoding("utf8").on("data", (chunk: string) => {
    request += chunk;
    if (request.endsWith("\r\n\r\n")) far.end(answer(pool, host, request));
  });
  return near;
}

/** Gives a host of the pool the socket, which only root may open. */
export function addRrdd(machine: Machine, pool: XenPool, host: string): void {
  machine.sockets.set(socket, (user) => (user === "root" ? serve(pool, host) : null));
}
