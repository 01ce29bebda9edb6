/** What a disk image on a host is, from its first bytes: no program of QEMU is needed for that. */
import { type Command, sh } from "../ssh/command.ts";

export interface ImageFacts {
  /** `other`: a format that libvirt can use in place, and that is no copy target here (VMDK, VDI, VHDX). */
  format: "qcow2" | "raw" | "other";
  /** Bytes of the file, and of the disk that it holds. */
  bytes: number;
  virtualBytes: number;
}

/** Size and first 32 bytes of a file: `@@virtu image`, its size, then hexadecimal bytes. Status 1: not there. */
export function imageCommand(path: string): Command {
  return sh`echo '@@virtu image'; stat -Lc %s ${path} && head -c 32 ${path} | od -An -v -tx1`;
}

/** What `imageCommand` printed, or null when there is no such file. */
export function parseImage(stdout: string): ImageFacts | null {
  const found = /^@@virtu image\n(\d+)\n([\s\da-f]*)/m.exec(stdout);
  if (!found) return null;
  const bytes = Number(found[1]);
  const head = (found[2] ?? "").replace(/\s/g, "");
  // qcow2: "QFI\xfb", version; the disk's size is a big-endian 64-bit number at byte 24 (QEMU's docs/interop/qcow2.txt).
  if (head.startsWith("514649fb") && head.length >= 64) {
    return { format: "qcow2", bytes, virtualBytes: Number(BigInt(`0x${head.slice(48, 64)}`)) };
  }
  // VMDK "KDMV" or "# Disk DescriptorFile", VHDX "vhdxfile", VDI "<<< ".
  const other = ["4b444d56", "23204469736b", "7668647866696c65", "3c3c3c20"].some((magic) => head.startsWith(magic));
  return { format: other ? "other" : "raw", bytes, virtualBytes: bytes };
}

const mebibyte = 1024 * 1024;

/** MiB that hold so many bytes. */
export function mebibytes(bytes: number): number {
  return Math.ceil(bytes / mebibyte);
}
