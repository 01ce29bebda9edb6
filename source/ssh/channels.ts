/** Opens channels on a session: waits for a place, gives it back, and tries again what never started. */
import type { Client, ClientChannel } from "ssh2";
import { VirtuError } from "../errors.ts";
import { plainLine } from "../text.ts";
import type { Session } from "./session.ts";
import type { Grant, Wanted } from "./session-types.ts";

/** A failure after which the command may be running: the answer was lost, not the request. */
export class StartUnknown extends Error {}

// A connection that breaks while a channel opens is tried again; one that does so every time is not.
const tries = 3;

/**
 * Gets a place and calls `open` on the connection. A channel that the host had no room for, or that a broken connection
 * never opened, is tried again: nothing has started. The caller releases the grant when the channel has closed.
 */
export async function openChannel<T>(
  session: Session,
  wanted: Wanted,
  open: (client: Client) => Promise<T>,
): Promise<{ channel: T; grant: Grant }> {
  for (let attempt = 1; ; attempt += 1) {
    const grant = await session.acquire(wanted, attempt > 1);
    try {
      const channel = await open(grant.link.client);
      grant.accepted();
      return { channel, grant };
    } catch (thrown) {
      const failure = thrown as Error & { reason?: unknown };
      // The loss of the connection is told before the channels hear of it, but a write error may come first.
      const alive = grant.alive();
      const again = alive && wanted.counts && isOpenFailure(failure) && grant.refused();
      grant.release();
      if (again) continue;
      if (!alive && !(failure instanceof StartUnknown) && attempt < tries) continue;
      throw describe(session, failure, alive);
    }
  }
}

/** ssh2's error for a refused channel carries the reason code of RFC 4254, 5.1. */
function isOpenFailure(failure: Error & { reason?: unknown }): boolean {
  return typeof failure.reason === "number";
}

function describe(session: Session, failure: Error & { reason?: unknown }, alive: boolean): Error {
  if (failure instanceof StartUnknown || failure instanceof VirtuError) return failure;
  const { label } = session.route;
  if (!alive) {
    const what = "The connection broke before the command started";
    return new VirtuError({ kind: "connection", what, where: label, why: session.info().reason ?? undefined });
  }
  const text = plainLine(failure.message).replace(/^\(SSH\) Channel open failure: /, "");
  return new VirtuError({
    kind: "refused",
    what: "The host refused a channel",
    where: label,
    why: text,
    hint: "It may allow no command at all (ForceCommand, MaxSessions, AllowTcpForwarding in its sshd_config).",
  });
}

/** Starts a command or a shell; ssh2 throws at once when the connection has just gone. */
export function start(
  alive: () => boolean,
  begin: (callback: (error: Error | undefined, channel: ClientChannel) => void) => void,
): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    begin((error, channel) => {
      if (!error) return resolve(channel);
      // The host got the request, and the connection broke before its answer.
      const requested = /^Unable to /.test(error.message);
      reject(requested && !alive() ? new StartUnknown(error.message) : error);
    });
  });
}
