/** Follows a step that runs on a node, over losses of the link, from the line where it broke off. */
import { VirtuError } from "../errors.ts";
import type { Command } from "../ssh/command.ts";
import type { ExecResult } from "../ssh/types.ts";
import { askCheck, ended, reachOf, stepPatience, type Way } from "./run-cell.ts";
import type { OutputFile } from "./run-output.ts";
import { reach } from "./run-reach.ts";
import { outcomeOf, StepReader } from "./run-reader.ts";
import { followMark, followStep, readEnd, restOfStep, stopStep } from "./run-remote.ts";

/** Resolves when the step's outcome is in the journal. */
export async function followCell(way: Way, remote: string): Promise<void> {
  const { run, step, node } = way;
  const reader = new StepReader(step, run.id, remote);
  const output = await run.outputs.open(remote, node.name, reader.read);
  way.tell({ phase: "running", reader });
  try {
    if (!reader.end)
      await reach(reachOf(way, stepPatience(way)), (back) => followOnce(way, remote, reader, output, back));
  } finally {
    await run.outputs.close(remote, node.name);
  }
  const { end, gives } = reader;
  if (end === null) await vanished(way, remote, reader);
  else await run.keep(ended(step, node, { ...outcomeOf(step, end, reader), gives, lines: reader.shown }));
}

/** One connection's worth of output. Rejects as `connection` when it broke; resolves when there is no more to come. */
async function followOnce(
  way: Way,
  remote: string,
  reader: StepReader,
  output: OutputFile,
  back: () => void,
): Promise<void> {
  const { run } = way;
  const followed = await listen(way, remote, reader, output, back, followStep(run.id, remote, output.lines));
  await output.flush();
  if (followed === "ended" || reader.end) return;
  if (followed.status === 90) return;
  if (followed.status !== 0) throw broken(way, `following ended with status ${followed.status}`, followed.stderr);
  // What came between the last look of `tail` and the end of the step.
  const rest = await listen(way, remote, reader, output, back, restOfStep(run.id, remote, output.lines));
  await output.flush();
  if (rest !== "ended" && rest.status !== 0) throw broken(way, `reading ended with status ${rest.status}`, rest.stderr);
}

/** Runs a command that prints output of the step; `ended` as soon as the line came that tells the end. */
async function listen(
  way: Way,
  remote: string,
  reader: StepReader,
  output: OutputFile,
  back: () => void,
  line: Command,
): Promise<ExecResult | "ended"> {
  const { run, step, node, signal } = way;
  let over = false;
  let begun = false;
  const onLine = (channel: "stdout" | "stderr", text: string) => {
    if (over || channel === "stderr") return;
    if (!begun) {
      // A line that is not whole is no answer yet.
      begun = text === followMark;
      if (begun) back();
      return;
    }
    output.push(text);
    over = readEnd(run.id, remote, text) !== null;
    run.outputs.changed(output, over);
  };
  // The command ends by itself a moment after the step; nobody has to wait for it.
  const options = { batch: `${step.id} follow`, signal, onLine, priority: "poll", maxBytes: 4096 } as const;
  const command = run.broadcast.exec(node, line, options);
  try {
    const result = await Promise.race([command, reader.ended]);
    if (!result) {
      command.catch(() => undefined);
      return "ended";
    }
    if (result.outcome !== "exited") throw broken(way, "the connection broke", result.stderr);
    return result;
  } catch (thrown) {
    over = true;
    // A line that was cut by the loss is asked for again, whole.
    output.dropLast();
    await output.flush();
    throw thrown;
  }
}

function broken(way: Way, why: string, detail: string): VirtuError {
  return new VirtuError({
    kind: "connection",
    what: "The output can't be followed",
    where: way.node.name,
    why,
    detail,
  });
}

/** It ended without saying so. A step that restarts its node does, and its check tells whether it had done its work. */
async function vanished(way: Way, remote: string, reader: StepReader): Promise<void> {
  const { run, step, node, cell } = way;
  const { check } = cell;
  // What held its limit and told its end is gone; nothing of it must go on unseen.
  const stop = { batch: `${step.id} stop`, signal: way.signal, timeoutMs: 30_000 };
  await reach(reachOf(way, run.pace.lostPatience), () => run.broadcast.exec(node, stopStep(run.id, remote), stop));
  if (check !== null) {
    way.tell({ phase: "checking" });
    const result = await reach(reachOf(way, run.pace.lostPatience), () => askCheck(way, check));
    if (result.status === 0 && reader.missing().length === 0) {
      await run.keep(
        ended(step, node, { ok: true, status: null, text: reader.found(), gives: reader.gives, lines: reader.shown }),
      );
      return;
    }
  }
  const reason = reader.reason();
  const how = "ended without saying so: it was killed, or the node was restarted";
  const text = reason === "" ? how : `${how}; its last line: ${reason}`;
  await run.keep(ended(step, node, { ok: false, status: null, text, gives: reader.gives, lines: reader.shown }));
}
