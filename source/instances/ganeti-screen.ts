/** What a cluster gives of a guest's screen: its picture, which KVM's QEMU takes on the instance's node. */
import { VirtuError } from "../errors.ts";
import { explainScreen, screenCommand } from "../tools/ganeti-kvm.ts";
import { ask } from "./exec.ts";
import type { GanetiMaster } from "./ganeti-master.ts";
import { textFact } from "./ganeti-rows.ts";
import { unpackPicture } from "./packed-picture.ts";
import type { Instance, ProviderOptions, Refusal } from "./types.ts";

/** QEMU is left alone before; this is for a node that does not answer at all. */
const limitMs = 20_000;

/**
 * The picture of a guest's screen, taken by its QEMU on its node; VNC need not be configured for it. Rejects when there is
 * none, with the reason.
 */
export async function screenOf(
  instance: Instance,
  master: GanetiMaster,
  options: ProviderOptions,
): Promise<Uint8Array> {
  const { name, node } = instance;
  const what = `${name} shows no screen`;
  const refusal = screenRefusal(instance);
  if (refusal !== null || node === null) {
    throw new VirtuError({ kind: "refused", what, where: instance.host, why: refusal ?? "it is on no node" });
  }
  const { host, access } = master.wayTo(node);
  const limits = { timeoutMs: limitMs, ...options };
  const answer = await ask(master.pool, host, screenCommand(access, name), "taking a picture of the screen", limits);
  if (answer.stdout.trim() === "") {
    const why = explainScreen(answer.stderr, answer.status) ?? {};
    throw new VirtuError({ kind: "refused", what, where: node, ...why, detail: answer.stderr });
  }
  return unpackPicture(answer.stdout, what, node);
}

/** Why nobody can take a picture of its screen, or null. */
export function screenRefusal(instance: Instance): Refusal {
  const hypervisor = textFact(instance, "hypervisor");
  if (hypervisor !== "kvm") return `the hypervisor ${hypervisor} gives no picture of a guest's screen`;
  return instance.status === "stopped" || instance.statusDetail === "ERROR_down" ? "it is off" : null;
}
