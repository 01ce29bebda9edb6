/** The keys that open consoles, shells and screens, where instances, nodes and hosts are listed. */
import type { Found, InstanceRow } from "../../instances/inventory-types.ts";
import type { HostNode } from "../../instances/types.ts";
import type { HostRef } from "../../ssh/types.ts";
import { type Handlers, useUi } from "../hooks.ts";

/** Opens a shell on a host, or goes to the one that is open. */
export function useShell(): (host: HostRef, title: string) => void {
  const { navigation } = useUi();
  return (host, title) => navigation.open({ screen: "console", of: { kind: "shell", host, title }, opening: "attach" });
}

/** A node as ssh reaches it: the host that was named for it, or its own name. */
export function nodeHost(node: HostNode, found: Found | null): HostRef {
  const named = found?.provider.attachment.host ?? { name: node.host };
  const bare = named.name.replace(/^[^@]*@/, "");
  // Of a cluster only the node that was named is reached by that name; one that stands alone may call itself as it likes.
  const isNamed = node.cluster === null || bare === node.name || node.name.startsWith(`${bare}.`);
  return isNamed ? named : { name: node.name, user: "root" };
}

/** Console, shell on the host, screen: of the instance with the cursor. */
export function useConsoleKeys(row: InstanceRow | null): Handlers<"instances"> {
  const { workspace, navigation } = useUi();
  const openShell = useShell();
  const none = row ? null : "there is no instance";
  return {
    console: {
      run: () =>
        row && navigation.open({ screen: "console", of: { kind: "instance", key: row.key }, opening: "attach" }),
      disabled: none,
    },
    shell: {
      run: () => {
        if (!row) return;
        const host = workspace.inventory.find(row.key)?.provider.attachment.host ?? { name: row.host };
        openShell(host, host.name);
      },
      disabled: none,
    },
    screen: {
      run: () => row && navigation.open({ screen: "guest-screen", key: row.key }),
      disabled: none ?? (row?.status === "stopped" ? "it is off" : null),
    },
  };
}
