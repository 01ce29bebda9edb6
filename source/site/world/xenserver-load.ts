/** What guests and hosts of the pool do: waves of their own, so that a chart has something to show. Pure functions of time. */
import type { PoolGuest } from "./xenserver.ts";

const wave = (mean: number, swing: number, seconds: number, phase: number) =>
  mean + swing * Math.sin(seconds / 20 + phase);

/** The share of itself that a vCPU is busy, at epoch seconds. */
export function vcpuShare({ domainId }: PoolGuest, cpu: number, seconds: number): number {
  return wave(0.12, 0.1, seconds, domainId + cpu);
}

/** Bytes a second of its one disk and its one card, and KiB that are free in it. */
export function guestLoad({ domainId, memory }: PoolGuest, seconds: number) {
  return {
    read: wave(96_000, 90_000, seconds, domainId + 1),
    write: wave(240_000, 200_000, seconds, domainId + 2),
    received: wave(52_000, 40_000, seconds, domainId + 3),
    sent: wave(61_000, 50_000, seconds, domainId + 4),
    freeKib: Math.round((memory / 1024) * wave(0.4, 0.05, seconds / 4, domainId)),
  };
}

/** Domain 0 is busy by so much of one CPU. */
export function dom0Share(seconds: number): number {
  return wave(0.3, 0.1, seconds, 0);
}
