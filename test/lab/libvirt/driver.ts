/**
 * Drives libvirt's providers from inside the lab's network: one JSON request a line on standard input, one JSON answer a
 * line on standard output. `provider.ts` bundles and starts it.
 */
import { createInterface } from "node:readline";
import { discover } from "../../../source/instances/discover.ts";
import type { Action, Instance, Provider } from "../../../source/instances/types.ts";
import { createPool } from "../../../source/ssh/pool.ts";
import type { HostRef } from "../../../source/ssh/types.ts";

export type Request =
  | { call: "list"; host: string }
  | { call: "act"; host: string; name: string; action: Action; limitSeconds?: number }
  | { call: "refuses"; host: string; name: string; action: Action["do"] }
  | { call: "preview"; host: string; name: string; action: Action }
  | { call: "details" | "targets" | "graphics" | "screenshot"; host: string; name: string }
  | { call: "watch"; host: string };

const [sshConfig = "", ...names] = process.argv.slice(2);
const hosts: HostRef[] = names.map((name) => ({ name }));
const pool = createPool({ sshConfig, asker: { secret: async () => null, hostKey: async () => "no" } });
const providers = new Map<string, Provider>();
let commands = 0;
const exec = pool.exec.bind(pool);
pool.exec = (...args) => {
  commands += 1;
  return exec(...args);
};

async function providerOf(host: string): Promise<Provider> {
  const known = providers.get(host);
  if (known) return known;
  const { providers: found, problems } = await discover(pool, { name: host }, { known: hosts });
  const provider = found.find(({ name }) => name === "libvirt");
  if (!provider) throw problems[0] ?? new Error(`no libvirt on ${host}`);
  providers.set(host, provider);
  return provider;
}

const say = (answer: object) => process.stdout.write(`${JSON.stringify(answer)}\n`);

async function answer(request: Request): Promise<unknown> {
  const provider = await providerOf(request.host);
  if (request.call === "list") return (await provider.list({})).instances;
  if (request.call === "watch") {
    return new Promise((ready, reject) => {
      provider
        .watch?.({
          signal: new AbortController().signal,
          onReady: () => ready("ready"),
          onEvent: (event) => say({ event: { ...event, host: request.host, seen: Date.now() } }),
        })
        .catch((error: { kind?: string; message: string }) => {
          say({ event: { host: request.host, name: "", text: `ended: ${error.kind}: ${error.message}` } });
          reject(error);
        });
    });
  }
  const { instances } = await provider.list({});
  const instance = instances.find(({ name }) => name === request.name) as Instance;
  if (!instance) throw new Error(`no ${request.name} on ${request.host}`);
  switch (request.call) {
    case "act": {
      const texts: string[] = [];
      const refusal = provider.refuses(request.action.do, instance);
      if (refusal !== null) return { ok: false, error: `refused: ${refusal}`, texts, commands: 0 };
      commands = 0;
      const { limitSeconds } = request;
      const outcome = await provider.act(request.action, instance, {
        limitSeconds,
        onEvent: ({ text }) => texts.push(text),
      });
      return { ...outcome, texts, commands };
    }
    case "refuses":
      return provider.refuses(request.action, instance);
    case "preview":
      return provider.preview(request.action, instance);
    case "details":
      return provider.details(instance, {});
    case "targets":
      return provider.targets("migrate", instance, {});
    case "graphics":
      return provider.graphics(instance, {});
    case "screenshot":
      return Buffer.from((await provider.screenshot?.(instance, {})) ?? []).toString("base64");
  }
}

createInterface({ input: process.stdin })
  .on("line", async (line) => {
    const { id, ...request } = JSON.parse(line) as Request & { id: number };
    try {
      say({ id, result: await answer(request as Request) });
    } catch (thrown) {
      const { message, kind, hint } = thrown as { message: string; kind?: string; hint?: string };
      say({ id, error: { message, kind, hint } });
    }
  })
  .on("close", async () => {
    await pool.end();
    process.exit(0);
  });
