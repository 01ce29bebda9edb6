/** virt-clone 4.1 with --auto-clone. */
import type { Program } from "../machine/machine.ts";
import { options } from "../utilities/input.ts";
import type { LibvirtHost } from "../world/libvirt.ts";

export function virtClone(host: LibvirtHost): Program {
  return async (call) => {
    const { given } = options(call.args, "connect original name");
    const fail = async (text: string) => {
      await call.err(`ERROR    ${text}\n`);
      return 1;
    };
    const original = host.find(given.get("original") ?? "");
    const name = given.get("name") ?? "";
    if (!original) return fail(`Domain '${given.get("original")}' was not found.`);
    if (host.find(name)) return fail(`Invalid name for new guest: Guest name '${name}' is already in use.`);
    if (original.id !== null) return fail("Domain to clone must be shutoff.");
    await call.process.work(15);
    host.clone(original, name);
    await call.out(
      `Allocating '${name}.qcow2'                                |    0 B  00:00 ... \n\nClone '${name}' created successfully.\n`,
    );
    return 0;
  };
}
