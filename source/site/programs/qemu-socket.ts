/** socat at the QMP socket of a cluster's guest: its QEMU takes a picture of the screen, and nothing else. */

import type { Clock } from "../clock.ts";
import type { Program } from "../machine/machine.ts";
import { guestPicture } from "./guest-picture.ts";

const greeting = '{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}}, "capabilities": ["oob"]}}';

/** `runsHere`: whether the guest of this name runs on this node. */
export function socat(clock: Clock, runsHere: (name: string) => boolean): Program {
  return async (call) => {
    const socket = call.args.at(-1) ?? "";
    const name = /^UNIX-CONNECT:.*\/([^/]+)\.qmp$/.exec(socket)?.[1];
    const asked = await call.process.readAll();
    if (name === undefined || !runsHere(name)) {
      await call.err(`socat E connect(, AF=1 "${socket}", 65): Connection refused\n`);
      return 1;
    }
    const file = /"execute":"screendump".*"filename":"([^"]+)"/.exec(asked)?.[1];
    if (file) call.machine.files.writeText(file, guestPicture({ name }, clock.now()), call.process.user);
    await call.out(`${greeting}\n{"return": {}}\n{"return": {}}\n`);
    return 0;
  };
}
