/** A virtu that compares until it is killed, for compare.test.ts: `SSH_CONFIG STATE_DIR STOP_AT PLACE…`. */
import { carryComparison } from "../../source/journey/compare.ts";
import { planComparison } from "../../source/journey/compare-plan.ts";
import { createPool } from "../../source/ssh/pool.ts";
import { wishFor } from "./compare-wish.ts";

const [sshConfig = "", stateDir = "", stopAt = "", ...hosts] = process.argv.slice(2);
const die = () => process.kill(process.pid, "SIGKILL");
const asker = { secret: async () => null, hostKey: async () => "no" as const };
const pool = createPool({ sshConfig, asker });
const exec = pool.exec.bind(pool);
/** The command at which it dies: once it was answered, or in the middle of its output. */
const [when, line = ""] = stopAt.split(/:(.*)/s);
pool.exec = async (host, command, options = {}) => {
  const isIt = command.line.includes(line);
  const onLine = (stream: "stdout" | "stderr", text: string) => {
    if (/\d+ %/.test(text)) die();
    options.onLine?.(stream, text);
  };
  const result = await exec(host, command, isIt && when === "in" ? { ...options, onLine } : options);
  if (isIt && when === "after") die();
  return result;
};
const context = { pool, stateDir };
const plan = await planComparison(context, wishFor(hosts));
await carryComparison(context, plan, { lookMs: 50 });
