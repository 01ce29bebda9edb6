/** virt-install 4.1: what it checks, prints and leaves, as far as instances are made with it here. */
import type { Call, Program } from "../machine/machine.ts";
import { bytes } from "../machine/open-file.ts";
import type { LibvirtHost } from "../world/libvirt.ts";
import { newDomain } from "../world/libvirt-domain.ts";
import { newMac, type SiteDisk, type SiteNic } from "../world/libvirt-set.ts";
import { definition } from "./virsh-xml.ts";

const systems = [
  ...["almalinux9", "archlinux", "centos-stream9", "debian11, debianbullseye", "debian10, debianbuster"],
  ...["fedora37", "freebsd13.1", "linux2022", "linux2020", "ubuntu22.04, ubuntujammy", "win10"],
];

const valueless: ReadonlySet<string> = new Set(["import", "pxe", "noautoconsole", "dry-run", "noreboot"]);

/** `--name value`; options that are given several times keep all their values. */
function read(args: readonly string[]): Map<string, string[]> {
  const given = new Map<string, string[]>();
  for (let index = 0; index < args.length; index += 1) {
    const name = (args[index] ?? "").replace(/^--/, "");
    const value = valueless.has(name) ? "" : (args[++index] ?? "");
    given.set(name, [...(given.get(name) ?? []), value]);
  }
  return given;
}

class InstallError extends Error {}

/** `vol=POOL/VOLUME`, `path=/FILE`, … as fields. */
function fields(text: string): Map<string, string> {
  return new Map(text.split(",").map((part) => part.split(/=(.*)/s).slice(0, 2) as [string, string]));
}

function checkSystem(name: string): void {
  if (name.includes("=") || systems.some((line) => line.split(", ").includes(name))) return;
  throw new InstallError(`Unknown OS name '${name}'. See \`--osinfo list\` for valid values.`);
}

function disksOf(call: Call, { storage }: LibvirtHost, words: readonly string[]): SiteDisk[] {
  return words.flatMap((word, index): SiteDisk[] => {
    if (word === "none") return [];
    const given = fields(word);
    const target = `vd${"abcdefghijklmnop"[index]}`;
    const path = given.get("path");
    if (path !== undefined) {
      if (call.machine.files.find(path) || storage.find(path)) return [{ target, device: "disk", source: path }];
      throw new InstallError(`Must specify storage creation parameters for non-existent path '${path}'.`);
    }
    const [pool = "", volume = ""] = (given.get("vol") ?? "").split(/\/(.*)/s);
    const found = storage.pool(pool);
    if (found?.volumes.has(volume)) return [{ target, device: "disk", source: `${found.directory}/${volume}` }];
    const why = `Storage volume not found: no storage vol with matching name '${volume}'`;
    throw new InstallError(`Error: --disk ${word}: ${why}`);
  });
}

function nicOf(host: LibvirtHost, word: string, seed: string): SiteNic {
  const given = fields(word);
  const name = given.get("network");
  if (name !== undefined && !host.networks.find(name)) {
    throw new InstallError(`Network not found: no network with matching name '${name}'`);
  }
  const bridge = given.get("bridge");
  if (bridge !== undefined && !["br0", ...host.networks.all.map((one) => one.bridge)].includes(bridge)) {
    throw new InstallError(`Cannot get interface MTU on '${bridge}': No such device`);
  }
  const mac = given.get("mac") ?? newMac(seed);
  if (host.domains.some(({ set }) => set.nics.some((nic) => nic.mac === mac))) {
    const way = "(Use --check mac_in_use=off or --check all=off to override)";
    throw new InstallError(`The MAC address '${mac}' is in use by another virtual machine. ${way}`);
  }
  return {
    mac,
    ...(bridge === undefined ? { type: "network", source: name ?? "default" } : { type: "bridge", source: bridge }),
  };
}

function checkSource(call: Call, given: ReadonlyMap<string, readonly string[]>): void {
  const iso = given.get("cdrom")?.[0];
  if (iso !== undefined && !call.machine.files.find(iso)) {
    const why = `Must specify storage creation parameters for non-existent path '${iso}'.`;
    throw new InstallError(`Validating install media '${iso}' failed: ${why}`);
  }
  const url = given.get("location")?.[0];
  if (url !== undefined && !/deb\.debian\.org|\/srv\/tree/.test(url)) {
    const why = `Could not find an installable distribution at URL '${url}': The URL could not be accessed, maybe you mistyped?`;
    throw new InstallError(
      `Error validating install location: ${why}\n\nThe location must be the root directory of an install tree.\nSee virt-install man page for various distro examples.`,
    );
  }
}

const after = (name: string) =>
  `Domain installation does not appear to have been successful.\nIf it was, you can restart your domain by running:\n  virsh --connect qemu:///system start ${name}\notherwise, please restart your installation.\n`;

async function install(call: Call, host: LibvirtHost): Promise<number> {
  const given = read(call.args);
  const one = (name: string) => given.get(name)?.[0];
  const name = one("name") ?? "";
  const uuid = one("uuid") ?? "";
  let begun = false;
  try {
    checkSystem(one("osinfo") ?? "");
    checkSource(call, given);
    const disks = disksOf(call, host, given.get("disk") ?? []);
    const networks = (given.get("network") ?? ["network=default"]).filter((word) => word !== "none");
    const nics = networks.map((word, index) => nicOf(host, word, `${uuid}${index}`));
    const [memory, vcpus] = [Number(one("memory")) * 1024, Number(one("vcpus") ?? 1)];
    const facts = { name, uuid, vcpus, memory, title: "", state: "shut off", autostart: false, saved: false } as const;
    const domain = newDomain(facts, host);
    const drive = given.has("cdrom") ? [{ target: "sda", device: "cdrom" as const, source: one("cdrom") ?? null }] : [];
    Object.assign(domain.set, { disks: [...disks, ...drive], nics });
    await call.process.work(2);
    if (given.has("print-xml")) {
      await call.out(bytes(definition(domain)));
      return 0;
    }
    if (host.find(name)) throw new InstallError(`Guest name '${name}' is already in use.`);
    begun = true;
    await call.out("\nStarting install...\n");
    await call.process.work(4);
    if (memory > host.freeMemory()) {
      throw new InstallError(
        "internal error: qemu unexpectedly closed the monitor: qemu-system-x86_64: cannot set up guest memory 'pc.ram': Cannot allocate memory",
      );
    }
    host.add(domain);
    host.start(domain);
    await call.out("Creating domain...                                          |    0 B  00:00     \n");
    const end = given.has("import")
      ? "Domain creation completed.\n"
      : "\nDomain is still running. Installation may be in progress.\nYou can reconnect to the console to complete the installation process.\n";
    await call.out(end);
    return 0;
  } catch (thrown) {
    if (!(thrown instanceof InstallError)) throw thrown;
    await call.err(`ERROR    ${thrown.message}\n${begun ? after(name) : ""}`);
    return 1;
  }
}

export function virtInstall(host: LibvirtHost): Program {
  return async (call) => {
    if (call.args[0] === "--version") {
      await call.out("4.1.0\n");
      return 0;
    }
    if (call.args[0] === "--osinfo" && call.args[1] === "list") {
      await call.process.work(1);
      const more = "\nYou can see additional information with:\n\n  osinfo-query os\n\n";
      await call.out(`${systems.map((line) => `${line}\n`).join("")}${more}`);
      return 0;
    }
    return install(call, host);
  };
}
