/** One libvirt host: domains, and the time their changes take. */
import type { Duplex } from "node:stream";
import type { Clock } from "../clock.ts";
import type { Random } from "../random.ts";
import { GuestSystem } from "./guest-system.ts";
import { vncConnection } from "./vnc.ts";

export interface Domain {
  name: string;
  uuid: string;
  /** As text that people read. */
  title: string;
  state: "running" | "paused" | "shut off" | "in shutdown";
  /** `state.reason` of domstats. */
  reason: number;
  /** Changes with every start; null when off. */
  id: number | null;
  vcpus: number;
  maximumVcpus: number;
  /** KiB. */
  memory: number;
  maximumMemory: number;
  autostart: boolean;
  saved: boolean;
  /** Does not answer its monitor: blocks domstats. */
  frozen: boolean;
  /** A question to the frozen guest is pending already: from then on `--nowait` passes it by. */
  stuck: boolean;
  /** Share of a CPU that it uses, for counters that grow. */
  load: number;
  /** Epoch milliseconds of the last start. */
  startedAt: number;
  /** Nanoseconds of CPU from before it was last shut off. */
  cpuBefore: number;
  disk: number;
  /** What runs in it, on its serial console. */
  guest: GuestSystem;
}

export type DomainFacts = Pick<Domain, "name" | "title" | "state" | "vcpus" | "memory" | "autostart" | "saved">;

/** A domain that never ran. */
function fresh(given: DomainFacts, uuid: string, guest: GuestSystem): Domain {
  return {
    ...given,
    guest,
    ...{
      uuid,
      reason: 0,
      id: null,
      maximumVcpus: given.vcpus,
      maximumMemory: given.memory,
      frozen: false,
      stuck: false,
    },
    ...{ load: 0.05, startedAt: 0, cpuBefore: 0, disk: 0 },
  };
}

/** KiB: all there is, and what the host takes for itself. */
const memoryTotal = 65_843_576;
const memoryOfHost = 2_400_000;

export class LibvirtHost {
  readonly domains: Domain[];
  private nextId = 1;
  private nextInterface = 0;
  private readonly watchers = new Set<() => void>();
  /** Taps of running domains: `vnet4`. */
  readonly interfaces = new Map<Domain, string>();
  readonly bootedAt: number;

  constructor(
    readonly hostname: string,
    readonly clock: Clock,
    random: Random,
    facts: readonly DomainFacts[],
  ) {
    this.bootedAt = clock.now() - 9 * 86_400_000;
    this.domains = facts.map((given) => ({
      ...fresh(given, random.uuid(), this.guestOf(given.name)),
      reason: 1,
      maximumVcpus: given.vcpus * 2,
      load: 0.03 + random.next() * 0.6,
      startedAt: clock.now() - random.between(2, 200) * 3_600_000,
      cpuBefore: random.between(4, 90) * 1_000_000_000,
      disk: random.between(4, 40) * 1024 ** 3,
    }));
    for (const domain of this.domains) {
      if (domain.state === "shut off") continue;
      this.boot(domain);
      domain.guest.up();
    }
  }

  /** The operating system of a domain, which can turn it off. */
  private guestOf(name: string): GuestSystem {
    return new GuestSystem({
      name,
      clock: this.clock,
      onPowerOff: () => {
        const domain = this.find(name);
        if (domain && domain.id !== null) this.off(domain, 1);
      },
    });
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

  /** A new domain that is off; one of this UUID is defined anew. */
  define({ name, uuid, memory, vcpus }: Pick<Domain, "name" | "uuid" | "memory" | "vcpus">): Domain {
    const known = this.domains.find((domain) => domain.uuid === uuid);
    if (known) {
      Object.assign(known, { memory, vcpus, maximumMemory: memory, maximumVcpus: vcpus });
      return known;
    }
    const facts = { name, title: "", state: "shut off", vcpus, memory, autostart: false, saved: false } as const;
    const domain = fresh(facts, uuid, this.guestOf(name));
    this.domains.push(domain);
    this.changed();
    return domain;
  }

  undefine(domain: Domain): void {
    this.domains.splice(this.domains.indexOf(domain), 1);
    this.changed();
  }

  /** KiB that no running domain has. */
  freeMemory(): number {
    const running = this.domains.filter(({ id }) => id !== null);
    return memoryTotal - running.reduce((sum, { memory }) => sum + memory, memoryOfHost);
  }

  watch(call: () => void): () => void {
    this.watchers.add(call);
    return () => this.watchers.delete(call);
  }

  /** Tells whoever waits for changes. */
  changed(): void {
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
    domain.reason = domain.saved ? 3 : 1;
    domain.saved = false;
    domain.startedAt = this.clock.now();
    domain.cpuBefore = 0;
    this.boot(domain);
    domain.guest.boot();
    this.changed();
  }

  /** Off at once. */
  off(domain: Domain, reason: number): void {
    domain.state = "shut off";
    domain.reason = reason;
    domain.cpuBefore = this.cpuTime(domain);
    domain.id = null;
    domain.frozen = false;
    domain.stuck = false;
    this.interfaces.delete(domain);
    domain.guest.off();
    this.changed();
  }

  /** Presses the power button: a guest that runs takes its time, one that is paused does nothing. */
  powerButton(domain: Domain): void {
    const { id } = domain;
    if (domain.state !== "running" || domain.frozen) return;
    this.clock.after(50, () => {
      if (domain.id === id && domain.state === "running") this.off(domain, 1);
    });
  }

  reboot(domain: Domain): void {
    const { id } = domain;
    this.clock.after(40, () => {
      if (domain.id !== id) return;
      // The guest starts anew in the same QEMU.
      domain.cpuBefore = this.cpuTime(domain);
      domain.startedAt = this.clock.now();
      domain.guest.boot();
      this.changed();
    });
  }

  /** Nanoseconds. */
  cpuTime(domain: Domain): number {
    if (domain.state !== "running") return domain.cpuBefore;
    return domain.cpuBefore + Math.floor((this.clock.now() - domain.startedAt) * 1e6 * domain.load * domain.vcpus);
  }
}
