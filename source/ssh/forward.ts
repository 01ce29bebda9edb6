/** Connections made from a host. */
import type { Duplex } from "node:stream";
import type { ClientChannel } from "ssh2";
import { VirtuError } from "../errors.ts";
import { plainLine } from "../text.ts";
import { openChannel } from "./channels.ts";
import { cancelled } from "./limiter.ts";
import type { Session } from "./session.ts";
import type { RequestOptions } from "./types.ts";

export type ForwardTarget = { host: string; port: number } | { socketPath: string };

/** Opens a TCP connection or one to a Unix socket from the host; the session stays open as long as it lives. */
export async function forwardOn(session: Session, to: ForwardTarget, options: RequestOptions = {}): Promise<Duplex> {
  const { signal, timeoutMs } = options;
  const wanted = { priority: options.priority ?? "user", counts: false, signal };
  const name = "socketPath" in to ? to.socketPath : `${to.host}:${to.port}`;
  const { channel, grant } = await openChannel(
    session,
    wanted,
    (client) =>
      new Promise<ClientChannel>((resolve, reject) => {
        // A far host that drops packets is answered by nobody for minutes; the caller need not wait for that.
        let given = false;
        const give = (error: Error) => {
          given = true;
          stop();
          reject(error);
        };
        const onAbort = () => give(cancelled());
        const timer =
          timeoutMs === undefined ? null : setTimeout(() => give(late(session, name, timeoutMs)), timeoutMs);
        const stop = () => {
          if (timer) clearTimeout(timer);
          signal?.removeEventListener("abort", onAbort);
        };
        const done = (error: (Error & { reason?: unknown }) | undefined, opened: ClientChannel) => {
          if (given) {
            opened?.close();
            return;
          }
          stop();
          if (!error) return resolve(opened);
          reject(typeof error.reason === "number" ? refusal(session, name, error) : error);
        };
        if (signal?.aborted) return onAbort();
        signal?.addEventListener("abort", onAbort, { once: true });
        if ("socketPath" in to) client.openssh_forwardOutStreamLocal(to.socketPath, done);
        else client.forwardOut("127.0.0.1", 0, to.host, to.port, done);
      }),
  );
  channel.on("close", () => grant.release());
  return channel;
}

function late(session: Session, name: string, timeoutMs: number): VirtuError {
  const why = `no connection to ${name} in ${Math.round(timeoutMs / 1000)} s`;
  return new VirtuError({ kind: "connection", what: "The host could not connect", where: session.route.label, why });
}

/** Reason 1 is the host's own refusal, 2 what it met on the way (RFC 4254, 5.1). */
function refusal(session: Session, name: string, error: Error & { reason?: unknown }): VirtuError {
  const text = plainLine(error.message).replace(/^\(SSH\) Channel open failure: /, "");
  const forbidden = error.reason === 1;
  return new VirtuError({
    kind: forbidden ? "refused" : "connection",
    what: forbidden ? "The host forbids forwarding" : "The host could not connect",
    where: session.route.label,
    why: forbidden ? text : `${name}: ${text}`,
    hint: forbidden ? "AllowTcpForwarding or PermitOpen in its sshd_config does not allow it." : undefined,
  });
}
