/** One libvirt host: domains, and the time their changes take. */
import type { Duplex } from "node:stream";
import type { Clock } from "../clock.ts";
import type { Random } from "../random.ts";
import { type Domain, type DomainFacts, newDomain } from "./libvirt-domain.ts";
import { HostNetworks } from "./libvirt-networks.ts";
import { HostStorage } from "./libvirt-storage.ts";
import { vncConnection } from "./vnc.ts";

/** KiB: all there is, and what the host takes for itself. */
export const memoryTotal = 65_843_576;
const memoryOfHost = 2_400_000;

type Listener = (kind: string, name: string, text: string) => void;

export class LibvirtHost {
  readonly domains: Domain[];
  /** Hosts that it can reach, itself not among them. */
  peers: readonly LibvirtHost[] = [];
  readonly storage = new HostStorage();
  /** Features of the other hosts' CPU that its own has not. */
  cpuLacks: readonly string[] = [];
  readonly networks = new HostNetworks();
  private readonly listeners = new Set<Listener>();
  private nextId = 1;
  private nextInterface = 0;
  private readonly watchers = new Set<() => void>();
  /** Taps of running domains: `vnet4`. */
  readonly interfaces = new Map<Domain, string>();
  readonly bootedAt: number;

  constructor(
    readonly hostname: string,
    readonly clock: Clock,
    private readonly random: Random,
    facts: readonly DomainFacts[],
  ) {
    this.bootedAt = clock.now() - 9 * 86_400_000;
    this.domains = facts.map((given) => this.oldDomain(given, random));
    for (const domain of this.domains) {
      if (domain.state === "shut off") continue;
      this.boot(domain);
      domain.guest.up();
    }
  }

  /** One that has been there for days, and its disk. */
  private oldDomain(given: DomainFacts, random: Random): Domain {
    const domain = newDomain({ ...given, uuid: random.uuid() }, this);
    domain.maximumVcpus = given.vcpus * 2;
    domain.load = 0.03 + random.next() * 0.6;
    domain.startedAt = this.clock.now() - random.between(2, 200) * 3_600_000;
    domain.cpuBefore = random.between(4, 90) * 1_000_000_000;
    const bytes = random.between(4, 40) * 1024 ** 3;
    for (const { source } of domain.set.disks) if (source !== null) this.storage.put(source, bytes);
    return domain;
  }

  /** Another one like it, off, with disks of its own. */
  clone(domain: Domain, name: string): Domain {
    const { title, vcpus, memory, maximumMemory, maximumVcpus } = domain;
    const facts = { name, title, vcpus, memory, state: "shut off", autostart: false, saved: false } as const;
    const copy = newDomain({ ...facts, uuid: this.random.uuid() }, this);
    Object.assign(copy, { maximumMemory, maximumVcpus });
    copy.set.disks = domain.set.disks.map((disk) => ({
      ...disk,
      source: disk.device === "disk" && disk.source !== null ? this.storage.copy(disk.source, name) : disk.source,
    }));
    this.add(copy);
    return copy;
  }

  add(domain: Domain): void {
    this.domains.push(domain);
    this.tell("lifecycle", domain, "Defined Added");
  }

  /** KiB that no running domain has. */
  freeMemory(): number {
    const running = this.domains.filter(({ id }) => id !== null);
    return memoryTotal - running.reduce((sum, { memory }) => sum + memory, memoryOfHost);
  }

  private boot(domain: Domain): void {
    domain.id = this.nextId;
    this.nextId += 1;
    this.interfaces.set(domain, `vnet${this.nextInterface}`);
    this.nextInterface += 1;
  }

  find(word: string): Domain | undefined {
    return this.domains.find(({ name, uuid, id }) => name === word || uuid === word || String(id) === word);
  }

  /** VNC display of a running domain; its port is 5900 more. */
  display(domain: Domain): number {
    return this.domains.filter(({ id }) => id !== null).indexOf(domain);
  }

  /** A connection to this port of the host, when a domain's VNC listens on it. */
  connectDisplay(port: number): Duplex | null {
    const domain = this.domains.find((one) => one.id !== null && this.display(one) + 5900 === port);
    return domain ? vncConnection(domain.name) : null;
  }

  watch(call: () => void): () => void {
    this.watchers.add(call);
    return () => this.watchers.delete(call);
  }

  /** Told of everything that virsh tells as an event. */
  onEvent(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  tell(kind: string, domain: Pick<Domain, "name">, text = ""): void {
    for (const listener of [...this.listeners]) listener(kind, domain.name, text);
    this.changed();
  }

  /** Something changed that virsh tells nobody of. */
  touched(): void {
    this.changed();
  }

  pause(domain: Domain): void {
    domain.state = "paused";
    domain.reason = 1;
    this.tell("lifecycle", domain, "Suspended Paused");
  }

  resume(domain: Domain): void {
    domain.state = "running";
    this.tell("lifecycle", domain, "Resumed Unpaused");
  }

  save(domain: Domain): void {
    this.tell("lifecycle", domain, "Suspended Paused");
    this.halt(domain, 5);
    domain.saved = true;
    this.tell("lifecycle", domain, "Stopped Saved");
  }

  rename(domain: Domain, name: string): void {
    this.tell("lifecycle", domain, "Undefined Renamed");
    domain.name = name;
    this.tell("lifecycle", domain, "Defined Renamed");
  }

  remove(domain: Domain): void {
    this.domains.splice(this.domains.indexOf(domain), 1);
    this.tell("lifecycle", domain, "Undefined Removed");
  }

  /** To the state of a snapshot: running or off. */
  revert(domain: Domain, on: boolean): void {
    if (domain.id !== null) this.halt(domain, 7);
    this.tell("lifecycle", domain, "Stopped Snapshot");
    if (on) {
      this.start(domain);
      domain.reason = 5;
    }
  }

  /** Its disks go with it: there they are volumes of their own. */
  handOver(domain: Domain, other: LibvirtHost): void {
    this.domains.splice(this.domains.indexOf(domain), 1);
    this.interfaces.delete(domain);
    other.domains.push(domain);
    domain.host = other;
    for (const { source } of domain.set.disks) {
      if (source !== null) other.storage.put(source, this.storage.bytes(source));
    }
    if (domain.id !== null) {
      other.boot(domain);
      this.tell("lifecycle", domain, "Suspended Migrated");
      this.tell("lifecycle", domain, "Stopped Migrated");
      other.tell("lifecycle", domain, "Started Migrated");
      other.tell("lifecycle", domain, "Resumed Migrated");
    }
    this.tell("lifecycle", domain, "Undefined Removed");
    other.tell("lifecycle", domain, "Defined Added");
  }

  private changed(): void {
    for (const call of [...this.watchers]) call();
  }

  /** Running domains whose monitor hangs. */
  frozen(): Domain[] {
    return this.domains.filter((domain) => domain.frozen && domain.id !== null);
  }

  /** Resolves when no running domain blocks the monitor any more. */
  async thawed(guard: <T>(promise: Promise<T>) => Promise<T>): Promise<void> {
    while (this.frozen().length > 0) {
      let off = () => {};
      try {
        await guard(
          new Promise<void>((resolve) => {
            off = this.watch(resolve);
          }),
        );
      } finally {
        off();
      }
    }
  }

  freeze(name: string, frozen: boolean): void {
    const domain = this.find(name);
    if (domain) {
      domain.frozen = frozen;
      domain.stuck = false;
    }
    this.changed();
  }

  start(domain: Domain): void {
    domain.state = "running";
    const restored = domain.saved;
    domain.reason = restored ? 3 : 1;
    domain.saved = false;
    domain.startedAt = this.clock.now();
    domain.cpuBefore = 0;
    this.boot(domain);
    domain.guest.boot();
    this.tell("lifecycle", domain, restored ? "Resumed Snapshot" : "Resumed Unpaused");
    this.tell("lifecycle", domain, restored ? "Started Restored" : "Started Booted");
  }

  /** Off at once, by the guest itself (1) or by force (2). */
  off(domain: Domain, reason: 1 | 2): void {
    this.halt(domain, reason);
    this.tell("lifecycle", domain, `Shutdown Finished after ${reason === 1 ? "guest" : "host"} request`);
    this.tell("lifecycle", domain, `Stopped ${reason === 1 ? "Shutdown" : "Destroyed"}`);
  }

  private halt(domain: Domain, reason: number): void {
    domain.state = "shut off";
    domain.reason = reason;
    domain.cpuBefore = this.cpuTime(domain);
    domain.id = null;
    domain.frozen = false;
    domain.stuck = false;
    this.interfaces.delete(domain);
    domain.guest.off();
  }

  /** Presses the power button: a guest that runs takes its time, one that is paused does nothing. */
  powerButton(domain: Domain): void {
    const { id } = domain;
    if (domain.state !== "running" || domain.frozen) return;
    this.clock.after(50, () => {
      if (domain.id === id && domain.state === "running") this.off(domain, 1);
    });
  }

  /** `seconds`: a guest that was asked takes its time, the reset button does not. */
  reboot(domain: Domain, seconds = 40): void {
    const { id } = domain;
    this.clock.after(seconds, () => {
      if (domain.id !== id) return;
      // The guest starts anew in the same QEMU.
      domain.cpuBefore = this.cpuTime(domain);
      domain.startedAt = this.clock.now();
      domain.guest.boot();
      this.tell("reboot", domain);
    });
  }

  /** Nanoseconds. */
  cpuTime(domain: Domain): number {
    if (domain.state !== "running") return domain.cpuBefore;
    return domain.cpuBefore + Math.floor((this.clock.now() - domain.startedAt) * 1e6 * domain.load * domain.vcpus);
  }
}
