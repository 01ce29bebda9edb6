/** Requests for tests: what is given, on a plain instance. */
import type { GanetiRequest, LibvirtRequest, XenRequest, XenServerRequest } from "../source/instances/create-types.ts";

export const uuid = "6b1c7a52-4b0e-4d60-9a9d-0f4f3a0c1a11";

export function libvirtRequest(given: Partial<LibvirtRequest> = {}): LibvirtRequest {
  return {
    ...{ provider: "libvirt", name: "web1", uuid, memoryMiB: 512, vcpus: 1, start: true, media: { kind: "pxe" } },
    ...{ osinfo: null, disks: [], nics: [{ network: "default", link: null, mac: null, ip: null }] },
    ...{ arch: null, machine: null, firmware: null, virtType: null, graphics: "none" },
    ...given,
  };
}

export function ganetiRequest(given: Partial<GanetiRequest> = {}): GanetiRequest {
  return {
    ...{ provider: "ganeti", name: "web1.example.org", memoryMiB: 512, vcpus: 2, start: true },
    ...{ os: "noop", install: true, osParameters: {}, diskTemplate: "diskless", disksMiB: [] },
    placement: { kind: "node", primary: "node1.example.org", secondary: null },
    ...{ nics: null, hypervisor: null, hypervisorParameters: {}, backendParameters: {} },
    ...{ nameCheck: false, ipCheck: false, tags: [] },
    ...given,
  };
}

export function xenRequest(given: Partial<XenRequest> = {}): XenRequest {
  return {
    ...{ provider: "xen", name: "web1", uuid, memoryMiB: 512, vcpus: 1, start: true, type: "pv", graphics: "none" },
    boot: { kind: "kernel", kernel: "/boot/vmlinuz", ramdisk: null, extraArgs: "" },
    disks: [],
    nics: [],
    ...given,
  };
}

export function xenServerRequest(given: Partial<XenServerRequest> = {}): XenServerRequest {
  return {
    ...{ provider: "xenserver", name: "web1", uuid, memoryMiB: 512, vcpus: 1, start: true, template: "t-1" },
    ...{ repository: null, disks: [], nics: null, iso: null, location: null, note: "", tags: [] },
    ...given,
  };
}
