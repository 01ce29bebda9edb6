/** What libvirt gives of a domain's screen. */
import { VirtuError } from "../errors.ts";
import type { HostRef, Pool } from "../ssh/types.ts";
import { domainWord } from "../tools/virsh.ts";
import { explainVirsh } from "../tools/virsh-errors.ts";
import { displayCommand, parseDisplay, screenshotCommand } from "../tools/virsh-screen.ts";
import { ask } from "./exec.ts";
import { unpackPicture } from "./packed-picture.ts";
import type { GraphicsWay, Instance, ProviderOptions } from "./types.ts";

interface Place {
  pool: Pool;
  host: HostRef;
  uri: string;
}

/** virsh is ended before; this is for a host that does not answer at all. */
const limitMs = 20_000;

/** One round trip. Rejects when there is no screen, with virsh's reason. */
export async function libvirtScreenshot(
  place: Place,
  instance: Instance,
  options: ProviderOptions,
): Promise<Uint8Array> {
  const { pool, host, uri } = place;
  const command = screenshotCommand(uri, domainWord(instance));
  const answer = await ask(pool, host, command, "taking a picture of the screen", { timeoutMs: limitMs, ...options });
  const what = `${instance.name} shows no screen`;
  if (answer.stdout.trim() === "") {
    throw new VirtuError({
      kind: "refused",
      what,
      where: host.name,
      ...explainVirsh(answer.stderr),
      detail: answer.stderr,
    });
  }
  return unpackPicture(answer.stdout, what, host.name);
}

export async function libvirtGraphics(
  place: Place,
  instance: Instance,
  options: ProviderOptions,
): Promise<GraphicsWay | null> {
  const { pool, host, uri } = place;
  if (instance.status === "stopped") return null;
  const command = displayCommand(uri, domainWord(instance));
  const answer = await ask(pool, host, command, "asking for the screen's address", { timeoutMs: limitMs, ...options });
  const display = parseDisplay(answer.stdout);
  return display && { ...display, host };
}
