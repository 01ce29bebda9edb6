/** A virtu that goes a way until it is killed, for up-kill.test.ts: `SSH_CONFIG STATE_DIR STOP_AT` with the plan on standard input. */
import { text } from "node:stream/consumers";
import { carryWay, listWays, readSource } from "../../source/journey/up.ts";
import { createPool } from "../../source/ssh/pool.ts";

const [sshConfig = "", stateDir = "", stopAt = ""] = process.argv.slice(2);
const die = () => process.kill(process.pid, "SIGKILL");
const asker = { secret: async () => null, hostKey: async () => "no" as const };
const pool = createPool({ sshConfig, asker });
const exec = pool.exec.bind(pool);

/** What is sent when the kill comes: before it is sent, in the middle of its output, or once it was answered. */
const moments: Readonly<Record<string, { when: "before" | "in" | "after"; line: RegExp; output?: RegExp }>> = {
  "before-oarsub": { when: "before", line: /^oarsub / },
  "after-oarsub": { when: "after", line: /^oarsub / },
  "in-deployment": { when: "in", line: /tail/, output: /Performing a Deploy|BroadcastEnv/ },
  "in-secret": { when: "before", line: /chpasswd/ },
  "after-secret": { when: "after", line: /chpasswd/ },
  "in-packages": { when: "in", line: /virtu/, output: /^(?:Setting up|Unpacking|Selecting) / },
  "after-add": { when: "after", line: /gnt-instance add --submit/ },
};
const moment = moments[stopAt];
if (!moment) throw new Error(`there is no moment ${stopAt}`);

pool.exec = async (host, command, options = {}) => {
  const isIt = moment.line.test(command.line);
  if (isIt && moment.when === "before") die();
  const { onLine } = options;
  const told =
    moment.when === "in" && onLine
      ? {
          ...options,
          onLine: (stream: "stdout" | "stderr", line: string) => {
            if (moment.output?.test(line)) die();
            onLine(stream, line);
          },
        }
      : options;
  const result = await exec(host, command, told);
  if (isIt && moment.when === "after") die();
  return result;
};

const context = { pool, stateDir };
const plan = await text(process.stdin);
const [known] = await listWays(context);
const source = await readSource(context, known ? { way: known.view.id } : { text: plan });
await carryWay(context, source, {
  site: (name) => ({ name, frontend: name === "demo" ? "frontend.demo" : name }),
  pace: { backOff: 50 },
  searchMs: 500,
  password: async () => "correct horse battery",
});
