/** A pool of XCP-ng: its hosts, its guests, their snapshots, and the tasks that xapi carries. */
import type { Clock } from "../clock.ts";
import type { Machine } from "../machine/machine.ts";
import type { Random } from "../random.ts";
import { PoolParts } from "./xenserver-parts.ts";

export interface PoolGuest {
  uuid: string;
  name: string;
  description: string;
  state: "running" | "halted" | "suspended" | "paused";
  /** UUID of the host, while it runs. */
  host: string | null;
  domainId: number;
  vcpus: number;
  maximumVcpus: number;
  /** Bytes. */
  memory: number;
  tags: string[];
  autostart: boolean;
  /** What xapi does with it now: `clean_shutdown`. */
  operation: string | null;
}

export interface PoolSnapshot {
  uuid: string;
  of: string;
  name: string;
  description: string;
  at: number;
  memory: boolean;
}

const mebibyte = 1024 * 1024;

export class XenPool {
  readonly parts: PoolParts;
  readonly uuid: string;
  readonly hosts: { uuid: string; name: string; address: string }[];
  readonly guests: PoolGuest[];
  readonly snapshots: PoolSnapshot[] = [];
  readonly tasks: { uuid: string; name: string }[] = [];
  private nextDomain = 1;
  private readonly watchers = new Set<() => void>();

  constructor(
    readonly name: string,
    readonly clock: Clock,
    readonly random: Random,
  ) {
    this.uuid = random.uuid();
    this.hosts = ["xcp1", "xcp2"].map((host, index) => ({
      uuid: random.uuid(),
      name: host,
      address: `172.16.20.${index + 1}`,
    }));
    const guest = (
      name: string,
      state: PoolGuest["state"],
      vcpus: number,
      gib: number,
      more: Partial<PoolGuest> = {},
    ): PoolGuest => {
      const live = state === "running" || state === "paused";
      return {
        ...{
          uuid: random.uuid(),
          name,
          description: "",
          state,
          vcpus,
          maximumVcpus: vcpus * 2,
          memory: gib * 1024 * mebibyte,
        },
        ...{ host: live ? (this.hosts[0]?.uuid ?? null) : null, domainId: live ? this.nextDomain++ : -1 },
        ...{ tags: [], autostart: false, operation: null, ...more },
      };
    };
    this.parts = new PoolParts(random);
    this.guests = [
      guest("pbx", "running", 2, 2, { tags: ["phone"], autostart: true, description: "Telephones of the lab" }),
      guest("files, old", "halted", 2, 4),
      guest("desktop", "suspended", 4, 8),
      guest("pbx", "halted", 1, 1, { description: "The one before" }),
    ];
    const [network] = this.parts.networks;
    for (const { uuid, name } of this.guests) {
      this.parts.addDisk(uuid, 10 * 1024 * mebibyte, this.parts.usual?.uuid ?? "", `${name} 0`);
      this.parts.addCard(uuid, network?.uuid ?? "", "0", undefined);
    }
  }

  furnish(machine: Machine): void {
    machine.files.writeText(
      "/etc/xensource-inventory",
      `INSTALLATION_UUID='${this.hosts[0]?.uuid}'\nPRODUCT_BRAND='XCP-ng'\n`,
    );
  }

  guest(uuid: string): PoolGuest | undefined {
    return this.guests.find((guest) => guest.uuid === uuid);
  }

  /** A guest that is off and has nothing yet. */
  newGuest(name: string, vcpus: number, gib: number): PoolGuest {
    const guest: PoolGuest = {
      ...{ uuid: this.random.uuid(), name, description: "", state: "halted", host: null, domainId: -1 },
      ...{ vcpus, maximumVcpus: vcpus, memory: gib * 1024 * mebibyte, tags: [], autostart: false, operation: null },
    };
    this.guests.push(guest);
    return guest;
  }

  boot(guest: PoolGuest): void {
    guest.state = "running";
    guest.host ??= this.hosts[0]?.uuid ?? null;
    guest.domainId = this.nextDomain++;
  }

  off(guest: PoolGuest, state: "halted" | "suspended"): void {
    guest.state = state;
    guest.host = null;
    guest.domainId = -1;
  }

  free(host: string): number {
    const used = this.guests.reduce((sum, guest) => sum + (guest.host === host ? guest.memory : 0), 0);
    return 30 * 1024 * mebibyte - used;
  }

  /** Carries a task: it is listed while it runs, and the guest says what is done with it. */
  async carry(guest: PoolGuest, operation: string, work: () => Promise<void>): Promise<void> {
    const task = { uuid: this.random.uuid(), name: `Async.VM.${operation}` };
    this.tasks.push(task);
    guest.operation = operation;
    for (const call of [...this.watchers]) call();
    try {
      await work();
    } finally {
      guest.operation = null;
      // A finished task stays in the list for a moment.
      this.clock.after(20, () => this.tasks.splice(this.tasks.indexOf(task), 1));
    }
  }

  /** Resolves when there is a task. */
  async someTask(guard: <T>(promise: Promise<T>) => Promise<T>): Promise<void> {
    if (this.tasks.length > 0) return;
    let off = () => {};
    try {
      await guard(
        new Promise<void>((resolve) => {
          this.watchers.add(resolve);
          off = () => this.watchers.delete(resolve);
        }),
      );
    } finally {
      off();
    }
  }
}
