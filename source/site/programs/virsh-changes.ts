/** virsh's commands that change what a domain is made of, or where it is. */
import { bytes } from "../machine/open-file.ts";
import type { LibvirtHost } from "../world/libvirt.ts";
import type { Domain } from "../world/libvirt-domain.ts";
import { newMac } from "../world/libvirt-set.ts";
import { type Command, type Line, onDomain, running, VirshError } from "./virsh-command.ts";
import { table } from "./virsh-tables.ts";
import { define, definition } from "./virsh-xml.ts";

const scopes = { options: ["live", "config", "maximum", "persistent"] };

/** `150M` or KiB without a unit. */
function kibibytes(word = ""): number {
  const [, number = "0", unit = "K"] = /^(\d+)([KMG]?)/.exec(word) ?? [];
  return Number(number) * ({ K: 1, M: 1024, G: 1024 * 1024 }[unit || "K"] ?? 1);
}

function diskOf(domain: Domain, target: string) {
  const disk = domain.set.disks.find((one) => one.target === target);
  if (!disk) throw new VirshError(`No disk found whose source path or target is ${target}`);
  return disk;
}

function offOnly(domain: Domain, why: string): void {
  if (domain.id !== null) throw new VirshError(`Requested operation is not valid: ${why}`);
}

async function migrate(host: LibvirtHost, domain: Domain, line: Line, call: Parameters<Command["run"]>[0]) {
  const uri = line.values.get("desturi") ?? line.words[1] ?? "";
  const name = /^qemu\+ssh:\/\/(?:[^@/]*@)?([^/:.]+)/.exec(uri)?.[1];
  const other = host.peers.find(({ hostname }) => hostname === name);
  if (!other) {
    throw new VirshError(
      `Cannot recv data: ssh: Could not resolve hostname ${name}: Name or service not known: Connection reset by peer`,
    );
  }
  if (other.find(domain.name)) {
    throw new VirshError(
      `operation failed: domain '${domain.name}' already exists with uuid ${other.find(domain.name)?.uuid}`,
    );
  }
  if (!line.flags.has("offline")) {
    running("migrate", domain);
    if (!line.flags.has("copy-storage-all")) {
      throw new VirshError("Unsafe migration: Migration without shared storage is unsafe");
    }
    for (const percent of [3, 21, 38, 57, 79, 96, 100]) {
      await call.err(`\rMigration: [${String(percent).padStart(3)} %]`);
      await call.process.work(percent === 100 ? 0 : 6);
    }
  }
  host.handOver(domain, other);
  return "\n";
}

export const changes: Readonly<Record<string, Command>> = {
  migrate: onDomain(migrate, {
    options: ["live", "p2p", "persistent", "undefinesource", "copy-storage-all", "offline"],
    values: ["desturi"],
  }),
  managedsave: onDomain(async (host, domain, _line, call) => {
    running("save", domain);
    await call.process.work(20);
    host.save(domain);
    return `\nDomain '${domain.name}' state saved by libvirt\n\n`;
  }),
  "managedsave-remove": onDomain((host, domain) => {
    domain.saved = false;
    host.touched();
    return `Removed managedsave image for domain '${domain.name}'\n\n`;
  }),
  autostart: onDomain(
    (host, domain, { flags }) => {
      domain.autostart = !flags.has("disable");
      host.touched();
      return `Domain '${domain.name}' ${domain.autostart ? "marked" : "unmarked"} as autostarted\n\n`;
    },
    { options: ["disable"] },
  ),
  reset: onDomain((host, domain) => {
    running("reset", domain);
    host.reboot(domain, 1);
    return `Domain '${domain.name}' was reset\n\n`;
  }),
  domrename: onDomain(
    (host, domain, { values, words }) => {
      offOnly(domain, "cannot rename active domain");
      const name = values.get("new-name") ?? words[1] ?? "";
      if (host.find(name))
        throw new VirshError(`operation failed: domain '${name}' already exists with uuid ${host.find(name)?.uuid}`);
      host.rename(domain, name);
      return "Domain successfully renamed\n\n";
    },
    { values: ["new-name"] },
  ),
  undefine: onDomain(
    (host, domain, { flags }) => {
      if (domain.saved && !flags.has("managed-save"))
        throw new VirshError("Refusing to undefine while domain managed save image exists");
      if (flags.has("remove-all-storage"))
        offOnly(domain, "Storage volume deletion is supported only on stopped domains");
      host.remove(domain);
      const gone = flags.has("remove-all-storage")
        ? domain.set.disks.filter(({ device, source }) => device === "disk" && source)
        : [];
      for (const { source } of gone) host.storage.remove(source ?? "");
      const removed = gone.map(({ target, source }) => `Volume '${target}'(${source}) removed.\n`).join("");
      return `Domain '${domain.name}' has been undefined\n${removed}\n`;
    },
    { options: ["managed-save", "snapshots-metadata", "nvram", "remove-all-storage"] },
  ),
  setmem: onDomain((host, domain, { words }) => {
    const size = kibibytes(words[1]);
    if (size > domain.maximumMemory) throw new VirshError("invalid argument: cannot set memory higher than max memory");
    domain.memory = size;
    host.touched();
    return "\n";
  }, scopes),
  setmaxmem: onDomain((host, domain, { words }) => {
    domain.maximumMemory = kibibytes(words[1]);
    domain.memory = Math.min(domain.memory, domain.maximumMemory);
    host.touched();
    return "\n";
  }, scopes),
  setvcpus: onDomain((host, domain, { words, flags }) => {
    const count = Number(words[1]);
    if (flags.has("maximum")) domain.maximumVcpus = count;
    else if (count > domain.maximumVcpus) {
      throw new VirshError(
        `invalid argument: requested vcpus is greater than max allowable vcpus for the live domain: ${count} > ${domain.maximumVcpus}`,
      );
    } else domain.vcpus = count;
    host.touched();
    return "\n";
  }, scopes),
  "attach-disk": onDomain(
    (host, domain, { values }) => {
      const target = values.get("target") ?? "";
      const source = values.get("source") ?? "";
      domain.set.disks.push({ target, device: "disk", source });
      host.tell("device-added", domain, target);
      return "Disk attached successfully\n\n";
    },
    { ...scopes, values: ["source", "target", "driver", "subdriver"] },
  ),
  "detach-disk": onDomain(
    (host, domain, { values }) => {
      const disk = diskOf(domain, values.get("target") ?? "");
      domain.set.disks = domain.set.disks.filter((one) => one !== disk);
      host.tell("device-removed", domain, disk.target);
      return "Disk detached successfully\n\n";
    },
    { ...scopes, values: ["target"] },
  ),
  "attach-interface": onDomain(
    (host, domain, { values }) => {
      const type = values.get("type") === "bridge" ? "bridge" : "network";
      const source = values.get("source") ?? "";
      if (type === "network" && !host.networks.find(source)) {
        throw new VirshError(
          "Failed to attach interface",
          `Network not found: no network with matching name '${source}'`,
        );
      }
      domain.set.nics.push({ mac: newMac(`${domain.name}${domain.set.nics.length}${host.clock.now()}`), type, source });
      host.tell("device-added", domain, "net1");
      return "Interface attached successfully\n\n";
    },
    { ...scopes, values: ["type", "source", "model"] },
  ),
  "detach-interface": onDomain(
    (host, domain, { values }) => {
      domain.set.nics = domain.set.nics.filter(({ mac }) => mac !== values.get("mac"));
      host.tell("device-removed", domain, "net1");
      return "Interface detached successfully\n\n";
    },
    { ...scopes, values: ["type", "mac"] },
  ),
  "change-media": onDomain(
    (host, domain, { values, flags }) => {
      const disk = diskOf(domain, values.get("path") ?? "");
      if (flags.has("eject") && disk.source === null)
        throw new VirshError(`The disk device '${disk.target}' doesn't have media`);
      disk.source = flags.has("eject") ? null : (values.get("source") ?? null);
      host.tell("tray-change", domain, "disk sata0-0-0: closed");
      return `Successfully ${flags.has("eject") ? "ejected" : "updated"} media.\n\n`;
    },
    { options: [...scopes.options, "eject", "update"], values: ["path", "source"] },
  ),
  blockresize: onDomain(
    (host, domain, { values }) => {
      const disk = diskOf(domain, values.get("path") ?? "");
      const found = host.storage.find(disk.source ?? "");
      if (found) found.volume.capacity = kibibytes(values.get("size")) * 1024;
      host.touched();
      return `Block device '${disk.target}' is resized\n`;
    },
    { values: ["path", "size"] },
  ),
  metadata: onDomain(
    (host, domain, { values, flags, words }) => {
      const { set } = domain;
      const given = values.get("set");
      if (given !== undefined || flags.has("remove")) {
        set.tags = [...(given ?? "").matchAll(/<tag>([^<]*)<\/tag>/g)].map(([, tag = ""]) => tag);
        host.tell("metadata-change", domain, `type element, uri ${values.get("uri")}`);
        return `Metadata ${flags.has("remove") ? "removed" : "modified"}\n\n`;
      }
      if (set.tags.length === 0 || (values.get("uri") ?? words[1]) !== "urn:virtu:1") {
        throw new VirshError("metadata not found: Requested metadata element is not present");
      }
      return `<tags>\n${set.tags.map((tag) => `  <tag>${tag}</tag>\n`).join("")}</tags>\n\n`;
    },
    { options: [...scopes.options, "remove"], values: ["uri", "key", "set"] },
  ),
  desc: onDomain(
    (host, domain, { values }) => {
      domain.set.description = values.get("new-desc") ?? "";
      host.tell("metadata-change", domain, "type description, uri <null>");
      return "Domain description updated successfully\n";
    },
    { ...scopes, values: ["new-desc"] },
  ),
  dumpxml: onDomain((_host, domain) => bytes(definition(domain)), { options: ["inactive", "security-info"] }),
  define: {
    options: ["validate"],
    run: async (call, host) => {
      const text = Buffer.from(await call.process.readAll(), "latin1").toString("utf8");
      const domain = define(host, text);
      return `Domain '${domain.name}' defined from /dev/stdin\n\n`;
    },
  },
  domblklist: onDomain(
    (_host, domain, { flags }) => {
      const rows = domain.set.disks.map(({ target, device, source }) => [
        ...(flags.has("details") ? ["file", device] : []),
        target,
        source ?? "-",
      ]);
      return table([...(flags.has("details") ? ["Type", "Device"] : []), "Target", "Source"], rows);
    },
    { options: ["details", "inactive"] },
  ),
  domblkinfo: onDomain((host, domain, { words, flags }) => {
    const sizes = ({ source }: { source: string | null }) => {
      const { capacity, allocation } = host.storage.find(source ?? "")?.volume ?? { capacity: 0, allocation: 0 };
      return source === null ? ["-", "-", "-"] : [capacity, allocation, allocation].map(String);
    };
    if (flags.has("all")) {
      const rows = domain.set.disks.map((disk) => [disk.target, ...sizes(disk)]);
      return table(["Target", "Capacity", "Allocation", "Physical"], rows);
    }
    const [capacity, allocation, physical] = sizes(diskOf(domain, words[1] ?? ""));
    return `Capacity:       ${capacity}\nAllocation:     ${allocation}\nPhysical:       ${physical}\n\n`;
  }),
  domname: onDomain((_host, domain) => `${domain.name}\n\n`),
  domuuid: onDomain((_host, domain) => `${domain.uuid}\n\n`),
};
