import type { Command } from "commander";
import { declareAction } from "./actions.ts";

export function declare(program: Command): void {
  declareAction(
    program,
    "force-off",
    "Switches instances off at once, like pulling the plug.",
    "seconds after which virtu no longer waits",
  );
}
