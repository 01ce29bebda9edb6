/** A program that joins its terminal with a guest's serial console until Ctrl-] or the guest's end. */
import type { Call } from "../machine/machine.ts";
import type { Attached, GuestSystem } from "../world/guest-system.ts";

const leaveKey = "\u001d";

/** Somebody else has the console. */
export class GuestConsoleRefused extends Error {}

/** Resolves when the user has left, or the console is gone. Throws `GuestConsoleRefused`. */
export async function joinConsole(
  call: Call,
  guest: GuestSystem,
  force: boolean,
  onAttached: () => void = () => {},
): Promise<void> {
  const { process } = call;
  const terminal = process.files.get(0)?.terminal;
  let over = () => {};
  const ended = new Promise<void>((resolve) => {
    over = resolve;
  });
  const me: Attached = { write: (text) => process.write(1, text), detached: over };
  if (!guest.attach(me, force)) throw new GuestConsoleRefused();
  terminal?.setRaw(true);
  try {
    onAttached();
    await process.guard(Promise.race([ended, typing(call, guest)]));
  } finally {
    guest.detach(me);
    terminal?.setRaw(false);
  }
}

async function typing(call: Call, guest: GuestSystem): Promise<void> {
  for (;;) {
    const text = await call.process.read();
    if (text === null) return;
    const leave = text.indexOf(leaveKey);
    guest.type(leave < 0 ? text : text.slice(0, leave));
    if (leave >= 0) return;
  }
}
