/** `ping -c 1` from a host: its guests answer once they are up. */
import type { Program } from "../machine/machine.ts";

/** `isUp`: whether somebody answers at an address or a name. */
export function pingGuests(isUp: (address: string) => boolean): Program {
  return async (call) => {
    const address = call.args.at(-1) ?? "";
    const answers = isUp(address);
    await call.process.work(1);
    const head = `PING ${address} (${address}) 56(84) bytes of data.\n`;
    const answer = answers ? `64 bytes from ${address}: icmp_seq=1 ttl=64 time=0.412 ms\n` : "";
    const loss = answers ? "1 received, 0% packet loss, time 0ms" : "0 received, 100% packet loss, time 0ms";
    await call.out(`${head}${answer}\n--- ${address} ping statistics ---\n1 packets transmitted, ${loss}\n`);
    return answers ? 0 : 1;
  };
}
