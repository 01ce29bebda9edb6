/** What guests of a pool are made of: templates, storage repositories, disks and drives, networks and cards. */
import type { Random } from "../random.ts";

export interface PoolRepository {
  uuid: string;
  name: string;
  type: "ext" | "nfs" | "iso";
  /** Bytes. */
  size: number;
  /** Taken by what is no disk of the list below. */
  used: number;
}

export interface PoolImage {
  uuid: string;
  name: string;
  repository: string;
  bytes: number;
}

export interface PoolDrive {
  uuid: string;
  guest: string;
  /** null: an empty drive. */
  image: string | null;
  /** `0`, `1`, … */
  device: string;
  kind: "Disk" | "CD";
  /** Goes with its guest (`other-config:owner`). */
  own: boolean;
}

export interface PoolCard {
  uuid: string;
  guest: string;
  network: string;
  device: string;
  mac: string;
}

export interface PoolTemplate {
  uuid: string;
  name: string;
  /** Bytes of the disks that are made with it. */
  disks: number[];
}

const gibibyte = 1024 ** 3;

export class PoolParts {
  readonly repositories: PoolRepository[];
  readonly images: PoolImage[] = [];
  readonly drives: PoolDrive[] = [];
  readonly cards: PoolCard[] = [];
  readonly networks: { uuid: string; name: string; bridge: string }[];
  readonly templates: PoolTemplate[];
  private nextMac = 1;

  constructor(private readonly random: Random) {
    const repository = (name: string, type: PoolRepository["type"], gib: number, used: number): PoolRepository => {
      return { uuid: random.uuid(), name, type, size: gib * gibibyte, used: used * gibibyte };
    };
    this.repositories = [
      repository("Local storage", "ext", 500, 80),
      repository("nfs1", "nfs", 2000, 700),
      repository("ISO library", "iso", 100, 60),
    ];
    const network = (name: string, bridge: string) => ({ uuid: random.uuid(), name, bridge });
    this.networks = [
      network("Pool-wide network associated with eth0", "xenbr0"),
      network("Pool-wide network associated with eth1", "xenbr1"),
    ];
    const template = (name: string, ...gib: number[]): PoolTemplate => ({
      ...{ uuid: random.uuid(), name },
      disks: gib.map((size) => size * gibibyte),
    });
    this.templates = [
      template("Debian Bookworm 12", 10),
      template("Ubuntu Jammy Jellyfish 22.04", 10),
      template("Other install media"),
    ];
    const library = this.repositories.find(({ type }) => type === "iso")?.uuid ?? "";
    for (const name of ["debian-12-netinst.iso", "guest-tools.iso"]) this.addImage(name, library, gibibyte / 2);
  }

  /** The pool's default. */
  get usual(): PoolRepository | undefined {
    return this.repositories[0];
  }

  utilisation({ uuid, used }: PoolRepository): number {
    return this.images.reduce((sum, image) => sum + (image.repository === uuid ? image.bytes : 0), used);
  }

  addImage(name: string, repository: string, bytes: number): PoolImage {
    const image = { uuid: this.random.uuid(), name, repository, bytes };
    this.images.push(image);
    return image;
  }

  /** The first number that none of these has. */
  free(taken: readonly { device: string }[]): string {
    for (let number = 0; ; number += 1)
      if (!taken.some(({ device }) => device === String(number))) return String(number);
  }

  drivesOf(guest: string): PoolDrive[] {
    return this.drives.filter((drive) => drive.guest === guest);
  }

  cardsOf(guest: string): PoolCard[] {
    return this.cards.filter((card) => card.guest === guest);
  }

  addDrive(guest: string, image: string | null, kind: PoolDrive["kind"], device = "autodetect"): PoolDrive {
    const number = device === "autodetect" ? this.free(this.drivesOf(guest)) : device;
    const drive = { uuid: this.random.uuid(), guest, image, device: number, kind, own: kind === "Disk" };
    this.drives.push(drive);
    return drive;
  }

  addDisk(guest: string, bytes: number, repository: string, name = "Created by xe"): PoolDrive {
    return this.addDrive(guest, this.addImage(name, repository, bytes).uuid, "Disk");
  }

  addCard(guest: string, network: string, device: string, mac: string | undefined): PoolCard {
    const number = (this.nextMac++).toString(16).padStart(2, "0");
    const card = { uuid: this.random.uuid(), guest, network, device, mac: mac ?? `5e:17:aa:00:00:${number}` };
    this.cards.push(card);
    return card;
  }

  take<T>(all: T[], one: T): void {
    const at = all.indexOf(one);
    if (at >= 0) all.splice(at, 1);
  }

  /** Cards and drives go with a guest; its own disks only where they are meant to. */
  forget(guest: string, withDisks: boolean): void {
    for (const drive of this.drivesOf(guest)) {
      const image = this.images.find(({ uuid }) => uuid === drive.image);
      if (withDisks && drive.own && image) this.take(this.images, image);
      this.take(this.drives, drive);
    }
    for (const card of this.cardsOf(guest)) this.take(this.cards, card);
  }
}
