/** The environments that Kadeploy has recorded. */

export interface RecordedEnvironment {
  name: string;
  version: number;
  user: string;
  description: string;
  kernel: string;
  release: { id: string; version: string; pretty: string };
}

const debian = (version: string, codename: string) => ({
  id: "debian",
  version,
  pretty: `Debian GNU/Linux ${version} (${codename})`,
});

const bullseye = debian("11", "bullseye");
const bookworm = debian("12", "bookworm");
const trixie = debian("13", "trixie");
const jammy = { id: "ubuntu", version: "22.04", pretty: "Ubuntu 22.04.5 LTS" };
const noble = { id: "ubuntu", version: "24.04", pretty: "Ubuntu 24.04.3 LTS" };
const alma = { id: "almalinux", version: "9.5", pretty: "AlmaLinux 9.5 (Teal Serval)" };

const row = (
  name: string,
  version: number,
  description: string,
  kernel: string,
  release: RecordedEnvironment["release"],
  user = "deploy",
): RecordedEnvironment => ({ name, version, user, description, kernel, release });

export const environments: readonly RecordedEnvironment[] = [
  row(
    "virtu-xen",
    1,
    "Bullseye + Xen 4.14 + ganeti prerequisites, made for the lab",
    "5.10.0-33-amd64",
    bullseye,
    "jdoe",
  ),
  row("almalinux9-min", 2024102413, "almalinux 9 (Teal Serval) for x64 - min", "5.14.0-503.el9", alma),
  row("debian11-big", 2024102413, "debian 11 (bullseye) for x64 - big", "5.10.0-33-amd64", bullseye),
  row("debian11-min", 2023061509, "debian 11 (bullseye) for x64 - min", "5.10.0-23-amd64", bullseye),
  row("debian11-min", 2024102413, "debian 11 (bullseye) for x64 - min", "5.10.0-33-amd64", bullseye),
  row("debian11-xen", 2024102413, "debian 11 (bullseye) with Xen for x64", "5.10.0-33-amd64", bullseye),
  row("debian12-big", 2024102413, "debian 12 (bookworm) for x64 - big", "6.1.0-26-amd64", bookworm),
  row("debian12-min", 2023110813, "debian 12 (bookworm) for x64 - min", "6.1.0-13-amd64", bookworm),
  row("debian12-min", 2024050812, "debian 12 (bookworm) for x64 - min", "6.1.0-20-amd64", bookworm),
  row("debian12-min", 2024102413, "debian 12 (bookworm) for x64 - min", "6.1.0-26-amd64", bookworm),
  row("debian12-nfs", 2024102413, "debian 12 (bookworm) for x64 - nfs homes", "6.1.0-26-amd64", bookworm),
  row("debian13-min", 2025091210, "debian 13 (trixie) for x64 - min", "6.12.43+deb13-amd64", trixie),
  row("ubuntu2204-min", 2024102413, "ubuntu 22.04 (jammy) for x64 - min", "5.15.0-122-generic", jammy),
  row("ubuntu2404-nfs", 2024102413, "ubuntu 24.04 (noble) for x64 - nfs homes", "6.8.0-48-generic", noble),
];

/** What a user may deploy: public ones, and the user's own. */
export function visibleTo(user: string): RecordedEnvironment[] {
  return environments.filter((environment) => environment.user === "deploy" || environment.user === user);
}

/** The newest of each name and user. */
export function newest(list: readonly RecordedEnvironment[]): RecordedEnvironment[] {
  return list.filter(
    (one) => !list.some((other) => other.name === one.name && other.user === one.user && other.version > one.version),
  );
}

/** An environment's description as `kaenv3 -p` prints it. */
export function asYaml({ name, version, user, description }: RecordedEnvironment): string {
  const visibility = user === "deploy" ? "public" : "private";
  return `---
name: ${name}
version: ${version}
description: ${description}
author: support-staff@lists.grid5000.fr
visibility: ${visibility}
destructive: false
os: linux
image:
  file: server:///grid5000/images/${name}-${version}.tgz
  kind: tar
  compression: gzip
boot:
  kernel: "/vmlinuz"
  initrd: "/initrd.img"
filesystem: ext4
partition_type: 131
multipart: false
`;
}
