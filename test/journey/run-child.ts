/** A virtu that carries a run until it is killed, for run-kill.test.ts: `ROOT STOP_AT` with the plan on standard input. */

import path from "node:path";
import { text } from "node:stream/consumers";
import { resumeRun, startRun } from "../../source/journey/run.ts";
import { NodesPool } from "./nodes-pool.ts";

const [root = "", stopAt = "", id] = process.argv.slice(2);
const die = () => process.kill(process.pid, "SIGKILL");
const pool = new NodesPool(path.join(root, "nodes"));
const isStart = (line: string) => line.includes("setsid -f");
let seen = 0;

pool.before = (_, line) => {
  if (stopAt === "before-start" && isStart(line)) die();
  if (stopAt === "in-check" && line.includes("is-there")) die();
};
pool.after = (_, line) => {
  if (stopAt === "after-start" && isStart(line)) die();
  if (stopAt === "after-claim" && line.includes("echo never")) die();
  return undefined;
};
const exec = pool.exec.bind(pool);
pool.exec = (host, command, options = {}) => {
  const { onLine } = options;
  if (!onLine) return exec(host, command, options);
  return exec(host, command, {
    ...options,
    onLine: (stream, line) => {
      seen += 1;
      if (stopAt === "at-end" && /^#virtu \S+\/work\.\d+ \d/.test(line)) die();
      onLine(stream, line);
      // The lines before have had their time to be written, or not: both must do.
      if (stopAt === "in-output" && seen === 400) setTimeout(die, 120);
      if (stopAt === "in-output-at-once" && seen === 400) die();
    },
  });
};

const context = { pool, stateDir: path.join(root, "state") };
const options = { pace: { backOff: 5 } };
const handle = id
  ? await resumeRun(context, id, options)
  : await startRun(context, JSON.parse(await text(process.stdin)), options);
await handle.done;
