/** virsh on the host itself: its version, its hardware, what can be emulated. */
import { memoryTotal } from "../world/libvirt.ts";
import { type Command, VirshError } from "./virsh-command.ts";

const capabilities = `<capabilities>

  <host>
    <cpu>
      <arch>x86_64</arch>
    </cpu>
  </host>

  <guest>
    <os_type>hvm</os_type>
    <arch name='x86_64'>
      <wordsize>64</wordsize>
      <emulator>/usr/bin/qemu-system-x86_64</emulator>
      <machine maxCpus='255'>pc-i440fx-7.2</machine>
      <machine canonical='pc-i440fx-7.2' maxCpus='255'>pc</machine>
      <machine maxCpus='288'>pc-q35-7.2</machine>
      <machine canonical='pc-q35-7.2' maxCpus='288'>q35</machine>
      <domain type='qemu'/>
      <domain type='kvm'/>
    </arch>
  </guest>

</capabilities>

`;

const domainCapabilities = `<domainCapabilities>
  <path>/usr/bin/qemu-system-x86_64</path>
  <domain>kvm</domain>
  <machine>pc-i440fx-7.2</machine>
  <arch>x86_64</arch>
  <vcpu max='255'/>
  <os supported='yes'>
    <enum name='firmware'>
      <value>efi</value>
    </enum>
  </os>
</domainCapabilities>

`;

/** What comes of a comparison: the site's hosts have the same CPU but for what one lacks. */
function compared(xml: string, lacks: readonly string[], whose: string, head: string): string {
  if (lacks.length > 0) {
    throw new VirshError(
      `Failed to compare ${whose} with /dev/stdin`,
      `the CPU is incompatible with host CPU: Host CPU does not provide required features: ${lacks.join(", ")}`,
    );
  }
  return xml.includes("mode=")
    ? `${head} is a superset of CPU described in /dev/stdin\n\n`
    : `CPU described in /dev/stdin is identical to host CPU\n\n`;
}

const [buffers, cached] = [167_572, 3_685_760];

export const hostCommands: Readonly<Record<string, Command>> = {
  hostname: { options: [], run: (_call, host) => `${host.hostname}\n\n` },
  uri: { options: [], run: () => "qemu:///system\n\n" },
  version: {
    options: ["daemon"],
    run: () =>
      "Compiled against library: libvirt 9.0.0\nUsing library: libvirt 9.0.0\nUsing API: QEMU 9.0.0\nRunning hypervisor: QEMU 7.2.22\n\n",
  },
  capabilities: { options: [], run: () => capabilities },
  "cpu-compare": {
    options: ["error"],
    run: async (call, { cpuLacks }) => compared(await call.process.readAll(), cpuLacks, "host CPU", "Host CPU"),
  },
  "hypervisor-cpu-compare": {
    options: ["error"],
    values: ["virttype", "arch", "machine"],
    run: async (call, { cpuLacks }) =>
      compared(await call.process.readAll(), cpuLacks, "hypervisor CPU", "The CPU provided by hypervisor on the host"),
  },
  domcapabilities: { options: [], values: ["virttype", "arch", "machine"], run: () => domainCapabilities },
  nodeinfo: {
    options: [],
    run: () =>
      `CPU model:           x86_64\nCPU(s):              16\nCPU frequency:       2596 MHz\nCPU socket(s):       2\nCore(s) per socket:  8\nThread(s) per core:  1\nNUMA cell(s):        1\nMemory size:         ${memoryTotal} KiB\n\n`,
  },
  nodememstats: {
    options: ["cell"],
    run: (_call, host) => {
      const row = (name: string, kib: number) => `${name.padEnd(7)}: ${String(kib).padStart(20)} KiB\n`;
      const free = host.freeMemory() - buffers - cached;
      return `${row("total", memoryTotal)}${row("free", free)}${row("buffers", buffers)}${row("cached", cached)}\n`;
    },
  },
  nodecpustats: {
    options: ["cpu", "percent"],
    run: (_call, host) => {
      const up = (host.clock.now() - host.bootedAt) * 1e6;
      const row = (name: string, ns: number) => `${`${name}:`.padEnd(15)} ${String(Math.floor(ns)).padStart(20)}\n`;
      // What its guests use is its own use; the rest of 16 CPUs is idle.
      const guests = host.domains.reduce((sum, domain) => sum + (domain.id === null ? 0 : host.cpuTime(domain)), 0);
      const idle = Math.max(0, up * 15.7 - guests);
      return `${row("user", guests)}${row("system", up * 0.2)}${row("idle", idle)}${row("iowait", up * 0.1)}\n`;
    },
  },
};
