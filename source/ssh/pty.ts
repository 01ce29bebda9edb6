/** A terminal on a host. */
import type { ClientChannel } from "ssh2";
import { VirtuError } from "../errors.ts";
import { openChannel, StartUnknown, start } from "./channels.ts";
import type { Command } from "./command.ts";
import { outcomeOf } from "./exec.ts";
import { cancelled } from "./limiter.ts";
import type { Session } from "./session.ts";
import type { PtyChannel, PtyOptions } from "./types.ts";

/** Starts a command, or the login shell, on a terminal of the host; closing the channel hangs it up. */
export async function ptyOn(session: Session, command: Command | null, options: PtyOptions): Promise<PtyChannel> {
  const { columns, rows, signal } = options;
  const window = { cols: columns, rows, width: 0, height: 0, term: options.term ?? "xterm-256color" };
  const wanted = { priority: options.priority ?? "user", counts: true, signal };
  const { channel, grant } = await openChannel(session, wanted, (client) =>
    start(
      () => session.uses(client),
      (done) => {
        if (command) client.exec(command.line, { pty: window }, done);
        else client.shell(window, done);
      },
    ),
  ).catch((thrown: unknown) => {
    if (!(thrown instanceof StartUnknown)) throw thrown;
    const what = "The connection broke while the terminal was opening";
    throw new VirtuError({ kind: "connection", what, where: session.route.label });
  });
  const timer = options.timeoutMs === undefined ? null : setTimeout(() => channel.close(), options.timeoutMs);
  const onAbort = () => channel.close();
  const ended = new Promise<Awaited<PtyChannel["ended"]>>((resolve) => {
    channel.on("close", (code?: number | null, name?: string) => {
      if (timer) clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      grant.release();
      resolve(outcomeOf(code, name));
    });
  });
  channel.on("error", () => {});
  // With a terminal there is only one stream; what a server sends here all the same would block it.
  channel.stderr.resume();
  if (signal?.aborted) {
    channel.close();
    throw cancelled();
  }
  signal?.addEventListener("abort", onAbort, { once: true });
  return {
    stream: channel satisfies ClientChannel,
    resize: (width, height) => channel.setWindow(height, width, 0, 0),
    close: () => channel.close(),
    ended,
  };
}
