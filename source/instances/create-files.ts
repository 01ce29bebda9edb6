/** The files of the host that a request names: they are asked for with what the host offers. */
import type { CreateRequest, LibvirtRequest, XenRequest } from "./create-types.ts";

interface NamedFile {
  field: string;
  path: string;
}

/** Files that must be there, with the field that names each. An ISO that is yet to be sent is none of them. */
export function libvirtFiles({ media, disks }: Pick<LibvirtRequest, "media" | "disks">): NamedFile[] {
  const files: NamedFile[] = [];
  if (media.kind === "iso" && media.upload === null) files.push({ field: "media.iso", path: media.path });
  if (media.kind === "import" || media.kind === "cloud")
    files.push({ field: `media.${media.kind}`, path: media.image });
  disks.forEach((disk, index) => {
    if (disk.kind === "path") files.push({ field: `disks.${index}`, path: disk.path });
  });
  return files;
}

/** Files that must be there: what it boots, disks that are used in place, images that are copied. */
export function xenFiles({ boot, disks }: Pick<XenRequest, "boot" | "disks">): NamedFile[] {
  const files: NamedFile[] = [];
  if (boot.kind === "kernel") {
    files.push({ field: "boot.kernel", path: boot.kernel });
    if (boot.ramdisk !== null) files.push({ field: "boot.ramdisk", path: boot.ramdisk });
  }
  if (boot.kind === "iso") files.push({ field: "boot.iso", path: boot.iso });
  disks.forEach((disk, index) => {
    if (disk.kind === "path") files.push({ field: `disks.${index}`, path: disk.path });
    else if (disk.image !== null) files.push({ field: `disks.${index}`, path: disk.image });
  });
  return files;
}

/** Every file whose presence matters, those among them that must not be there yet. */
export function filesOf(request: CreateRequest): string[] {
  const named = () => {
    if (request.provider === "libvirt") return libvirtFiles(request);
    if (request.provider !== "xen") return [];
    const fresh = request.disks.flatMap((disk) => (disk.kind === "file" && disk.path !== null ? [disk.path] : []));
    return [...xenFiles(request), ...fresh.map((path) => ({ path }))];
  };
  return [...new Set(named().map(({ path }) => path))];
}
