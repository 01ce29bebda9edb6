/** gzip and base64, as far as a pipe needs them. */
import { gunzipSync, gzipSync } from "node:zlib";
import type { Call } from "../machine/machine.ts";
import { readAll, sources } from "./input.ts";

async function joined(call: Call): Promise<{ bytes: Buffer; bad: number }> {
  const { list, bad } = await sources(
    call,
    call.args.filter((arg) => !arg.startsWith("-")),
  );
  let text = "";
  for (const source of list) text += await readAll(call, source);
  return { bytes: Buffer.from(text, "latin1"), bad };
}

async function gzip(call: Call): Promise<number> {
  const { bytes, bad } = await joined(call);
  if (bad > 0) return 1;
  const unpack = call.args.some((arg) => /^-\w*d/.test(arg));
  await call.out((unpack ? gunzipSync(bytes) : gzipSync(bytes, { level: 1 })).toString("latin1"));
  return 0;
}

async function base64(call: Call): Promise<number> {
  const { bytes, bad } = await joined(call);
  if (bad > 0) return 1;
  if (call.args.some((arg) => arg === "-d" || arg === "--decode")) {
    await call.out(Buffer.from(bytes.toString("latin1"), "base64").toString("latin1"));
    return 0;
  }
  const lines = bytes.toString("base64").match(/.{1,76}/g) ?? [];
  await call.out(lines.map((line) => `${line}\n`).join(""));
  return 0;
}

export const packing = { gzip, base64 };
