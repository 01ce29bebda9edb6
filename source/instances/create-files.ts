/** The files of the host that a request names: they are asked for with what the host offers. */
import type { CreateRequest, LibvirtRequest } from "./create-types.ts";

/** Files that must be there, with the field that names each. An ISO that is yet to be sent is none of them. */
export function libvirtFiles({
  media,
  disks,
}: Pick<LibvirtRequest, "media" | "disks">): { field: string; path: string }[] {
  const files: { field: string; path: string }[] = [];
  if (media.kind === "iso" && media.upload === null) files.push({ field: "media.iso", path: media.path });
  if (media.kind === "import" || media.kind === "cloud")
    files.push({ field: `media.${media.kind}`, path: media.image });
  disks.forEach((disk, index) => {
    if (disk.kind === "path") files.push({ field: `disks.${index}`, path: disk.path });
  });
  return files;
}

export function filesOf(request: CreateRequest): string[] {
  return request.provider === "libvirt" ? [...new Set(libvirtFiles(request).map(({ path }) => path))] : [];
}
