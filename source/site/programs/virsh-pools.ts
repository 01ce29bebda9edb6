/** virsh on pools and their volumes. Pools are named or given by UUID, volumes by name with their pool or by path. */
import { FileError } from "../machine/files.ts";
import type { Call } from "../machine/machine.ts";
import type { LibvirtHost } from "../world/libvirt.ts";
import type { StoragePool } from "../world/libvirt-storage.ts";
import { type Command, type Line, VirshError } from "./virsh-command.ts";
import { table } from "./virsh-tables.ts";

const word = ({ values }: Line, name: string) => values.get(name) ?? "";

function poolOf(host: LibvirtHost, line: Line): StoragePool {
  const name = word(line, "pool");
  const pool = host.storage.pool(name);
  if (pool) return pool;
  throw new VirshError(
    `failed to get pool '${name}'`,
    `Storage pool not found: no storage pool with matching name '${name}'`,
  );
}

function activePool(host: LibvirtHost, line: Line): StoragePool {
  const pool = poolOf(host, line);
  if (pool.active) return pool;
  throw new VirshError(`Requested operation is not valid: storage pool '${pool.name}' is not active`);
}

function volumeOf(host: LibvirtHost, line: Line) {
  const name = word(line, "vol");
  const pool = line.values.has("pool") ? activePool(host, line) : null;
  const found = host.storage.find(pool ? `${pool.directory}/${name}` : name);
  if (found) return { ...found, path: `${found.pool.directory}/${found.volume.name}` };
  const kind = pool ? "name" : "path";
  throw new VirshError(
    `failed to get vol '${name}'`,
    `Storage volume not found: no storage vol with matching ${kind} '${name}'`,
  );
}

/** `1024M`, `10G`, `64MiB`, or bytes. */
function bytesOf(text: string): number {
  const [, number = "0", unit = ""] = /^(\d+)([KMGT]?)/.exec(text) ?? [];
  return Number(number) * 1024 ** ("KMGT".indexOf(unit || "-") + 1);
}

function sizeText(bytes: number): string {
  const power = Math.min(4, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${(bytes / 1024 ** power).toFixed(2)} ${["B", "KiB", "MiB", "GiB", "TiB"][power]}`;
}

function onPool(
  run: (pool: StoragePool, host: LibvirtHost, line: Line, call: Call) => Promise<string> | string,
  more: { takes?: readonly string[]; options?: readonly string[]; values?: readonly string[]; active?: boolean } = {},
): Command {
  return {
    options: more.options ?? [],
    takes: ["pool", ...(more.takes ?? [])],
    values: more.values ?? [],
    run: (call, host, line) => run((more.active ? activePool : poolOf)(host, line), host, line, call),
  };
}

const sizeOptions = { takes: ["vol", "capacity"], values: ["pool"], options: [] };

const yesNo = (is: boolean) => (is ? "yes" : "no");

/** Files that somebody put into its directory become volumes. */
function refresh(pool: StoragePool, { machine: { files } }: Call): void {
  if (files.find(pool.directory)?.kind !== "directory") return;
  for (const name of files.names(pool.directory)) {
    const file = files.find(`${pool.directory}/${name}`);
    if (pool.volumes.has(name) || file?.kind !== "file") continue;
    const [bytes, format] = [file.content.length, name.endsWith(".qcow2") ? "qcow2" : "raw"] as const;
    pool.volumes.set(name, { name, capacity: bytes, allocation: bytes, format });
  }
}

const pools: Readonly<Record<string, Command>> = {
  "pool-list": {
    options: ["all", "details", "inactive", "name", "uuid"],
    run: (_call, { storage }, { flags }) => {
      const chosen = storage.pools.filter(({ active }) =>
        flags.has("inactive") ? !active : active || flags.has("all"),
      );
      if (flags.has("uuid")) return `${chosen.map(({ uuid }) => `${uuid}\n`).join("")}\n`;
      // virsh fills the names up with blanks there.
      if (flags.has("name")) return `${chosen.map(({ name }) => `${name.padEnd(20)}\n`).join("")}\n`;
      if (!flags.has("details")) {
        const rows = chosen.map(({ name, active, autostart }) => [
          name,
          active ? "active" : "inactive",
          yesNo(autostart),
        ]);
        return table(["Name", "State", "Autostart"], rows);
      }
      return table(
        ["Name", "State", "Autostart", "Persistent", "Capacity", "Allocation", "Available"],
        chosen.map((pool) => {
          const used = storage.used(pool);
          const sizes = pool.active ? [pool.capacity, used, pool.capacity - used].map(sizeText) : ["-", "-", "-"];
          return [pool.name, pool.active ? "running" : "inactive", yesNo(pool.autostart), "yes", ...sizes];
        }),
      );
    },
  },
  "pool-dumpxml": onPool((pool, { storage }) => {
    const { name, uuid, directory, capacity } = pool;
    const used = storage.used(pool);
    const sizes: [string, number][] = [
      ["capacity", capacity],
      ["allocation", used],
      ["available", capacity - used],
    ];
    const lines = sizes.map(([key, bytes]) => `  <${key} unit='bytes'>${pool.active ? bytes : 0}</${key}>\n`).join("");
    return `<pool type='dir'>\n  <name>${name}</name>\n  <uuid>${uuid}</uuid>\n${lines}  <source>\n  </source>\n  <target>\n    <path>${directory}</path>\n  </target>\n</pool>\n\n`;
  }),
  "pool-refresh": onPool(
    (pool, _host, _line, call) => {
      refresh(pool, call);
      return `Pool ${pool.name} refreshed\n\n`;
    },
    { active: true },
  ),
  "pool-define-as": {
    options: [],
    takes: ["name", "type"],
    values: ["target"],
    run: (_call, { storage }, line) => {
      const name = word(line, "name");
      const known = storage.pool(name);
      if (known) {
        const why = `operation failed: pool '${name}' already exists with uuid ${known.uuid}`;
        throw new VirshError(`Failed to define pool ${name}`, why);
      }
      storage.definePool(name, word(line, "target"));
      return `Pool ${name} defined\n\n`;
    },
  },
  "pool-build": onPool((pool, _host, _line, call) => {
    call.machine.files.makeDirectory(pool.directory, "root", { parents: true });
    return `Pool ${pool.name} built\n\n`;
  }),
  "pool-start": onPool((pool, _host, _line, call) => {
    const refusal = pool.active
      ? `Requested operation is not valid: storage pool '${pool.name}' is already active`
      : call.machine.files.find(pool.directory)?.kind !== "directory"
        ? `cannot open directory '${pool.directory}': No such file or directory`
        : null;
    if (refusal !== null) throw new VirshError(`Failed to start pool ${pool.name}`, refusal);
    pool.active = true;
    refresh(pool, call);
    return `Pool ${pool.name} started\n\n`;
  }),
  "pool-autostart": onPool(
    (pool, _host, { flags }) => {
      pool.autostart = !flags.has("disable");
      return `Pool ${pool.name} ${pool.autostart ? "marked" : "unmarked"} as autostarted\n\n`;
    },
    { options: ["disable"] },
  ),
  "pool-destroy": onPool(
    (pool) => {
      pool.active = false;
      return `Pool ${pool.name} destroyed\n\n`;
    },
    { active: true },
  ),
  "pool-undefine": onPool((pool, { storage }) => {
    if (pool.active) {
      const why = `Requested operation is not valid: storage pool '${pool.name}' is still active`;
      throw new VirshError(`Failed to undefine pool ${pool.name}`, why);
    }
    storage.undefinePool(pool);
    return `Pool ${pool.name} has been undefined\n\n`;
  }),
};

const volumes: Readonly<Record<string, Command>> = {
  "vol-list": onPool(
    ({ directory, volumes: all }, _host, { flags }) => {
      const sorted = [...all.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
      const rows = sorted.map(({ name, capacity, allocation }) => [
        ...[name, `${directory}/${name}`],
        ...(flags.has("details") ? ["file", sizeText(capacity), sizeText(allocation)] : []),
      ]);
      return table(["Name", "Path", ...(flags.has("details") ? ["Type", "Capacity", "Allocation"] : [])], rows);
    },
    { options: ["details"], active: true },
  ),
  "vol-create-as": onPool(
    async (pool, { storage }, line, call) => {
      const name = word(line, "name");
      const format = word(line, "format") === "qcow2" ? "qcow2" : "raw";
      const fault = (why: string) => new VirshError(`Failed to create vol ${name}`, why);
      if (pool.volumes.has(name)) throw fault(`storage volume '${name}' exists already`);
      const capacity = bytesOf(word(line, "capacity"));
      // A raw volume is allocated whole, a qcow2 one as it fills.
      const allocation = format === "raw" ? capacity : 200 * 1024;
      if (allocation > pool.capacity - storage.used(pool)) {
        throw fault(`cannot allocate ${capacity} bytes in file '${pool.directory}/${name}': No space left on device`);
      }
      await call.process.work(1);
      pool.volumes.set(name, { name, capacity, allocation, format });
      return `Vol ${name} created\n\n`;
    },
    { takes: ["name", "capacity"], values: ["format", "allocation"], active: true },
  ),
  "vol-upload": {
    options: ["sparse"],
    takes: ["vol", "file"],
    values: ["pool"],
    run: async (call, host, line) => {
      const { volume } = volumeOf(host, line);
      const file = word(line, "file");
      try {
        call.process.open(file, "read").close();
      } catch (thrown) {
        if (!(thrown instanceof FileError)) throw thrown;
        throw new VirshError(`cannot open file '${file}': ${thrown.message}`);
      }
      await call.process.work(12);
      volume.allocation = Math.max(volume.allocation, Math.floor(volume.capacity / 4));
      return "\n";
    },
  },
  "vol-resize": {
    ...sizeOptions,
    run: (_call, host, line) => {
      const { volume } = volumeOf(host, line);
      volume.capacity = bytesOf(word(line, "capacity"));
      return `Size of volume '${volume.name}' successfully changed to ${word(line, "capacity")}\n\n`;
    },
  },
  "vol-info": {
    options: ["bytes"],
    takes: ["vol"],
    values: ["pool"],
    run: (_call, host, line) => {
      const { name, capacity, allocation } = volumeOf(host, line).volume;
      const size = (bytes: number) => (line.flags.has("bytes") ? `${bytes} bytes` : sizeText(bytes));
      return `Name:           ${name}\nType:           file\nCapacity:       ${size(capacity)}\nAllocation:     ${size(allocation)}\n\n`;
    },
  },
  "vol-path": {
    options: [],
    takes: ["vol"],
    values: ["pool"],
    run: (_call, host, line) => `${volumeOf(host, line).path}\n`,
  },
  "vol-delete": {
    options: [],
    takes: ["vol"],
    values: ["pool"],
    run: (call, host, line) => {
      const { path } = volumeOf(host, line);
      host.storage.remove(path);
      if (call.machine.files.find(path)) call.machine.files.remove(path);
      return `Vol ${word(line, "vol")} deleted\n\n`;
    },
  },
};

export const storageCommands: Readonly<Record<string, Command>> = { ...pools, ...volumes };
