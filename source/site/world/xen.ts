/** One Xen host: the domains that are there, and the time their changes take. What is off is only a file in /etc/xen. */
import type { Clock } from "../clock.ts";
import type { Machine } from "../machine/machine.ts";
import type { Random } from "../random.ts";
import { GuestSystem } from "./guest-system.ts";

export interface XenDomain {
  name: string;
  uuid: string;
  /** Changes with every start. */
  id: number;
  /** MiB. */
  memory: number;
  maximumMemory: number;
  vcpus: number;
  maximumVcpus: number;
  state: "building" | "running" | "paused" | "crashed" | "dying";
  startedAt: number;
  load: number;
  /** What runs in it, on its console. */
  guest: GuestSystem;
}

export interface XenFile {
  name: string;
  memory: number;
  vcpus: number;
  /** How it stands when the site begins; absent: off. */
  state?: "running" | "paused" | "crashed";
  /** Further lines of its file. */
  more?: string;
}

export const xenGuests: readonly XenFile[] = [
  { name: "mail", memory: 2048, vcpus: 2, state: "running" },
  { name: "ldap", memory: 512, vcpus: 1, state: "running" },
  { name: "nightly", memory: 1024, vcpus: 2, state: "crashed", more: 'on_crash = "preserve"\n' },
  { name: "archive", memory: 1024, vcpus: 1 },
];

export class XenHost {
  readonly domains: XenDomain[] = [];
  readonly totalMemory = 32_768;
  readonly hostMemory = 2048;
  /** A volume group and its logical volumes with their MiB. */
  readonly volumes = { name: "vg0", sizeMiB: 102_400, volumes: new Map([["backup", 20_480]]) };
  private nextId = 1;
  private readonly watchers = new Set<(path: string) => void>();

  constructor(
    readonly hostname: string,
    readonly clock: Clock,
    private readonly random: Random,
    /** Every domain has one; its name stands in it. */
    readonly files: readonly XenFile[],
  ) {}

  /** Writes the files of /etc/xen and starts what runs already. */
  furnish(machine: Machine): void {
    const { files } = machine;
    for (const directory of ["/etc/xen/auto", "/var/lib/xen/save", "/var/log/xen", "/srv/xen", "/proc/xen"]) {
      files.makeDirectory(directory, "root", { parents: true });
    }
    files.addMade("/proc/xen/capabilities", () => "control_d\n");
    files.makeDirectory("/sys/class/net/xenbr0/bridge", "root", { parents: true });
    files.makeDirectory("/srv/iso", "root", { parents: true });
    for (const path of ["/boot/vmlinuz", "/boot/vmlinuz-6.1.0-56-amd64", "/boot/initrd.img-6.1.0-56-amd64"]) {
      files.makeDirectory("/boot", "root", { parents: true });
      files.writeText(path, "MZ");
    }
    files.writeText("/srv/iso/debian-12-netinst.iso", "\0".repeat(64));
    files.makeDirectory("/usr/lib/xen-4.17/bin", "root", { parents: true });
    files.writeText("/usr/lib/xen-4.17/bin/pygrub", "", "root", 0o755);
    for (const { name, memory, vcpus, state, more = "" } of this.files) {
      files.writeText(`/srv/xen/${name}.img`, "");
      files.writeText(
        `/etc/xen/${name}.cfg`,
        `name = "${name}"\nkernel = "/boot/vmlinuz"\nmemory = ${memory}\nmaxmem = ${memory * 2}\nvcpus = ${vcpus}\nmaxvcpus = ${vcpus * 2}\n` +
          `vif = [ 'bridge=xenbr0' ]\ndisk = [ '/srv/xen/${name}.img,raw,xvda,rw' ]\n${more}`,
      );
      if (state) {
        const domain = this.add({ name, memory, maximumMemory: memory * 2, vcpus, maximumVcpus: vcpus * 2 });
        domain.state = state;
        domain.guest.up();
        domain.startedAt -= this.random.between(2, 200) * 3_600_000;
      }
    }
    files.addLink("/etc/xen/auto/mail.cfg", "../mail.cfg");
  }

  add({
    name,
    memory,
    maximumMemory,
    vcpus,
    maximumVcpus,
    uuid = this.random.uuid(),
  }: Pick<XenDomain, "name" | "memory" | "maximumMemory" | "vcpus" | "maximumVcpus"> & { uuid?: string }): XenDomain {
    const onPowerOff = () => this.remove(domain);
    const domain: XenDomain = {
      ...{ name, memory, maximumMemory, vcpus, maximumVcpus },
      uuid,
      id: this.nextId++,
      state: "building",
      startedAt: this.clock.now(),
      load: 0.02 + this.random.next() * 0.4,
      guest: new GuestSystem({ name, clock: this.clock, onPowerOff }),
    };
    domain.guest.boot();
    this.domains.push(domain);
    this.tell("@introduceDomain");
    return domain;
  }

  find(word: string): XenDomain | undefined {
    return this.domains.find(({ name, id }) => (/^\d+$/.test(word) ? String(id) === word : name === word));
  }

  remove(domain: XenDomain): void {
    const at = this.domains.indexOf(domain);
    if (at < 0) return;
    this.domains.splice(at, 1);
    domain.guest.off();
    this.tell("@releaseDomain");
  }

  /** A guest that runs hears it and goes down in its own time; `again`: and comes back as another domain. */
  ask(domain: XenDomain, again: boolean): void {
    this.clock.after(40, () => {
      if (domain.state !== "running" || !this.domains.includes(domain)) return;
      domain.state = "dying";
      this.clock.after(10, () => {
        this.remove(domain);
        if (!again) return;
        const next = this.add(domain);
        next.uuid = domain.uuid;
        this.clock.after(10, () => {
          next.state = "running";
        });
      });
    });
  }

  get freeMemory(): number {
    return this.totalMemory - this.hostMemory - this.domains.reduce((sum, { memory }) => sum + memory, 0);
  }

  /** Seconds. */
  cpuSeconds({ state, startedAt, load, vcpus }: XenDomain): number {
    return state === "building" ? 0 : ((this.clock.now() - startedAt) / 1000) * load * vcpus;
  }

  /** What xenstore tells of: `@introduceDomain`, `@releaseDomain`, and paths that are written. */
  watch(call: (path: string) => void): () => void {
    this.watchers.add(call);
    return () => this.watchers.delete(call);
  }

  /** A value below a domain's path was written. */
  wrote({ id }: XenDomain, key: string): void {
    this.tell(`/local/domain/${id}/${key}`);
  }

  private tell(path: string): void {
    for (const call of [...this.watchers]) call(path);
  }
}
