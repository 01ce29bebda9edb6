/** What a domain is beyond its table: definition, tags, note, snapshots. Texts are UTF-8 bytes, as files of the site hold them. */
import { bytes } from "../machine/open-file.ts";
import type { Domain, LibvirtHost } from "./libvirt.ts";

export interface DomainSnapshot {
  name: string;
  description: string;
  parent: string | null;
  /** Epoch seconds. */
  at: number;
  state: "running" | "shutoff" | "disk-snapshot";
  /** The state that it gives back. */
  domain: Pick<Domain, "state" | "vcpus" | "memory">;
}

export interface DomainMore {
  note: string;
  /** The element of each metadata namespace. */
  metadata: Map<string, string>;
  snapshots: DomainSnapshot[];
  current: string | null;
  /** Devices of its definition, as they were last defined; null: those it was made with. */
  devices: string | null;
}

const known = new WeakMap<Domain, DomainMore>();

export function moreOf(domain: Domain): DomainMore {
  let more = known.get(domain);
  if (!more) {
    more = { note: "", metadata: new Map(), snapshots: [], current: null, devices: null };
    known.set(domain, more);
  }
  return more;
}

export function diskOf({ name }: Domain): string {
  return `/var/lib/libvirt/images/${name}.qcow2`;
}

/** Of its own address range of QEMU; from the UUID, so that it stays. */
export function macOf({ uuid }: Domain): string {
  return `52:54:00:${uuid.slice(0, 2)}:${uuid.slice(2, 4)}:${uuid.slice(4, 6)}`;
}

export function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function devicesOf(domain: Domain): string {
  return `  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source file='${diskOf(domain)}'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <disk type='file' device='cdrom'>
      <driver name='qemu' type='raw'/>
      <target dev='sda' bus='sata'/>
      <readonly/>
    </disk>
    <interface type='network'>
      <mac address='${macOf(domain)}'/>
      <source network='default'/>
      <model type='virtio'/>
    </interface>
    <serial type='pty'>
      <target type='isa-serial' port='0'/>
    </serial>
    <console type='pty'>
      <target type='serial' port='0'/>
    </console>
    <graphics type='vnc' port='-1' autoport='yes' listen='127.0.0.1'/>
  </devices>`;
}

/** As `virsh dumpxml` prints it. */
export function definitionOf(domain: Domain): string {
  const { note, metadata, devices } = moreOf(domain);
  const elements = [...metadata].map(
    ([uri, xml]) =>
      `    ${xml.replace(/^<([\w-]+)/, `<virtu:$1 xmlns:virtu="${uri}"`).replace(/<\/([\w-]+)>$/, "</virtu:$1>")}`,
  );
  return [
    "<domain type='kvm'>",
    `  <name>${escaped(domain.name)}</name>`,
    `  <uuid>${domain.uuid}</uuid>`,
    ...(domain.title ? [`  <title>${escaped(bytes(domain.title))}</title>`] : []),
    ...(note ? [`  <description>${escaped(note)}</description>`] : []),
    ...(elements.length > 0 ? ["  <metadata>", ...elements, "  </metadata>"] : []),
    `  <memory unit='KiB'>${domain.maximumMemory}</memory>`,
    `  <currentMemory unit='KiB'>${domain.memory}</currentMemory>`,
    `  <vcpu placement='static' current='${domain.vcpus}'>${domain.maximumVcpus}</vcpu>`,
    "  <os>",
    "    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>",
    "    <boot dev='hd'/>",
    "  </os>",
    devices ?? devicesOf(domain),
    "</domain>",
    "",
  ].join("\n");
}

/** What is wrong with a definition as the schema sees it, or the domain that it was put into. */
export function define(host: LibvirtHost, text: string): Domain | { wrong: string } {
  const of = (name: string) => new RegExp(`<${name}(?: [^>]*)?>([^<]*)</${name}>`).exec(text)?.[1];
  const known = host.domains.find(({ uuid }) => uuid === of("uuid"));
  if (!/^<domain[\s>]/.test(text.trim()) || !text.trim().endsWith("</domain>")) {
    return { wrong: "(domain_definition):1: Premature end of data in tag domain line 1" };
  }
  if (!known && host.find(of("name") ?? ""))
    return { wrong: `operation failed: domain '${of("name")}' already exists with another uuid` };
  const [memory, current, most] = [of("memory"), of("currentMemory"), of("vcpu")].map(Number);
  if (!memory || !most) {
    return {
      wrong:
        "XML document failed to validate against schema: Unable to validate doc against /usr/share/libvirt/schemas/domain.rng\nElement domain failed to validate content",
    };
  }
  const name = of("name") ?? "";
  const domain = known ?? host.define({ name, uuid: of("uuid") ?? "", memory, vcpus: most });
  const running = domain.id !== null;
  domain.title = Buffer.from(of("title") ?? "", "latin1").toString("utf8");
  moreOf(domain).note = of("description") ?? "";
  moreOf(domain).devices = / {2}<devices>[\s\S]*<\/devices>/.exec(text)?.[0] ?? null;
  if (!running) {
    domain.maximumMemory = memory;
    domain.memory = Math.min(current || memory, memory);
    domain.maximumVcpus = most;
    domain.vcpus = Number(/<vcpu [^>]*current='(\d+)'/.exec(text)?.[1] ?? most);
  }
  return domain;
}
