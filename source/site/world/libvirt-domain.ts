/** One domain: what its host's tables show, what it is made of, and the system that runs in it. */
import type { Clock } from "../clock.ts";
import { GuestSystem } from "./guest-system.ts";
import type { LibvirtHost } from "./libvirt.ts";
import { type DomainSet, newSet } from "./libvirt-set.ts";

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
  /** What runs in it, on its serial console. */
  guest: GuestSystem;
  set: DomainSet;
  /** Where it is now. */
  host: LibvirtHost;
}

export type DomainFacts = Pick<Domain, "name" | "title" | "state" | "vcpus" | "memory" | "autostart" | "saved">;

/** A domain that is off and never ran, with a disk and a card of its own. */
export function newDomain(given: DomainFacts & { uuid: string }, host: LibvirtHost): Domain {
  const clock: Clock = host.clock;
  const domain: Domain = {
    ...given,
    ...{ reason: 1, id: null, maximumVcpus: given.vcpus, maximumMemory: given.memory, frozen: false, stuck: false },
    ...{ load: 0.05, startedAt: clock.now(), cpuBefore: 0, set: newSet(given.name), host },
    guest: new GuestSystem({
      name: given.name,
      clock,
      onPowerOff: () => {
        if (domain.id !== null) domain.host.off(domain, 1);
      },
    }),
  };
  return domain;
}
