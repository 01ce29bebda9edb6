/** virsh's commands for snapshots, and for the volumes of the one pool that a host has. */
import { bytes } from "../machine/open-file.ts";
import type { Domain } from "../world/libvirt.ts";
import type { SiteSnapshot } from "../world/libvirt-set.ts";
import { type Command, type Line, onDomain, VirshError } from "./virsh-command.ts";
import { table } from "./virsh-tables.ts";
import { snapshotDefinition } from "./virsh-xml.ts";

function chosen(domain: Domain, { values, words }: Line): SiteSnapshot {
  const name = values.get("snapshotname") ?? words[1] ?? "";
  const snapshot = domain.set.snapshots.find((one) => one.name === name);
  if (!snapshot) throw new VirshError(`Domain snapshot not found: no domain snapshot with matching name '${name}'`);
  return snapshot;
}

const named = { values: ["snapshotname"] };
const directory = "/var/lib/libvirt/images";
const megabytes = (word = "") => Number.parseInt(word, 10) * 1024 ** 2;

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

function pathOf({ values, words }: Line): string {
  const volume = values.get("vol") ?? words[0] ?? "";
  return volume.startsWith("/") ? volume : `${directory}/${volume}`;
}

export const volumes: Readonly<Record<string, Command>> = {
  "pool-dumpxml": {
    options: [],
    run: (_call, _host, { words: [name = ""] }) => {
      if (name !== "default")
        throw new VirshError(
          `failed to get pool '${name}'`,
          `Storage pool not found: no storage pool with matching name '${name}'`,
        );
      return `<pool type='dir'>\n  <name>default</name>\n  <target>\n    <path>${directory}</path>\n  </target>\n</pool>\n\n`;
    },
  },
  "vol-create-as": {
    options: [],
    values: ["pool", "name", "capacity", "format"],
    run: (_call, host, { values }) => {
      const name = values.get("name") ?? "";
      host.volumes.set(`${directory}/${name}`, megabytes(values.get("capacity")));
      return `Vol ${name} created\n\n`;
    },
  },
  "vol-info": {
    options: [],
    values: ["pool", "vol"],
    run: (_call, host, line) => {
      const size = host.volumes.get(pathOf(line));
      if (size === undefined)
        throw new VirshError(
          `failed to get vol '${pathOf(line)}'`,
          `Storage volume not found: no storage vol with matching path '${pathOf(line)}'`,
        );
      return `Name:           ${pathOf(line).split("/").at(-1)}\nType:           file\nCapacity:       ${(size / 1024 ** 3).toFixed(2)} GiB\n\n`;
    },
  },
  "vol-path": { options: [], values: ["pool", "vol"], run: (_call, _host, line) => `${pathOf(line)}\n` },
  "vol-resize": {
    options: [],
    values: ["vol", "capacity"],
    run: (_call, host, line) => {
      const path = pathOf(line);
      const size = megabytes(line.values.get("capacity"));
      host.volumes.set(path, size);
      for (const { set } of host.domains) for (const disk of set.disks) if (disk.source === path) disk.bytes = size;
      return `Size of volume '${path.split("/").at(-1)}' successfully changed to ${line.values.get("capacity")}\n\n`;
    },
  },
  "vol-delete": {
    options: [],
    values: ["pool", "vol"],
    run: (_call, host, line) => {
      host.volumes.delete(pathOf(line));
      return `Vol ${pathOf(line)} deleted\n\n`;
    },
  },
  "vol-list": {
    options: ["details"],
    run: (_call, host) =>
      table(
        ["Name", "Path"],
        [...host.volumes.keys()].sort().map((path) => [path.split("/").at(-1) ?? "", path]),
      ),
  },
};
