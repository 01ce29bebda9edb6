/** What a file of `virtu create -f` may hold. Published as docs/create.schema.json, which a test keeps equal to this. */
import type { Schema } from "../schema.ts";

const size: Schema = {
  description: "a size like 512M or 10G, or a whole number of MiB",
  oneOf: [
    { type: "string", pattern: "^\\d+(\\.\\d+)?\\s*[MGT](i?B)?$", description: "a size like 512M or 10G" },
    { type: "integer", minimum: 1 },
  ],
};
const text: Schema = { type: "string", pattern: ".", description: "a text that is not empty" };
const flag: Schema = { type: "boolean" };
const words: Schema = { type: "object", additionalProperties: { type: "string" } };
const absolute: Schema = { type: "string", pattern: "^/", description: "an absolute path on the host" };

function fields(properties: Record<string, Schema>, required: readonly string[] = [], description?: string): Schema {
  return { ...(description ? { description } : {}), type: "object", properties, required, additionalProperties: false };
}

const nics: Schema = {
  description: "network cards; an empty list: none",
  type: "array",
  items: fields({
    network: { ...text, description: "a network of libvirt, Ganeti or XenServer" },
    bridge: { ...text, description: "a bridge of the host" },
    mac: { type: "string", pattern: "^([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$", description: "a MAC address" },
    ip: { type: "string", pattern: "^[0-9.]+$", description: "an IPv4 address" },
  }),
};

const common: Readonly<Record<string, Schema>> = {
  hosts: { description: "hosts or clusters to make them on", type: "array", items: text, minItems: 1 },
  name: { ...text, description: "a name; several: a pattern with {n}, or {n:3} for three digits" },
  count: { description: "how many", type: "integer", minimum: 1, maximum: 1000, default: 1 },
  from: { description: "the first number", type: "integer", minimum: 0, maximum: 1_000_000, default: 1 },
  memory: size,
  vcpus: { type: "integer", minimum: 1, maximum: 4096, default: 1 },
  start: { ...flag, default: true },
  overcommit: { description: "memory and room may be promised more than once", type: "boolean", default: false },
  addresses: fields(
    {
      range: { ...text, description: "a subnet like 10.144.0.0/22, or 10.144.0.5-10.144.0.40" },
      prefix: { type: "integer", minimum: 8, maximum: 30 },
      gateway: text,
      dns: { type: "array", items: text },
    },
    ["range"],
    "an address for each; mask and gateway of a Grid'5000 subnet are known",
  ),
  ready: fields(
    {
      by: { type: "string", enum: ["console", "ping", "ssh"] },
      pattern: { ...text, description: "the line of the console to wait for, a regular expression" },
      address: text,
      limit: { description: "seconds", type: "integer", minimum: 1, maximum: 86_400, default: 300 },
    },
    ["by"],
    "when it counts as ready",
  ),
  nics,
};

const copy = fields(
  { pool: { ...text, default: "default" }, volume: text, size },
  [],
  "copies the image into a volume of its own",
);

const media: Schema = {
  description: "how an operating system comes onto it",
  oneOf: [
    fields({ iso: absolute, upload: { ...text, description: "a local file that is sent there first" } }, ["iso"]),
    fields({ location: text, kernel: text, initrd: text, arguments: { type: "string" } }, ["location"]),
    fields({ pxe: { type: "boolean", const: true } }, ["pxe"]),
    fields({ import: absolute, copy }, ["import"]),
    fields(
      {
        cloud: absolute,
        ...{ pool: { ...text, default: "default" }, volume: text, size },
        user: text,
        keys: { description: "public keys of ssh", type: "array", items: text },
        hostname: text,
        userData: { description: "a whole user-data instead of user and keys", type: "string" },
      },
      ["cloud"],
    ),
  ],
};

const libvirt = fields(
  {
    provider: { const: "libvirt" },
    ...common,
    media,
    osinfo: { ...text, description: "a name of virt-install --osinfo list; else it is detected" },
    disks: {
      description: "after the imported image",
      type: "array",
      items: {
        oneOf: [
          fields(
            {
              pool: { ...text, default: "default" },
              size,
              volume: text,
              format: { type: "string", enum: ["qcow2", "raw"], default: "qcow2" },
            },
            ["size"],
          ),
          fields({ pool: { ...text, default: "default" }, volume: text }, ["volume"]),
          fields({ path: absolute }, ["path"]),
        ],
      },
    },
    arch: text,
    machine: text,
    firmware: { type: "string", enum: ["bios", "uefi"] },
    virtType: { type: "string", enum: ["kvm", "qemu"] },
    graphics: { type: "string", enum: ["none", "vnc", "spice"], default: "none" },
  },
  ["provider", "name", "memory"],
);

const ganeti = fields(
  {
    provider: { const: "ganeti" },
    ...common,
    os: { ...text, description: "an OS definition with its variant: debootstrap+default" },
    install: { description: "false: the OS scripts don't run", type: "boolean", default: true },
    osParameters: words,
    diskTemplate: text,
    disks: { type: "array", items: fields({ size }, ["size"]) },
    node: { ...text, description: "the primary node; else the allocator chooses" },
    secondary: text,
    allocator: { ...text, description: "an allocator; else the cluster's own" },
    hypervisor: text,
    hypervisorParameters: words,
    backendParameters: words,
    nameCheck: { ...flag, default: false },
    ipCheck: { ...flag, default: false },
    tags: { type: "array", items: text },
  },
  ["provider", "name", "memory", "os", "diskTemplate"],
);

/** A new disk of a Xen domain: what it is made as, and what is copied onto it. */
const freshDisk = { size, image: { ...absolute, description: "a raw image of the host that is copied onto it" } };

const xen = fields(
  {
    provider: { const: "xen" },
    ...common,
    type: { type: "string", enum: ["pv", "pvh", "hvm"], default: "pv" },
    boot: {
      description: "what it boots",
      oneOf: [
        fields(
          {
            kernel: { ...absolute, description: "a kernel of the host" },
            ramdisk: absolute,
            arguments: { description: "the kernel's arguments", type: "string" },
          },
          ["kernel"],
        ),
        fields({ bootloader: { ...text, description: "a boot loader that reads the first disk: pygrub" } }, [
          "bootloader",
        ]),
        fields({ iso: { ...absolute, description: "an ISO image of the host; type hvm" } }, ["iso"]),
        fields({ disk: { type: "boolean", const: true } }, ["disk"]),
      ],
    },
    disks: {
      type: "array",
      items: {
        oneOf: [
          fields(
            {
              ...freshDisk,
              group: { ...text, description: "a volume group, in which a logical volume is made" },
              volume: { ...text, description: "its name; else it is named after the domain" },
            },
            ["size", "group"],
          ),
          fields(
            {
              ...freshDisk,
              path: { ...absolute, description: "the file that is made" },
              directory: { ...absolute, description: "where the file is made and named after the domain" },
            },
            ["size"],
          ),
          fields({ path: absolute, format: { type: "string", enum: ["raw", "qcow2"], default: "raw" } }, ["path"]),
        ],
      },
    },
    graphics: { type: "string", enum: ["none", "vnc"], default: "none" },
  },
  ["provider", "name", "memory", "boot"],
);

const xenserver = fields(
  {
    provider: { const: "xenserver" },
    ...common,
    template: { ...text, description: "name or UUID of a template" },
    repository: { ...text, description: "where the template's disks go; else the pool's default" },
    disks: {
      description: "beside those of the template",
      type: "array",
      items: fields({ size, repository: { ...text, description: "name or UUID of a storage repository" } }, ["size"]),
    },
    iso: { ...text, description: "name of an ISO image in the pool's libraries" },
    location: { ...text, description: "URL of a tree that the template's installer is to use" },
    note: { type: "string" },
    tags: { type: "array", items: text },
  },
  ["provider", "name", "memory", "template"],
);

export const createSchema: Schema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "What virtu create makes",
  description: "YAML or JSON. Every flag of virtu create goes before the file's field.",
  oneOf: [libvirt, ganeti, xen, xenserver],
};
