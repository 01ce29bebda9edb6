import { expect, test } from "vitest";
import { fillOf, mountOf, parseDf } from "../../source/tools/pool-fill.ts";
import { fixture } from "../instances/fake-pool.ts";
import { parsePoll } from "./poll.ts";

const gib = 1024 ** 3;
// As coreutils 9 prints it under `df -Pkl`.
const df = `Filesystem     1024-blocks      Used Available Capacity Mounted on
/dev/vda1        264212084  29010000 221700000      12% /
tmpfs              1001292       120   1001172       1% /run
/dev/vdb1         20511312  18000000   1443000      93% /srv/my disks
`;

test("the file system of a path is the one of the longest mount point above it", () => {
  const mounts = parseDf(df);
  expect(mounts.map(({ at }) => at)).toEqual(["/", "/run", "/srv/my disks"]);
  expect(mountOf("/srv/my disks/images", mounts)?.at).toBe("/srv/my disks");
  expect(mountOf("/srv/my disks2", mounts)?.at).toBe("/");
  expect(mountOf("/run", mounts)?.at).toBe("/run");
  expect(mountOf("/x", [])).toBeNull();
});

test("a directory is as full as its file system says now, not as libvirt counted it once", () => {
  const old = { type: "dir", capacity: 20511312 * 1024, available: 20511312 * 1024 };
  const { pools, totalMiB, freeMiB } = fillOf(
    [
      { name: "images", path: "/srv/my disks/images", ...old },
      { name: "isos", path: "/srv/my disks/isos", ...old },
      { name: "vg", type: "logical", path: "/dev/vg", capacity: 100 * gib, available: 25 * gib },
    ],
    parseDf(df),
  );
  const total = Math.round((18000000 + 1443000) / 1024);
  const free = Math.round(1443000 / 1024);
  expect(pools).toEqual([
    { name: "images", totalMiB: total, freeMiB: free },
    { name: "isos", totalMiB: total, freeMiB: free },
    { name: "vg", totalMiB: 102400, freeMiB: 25600 },
  ]);
  // Two pools on one file system are one place.
  expect([totalMiB, freeMiB]).toEqual([total + 102400, free + 25600]);
});

test("where the file system is another one than libvirt means, libvirt's own count stands", () => {
  const facts = { name: "linked", type: "dir", path: "/srv/elsewhere", capacity: 40 * gib, available: 10 * gib };
  expect(fillOf([facts], parseDf(df)).pools).toEqual([{ name: "linked", totalMiB: 40960, freeMiB: 10240 }]);
  expect(fillOf([], parseDf(df))).toEqual({ pools: [], totalMiB: null, freeMiB: null });
});

test("a poll tells the node's CPU time and its pools", () => {
  const text = [
    fixture("libvirt", "poll-qemu.stdout"),
    "@@virtu pool\n",
    fixture("libvirt", "pool-dumpxml.stdout"),
    "\n@@virtu mounts\n",
    df,
  ].join("");
  const cpu =
    "@@virtu cpu\nuser:                  1992190000000\nsystem:                1032930000000\nidle:                  1443850000000\niowait:                  14030000000\n\n";
  const poll = parsePoll(text.replace("@@virtu stats", `${cpu}@@virtu stats`));
  expect(poll?.cpu).toEqual({ busyNs: 3_025_120_000_000, totalNs: 4_483_000_000_000 });
  expect(poll?.storage.pools).toEqual([
    { name: "default", totalMiB: Math.round(250710000 / 1024), freeMiB: Math.round(221700000 / 1024) },
  ]);
  expect(poll?.complete).toBe(true);
  const before = parsePoll(fixture("libvirt", "poll-qemu.stdout"));
  expect(before).toMatchObject({ cpu: null, storage: { pools: [], totalMiB: null, freeMiB: null } });
});
