/** `virsh event --all --loop --timestamp`: prints what happens on the host until it is ended. */
import type { Command } from "./virsh-command.ts";

export const event: Command = {
  options: ["all", "loop", "timestamp"],
  run: async (call, host) => {
    const waiting: string[] = [];
    let wake = () => {};
    const off = host.onEvent((kind, name, text) => {
      const at = new Date(host.clock.now()).toISOString().replace("T", " ").replace("Z", "+0000");
      waiting.push(`${at}: event '${kind}' for domain '${name}'${text === "" ? "" : `: ${text}`}\n`);
      wake();
    });
    try {
      for (;;) {
        const line = waiting.shift();
        if (line !== undefined) await call.out(line);
        else {
          await call.process.guard(
            new Promise<void>((resolve) => {
              wake = resolve;
            }),
          );
        }
      }
    } finally {
      off();
    }
  },
};
