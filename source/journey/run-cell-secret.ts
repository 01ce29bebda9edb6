/**
 * Steps that take a secret on standard input: not detached, as nothing on the node may keep it. When the link breaks in the
 * middle nobody knows the outcome; then the check decides, and the script, which can be run again, is.
 */
import { VirtuError } from "../errors.ts";
import { ended, reachOf, type Way } from "./run-cell.ts";
import { isPassing, reach, Unreachable, unlessAborted, whyOf } from "./run-reach.ts";
import { outcomeOf, StepReader } from "./run-reader.ts";
import { remoteName, runHere, wholeText } from "./run-remote.ts";

const triesAtMost = 5;

/** Resolves when the outcome is in the journal. `isDone`: asks the check, and keeps what it says. */
export async function runSecret(way: Way, isDone: () => Promise<boolean>): Promise<void> {
  const { run, step, node, facts } = way;
  for (let tries = 1; ; tries += 1) {
    const secret = step.secret === null ? "" : await unlessAborted(run.secret(step.secret), way.signal);
    if (secret === null) {
      const text = `it needs a secret (${step.secret}), and nobody gave one`;
      await run.keep(ended(step, node, { ok: false, status: null, text }));
      return;
    }
    await reach(reachOf(way, run.pace.patience), () => run.own(node));
    try {
      way.tell({ phase: "running" });
      const number = facts.tries + 1;
      await run.keep({ kind: "start", step: step.id, node: node.name, try: number, remote: null });
      await once(way, remoteName(step.id, number), secret);
      return;
    } catch (thrown) {
      if (way.signal.aborted || !isPassing(thrown)) throw thrown;
      way.tell({ lost: whyOf(thrown) });
      if (tries >= triesAtMost) throw new Unreachable(`can't be reached: ${whyOf(thrown)}`, { cause: thrown });
      await way.pause(run.pace.backOff * 2 ** (tries - 1));
      if (await isDone()) return;
    }
  }
}

async function once(way: Way, name: string, secret: string): Promise<void> {
  const { run, step, node, cell, signal } = way;
  const reader = new StepReader(step, run.id, name);
  const output = await run.outputs.open(name, node.name, reader.read);
  way.tell({ reader });
  const since = run.now();
  // A program that repeats its input in an error must not put it into a file; a key has more than one line.
  const parts = secret.split("\n").filter((part) => part !== "");
  const safe = (line: string) => parts.reduce((text, part) => text.replaceAll(part, "******"), line);
  const onLine = (_: "stdout" | "stderr", line: string) => {
    output.push(safe(line));
    run.outputs.changed(output, false);
  };
  try {
    const command = runHere(wholeText(cell.script, run.values(node.name)), step.limitSeconds);
    const timeoutMs = (step.limitSeconds + 30) * 1000;
    const stdin = step.secret === null ? undefined : secret.replace(/\n?$/, "\n");
    const result = await run.context.pool.exec(node.host, command, { stdin, onLine, signal, timeoutMs, maxBytes: 1 });
    await output.flush();
    if (result.outcome !== "exited" || result.status === null) {
      const why = "the connection broke while it ran";
      throw new VirtuError({ kind: "connection", what: "Nobody knows how the step ended", where: node.name, why });
    }
    const { status } = result;
    const seconds = Math.round((run.now() - since) / 1000);
    const { gives, shown } = reader;
    await run.keep(ended(step, node, { ...outcomeOf(step, { status, seconds }, reader), gives, lines: shown }));
  } finally {
    await run.outputs.close(name, node.name);
  }
}
