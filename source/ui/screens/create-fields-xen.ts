/** The fields of a domain on a Xen host. Pure. */
import type { XenOffers } from "../../instances/create-offers.ts";
import type { Values } from "../components/form.tsx";
import { type Disks, diskFields } from "./create-disks.ts";
import { choice, choices, either, type StepField, text } from "./create-field-kinds.ts";

const typeLabels = { pv: "pv: a kernel that knows Xen", pvh: "pvh: pv in hardware", hvm: "hvm: a whole PC" } as const;

/** A disk on one line. */
function diskSummary(values: Values): string {
  const { disk = "", size = "", directory = "", group = "", image = "", path = "", format = "" } = values;
  if (disk === "path") return `${path} ${format}`;
  const where = disk === "volume" ? group : directory;
  return [size, where && `in ${where}`, image && `copy of ${image}`].filter(Boolean).join(" ");
}

export function xenFields(offers: XenOffers, disks: Disks): StepField[] {
  const { types, groups, bridges, kernels, ramdisks, isos } = offers;
  const hardware = (form: Values) => form["type"] === "hvm";
  const soft = (form: Values) => !hardware(form);
  const bootIs = (kind: string) => (form: Values) => (hardware(form) ? form["bootHvm"] : form["bootPv"]) === kind;
  const made = either("disk", "file", "volume");
  return [
    choice(
      0,
      "type",
      "Type",
      types.map((type) => ({ value: type, label: typeLabels[type] })),
    ),
    choice(
      0,
      "bootPv",
      "Boots",
      [
        { value: "kernel", label: "a kernel of the host" },
        { value: "pygrub", label: "what the first disk's boot loader says (pygrub)" },
      ],
      { shown: soft },
    ),
    choice(
      0,
      "bootHvm",
      "Boots",
      [
        { value: "iso", label: "an ISO image, until its disk can be booted" },
        { value: "disk", label: "its disk" },
        { value: "kernel", label: "a kernel of the host" },
      ],
      { shown: hardware },
    ),
    text(0, "kernel", "  kernel", 40, { shown: bootIs("kernel"), initial: kernels[0] ?? "" }),
    text(0, "ramdisk", "  ramdisk", 40, {
      ...{ shown: bootIs("kernel"), initial: ramdisks[0] ?? "" },
      help: "empty: none",
    }),
    text(0, "extra", "  arguments", 40, { shown: bootIs("kernel"), initial: "root=/dev/xvda console=hvc0" }),
    text(0, "iso", "  ISO image", 40, { shown: bootIs("iso"), initial: isos[0] ?? "" }),
    text(1, "memory", "Memory", 8, { initial: "1G" }),
    text(1, "vcpus", "vCPUs", 5, { initial: "1" }),
    ...diskFields(
      disks,
      [
        { value: "file", label: "a new file" },
        ...(groups.length > 0 ? [{ value: "volume", label: "a new logical volume" }] : []),
        { value: "path", label: "a file or device of the host" },
        { value: "none", label: "none" },
      ],
      [
        text(2, "directory", "  in", 40, { initial: offers.directory, shown: either("disk", "file") }),
        choice(2, "group", "  in group", choices(groups.map(({ name }) => name)), { shown: either("disk", "volume") }),
        text(2, "size", "  size", 8, { initial: "10G", shown: made }),
        text(2, "image", "  copy of", 40, { help: "a raw image of the host; empty: it stays empty", shown: made }),
        text(2, "path", "  path", 40, { shown: either("disk", "path") }),
        choice(2, "format", "  format", choices(["raw", "qcow2"]), { shown: either("disk", "path") }),
      ],
      diskSummary,
    ),
    text(3, "name", "Name", 26),
    text(3, "count", "How many", 4, { initial: "1" }),
    choice(3, "bridge", "Bridge", [...choices(bridges), { value: "", label: "none" }]),
    text(3, "mac", "  MAC", 17, { help: "empty: one of Xen's that stays", shown: (form) => form["bridge"] !== "" }),
    choice(3, "graphics", "Screen", [
      { value: "none", label: "none: a serial console" },
      { value: "vnc", label: "VNC" },
    ]),
  ];
}
