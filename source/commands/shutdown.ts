import type { Command } from "commander";
import { declareAction } from "./actions.ts";

export function declare(program: Command): void {
  declareAction(
    program,
    "shutdown",
    "Shuts instances down cleanly.",
    "seconds that a shutdown may take (default 120); Ganeti then ends the instance by force",
  );
}
