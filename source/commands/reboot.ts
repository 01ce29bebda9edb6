import type { Command } from "commander";
import { declareAction } from "./actions.ts";

export function declare(program: Command): void {
  declareAction(program, "reboot", "Reboots instances.", "seconds after which virtu no longer waits");
}
