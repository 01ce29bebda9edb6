/** How the Kadeploy clients fail. */
import type { Call } from "../machine/machine.ts";

/** An error of the client: its text, its exit status, and Kadeploy's number of it. */
export class KaError extends Error {
  constructor(
    message: string,
    readonly number: number | null = null,
  ) {
    super(message);
  }
}

/** Runs a client; an error is said on stderr, its number is the exit status. */
export async function said(call: Call, run: () => Promise<number>): Promise<number> {
  try {
    return await run();
  } catch (thrown) {
    if (!(thrown instanceof KaError)) throw thrown;
    await call.err(`${thrown.message}\n${thrown.number === null ? "" : `[Kadeploy Error #${thrown.number}]\n`}`);
    return thrown.number ?? 1;
  }
}
