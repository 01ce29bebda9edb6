/** Compound commands: groups, conditions, loops. */
import { shellStatus } from "../machine/process.ts";
import { expandPattern, expandText, expandWords } from "./expand.ts";
import { LoopJump } from "./jumps.ts";
import { matches } from "./pattern.ts";
import type { Shell } from "./shell.ts";
import type { Command } from "./tree.ts";

/** Runs a compound command; the status is what it gives. */
export async function runCompound(shell: Shell, command: Exclude<Command, { kind: "simple" }>): Promise<number> {
  switch (command.kind) {
    case "group":
      return shell.runList(command.body);
    case "subshell": {
      const { ended } = shell.fork(shell.state.name, shell.process.dupFiles(), (inner) => inner.runWhole(command.body));
      return shellStatus(await shell.process.guard(ended));
    }
    case "if":
      for (const { condition, body } of command.branches) {
        await shell.inCondition(true, () => shell.runList(condition));
        if (shell.status === 0) return shell.runList(body);
      }
      return command.otherwise ? shell.runList(command.otherwise) : 0;
    case "while": {
      let status = 0;
      await looping(shell, async (once) => {
        for (;;) {
          const goOn = await once(async () => {
            await shell.inCondition(true, () => shell.runList(command.condition));
            if ((shell.status === 0) === command.until) return false;
            status = await shell.runList(command.body);
            return true;
          });
          if (!goOn) return;
        }
      });
      return status;
    }
    case "for": {
      const values = command.words
        ? await expandWords(shell, command.words, shell.process.directory)
        : [...shell.positional];
      shell.status = 0;
      await looping(shell, async (once) => {
        for (const value of values) {
          shell.set(command.name, value);
          const goOn = await once(async () => {
            await shell.runList(command.body);
            return true;
          });
          if (!goOn) return;
        }
      });
      return shell.status;
    }
    case "case": {
      const text = await expandText(shell, command.word);
      for (const { patterns, body } of command.items) {
        for (const pattern of patterns) {
          if (matches(await expandPattern(shell, pattern), text)) return shell.runList(body);
        }
      }
      return 0;
    }
    case "function":
      shell.state.functions.set(command.name, command.body);
      return 0;
  }
}

async function looping(
  shell: Shell,
  run: (once: (body: () => Promise<boolean>) => Promise<boolean>) => Promise<void>,
): Promise<void> {
  await run(async (body) => {
    // A loop of builtins alone must not keep the whole program from its other work.
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (shell.process.exit) await shell.process.guard(Promise.resolve());
    try {
      return await body();
    } catch (thrown) {
      if (!(thrown instanceof LoopJump)) throw thrown;
      thrown.levels -= 1;
      if (thrown.levels > 0) throw thrown;
      shell.status = 0;
      return thrown.how === "continue";
    }
  });
}
