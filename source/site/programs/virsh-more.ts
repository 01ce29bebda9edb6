/** virsh's commands for a domain looked at alone, and for what changes its definition; and its events. */
import type { Domain, LibvirtHost } from "../world/libvirt.ts";
import { type DomainSnapshot, define, definitionOf, diskOf, escaped, macOf, moreOf } from "../world/libvirt-more.ts";
import { type Command, type Line, onDomain, VirshError } from "./virsh.ts";
import { table } from "./virsh-tables.ts";

/** A command on a domain with options of its own, some with values. */
function own(
  options: readonly string[],
  values: readonly string[],
  act: (host: LibvirtHost, domain: Domain, line: Line) => string,
): Command {
  return { ...onDomain("", act), options: ["domain", ...options], values: ["domain", ...values] };
}

function snapshotOf(domain: Domain, { values }: Line): DomainSnapshot {
  const name = values.get("snapshotname") ?? "";
  const found = moreOf(domain).snapshots.find((one) => one.name === name);
  if (!found) throw new VirshError(`Domain snapshot not found: no domain snapshot with matching name '${name}'`);
  return found;
}

function snapshotText(domain: Domain, { name, description, state, parent, at }: DomainSnapshot): string {
  return [
    "<domainsnapshot>",
    `  <name>${escaped(name)}</name>`,
    ...(description ? [`  <description>${escaped(description)}</description>`] : []),
    `  <state>${state}</state>`,
    ...(parent === null ? [] : ["  <parent>", `    <name>${escaped(parent)}</name>`, "  </parent>"]),
    `  <creationTime>${at}</creationTime>`,
    `  <memory snapshot='${state === "running" ? "internal" : "no"}'/>`,
    "  <disks>",
    "    <disk name='vda' snapshot='internal'/>",
    "  </disks>",
    definitionOf(domain).trimEnd().replace(/^/gm, "  "),
    "</domainsnapshot>",
    "",
  ].join("\n");
}

const off = (domain: Domain, verb: string) => {
  if (domain.id !== null) {
    throw new VirshError(
      `Failed to ${verb} domain '${domain.name}'`,
      "Requested operation is not valid: domain is running",
    );
  }
};

/** What changed since the last look, in libvirt's words of a lifecycle event. */
function lifecycle(before: string | undefined, { state, saved }: Domain): string | null {
  if (state === before) return null;
  if (state === "paused") return "Suspended Paused";
  if (state === "running")
    return before === "paused" ? "Resumed Unpaused" : before === "shut off" ? "Started Booted" : null;
  return state === "shut off" ? `Stopped ${saved ? "Saved" : "Shutdown"}` : null;
}

function stamp(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().replace("T", " ").replace("Z", "")}+0000`;
}

export const moreCommands: Readonly<Record<string, Command>> = {
  dumpxml: own(["inactive", "security-info"], [], (_host, domain) => `${definitionOf(domain)}\n`),
  metadata: own(["live", "config", "remove"], ["uri", "key", "set"], (_host, domain, { words, flags, values }) => {
    const { metadata } = moreOf(domain);
    const uri = values.get("uri") ?? words[1] ?? "";
    const element = values.get("set");
    if (flags.has("remove")) metadata.delete(uri);
    if (element !== undefined) metadata.set(uri, element);
    if (flags.has("remove") || element !== undefined) return "Metadata modified\n\n";
    const found = metadata.get(uri);
    if (found === undefined) throw new VirshError("metadata not found: Requested metadata element is not present");
    return `${found}\n\n`;
  }),
  desc: own(["live", "config", "title"], ["new-desc"], (_host, domain, { values }) => {
    const text = values.get("new-desc");
    if (text === undefined) return `${moreOf(domain).note || `No description for domain: ${domain.name}`}\n\n`;
    moreOf(domain).note = text;
    return "Domain description updated successfully\n\n";
  }),
  domiflist: own(["inactive"], [], (_host, domain) =>
    table(["Interface", "Type", "Source", "Model", "MAC"], [["-", "network", "default", "virtio", macOf(domain)]]),
  ),
  domifaddr: own([], ["source"], () => table(["Name", "MAC address", "Protocol", "Address"], [])),
  domblklist: own(["details", "inactive"], [], (_host, domain, { flags }) =>
    flags.has("details")
      ? table(
          ["Type", "Device", "Target", "Source"],
          [
            ["file", "disk", "vda", diskOf(domain)],
            ["file", "cdrom", "sda", "-"],
          ],
        )
      : table(
          ["Target", "Source"],
          [
            ["vda", diskOf(domain)],
            ["sda", "-"],
          ],
        ),
  ),
  domblkinfo: own(["all", "human"], [], (_host, domain) =>
    table(
      ["Target", "Capacity", "Allocation", "Physical"],
      [
        ["vda", String(domain.disk), String(Math.floor(domain.disk / 3)), String(Math.floor(domain.disk / 3))],
        ["sda", "-", "-", "-"],
      ],
    ),
  ),
  domrename: own([], ["new-name"], (host, domain, { values }) => {
    const name = values.get("new-name") ?? "";
    if (host.find(name)) throw new VirshError(`operation failed: domain '${name}' already exists`);
    off(domain, "rename");
    domain.name = name;
    return "Domain successfully renamed\n\n";
  }),
  undefine: own(
    ["managed-save", "snapshots-metadata", "nvram", "remove-all-storage", "tpm", "checkpoints-metadata"],
    [],
    (host, domain, { flags }) => {
      if (domain.saved && !flags.has("managed-save")) {
        throw new VirshError("Refusing to undefine while domain managed save image exists");
      }
      const { snapshots } = moreOf(domain);
      if (snapshots.length > 0 && !flags.has("snapshots-metadata")) {
        throw new VirshError(
          `Requested operation is not valid: cannot delete inactive domain with ${snapshots.length} snapshots`,
        );
      }
      host.domains.splice(host.domains.indexOf(domain), 1);
      const storage = flags.has("remove-all-storage") ? `Volume 'vda'(${diskOf(domain)}) removed.\n` : "";
      return `Domain '${domain.name}' has been undefined\n${storage}\n`;
    },
  ),
  define: {
    options: ["validate"],
    run: async (call, host) => {
      const outcome = define(host, await call.process.readAll());
      if ("wrong" in outcome) throw new VirshError("Failed to define domain from /dev/stdin", outcome.wrong);
      return `Domain '${outcome.name}' defined from /dev/stdin\n\n`;
    },
  },
  managedsave: own(["running", "paused", "verbose", "bypass-cache"], [], (host, domain) => {
    if (domain.id === null)
      throw new VirshError(
        `Failed to save domain '${domain.name}' state`,
        "Requested operation is not valid: domain is not running",
      );
    domain.saved = true;
    host.off(domain, 4);
    return `Domain '${domain.name}' state saved by libvirt\n\n`;
  }),
  "managedsave-remove": own([], [], (_host, domain) => {
    domain.saved = false;
    return `Removed managedsave image for domain '${domain.name}'\n\n`;
  }),
  autostart: own(["disable"], [], (_host, domain, { flags }) => {
    domain.autostart = !flags.has("disable");
    return `Domain '${domain.name}' ${domain.autostart ? "marked as" : "unmarked as"} autostarted\n\n`;
  }),
  "snapshot-list": own(
    ["name", "topological", "parent", "tree"],
    [],
    (_host, domain) =>
      `${moreOf(domain)
        .snapshots.map(({ name }) => `${name}\n`)
        .join("")}\n`,
  ),
  "snapshot-current": own(["name"], [], (_host, domain) => {
    const { current } = moreOf(domain);
    if (current === null) throw new VirshError(`domain '${domain.name}' has no current snapshot`);
    return `${current}\n\n`;
  }),
  "snapshot-dumpxml": own(
    [],
    ["snapshotname"],
    (_host, domain, line) => `${snapshotText(domain, snapshotOf(domain, line))}\n`,
  ),
  "snapshot-create-as": own(["atomic", "disk-only"], ["name", "description"], (host, domain, { values, flags }) => {
    const more = moreOf(domain);
    const name = values.get("name") ?? "";
    if (more.snapshots.some((one) => one.name === name)) {
      throw new VirshError(`operation failed: domain snapshot ${name} already exists`);
    }
    const state = flags.has("disk-only") ? "disk-snapshot" : domain.id === null ? "shutoff" : "running";
    more.snapshots.push({
      name,
      description: values.get("description") ?? "",
      parent: more.current,
      at: Math.floor(host.clock.now() / 1000),
      state,
      domain: { state: domain.state, vcpus: domain.vcpus, memory: domain.memory },
    });
    more.current = name;
    return `Domain snapshot ${name} created\n\n`;
  }),
  "snapshot-revert": own(["running", "paused", "force"], ["snapshotname"], (host, domain, line) => {
    const snapshot = snapshotOf(domain, line);
    const wanted = snapshot.state === "running" ? snapshot.domain.state : "shut off";
    if (wanted === "shut off" && domain.id !== null) host.off(domain, 7);
    if (wanted !== "shut off" && domain.id === null) host.start(domain);
    Object.assign(domain, snapshot.domain, { state: wanted });
    host.changed();
    moreOf(domain).current = snapshot.name;
    return `Domain snapshot ${snapshot.name} reverted\n\n`;
  }),
  "snapshot-delete": own(["children", "metadata"], ["snapshotname"], (_host, domain, line) => {
    const more = moreOf(domain);
    const gone = snapshotOf(domain, line);
    more.snapshots = more.snapshots.filter((one) => one !== gone);
    for (const one of more.snapshots) if (one.parent === gone.name) one.parent = gone.parent;
    if (more.current === gone.name) more.current = gone.parent;
    return `Domain snapshot ${gone.name} deleted\n\n`;
  }),
  "vol-list": {
    options: ["details"],
    run: (_call, host) =>
      table(
        ["Name", "Path"],
        [
          ...host.domains.map((domain) => [`${domain.name}.qcow2`, diskOf(domain)]),
          ["debian-12.iso", "/var/lib/libvirt/images/debian-12.iso"],
        ],
      ),
  },
  event: {
    options: ["all", "loop", "timestamp", "event"],
    values: ["event"],
    run: async (call, host) => {
      const seen = new Map<Domain, string>();
      for (const domain of host.domains) seen.set(domain, domain.state);
      for (;;) {
        let stop = () => {};
        try {
          await call.process.guard(
            new Promise<void>((resolve) => {
              stop = host.watch(resolve);
            }),
          );
        } finally {
          stop();
        }
        for (const domain of host.domains) {
          const text = lifecycle(seen.get(domain), domain);
          seen.set(domain, domain.state);
          if (text === null) continue;
          await call.out(`${stamp(host.clock.now())}: event 'lifecycle' for domain '${domain.name}': ${text}\n`);
        }
      }
    },
  },
};
