/** virsh's commands for snapshots. */
import { bytes } from "../machine/open-file.ts";
import type { Domain } from "../world/libvirt-domain.ts";
import type { SiteSnapshot } from "../world/libvirt-set.ts";
import { type Command, type Line, onDomain, VirshError } from "./virsh-command.ts";
import { snapshotDefinition } from "./virsh-xml.ts";

function chosen(domain: Domain, { values, words }: Line): SiteSnapshot {
  const name = values.get("snapshotname") ?? words[1] ?? "";
  const snapshot = domain.set.snapshots.find((one) => one.name === name);
  if (!snapshot) throw new VirshError(`Domain snapshot not found: no domain snapshot with matching name '${name}'`);
  return snapshot;
}

const named = { values: ["snapshotname"] };

export const snapshots: Readonly<Record<string, Command>> = {
  "snapshot-create-as": onDomain(
    async (host, domain, { values, flags }, call) => {
      const { set } = domain;
      const name = values.get("name") ?? String(host.clock.seconds());
      if (set.snapshots.some((one) => one.name === name))
        throw new VirshError(`operation failed: domain moment ${name} already exists`);
      await call.process.work(4);
      set.snapshots.push({
        name,
        description: values.get("description") ?? "",
        at: host.clock.seconds(),
        state: flags.has("disk-only") ? "disk-snapshot" : domain.id === null ? "shutoff" : domain.state,
        parent: set.current,
      });
      set.current = name;
      return `Domain snapshot ${name} created`;
    },
    { options: ["atomic", "disk-only"], values: ["name", "description"] },
  ),
  "snapshot-list": onDomain((_host, { set }) => `${set.snapshots.map(({ name }) => `${name}\n`).join("")}\n`, {
    options: ["name", "topological"],
  }),
  "snapshot-current": onDomain(
    (_host, { set }) => {
      if (set.current === null) throw new VirshError("domain has no current snapshot");
      return `${set.current}\n`;
    },
    { options: ["name"] },
  ),
  "snapshot-dumpxml": onDomain((_host, domain, line) => bytes(snapshotDefinition(domain, chosen(domain, line))), named),
  "snapshot-revert": onDomain(async (host, domain, line, call) => {
    const snapshot = chosen(domain, line);
    if (snapshot.state === "disk-snapshot") {
      throw new VirshError(
        `Failed to revert snapshot ${snapshot.name}`,
        "unsupported configuration: revert to external snapshot not supported yet",
      );
    }
    await call.process.work(10);
    domain.set.current = snapshot.name;
    host.revert(domain, snapshot.state !== "shutoff");
    return `Domain snapshot ${snapshot.name} reverted\n\n`;
  }, named),
  "snapshot-delete": onDomain((_host, { set, ...domain }, line) => {
    const snapshot = chosen({ set, ...domain }, line);
    set.snapshots = set.snapshots.filter((one) => one !== snapshot);
    for (const child of set.snapshots) if (child.parent === snapshot.name) child.parent = snapshot.parent;
    if (set.current === snapshot.name) set.current = snapshot.parent;
    return `Domain snapshot ${snapshot.name} deleted\n\n`;
  }, named),
};
