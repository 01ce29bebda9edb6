/** Servers that ssh knows, homes and pools; all are ended after the test. */
import { once } from "node:events";
import { afterEach } from "vitest";
import { createPool, type PoolOptions } from "../../source/ssh/pool.ts";
import type { Asker, Pool } from "../../source/ssh/types.ts";
import { Home, type ServerOptions, TestAsker, TestServer } from "./server.ts";

const ends: (() => unknown)[] = [];
/** Called when the test has ended, the last one first. */
export const atEnd = (end: () => unknown): void => void ends.push(end);

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

export function home(): Home {
  const made = new Home();
  atEnd(() => made.remove());
  return made;
}

export async function serve(options: ServerOptions = {}, port = 0): Promise<TestServer> {
  const server = await TestServer.start(options, port);
  atEnd(() => server.stop());
  return server;
}

export function poolOf(at: Home, asker: Asker = new TestAsker(), settings: PoolOptions["settings"] = {}): Pool {
  const pool = createPool({ sshConfig: at.config, asker, settings });
  atEnd(() => pool.end());
  return pool;
}

/** A server that ssh knows as `h`, and a pool. */
export async function simple(options: ServerOptions = {}, settings: PoolOptions["settings"] = {}) {
  const at = home();
  const server = await serve(options);
  at.host("h", server.port);
  return { at, server, pool: poolOf(at, undefined, settings) };
}

export const h = { name: "h" };
export const until = async (pool: Pool, done: () => boolean) => {
  while (!done()) await once(pool, "change");
};
