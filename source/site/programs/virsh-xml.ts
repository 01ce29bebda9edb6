/** The XML of the stand-in of virsh, as far as anybody reads it. */
import type { Domain } from "../world/libvirt.ts";
import type { SiteSnapshot } from "../world/libvirt-set.ts";
import { VirshError } from "./virsh-command.ts";

const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const unescaped = (text: string) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

export function definition(domain: Domain): string {
  const { set } = domain;
  const tags = set.tags.map((tag) => `      <virtu:tag>${escaped(tag)}</virtu:tag>\n`).join("");
  const disks = set.disks.map(
    ({ target, device, source }) => `    <disk type='file' device='${device}'>
      <driver name='qemu' type='${device === "disk" ? "qcow2" : "raw"}'/>
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

/** Takes over what a definition says anew; refuses what is none. */
export function define(domain: Domain, text: string): void {
  if (!/<\/domain>\s*$/.test(text)) {
    throw new VirshError(
      "Failed to define domain from /dev/stdin",
      "(domain_definition):1: Premature end of data in tag domain line 1",
    );
  }
  const value = (name: string) => new RegExp(`^  <${name}(?: [^>]*)?>([^<]*)</${name}>`, "m").exec(text)?.[1];
  if (["memory", "vcpu"].some((name) => !/^\d+$/.test(value(name) ?? "1"))) {
    throw new VirshError(
      "Failed to define domain from /dev/stdin",
      "XML document failed to validate against schema: Unable to validate doc against /usr/share/libvirt/schemas/domain.rng",
    );
  }
  domain.title = unescaped(value("title") ?? "");
  domain.set.description = unescaped(value("description") ?? "");
  domain.maximumMemory = Number(value("memory") ?? domain.maximumMemory);
  domain.memory = Math.min(domain.maximumMemory, Number(value("currentMemory") ?? domain.memory));
  domain.maximumVcpus = Number(value("vcpu") ?? domain.maximumVcpus);
  domain.vcpus = Number(/<vcpu[^>]* current='(\d+)'/.exec(text)?.[1] ?? domain.maximumVcpus);
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
