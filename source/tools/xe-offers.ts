/** What a pool of XenServer or XCP-ng offers to a new guest, asked in one round trip. Names may be there twice; UUIDs never. */
import { type Command, sh } from "../ssh/command.ts";
import { type XeAccess, xe, xePollLimit } from "./xe.ts";
import { mapOf, mebibytesOf, parseXeList, partsOf, uuidOf } from "./xe-parse.ts";

export interface XeNamed {
  uuid: string;
  name: string;
}

export interface OfferedTemplate extends XeNamed {
  /** Sizes of the disks that are made with it; null: it was made of a guest, whose disks are copied. */
  disksMiB: number[] | null;
}

export interface OfferedRepository extends XeNamed {
  /** `lvm`, `ext`, `nfs`. */
  type: string;
  freeMiB: number | null;
  isDefault: boolean;
}

export interface OfferedHost extends XeNamed {
  memoryFreeMiB: number | null;
  usable: boolean;
}

export interface XenServerOffers {
  provider: "xenserver";
  names: string[];
  /** Lower case. */
  macs: string[];
  hosts: OfferedHost[];
  templates: OfferedTemplate[];
  repositories: OfferedRepository[];
  networks: (XeNamed & { bridge: string })[];
  /** ISO images in the pool's libraries. */
  isos: string[];
}

export function xeOffersCommand(access: XeAccess): Command {
  const ask = (name: string, words: string[]) => sh`echo ${`@@virtu ${name}`} && ${xe(access, words, xePollLimit)}`;
  const parts = [
    ask("pool", ["pool-list", "params=uuid,default-SR"]),
    ask("hosts", ["host-list", "params=uuid,name-label,enabled,memory-free"]),
    ask("vms", ["vm-list", "is-control-domain=false", "params=uuid,name-label"]),
    ask("templates", ["template-list", "params=uuid,name-label,other-config"]),
    ask("srs", [
      "sr-list",
      "content-type=user",
      "params=uuid,name-label,type,content-type,physical-size,physical-utilisation",
    ]),
    ask("networks", ["network-list", "params=uuid,name-label,bridge"]),
    ask("media", ["cd-list", "params=uuid,name-label"]),
    ask("cards", ["vif-list", "params=uuid,MAC"]),
  ];
  return sh`${parts.reduce((one, other) => sh`${one} && ${other}`)}; echo "@@virtu end $?"`;
}

/** A template's own description of its disks: `<provision><disk device="0" size="8589934592" sr="" …/></provision>`. */
function templateDisks(otherConfig: string | undefined): number[] | null {
  const disks = mapOf(otherConfig).get("disks");
  if (disks === undefined) return null;
  return [...disks.matchAll(/<disk\b[^>]*\bsize="(\d+)"/g)].map(([, bytes]) => Math.ceil(Number(bytes) / 1024 ** 2));
}

/** Takes the answer apart; null when xe did not answer all of it (stderr says why). */
export function parseXeOffers(stdout: string): XenServerOffers | null {
  const parts = partsOf(stdout);
  if (parts.get("end") !== "0") return null;
  const list = (name: string) => parseXeList(parts.get(name) ?? "");
  const named = (name: string) =>
    list(name).map((record) => ({ record, uuid: record.get("uuid") ?? "", name: record.get("name-label") ?? "" }));
  const usual = uuidOf(list("pool")[0]?.get("default-SR"));
  return {
    provider: "xenserver",
    names: named("vms").map(({ name }) => name),
    macs: list("cards").flatMap((record) => record.get("MAC")?.toLowerCase() ?? []),
    hosts: named("hosts").map(({ record, uuid, name }) => ({
      ...{ uuid, name, memoryFreeMiB: mebibytesOf(record.get("memory-free")) },
      usable: record.get("enabled") !== "false",
    })),
    templates: named("templates").map(({ record, uuid, name }) => ({
      ...{ uuid, name, disksMiB: templateDisks(record.get("other-config")) },
    })),
    repositories: named("srs").map(({ record, uuid, name }) => {
      const [size, used] = [mebibytesOf(record.get("physical-size")), mebibytesOf(record.get("physical-utilisation"))];
      const type = record.get("type") ?? "";
      return { uuid, name, type, freeMiB: size === null ? null : size - (used ?? 0), isDefault: uuid === usual };
    }),
    networks: named("networks").map(({ record, uuid, name }) => ({ uuid, name, bridge: record.get("bridge") ?? "" })),
    isos: named("media").map(({ name }) => name),
  };
}

/** What a name or UUID means: one of the list, `several` of a name, or nothing. */
export function meantOf<T extends XeNamed>(all: readonly T[], word: string): T | "several" | null {
  const exact = all.find(({ uuid }) => uuid === word);
  if (exact) return exact;
  const found = all.filter(({ name }) => name === word);
  return found.length > 1 ? "several" : (found[0] ?? null);
}
