/** What a domain shows: its picture, and where its graphical console listens. Pure. */
import { type Command, sh } from "../ssh/command.ts";

/** Seconds after which virsh is ended: a QEMU that hangs gives no picture. */
const limit = 10;

/**
 * A picture of the domain's screen on standard output, packed and in base64: a stream of text carries it. Status 0: it is
 * there. virsh can only write into a file; it is made and removed by the same line.
 */
export function screenshotCommand(uri: string, domain: string): Command {
  const shot = sh`LC_ALL=C.UTF-8 timeout ${limit} virsh -c ${uri} screenshot ${domain} "$f" >&2`;
  return sh`f=$(mktemp) || exit 1; trap 'rm -f "$f"' EXIT; ${shot} && gzip -1 -c "$f" | base64`;
}

/** The addresses of its graphical consoles, a line each. */
export function displayCommand(uri: string, domain: string): Command {
  return sh`LC_ALL=C.UTF-8 timeout ${limit} virsh -c ${uri} domdisplay --all ${domain}`;
}

/**
 * What `domdisplay` printed: `vnc://127.0.0.1:0` (a display: port 5900 is number 0) and `spice://127.0.0.1:5901`. VNC goes
 * first: more viewers have it. Null: none that a TCP connection reaches without TLS.
 */
export function parseDisplay(text: string): { kind: "vnc" | "spice"; address: string; port: number } | null {
  const found: { kind: "vnc" | "spice"; address: string; port: number }[] = [];
  for (const line of text.split("\n")) {
    const [, kind, inBrackets, bare, number] =
      /^(vnc|spice):\/\/(?:\[([^\]]+)\]|([^:/?]+)):(\d+)/.exec(line.trim()) ?? [];
    const address = inBrackets ?? bare;
    if (address === undefined || (kind !== "vnc" && kind !== "spice")) continue;
    found.push({ kind, address, port: Number(number) + (kind === "vnc" ? 5900 : 0) });
  }
  return found.find(({ kind }) => kind === "vnc") ?? found[0] ?? null;
}
