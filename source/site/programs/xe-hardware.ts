/** What the stand-in of xe does to disks, drives, cards, and how it makes a guest from a template. */
import type { Call } from "../machine/machine.ts";
import type { PoolGuest, XenPool } from "../world/xenserver.ts";
import { XeError } from "./xe-error.ts";

export type Given = ReadonlyMap<string, string>;

const bytesOf = (text = "") =>
  Number.parseInt(text, 10) * (text.endsWith("GiB") ? 1024 ** 3 : text.endsWith("MiB") ? 1024 ** 2 : 1);

/** The object of this UUID, or what xe says where there is none. */
function found<T extends { uuid: string }>(all: readonly T[], uuid: string | undefined, what: string): T {
  const one = all.find((other) => other.uuid === uuid);
  if (!one) {
    throw new XeError(`The uuid you supplied was invalid.\ntype: ${what}\nuuid: ${uuid ?? "<not specified>"}\n`);
  }
  return one;
}

function repositoryFor({ parts }: XenPool, given: Given, bytes: number): string {
  const uuid = given.get("sr-uuid");
  const repository = uuid === undefined ? parts.usual : found(parts.repositories, uuid, "SR");
  if (!repository) throw new XeError("Error: No default Pool SR set; you must specify an SR on the commandline\n");
  if (parts.utilisation(repository) + bytes > repository.size) {
    throw new XeError(
      "The SR backend failed to complete the operation.\nError code: SR_BACKEND_FAILURE_44\nError parameters: , There is insufficient space\n",
    );
  }
  return repository.uuid;
}

async function install(pool: XenPool, given: Given, call: Call): Promise<string> {
  const word = given.get("template") ?? "";
  const { parts } = pool;
  const fitting = parts.templates.filter(({ uuid, name }) => uuid === word || name === word);
  const [template] = fitting;
  if (!template) throw new XeError("Error: No templates matched\n");
  const name = given.get("new-name-label") ?? "";
  const repository = repositoryFor(
    pool,
    given,
    template.disks.reduce((sum, size) => sum + size, 0),
  );
  const guest = pool.newGuest(name, 1, 1);
  await pool.carry(guest, "copy", () => call.process.work(15));
  for (const [index, size] of template.disks.entries()) parts.addDisk(guest.uuid, size, repository, `${name} ${index}`);
  return `${guest.uuid}\n`;
}

/** Verbs that name no guest by `uuid=`. */
export const objectVerbs: Readonly<
  Record<string, (pool: XenPool, given: Given, call: Call) => Promise<string> | string>
> = {
  "vm-install": install,
  "vif-create": (pool, given) => {
    const { parts } = pool;
    const owner = given.get("vm-uuid") ?? "";
    if (!pool.guest(owner)) throw new XeError(`The uuid you supplied was invalid.\ntype: VM\nuuid: ${owner}\n`);
    const network = found(parts.networks, given.get("network-uuid"), "network");
    const device = given.get("device") ?? "";
    if (parts.cardsOf(owner).some((card) => card.device === device)) {
      throw new XeError(`The specified device name already exists\ndevice: ${device}\n`);
    }
    return `${parts.addCard(owner, network.uuid, device, given.get("mac")).uuid}\n`;
  },
  "vif-destroy": ({ parts }, given) => {
    parts.take(parts.cards, found(parts.cards, given.get("uuid"), "VIF"));
    return "";
  },
  "vif-plug": ({ parts }, given) => {
    found(parts.cards, given.get("uuid"), "VIF");
    return "";
  },
  "vif-unplug": ({ parts }, given) => {
    found(parts.cards, given.get("uuid"), "VIF");
    return "";
  },
  "vbd-unplug": ({ parts }, given) => {
    found(parts.drives, given.get("uuid"), "VBD");
    return "";
  },
  "vbd-destroy": ({ parts }, given) => {
    parts.take(parts.drives, found(parts.drives, given.get("uuid"), "VBD"));
    return "";
  },
  "vdi-destroy": ({ parts }, given) => {
    parts.take(parts.images, found(parts.images, given.get("uuid"), "VDI"));
    return "";
  },
  "vdi-resize": async ({ parts, guests }, given, call) => {
    const image = found(parts.images, given.get("uuid"), "VDI");
    const user = parts.drives.find((drive) => drive.image === image.uuid)?.guest;
    if (guests.some(({ uuid, state }) => uuid === user && state === "running")) {
      throw new XeError(
        `The operation cannot be performed because this VDI is in use by some other operation\nvdi: ${image.uuid} (${image.name})\n`,
      );
    }
    await call.process.work(3);
    image.bytes = bytesOf(given.get("disk-size"));
    return "";
  },
};

export function addDisk(pool: XenPool, guest: PoolGuest, given: Given): string {
  const bytes = bytesOf(given.get("disk-size"));
  pool.parts.addDisk(guest.uuid, bytes, repositoryFor(pool, given, bytes));
  return "";
}

export function addMedium({ parts }: XenPool, guest: PoolGuest, given: Given): string {
  const library = parts.repositories.find(({ type }) => type === "iso")?.uuid;
  const name = given.get("cd-name") ?? "";
  const image = parts.images.find((one) => one.name === name && one.repository === library);
  if (!image) throw new XeError(`Error: CD ${name} not found!\n`);
  parts.addDrive(guest.uuid, image.uuid, "CD", given.get("device"));
  return "";
}
