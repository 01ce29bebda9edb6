/**
 * One virtu at a time carries a run: a lock file in the run's directory names the process that does. A process that is gone
 * holds nothing, so a run whose virtu was killed is carried on without a question.
 */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { link, open, readFile, rm, stat, writeFile } from "node:fs/promises";
import os from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { VirtuError } from "../errors.ts";

export interface Holder {
  pid: number;
  host: string;
  /** When the process started, as the system says it: process numbers are used again. */
  started: string;
}

/** When a process started, in a form that only serves to be compared; null: there is no such process. */
export async function processStart(pid: number): Promise<string | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    // proc(5): the 22nd field; the 2nd, the name in parentheses, may hold blanks.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    if (process.platform === "linux") return null;
  }
  try {
    const { stdout } = await promisify(execFile)("ps", ["-o", "lstart=", "-p", String(pid)], {
      env: { ...process.env, LC_ALL: "C" },
    });
    return stdout.trim() || null;
  } catch {
    return null;
  }
}

function parse(text: string): Holder | null {
  try {
    const { pid, host, started } = JSON.parse(text) as Partial<Holder>;
    return typeof pid === "number" && typeof host === "string" && typeof started === "string"
      ? { pid, host, started }
      : null;
  } catch {
    return null;
  }
}

/** Who holds a lock file now; null: nobody, or a process of this machine that is gone. */
export async function holderOf(file: string): Promise<Holder | null> {
  const text = await readFile(file, "utf8").catch(() => null);
  const holder = text === null ? null : parse(text);
  return holder && (await isAlive(holder)) ? holder : null;
}

/** A process on another machine (a home directory shared by NFS) can't be looked at: it counts as alive. */
async function isAlive(holder: Holder): Promise<boolean> {
  return holder.host !== os.hostname() || (await processStart(holder.pid)) === holder.started;
}

/** Takes the lock; the returned function gives it back. `take`: also from a machine that can't be asked. */
export async function takeLocalLock(file: string, run: string, take: boolean): Promise<() => Promise<void>> {
  const mine: Holder = { pid: process.pid, host: os.hostname(), started: (await processStart(process.pid)) ?? "" };
  const text = `${JSON.stringify(mine)}\n`;
  const own = `${file}.${process.pid}.${randomBytes(4).toString("hex")}`;
  await writeFile(own, text, { mode: 0o600 });
  try {
    for (let tries = 0; ; tries += 1) {
      try {
        // A link appears whole or not at all, and never in the place of another file.
        await link(own, file);
        break;
      } catch (thrown) {
        if ((thrown as NodeJS.ErrnoException).code !== "EEXIST" || tries >= 500) throw thrown;
      }
      await removeStale(file, run, take);
    }
  } finally {
    await rm(own, { force: true });
  }
  return async () => {
    const now = await readFile(file, "utf8").catch(() => "");
    if (now === text) await rm(file, { force: true });
  };
}

/** Milliseconds after which the guard of a removal is one that a killed process left. */
const guardLimit = 5000;

/**
 * Removes the lock of a process that is gone; rejects when it is not. Who looks and removes has a guard file, so that
 * between its look and its removal nobody else can have put a lock there.
 */
async function removeStale(file: string, run: string, take: boolean): Promise<void> {
  const guard = `${file}.guard`;
  try {
    await (await open(guard, "wx", 0o600)).close();
  } catch {
    const age = await stat(guard).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > guardLimit) await rm(guard, { force: true });
    const holder = await holderOf(file);
    if (holder && !(take && holder.host !== os.hostname())) throw held(run, holder);
    await pause(20);
    return;
  }
  try {
    const holder = await holderOf(file);
    if (holder && !(take && holder.host !== os.hostname())) throw held(run, holder);
    await rm(file, { force: true });
  } finally {
    await rm(guard, { force: true });
  }
}

function held(run: string, holder: Holder): VirtuError {
  const here = holder.host === os.hostname();
  return new VirtuError({
    kind: "refused",
    what: `Run ${run} is carried by another virtu`,
    where: here ? `process ${holder.pid}` : `process ${holder.pid} on ${holder.host}`,
    hint: here
      ? "Leave that one first (Ctrl-C there lets the run go on), then resume."
      : "If that virtu is gone for certain, take the lock with --take-lock.",
  });
}
