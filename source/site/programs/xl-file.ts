/** A domain's file, as the stand-in of xl reads it. */
import type { FileSystem } from "../machine/files.ts";

/** What stands behind `key =`; null: the file does not say it. */
export function value(text: string, key: string): string | null {
  return new RegExp(`^\\s*${key}\\s*=\\s*["']?([^"'\\n#]*?)["']?\\s*(?:#.*)?$`, "m").exec(text)?.[1] ?? null;
}

/** What xl says when a file names something that is not there; null: all is. */
export function unbuildable(files: FileSystem, text: string): string | null {
  const gone = "libxl: error: libxl_domain.c:1183:libxl__destroy_domid: Domain 99:Non-existant domain\n";
  for (const key of ["kernel", "ramdisk"]) {
    const path = value(text, key);
    if (path !== null && files.find(path) === null) {
      return `xc: error: panic: xg_dom_core.c:688: xc_dom_kernel_file: failed to open file '${path}': No such file or directory: Internal error\n${gone}`;
    }
  }
  for (const [, target = ""] of text.matchAll(/target=([^"'\]\n]*)/g)) {
    if (files.find(target) === null) {
      return `libxl: error: libxl_device.c:397:libxl__device_disk_set_backend: Disk vdev=xvda failed to stat: ${target}: No such file or directory\n${gone}`;
    }
  }
  for (const [, bridge = ""] of text.matchAll(/bridge=([^"',\]\n]*)/g)) {
    if (files.find(`/sys/class/net/${bridge}`) === null) {
      return `libxl: error: libxl_exec.c:117:libxl_report_child_exitstatus: /etc/xen/scripts/vif-bridge online [99] exited with error status 1\nlibxl: error: libxl_device.c:1265:device_hotplug_child_death_cb: script: Could not find bridge device ${bridge}\n${gone}`;
    }
  }
  return null;
}
