/** The XML of the stand-in of virsh, as far as anybody reads it. */

import type { LibvirtHost } from "../world/libvirt.ts";
import { type Domain, newDomain } from "../world/libvirt-domain.ts";
import type { DomainSet, SiteSnapshot } from "../world/libvirt-set.ts";
import { VirshError } from "./virsh-command.ts";

const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const unescaped = (text: string) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

export function definition(domain: Domain): string {
  const { set, host } = domain;
  const tags = set.tags.map((tag) => `      <virtu:tag>${escaped(tag)}</virtu:tag>\n`).join("");
  const disks = set.disks.map(
    ({ target, device, source }) => `    <disk type='file' device='${device}'>
      <driver name='qemu' type='${device === "disk" ? (host.storage.find(source ?? "")?.volume.format ?? "qcow2") : "raw"}'/>
${source === null ? "" : `      <source file='${source}'/>\n`}      <target dev='${target}' bus='${target.startsWith("vd") ? "virtio" : "sata"}'/>
    </disk>
`,
  );
  const nics = set.nics.map(
    ({ mac, type, source }) => `    <interface type='${type}'>
      <mac address='${mac}'/>
      <source ${type}='${source}'/>
      <model type='virtio'/>
    </interface>
`,
  );
  return `<domain type='kvm'>
  <name>${escaped(domain.name)}</name>
  <uuid>${domain.uuid}</uuid>
${domain.title === "" ? "" : `  <title>${escaped(domain.title)}</title>\n`}${set.description === "" ? "" : `  <description>${escaped(set.description)}</description>\n`}${tags === "" ? "" : `  <metadata>\n    <virtu:tags xmlns:virtu="urn:virtu:1">\n${tags}    </virtu:tags>\n  </metadata>\n`}  <memory unit='KiB'>${domain.maximumMemory}</memory>
  <currentMemory unit='KiB'>${domain.memory}</currentMemory>
  <vcpu placement='static' current='${domain.vcpus}'>${domain.maximumVcpus}</vcpu>
  <os>
    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
    <boot dev='hd'/>
  </os>
  <cpu mode='host-passthrough' check='none' migratable='on'/>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
${disks.join("")}${nics.join("")}    <serial type='pty'>
      <target type='isa-serial' port='0'/>
    </serial>
    <console type='pty'>
      <target type='serial' port='0'/>
    </console>
    <graphics type='vnc' port='-1' autoport='yes' listen='127.0.0.1'/>
  </devices>
</domain>

`;
}

const attribute = (text: string, pattern: RegExp) => unescaped(pattern.exec(text)?.[1] ?? "");

function devicesOf(text: string): Pick<DomainSet, "disks" | "nics"> {
  const elements = (name: string) =>
    [...text.matchAll(new RegExp(`<${name} [^]*?</${name}>`, "g"))].map(([one]) => one);
  return {
    disks: elements("disk").map((disk) => ({
      target: attribute(disk, /<target dev=['"]([^'"]*)/),
      device: / device=['"]cdrom/.test(disk) ? "cdrom" : "disk",
      source: attribute(disk, /<source file=['"]([^'"]*)/) || null,
    })),
    nics: elements("interface").map((nic) => ({
      mac: attribute(nic, /<mac address=['"]([^'"]*)/),
      type: / type=['"]bridge/.test(nic) ? "bridge" : "network",
      source: attribute(nic, /<source (?:network|bridge)=['"]([^'"]*)/),
    })),
  };
}

/** Takes over what a definition says, of a domain that is there or of a new one; refuses what is none. */
export function define(host: LibvirtHost, text: string): Domain {
  const failed = (why: string) => new VirshError("Failed to define domain from /dev/stdin", why);
  if (!/<\/domain>\s*$/.test(text)) {
    throw failed("(domain_definition):1: Premature end of data in tag domain line 1");
  }
  const value = (name: string) => new RegExp(`^  <${name}(?: [^>]*)?>([^<]*)</${name}>`, "m").exec(text)?.[1];
  if (["memory", "vcpu"].some((name) => !/^\d+$/.test(value(name) ?? "1"))) {
    throw failed(
      "XML document failed to validate against schema: Unable to validate doc against /usr/share/libvirt/schemas/domain.rng",
    );
  }
  const [name, uuid] = [unescaped(value("name") ?? ""), value("uuid") ?? ""];
  const known = host.domains.find((one) => one.uuid === uuid);
  const other = host.find(name);
  if (!known && other) throw failed(`operation failed: domain '${name}' already exists with uuid ${other.uuid}`);
  const facts = { title: "", state: "shut off", vcpus: 1, memory: 0, autostart: false, saved: false } as const;
  const domain = known ?? newDomain({ ...facts, name, uuid }, host);
  domain.title = unescaped(value("title") ?? "");
  domain.set.description = unescaped(value("description") ?? "");
  domain.maximumMemory = Number(value("memory") ?? domain.maximumMemory);
  domain.memory = Math.min(domain.maximumMemory, Number(value("currentMemory") ?? domain.memory));
  domain.maximumVcpus = Number(value("vcpu") ?? domain.maximumVcpus);
  domain.vcpus = Number(/<vcpu[^>]* current='(\d+)'/.exec(text)?.[1] ?? domain.maximumVcpus);
  Object.assign(domain.set, devicesOf(text));
  if (known) host.tell("lifecycle", domain, "Defined Updated");
  else host.add(domain);
  return domain;
}

export function snapshotDefinition(domain: Domain, snapshot: SiteSnapshot): string {
  const { name, description, state, parent, at } = snapshot;
  return `<domainsnapshot>
  <name>${escaped(name)}</name>
${description === "" ? "" : `  <description>${escaped(description)}</description>\n`}  <state>${state}</state>
${parent === null ? "" : `  <parent>\n    <name>${escaped(parent)}</name>\n  </parent>\n`}  <creationTime>${at}</creationTime>
  <memory snapshot='${state === "running" ? "internal" : "no"}'/>
${definition(domain).trim().replace(/^/gm, "  ")}
</domainsnapshot>

`;
}
