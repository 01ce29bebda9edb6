/** What past deployments took, to say how long one will take. Kept in the state directory; losing it costs nothing. */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { type PhaseSeconds, usualOf } from "../tools/kadeploy-estimate.ts";
import type { Context } from "./types.ts";

interface Past {
  site: string;
  title: string;
  at: number;
  seconds: PhaseSeconds;
}

const kept = 100;
const fileOf = (context: Pick<Context, "stateDir">) => path.join(context.stateDir, "deploy-durations.json");

async function load(context: Pick<Context, "stateDir">): Promise<Past[]> {
  try {
    const value: unknown = JSON.parse(await readFile(fileOf(context), "utf8"));
    return Array.isArray(value) ? value.filter(isPast) : [];
  } catch {
    return [];
  }
}

function isPast(value: unknown): value is Past {
  const { site, title, at, seconds } = (value ?? {}) as Partial<Past>;
  if (typeof site !== "string" || typeof title !== "string" || typeof at !== "number") return false;
  return ["boot-mini-os", "copy-image", "boot-new"].every((step) =>
    Number.isFinite((seconds as Record<string, unknown> | undefined)?.[step]),
  );
}

/** What this image usually takes on this site; else what any takes there; null when nothing is known. */
export async function usualSeconds(
  context: Pick<Context, "stateDir">,
  about: { site: string; title: string },
): Promise<PhaseSeconds | null> {
  const there = (await load(context)).filter(({ site }) => site === about.site);
  const same = there.filter(({ title }) => title === about.title);
  return usualOf((same.length > 0 ? same : there).slice(-9).map(({ seconds }) => seconds));
}

/** Remembers what a deployment took. */
export async function rememberSeconds(context: Pick<Context, "stateDir">, past: Past): Promise<void> {
  const all = [...(await load(context)), past].slice(-kept);
  const file = fileOf(context);
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(`${file}.new`, `${JSON.stringify(all)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}
