/** A console on the terminal that a headless command was started from. */
import { Consoles } from "../console/consoles.ts";
import type { ConsoleEnd, ConsoleTarget, Opening, Way } from "../console/types.ts";
import { VirtuError } from "../errors.ts";
import { guestSize } from "../ui/console/size.ts";
import { viewConsole } from "../ui/console/viewer.ts";
import { createTerminal } from "../ui/terminal.ts";
import { type ExitStatus, exit, type Session } from "./run.ts";

export function needTerminal(what: string): void {
  if (process.stdin.isTTY && process.stdout.isTTY) return;
  throw new VirtuError({
    kind: "usage",
    what: `${what} needs a terminal, and there is none`,
    hint: "Run it in a terminal; virtu exec runs one command without any.",
  });
}

/** Shows one console until the user leaves it or it ends; the terminal is given back as it was. */
export async function showConsole(
  session: Session,
  target: ConsoleTarget,
  way: Way,
  options: { opening?: Opening; record?: string } = {},
): Promise<ExitStatus> {
  const { app, signal } = session;
  const consoles = new Consoles({ pool: app.pool, recordings: app.stateDir });
  const output = process.stdout;
  const area = guestSize({ columns: output.columns || 80, rows: output.rows || 24 });
  const opened = await consoles.open(target, way, area, options.opening);
  if (options.record !== undefined) opened.record(options.record);
  const { note } = opened.view();
  if (note !== null) await consoles.end();
  if (note !== null)
    throw new VirtuError({ kind: "failed", what: "The recording can't be made", where: options.record, why: note });
  const terminal = createTerminal(process.stdin, output);
  terminal.open();
  try {
    const leaveKey = app.settings.get("consoleKey").toLowerCase();
    await viewConsole(opened, { consoles, output, lend: terminal.lend, signal, leaveKey });
  } finally {
    terminal.restore();
  }
  const { end } = opened.view();
  await consoles.end();
  if (end && end.kind !== "over" && end.kind !== "left") throw notOpen(target, end);
  session.out.note(end?.kind === "over" ? `${target.title}: ${end.why}` : `${target.title}: left`);
  return exit.done;
}

function notOpen(target: ConsoleTarget, { kind, why, hint, detail }: ConsoleEnd): VirtuError {
  const flag = { "in-use": "--take-over takes it.", off: "--start starts it, with the console attached." };
  return new VirtuError({
    kind: kind === "lost" ? "connection" : "refused",
    what: `The console of ${target.title} is not open`,
    where: target.host || target.title,
    why,
    hint: [hint, kind === "in-use" || kind === "off" ? flag[kind] : ""].filter(Boolean).join(" ") || undefined,
    detail: detail || undefined,
  });
}
