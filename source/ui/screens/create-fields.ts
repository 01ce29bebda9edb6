/** The five steps of making an instance: which fields each has, by what the chosen host offers. Pure. */
import type { Offers } from "../../instances/create-check.ts";
import type { ProviderName } from "../../instances/types.ts";
import type { LentAddresses } from "../../store/making-known.ts";
import type { Values } from "../components/form.tsx";
import { type Disks, diskFields, oneDisk } from "./create-disks.ts";
import { type Choice, choice, choices, either, type StepField, text, typedRange } from "./create-field-kinds.ts";
import { xenFields } from "./create-fields-xen.ts";
import { xenServerFields } from "./create-fields-xenserver.ts";

/** Where an instance can be made. */
export interface CreatePlace {
  /** The provider's place, unique. */
  id: string;
  /** As the user named it. */
  host: string;
  /** `hv1 · libvirt`. */
  label: string;
  provider: ProviderName;
}

/** A file that is none of the pools': its path is typed. */
export const typedPath = "";

const spreadOut = "out";

/** The media of virt-manager's first page, and what came since. */
const media: readonly Choice[] = [
  { value: "import", label: "a disk image that is on the host" },
  { value: "cloud", label: "a cloud image, with cloud-init" },
  { value: "iso", label: "an ISO image" },
  { value: "location", label: "over the network, from a tree" },
  { value: "pxe", label: "over the network, by PXE" },
  { value: "none", label: "nothing: its disks are ready" },
];

/** Every field of every step; `offers` null: the host has not said yet what it has. */
export function createFields(
  places: readonly CreatePlace[],
  offers: Offers | null,
  lent: readonly LentAddresses[],
  disks: Disks = oneDisk,
): StepField[] {
  const place = choice(
    0,
    "place",
    "On",
    places.map(({ id, label }) => ({ value: id, label })),
  );
  if (!offers) return [place];
  const own = ownFields(offers, lent, disks);
  const hosts = places.filter(({ provider }) => provider === offers.provider).length;
  const many = own.flatMap((field) => (field.id === "count" ? [field, ...spreadFields(hosts)] : [field]));
  return [place, ...many, ...lastFields];
}

/** Many can go to all places of one kind. */
function spreadFields(hosts: number): StepField[] {
  if (hosts < 2) return [];
  const of: Choice[] = [
    { value: "", label: "all of them there" },
    { value: spreadOut, label: `over the ${hosts} places of this kind, by free memory` },
  ];
  return [choice(3, "spread", "Spread", of, { shown: ({ count = "" }) => Number(count) > 1 })];
}

/** Whether the form asks for several places. */
export function isSpread(values: Values): boolean {
  return values["spread"] === spreadOut && Number(values["count"]) > 1;
}

function ownFields(offers: Offers, lent: readonly LentAddresses[], disks: Disks): StepField[] {
  switch (offers.provider) {
    case "ganeti":
      return ganetiFields(offers, lent);
    case "libvirt":
      return libvirtFields(offers, lent, disks);
    case "xen":
      return xenFields(offers, disks);
    case "xenserver":
      return xenServerFields(offers);
  }
}

const lastFields: readonly StepField[] = [
  choice(4, "start", "Start it", [
    { value: "yes", label: "at once" },
    { value: "no", label: "no, leave it off" },
  ]),
  choice(
    4,
    "ready",
    "Ready when",
    [
      { value: "", label: "it is made" },
      { value: "ping", label: "it answers to ping" },
      { value: "ssh", label: "its SSH port answers" },
      { value: "console", label: "its console shows login:" },
    ],
    { shown: either("start", "yes") },
  ),
];

/** Addresses for the instances: none, of a job's subnet, or of a range that is typed. */
function addressFields(lent: readonly LentAddresses[], none: string, shown: (form: Values) => boolean): StepField[] {
  const of: Choice[] = [
    { value: "", label: none },
    ...lent.map(({ jobId, subnet, addresses }) => ({
      value: JSON.stringify(addresses),
      label: `of job ${jobId}: ${subnet}`,
    })),
    { value: typedRange, label: "of a range" },
  ];
  return [
    choice(3, "addressesOf", "Addresses", of, { shown }),
    text(3, "addresses", "  range", 30, {
      help: "10.144.0.0/22 or from-to",
      shown: (form) => shown(form) && form["addressesOf"] === typedRange,
    }),
  ];
}

const diskKinds: readonly Choice[] = [
  { value: "new", label: "a new volume" },
  { value: "volume", label: "a volume that is there" },
  { value: "path", label: "a file or device of the host" },
  { value: "none", label: "none, beside an imported image" },
];

/** A disk on one line. */
function diskSummary(values: Values): string {
  const { disk = "", pool = "", size = "", format = "", volume = "", path = "" } = values;
  if (disk === "new") return [size, format, pool && `in ${pool}`].filter(Boolean).join(" ");
  return disk === "volume" ? volume : path;
}

function libvirtFields(
  offers: Extract<Offers, { provider: "libvirt" }>,
  lent: readonly LentAddresses[],
  disks: Disks,
): StepField[] {
  const pools = choices(offers.pools.filter(({ active }) => active).map(({ name }) => name));
  const free = offers.pools.flatMap((pool) =>
    pool.volumes.flatMap(({ name, path }) =>
      offers.usedDisks?.has(path) || /\.iso$/i.test(name) ? [] : [`${pool.name}/${name}`],
    ),
  );
  const volumes: Choice[] = free.length > 0 ? choices(free) : [{ value: "", label: "there is none that nobody has" }];
  // What carries the name of an instance is its own disk, and none to begin with.
  const isDisk = (name: string) => offers.names.some((own) => name.startsWith(`${own}.`) || name.startsWith(`${own}-`));
  const filesOf = (pattern: RegExp, other: string): Choice[] => [
    ...offers.pools.flatMap((pool) =>
      pool.volumes
        .filter(({ name }) => pattern.test(name) && !isDisk(name))
        .map(({ name, path }) => ({ value: path, label: `${pool.name}/${name}` })),
    ),
    { value: typedPath, label: other },
  ];
  const isos = filesOf(/\.iso$/i, "another, or one to be sent");
  const images = filesOf(/\.(qcow2?|img|raw)$/i, "another: type its path");
  const networks: Choice[] = [
    ...offers.networks.map(({ name, active }) => ({
      value: `network ${name}`,
      label: `network ${name}${active ? "" : ", not active"}`,
    })),
    ...offers.bridges.map((name) => ({ value: `bridge ${name}`, label: `bridge ${name}` })),
    { value: "", label: "none" },
  ];
  const usual: Choice = { value: "", label: "the host's own" };
  const image = either("media", "import", "cloud");
  const copied = (form: Values) => either("media", "cloud")(form) || (image(form) && form["copy"] === "yes");
  const typed =
    (...kinds: string[]) =>
    (form: Values) =>
      either("media", ...kinds)(form) && form[kinds[0] === "iso" ? "isoOf" : "imageOf"] === typedPath;
  const made = either("disk", "new");
  const machines = offers.archs.flatMap(({ machines: all }) => all);
  return [
    choice(0, "media", "From", media),
    choice(0, "isoOf", "  ISO image", isos, { shown: either("media", "iso") }),
    text(0, "iso", "    path", 40, { shown: typed("iso"), help: "on the host" }),
    text(0, "upload", "    send it", 40, {
      shown: typed("iso"),
      help: "a file of this machine; empty: it is there",
    }),
    text(0, "location", "  tree", 40, { shown: either("media", "location"), help: "URL, or a directory of the host" }),
    text(0, "extra", "  arguments", 30, { shown: either("media", "location"), help: "for the installer's kernel" }),
    choice(0, "imageOf", "  image", images, { shown: image }),
    text(0, "image", "    path", 40, { shown: typed("import", "cloud"), help: "on the host" }),
    choice(
      0,
      "copy",
      "  use it",
      [
        { value: "yes", label: "as a copy" },
        { value: "no", label: "in place" },
      ],
      { shown: either("media", "import") },
    ),
    choice(0, "copyPool", "  into pool", pools, { shown: copied }),
    text(0, "copySize", "  grown to", 8, { shown: copied, help: "empty: as large as the image says" }),
    text(0, "user", "  account", 16, { shown: either("media", "cloud"), help: "empty: the image's own" }),
    text(0, "key", "  public key", 40, { shown: either("media", "cloud"), help: "who may log in" }),
    text(0, "osinfo", "System", 20, { help: "a name of osinfo; empty: found out" }),
    text(1, "memory", "Memory", 8, { initial: "1G" }),
    text(1, "vcpus", "vCPUs", 5, { initial: "1" }),
    ...diskFields(
      disks,
      diskKinds,
      [
        choice(2, "pool", "  in pool", pools, { shown: made }),
        text(2, "size", "  size", 8, { initial: "10G", shown: made }),
        choice(2, "format", "  format", choices(["qcow2", "raw"]), { shown: made }),
        choice(2, "volume", "  volume", volumes, { shown: either("disk", "volume") }),
        text(2, "path", "  path", 40, { shown: either("disk", "path") }),
      ],
      diskSummary,
    ),
    text(3, "name", "Name", 26),
    text(3, "count", "How many", 4, { initial: "1" }),
    ...addressFields(lent, "by DHCP", either("media", "cloud")),
    choice(3, "network", "Network", networks),
    text(3, "mac", "  MAC", 17, { help: "empty: chosen by libvirt", shown: (form) => form["network"] !== "" }),
    choice(3, "arch", "Architecture", [usual, ...choices(offers.archs.map(({ arch }) => arch))]),
    choice(3, "machine", "Machine", [usual, ...choices([...new Set(machines)].slice(0, 40))]),
    choice(3, "firmware", "Firmware", [usual, ...choices(offers.firmwares)]),
    choice(3, "virtType", "Virtualised", [
      usual,
      ...choices([...new Set(offers.archs.flatMap(({ virtTypes }) => virtTypes))]),
    ]),
    choice(3, "graphics", "Screen", [
      { value: "none", label: "none: a serial console" },
      { value: "vnc", label: "VNC" },
      { value: "spice", label: "SPICE" },
    ]),
  ];
}

function ganetiFields(offers: Extract<Offers, { provider: "ganeti" }>, lent: readonly LentAddresses[]): StepField[] {
  const nodes = offers.nodes.filter(({ usable }) => usable).map(({ name }) => name);
  const allocator: Choice = { value: "", label: `chosen by ${offers.allocator ?? "an allocator"}` };
  const cards: Choice[] = [
    { value: "", label: `the cluster's own${offers.link ? `: ${offers.link}` : ""}` },
    ...offers.networks.map(({ name }) => ({ value: `network ${name}`, label: `network ${name}` })),
    { value: "none", label: "none" },
  ];
  const disks = (form: Values) => form["template"] !== "diskless";
  return [
    choice(0, "os", "System", choices(offers.systems)),
    choice(0, "install", "Install it", [
      { value: "yes", label: "yes, by its OS scripts" },
      { value: "no", label: "no, and leave it off" },
    ]),
    text(0, "osParameters", "  parameters", 30, { help: "name=value, …; empty: the system's own" }),
    text(1, "memory", "Memory", 8, { initial: "1G" }),
    text(1, "vcpus", "vCPUs", 5, { initial: "1" }),
    choice(2, "template", "Disks as", choices(offers.diskTemplates)),
    text(2, "sizes", "  sizes", 24, { initial: "10G", shown: disks, help: "one for each disk: 10G 20G" }),
    text(3, "name", "Name", 30, { help: "best a full host name" }),
    text(3, "count", "How many", 4, { initial: "1" }),
    ...addressFields(lent, "none is noted", () => true),
    choice(3, "primary", "On node", offers.allocator === null ? choices(nodes) : [allocator, ...choices(nodes)]),
    choice(3, "secondary", "  secondary", choices(nodes), {
      shown: (form) => form["primary"] !== "" && form["template"] === "drbd",
    }),
    choice(3, "card", "Network", cards),
    text(3, "mac", "  MAC", 17, { help: "empty: made by Ganeti", shown: (form) => form["card"] !== "none" }),
    text(3, "ip", "  address", 15, { help: "empty: none is noted", shown: (form) => form["card"] !== "none" }),
    choice(3, "hypervisor", "Hypervisor", [{ value: "", label: "the cluster's own" }, ...choices(offers.hypervisors)]),
    text(3, "hypervisorParameters", "  parameters", 30, { help: "name=value, …" }),
    choice(3, "nameCheck", "Name check", [
      { value: "no", label: "no: no DNS knows it" },
      { value: "yes", label: "it must resolve" },
    ]),
  ];
}
