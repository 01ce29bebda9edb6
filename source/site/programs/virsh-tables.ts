/** What virsh prints about domains: its tables and domstats. */
import { bytes } from "../machine/open-file.ts";
import type { LibvirtHost } from "../world/libvirt.ts";
import type { Domain } from "../world/libvirt-domain.ts";

/** A table as virsh 9 has it: one blank before, three between, a ruler as long as the longest line. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  // Columns of the screen, not bytes.
  const shown = (cell: string) => Buffer.from(cell, "latin1").toString("utf8").length;
  const widths = head.map((_, column) => Math.max(...all.map((row) => shown(row[column] ?? ""))));
  const line = (row: readonly string[]) =>
    ` ${row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd((widths[column] ?? 0) + 3))).join("")}`;
  const ruler = widths.reduce((sum, width) => sum + width + 3, 0);
  return `${line(head)}\n${"-".repeat(ruler)}\n${rows.map((row) => `${line(row)}\n`).join("")}\n`;
}

/** Running ones by id, then the others by name. */
export function ordered(domains: readonly Domain[]): Domain[] {
  return [...domains].sort((a, b) => {
    if (a.id !== null && b.id !== null) return a.id - b.id;
    if (a.id !== null || b.id !== null) return a.id !== null ? -1 : 1;
    return a.name < b.name ? -1 : 1;
  });
}

export function list(host: LibvirtHost, flags: ReadonlySet<string>): string {
  const chosen = ordered(host.domains).filter((domain) => {
    if (flags.has("autostart") && !domain.autostart) return false;
    if (flags.has("transient")) return false;
    if (flags.has("with-managed-save") && !domain.saved) return false;
    if (flags.has("inactive")) return domain.id === null;
    if (flags.has("state-running")) return domain.state === "running";
    return flags.has("all") || domain.id !== null;
  });
  const bare = ["uuid", "name", "id"].some((flag) => flags.has(flag));
  if (bare) {
    const lines = chosen.map((domain) => {
      const cells: string[] = [];
      if (flags.has("uuid")) cells.push(domain.uuid);
      if (flags.has("id")) cells.push(String(domain.id ?? "-"));
      if (flags.has("name")) cells.push(domain.name);
      return `${cells.join(" ")}\n`;
    });
    return `${lines.join("")}\n`;
  }
  const titled = flags.has("title");
  const rows = chosen.map((domain) => {
    const state = flags.has("managed-save") && domain.saved ? "saved" : domain.state;
    return [String(domain.id ?? "-"), domain.name, state, ...(titled ? [bytes(domain.title)] : [])];
  });
  return table(["Id", "Name", "State", ...(titled ? ["Title"] : [])], rows);
}

const stateNumbers = { running: 1, paused: 3, "in shutdown": 4, "shut off": 5 };

/** One domain of domstats. `brief` is what a hung monitor leaves. */
export function domainStats(host: LibvirtHost, domain: Domain, stateOnly: boolean, brief: boolean): string {
  const rows: [string, string | number][] = [
    ["state.state", stateNumbers[domain.state]],
    ["state.reason", domain.reason],
  ];
  if (!stateOnly) {
    const cpu = host.cpuTime(domain);
    rows.push(["cpu.time", cpu], ["cpu.user", Math.floor(cpu * 0.7)], ["cpu.system", cpu - Math.floor(cpu * 0.7)]);
    if (domain.id !== null) rows.push(["cpu.cache.monitor.count", 0]);
    rows.push(["balloon.current", domain.memory], ["balloon.maximum", domain.maximumMemory]);
    if (domain.id !== null && !brief) {
      const unused = Math.floor(domain.memory * (0.9 - domain.load * 0.8));
      rows.push(["balloon.unused", unused], ["balloon.available", domain.memory - 38_000], ["balloon.usable", unused]);
      rows.push(["balloon.last-update", host.clock.seconds() - 2], ["balloon.rss", Math.floor(domain.memory * 1.3)]);
    }
    rows.push(["vcpu.current", domain.vcpus], ["vcpu.maximum", domain.maximumVcpus]);
    if (domain.id !== null) {
      for (let number = 0; number < domain.vcpus; number += 1) {
        rows.push([`vcpu.${number}.state`, 1], [`vcpu.${number}.time`, Math.floor(cpu / domain.vcpus)]);
      }
      const age = Math.floor((host.clock.now() - domain.startedAt) / 1000);
      rows.push(["net.count", 1], ["net.0.name", host.interfaces.get(domain) ?? "vnet0"]);
      rows.push(
        ["net.0.rx.bytes", Math.floor(age * 900 * domain.load)],
        ["net.0.tx.bytes", Math.floor(age * 300 * domain.load)],
      );
    }
    rows.push(["block.count", domain.set.disks.length]);
    for (const [index, { target, source }] of domain.set.disks.entries()) {
      const block = `block.${index}`;
      rows.push([`${block}.name`, target]);
      if (source === null) continue;
      rows.push([`${block}.path`, source]);
      if (brief) continue;
      if (domain.id !== null && index === 0) {
        rows.push([`${block}.rd.bytes`, 4_608_000], [`${block}.wr.bytes`, Math.floor(cpu / 1000)]);
      }
      const { capacity, allocation } = host.storage.find(source)?.volume ?? { capacity: 0, allocation: 0 };
      rows.push([`${block}.allocation`, allocation], [`${block}.capacity`, capacity]);
      rows.push([`${block}.physical`, allocation]);
    }
  }
  return `Domain: '${domain.name}'\n${rows.map(([key, value]) => `  ${key}=${value}\n`).join("")}\n`;
}

export function info(host: LibvirtHost, domain: Domain): string {
  const rows: [string, string][] = [
    ["Id", String(domain.id ?? "-")],
    ["Name", domain.name],
    ["UUID", domain.uuid],
    ["OS Type", "hvm"],
    ["State", domain.state],
    ["CPU(s)", String(domain.vcpus)],
  ];
  if (domain.id !== null) rows.push(["CPU time", `${(host.cpuTime(domain) / 1e9).toFixed(1)}s`]);
  rows.push(
    ["Max memory", `${domain.maximumMemory} KiB`],
    ["Used memory", `${domain.memory} KiB`],
    ["Persistent", "yes"],
  );
  rows.push(["Autostart", domain.autostart ? "enable" : "disable"], ["Managed save", domain.saved ? "yes" : "no"]);
  rows.push(["Security model", "none"], ["Security DOI", "0"]);
  return `${rows.map(([key, value]) => `${`${key}:`.padEnd(16)}${value}\n`).join("")}\n`;
}
