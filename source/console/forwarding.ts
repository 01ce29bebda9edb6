/** A port of this machine's loopback that leads through the pool to a port that only a host can reach. */
import { createServer, type Socket } from "node:net";
import { toVirtuError, VirtuError } from "../errors.ts";
import type { HostRef, Pool } from "../ssh/types.ts";

export interface Forwarding {
  /** On 127.0.0.1. */
  port: number;
  close(): void;
}

/** Milliseconds that the far side has to accept a connection. */
const connectLimit = 15_000;

/**
 * Listens on a free port of 127.0.0.1 until `close`. Each connection is carried by its own channel; one that can't be had
 * is closed, and `onProblem` is told why.
 */
export function openForwarding(
  pool: Pool,
  to: { host: HostRef; address: string; port: number },
  onProblem: (error: VirtuError) => void = () => {},
): Promise<Forwarding> {
  const sockets = new Set<Socket>();
  const abort = new AbortController();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    const target = { host: to.address, port: to.port };
    pool.forward(to.host, target, { signal: abort.signal, timeoutMs: connectLimit }).then(
      (channel) => {
        const end = () => {
          socket.destroy();
          channel.destroy();
        };
        channel.on("error", end);
        channel.on("close", end);
        socket.on("close", end);
        if (socket.destroyed) return end();
        socket.pipe(channel);
        channel.pipe(socket);
      },
      (thrown: unknown) => {
        socket.destroy();
        if (!abort.signal.aborted) onProblem(toVirtuError(thrown));
      },
    );
  });
  return new Promise((resolve, reject) => {
    server.once("error", ({ message }) => {
      reject(new VirtuError({ kind: "failed", what: "No port of this machine can be had", why: message }));
    });
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      resolve({
        port,
        close() {
          abort.abort();
          server.close();
          for (const socket of sockets) socket.destroy();
        },
      });
    });
  });
}
