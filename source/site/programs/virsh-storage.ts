/** virsh on pools, volumes, networks and cards: as far as making an instance needs them. */
import { FileError } from "../machine/files.ts";
import type { Call } from "../machine/machine.ts";
import type { LibvirtHost } from "../world/libvirt.ts";
import { type HostStorage, type StoragePool, storageOf } from "../world/libvirt-storage.ts";
import { type Command, type Line, VirshError } from "./virsh.ts";
import { table } from "./virsh-tables.ts";

const fault = (...lines: string[]) => new VirshError(...lines);

type Run = Command["run"];

function poolOf(storage: HostStorage, name = ""): StoragePool {
  const pool = storage.pool(name);
  if (pool) return pool;
  throw fault(`failed to get pool '${name}'`, `Storage pool not found: no storage pool with matching name '${name}'`);
}

function volumeOf(storage: HostStorage, [poolName = "", name = ""]: readonly string[]) {
  const pool = poolOf(storage, poolName);
  const volume = pool.volumes.get(name);
  if (volume) return { pool, volume };
  throw fault(`failed to get vol '${name}'`, `Storage volume not found: no storage vol with matching name '${name}'`);
}

/** `1024M`, `10G`, or bytes. */
function bytesOf(text: string): number {
  const [, number = "0", unit = ""] = /^(\d+)([KMGT]?)/.exec(text) ?? [];
  return Number(number) * 1024 ** ("KMGT".indexOf(unit) + 1 || 0);
}

function inPool(
  run: (storage: HostStorage, pool: StoragePool, line: Line, call: Call) => Promise<string> | string,
): Run {
  return (call, host, line) => {
    const storage = storageOf(host);
    return run(storage, poolOf(storage, line.words[0]), line, call);
  };
}

/** The machine's own files in a pool's directory are volumes, too: ISO images that somebody put there. */
function volumeRows(pool: StoragePool, call: Call): [string, string][] {
  const isThere = call.machine.files.find(pool.directory)?.kind === "directory";
  const files = isThere ? call.machine.files.names(pool.directory) : [];
  const names = new Set([...pool.volumes.keys(), ...files]);
  return [...names].sort().map((name) => [name, `${pool.directory}/${name}`]);
}

const capabilities = (virtType: string) => `<capabilities>

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
      <domain type='${virtType}'/>
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

const network = `<network>
  <name>default</name>
  <uuid>81799653-b350-46e5-a506-215bf725696f</uuid>
  <forward mode='nat'/>
  <bridge name='virbr0' stp='on' delay='0'/>
  <ip address='192.168.122.1' netmask='255.255.255.0'>
    <dhcp>
      <range start='192.168.122.2' end='192.168.122.254'/>
    </dhcp>
  </ip>
</network>

`;

function domainOf(host: LibvirtHost, word = "") {
  const domain = host.find(word);
  if (!domain) throw fault(`failed to get domain '${word}'`);
  return domain;
}

export const storageCommands: Readonly<Record<string, Command>> = {
  "pool-refresh": {
    options: ["pool"],
    requires: "pool",
    run: inPool((_storage, pool) => `Pool ${pool.name} refreshed\n\n`),
  },
  "pool-dumpxml": {
    options: ["pool"],
    requires: "pool",
    run: inPool((storage, pool) => {
      const used = storage.used(pool);
      return `<pool type='dir'>\n  <name>${pool.name}</name>\n  <uuid>${pool.uuid}</uuid>\n  <capacity unit='bytes'>${pool.capacity}</capacity>\n  <allocation unit='bytes'>${used}</allocation>\n  <available unit='bytes'>${pool.capacity - used}</available>\n  <source>\n  </source>\n  <target>\n    <path>${pool.directory}</path>\n  </target>\n</pool>\n\n`;
    }),
  },
  "vol-list": {
    options: ["pool", "details"],
    requires: "pool",
    run: inPool((_storage, pool, _line, call) => table(["Name", "Path"], volumeRows(pool, call))),
  },
  "vol-create-as": {
    options: ["pool", "name", "capacity", "format", "allocation"],
    requires: "pool",
    run: inPool(async (storage, pool, { words }, call) => {
      const [, name = "", size = "0", format = "raw"] = words;
      if (pool.volumes.has(name))
        throw fault(`Failed to create vol ${name}`, `storage volume '${name}' exists already`);
      const capacity = bytesOf(size);
      // A raw volume is allocated whole, a qcow2 one as it fills.
      const allocation = format === "raw" ? capacity : 200 * 1024;
      if (allocation > pool.capacity - storage.used(pool)) {
        const why = `cannot allocate ${capacity} bytes in file '${pool.directory}/${name}': No space left on device`;
        throw fault(`Failed to create vol ${name}`, why);
      }
      await call.process.work(1);
      pool.volumes.set(name, { name, capacity, allocation, format: format === "qcow2" ? "qcow2" : "raw" });
      return `Vol ${name} created\n\n`;
    }),
  },
  "vol-upload": {
    options: ["pool", "vol", "sparse"],
    requires: "vol",
    run: async (call, host, { words }) => {
      const { volume } = volumeOf(storageOf(host), words);
      try {
        call.process.open(words[2] ?? "", "read").close();
      } catch (thrown) {
        if (!(thrown instanceof FileError)) throw thrown;
        throw fault(`cannot open file '${words[2]}': ${thrown.message}`);
      }
      await call.process.work(12);
      volume.allocation = Math.max(volume.allocation, Math.floor(volume.capacity / 4));
      return "\n";
    },
  },
  "vol-resize": {
    options: ["pool", "vol"],
    requires: "vol",
    run: (_call, host, { words }) => {
      const { volume } = volumeOf(storageOf(host), words);
      volume.capacity = bytesOf(words[2] ?? "");
      return `Size of volume '${volume.name}' successfully changed to ${words[2]}\n\n`;
    },
  },
  "vol-info": {
    options: ["pool", "vol", "bytes"],
    requires: "vol",
    run: (_call, host, { words }) => {
      const { volume } = volumeOf(storageOf(host), words);
      return `Name:           ${volume.name}\nType:           file\nCapacity:       ${volume.capacity} bytes\nAllocation:     ${volume.allocation} bytes\n\n`;
    },
  },
  "vol-delete": {
    options: ["pool", "vol"],
    requires: "vol",
    run: (_call, host, { words }) => {
      const { pool, volume } = volumeOf(storageOf(host), words);
      pool.volumes.delete(volume.name);
      return `Vol ${volume.name} deleted\n\n`;
    },
  },
  "net-dumpxml": {
    options: ["network"],
    requires: "network",
    run: (_call, _host, { words: [name] }) => {
      if (name === "default") return network;
      throw fault(`failed to get network '${name}'`, `Network not found: no network with matching name '${name}'`);
    },
  },
  capabilities: { options: [], run: () => capabilities("kvm") },
  domcapabilities: { options: ["virttype", "arch", "machine"], run: () => domainCapabilities },
  domiflist: {
    options: ["domain", "inactive"],
    requires: "domain",
    run: (_call, host, { words: [word] }) => {
      const domain = domainOf(host, word);
      const mac = storageOf(host).card(domain);
      const interfaceName = host.interfaces.get(domain) ?? "-";
      const rows = mac === null ? [] : [[interfaceName, "network", "default", "virtio", mac]];
      return table(["Interface", "Type", "Source", "Model", "MAC"], rows);
    },
  },
  domifaddr: {
    options: ["domain", "source", "full"],
    requires: "domain",
    run: (_call, host, { words: [word] }) => {
      const domain = domainOf(host, word);
      const storage = storageOf(host);
      const address = storage.address(domain);
      const rows =
        address === null
          ? []
          : [[host.interfaces.get(domain) ?? "-", storage.card(domain) ?? "-", "ipv4", `${address}/24`]];
      return table(["Name", "MAC address", "Protocol", "Address"], rows);
    },
  },
};
