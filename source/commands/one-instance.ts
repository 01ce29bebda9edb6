/** The one instance that a command is about, with its provider. */
import { VirtuError } from "../errors.ts";
import type { Inventory } from "../instances/inventory-types.ts";
import { select } from "../instances/select.ts";
import type { Instance, Provider } from "../instances/types.ts";
import { type HostOptions, readHosts, reportSilent, silentHosts } from "./hosts.ts";
import type { Session } from "./run.ts";

export interface OneInstance {
  inventory: Inventory;
  provider: Provider;
  instance: Instance;
}

/** Reads the hosts and finds it. The inventory is the caller's to end. */
export async function oneInstance(session: Session, name: string, options: HostOptions): Promise<OneInstance> {
  const inventory = await readHosts(session, options);
  try {
    const silent = silentHosts(inventory).map(({ host }) => host);
    reportSilent(session, inventory);
    const { found } = select(inventory.view().instances, [name], silent);
    const owner = found[0] && inventory.find(found[0].key);
    if (owner?.kind !== "instance") {
      const why = `it is not on the hosts that answered; ${silent.join(", ")} did not`;
      throw new VirtuError({ kind: "connection", what: `${name} was not found`, why });
    }
    return { inventory, provider: owner.provider, instance: owner.instance };
  } catch (thrown) {
    inventory.end();
    throw thrown;
  }
}
