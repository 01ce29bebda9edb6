/** Whether an address answers, asked from a host by what every host has. */
import { type Command, sh } from "../ssh/command.ts";

/** One echo request. Status 0: answered. */
export function pingCommand(address: string, seconds: number): Command {
  return sh`ping -n -q -c 1 -W ${seconds} -- ${address} >/dev/null 2>&1`;
}

/**
 * A TCP connection that is closed at once. Status 0: something listens. Bash's own /dev/tcp serves where nothing else is
 * installed; `timeout` (coreutils) because a filtered port answers nothing at all.
 */
export function portCommand(address: string, port: number, seconds: number): Command {
  return sh`timeout ${seconds} bash -c ${'exec 3<>"/dev/tcp/$0/$1"'} ${address} ${port} 2>/dev/null`;
}
