/** The packages of one node: what is installed, what could be, who holds dpkg's lock. */

/** What comes along with a package, beside itself, without recommendations. */
const needs: Readonly<Record<string, string>> = {
  ganeti:
    "fping ganeti-MAJOR ganeti-haskell-MAJOR ganeti-htools-MAJOR iputils-arping libcurl3-gnutls libpython3-stdlib media-types python3 python3-bitarray python3-cffi-backend python3-cryptography python3-openssl python3-paramiko python3-psutil python3-pycurl python3-pyinotify python3-pyparsing python3-simplejson socat",
  "ganeti-os-noop": "",
  "ganeti-instance-debootstrap": "debootstrap dump kpartx",
  lvm2: "dmeventd dmsetup libaio1 libdevmapper-event1.02.1 libdevmapper1.02.1 liblvm2cmd2.03 libreadline8",
  "bridge-utils": "",
  "qemu-system-x86":
    "ipxe-qemu libasound2 libasound2-data libbrlapi0.8 libcacard0 libcapstone4 libdaxctl1 libepoxy0 libexecs0 libfdt1 libfuse3-3 libglib2.0-0 libibverbs1 libjpeg62-turbo libndctl6 libnuma1 libpixman-1-0 libpmem1 libpng16-16 librdmacm1 libsasl2-2 libslirp0 liburing2 libusb-1.0-0 libusbredirparser1 libvdeplug2 qemu-system-common qemu-system-data seabios",
  "qemu-utils": "libaio1 libfuse3-3 liburing2",
  "qemu-kvm": "qemu-system-x86",
  "libvirt-daemon-system":
    "libvirt-clients libvirt-daemon libvirt-daemon-config-network libvirt-daemon-config-nwfilter libvirt-daemon-driver-qemu libvirt-daemon-system-systemd libvirt-l10n libvirt0 dnsmasq-base iptables polkitd",
  "libvirt-clients": "libvirt0 libxml2-utils",
  virtinst: "gir1.2-libosinfo-1.0 python3-gi python3-libvirt python3-libxml2 python3-requests xorriso",
  "libvirt-daemon": "libvirt0",
  "libvirt-daemon-driver-qemu": "libvirt-daemon",
  "libvirt-daemon-driver-xen": "libvirt-daemon",
  "libvirt-daemon-xen": "libvirt-daemon",
  "dnsmasq-base": "",
  "xen-utils-common": "",
  "xen-hypervisor-amd64": "xen-hypervisor-common xen-utils-4.17",
  "xen-system-amd64": "xen-hypervisor-common xen-utils-4.17 xen-utils-common",
  "drbd-utils": "",
  debootstrap: "",
  ifupdown: "",
  locales: "libc-l10n",
  needrestart: "libmodule-scandeps-perl libproc-processtable-perl",
  systemd: "",
  "systemd-timesyncd": "",
  ntp: "ntpsec",
  chrony: "",
  sudo: "",
  rsync: "",
  cron: "",
  iproute2: "",
  "openssh-client": "",
  "netcat-openbsd": "",
  "util-linux": "",
  fdisk: "",
  "dbus-user-session": "",
  htop: "",
  vim: "",
  tmux: "",
  curl: "",
};

/** Packages of the image that the archive has newer versions of. */
const outdated =
  "base-files bash bind9-host dbus gzip krb5-locales libc-bin libc6 libcap2 libexpat1 libgnutls30 libpam-modules libssl3 libsystemd0 libudev1 linux-image-amd64 login openssh-client openssh-server openssl passwd perl-base python3.11 systemd tzdata util-linux wget xz-utils".split(
    " ",
  );
const upToDate =
  "apt coreutils cron debconf dpkg grep ifupdown iproute2 kmod locales mount ncurses-base procps sed sudo tar ucf".split(
    " ",
  );

const knownVersions: Readonly<Record<string, readonly [bookworm: string, trixie: string]>> = {
  ganeti: ["3.0.2-3", "3.1.0~rc2-3"],
  lvm2: ["2.03.16-2", "2.03.31-2"],
  "bridge-utils": ["1.7.1-1", "1.7.1-4"],
  "qemu-system-x86": ["1:7.2+dfsg-7+deb12u16", "1:10.0.3+ds-0+deb13u1"],
  "qemu-utils": ["1:7.2+dfsg-7+deb12u16", "1:10.0.3+ds-0+deb13u1"],
  "ganeti-os-noop": ["0.2-3", "0.2-3"],
  "ganeti-instance-debootstrap": ["0.16-8", "0.16-9"],
  "libvirt-daemon-system": ["9.0.0-4+deb12u2", "11.3.0-3"],
  "libvirt-clients": ["9.0.0-4+deb12u2", "11.3.0-3"],
  virtinst: ["1:4.1.0-2", "1:5.0.0-5"],
};

function sumOf(text: string): number {
  return [...text].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 65_521, 7);
}

export interface Change {
  name: string;
  /** Version before, or null when it is new. */
  before: string | null;
  version: string;
  kilobytes: number;
}

export class Packages {
  /** Installed ones with their versions. */
  readonly installed = new Map<string, string>();
  /** Unpacked, but not configured. */
  readonly halfDone = new Set<string>();
  private readonly newer = new Set<string>();
  hasLists = false;
  /** Who holds dpkg's lock. */
  lock: { pid: number; name: string } | null = null;
  /** Told of each package that has been configured. */
  onInstalled: (name: string) => void = () => {};

  constructor(
    /** `12` or `13`. */
    private readonly release: string,
    readonly codename: string,
  ) {
    for (const name of upToDate) this.installed.set(name, this.version(name));
    for (const name of outdated) {
      this.installed.set(name, `${this.version(name)}~old`);
      this.newer.add(name);
    }
  }

  private version(name: string): string {
    const known = knownVersions[name]?.[this.release === "13" ? 1 : 0];
    if (known !== undefined) return known;
    const sum = sumOf(name);
    return `${1 + (sum % 4)}.${sum % 11}.${sum % 7}-${1 + (sum % 3)}+deb${this.release}u1`;
  }

  /** The version that the archive has, or null. */
  candidate(name: string): string | null {
    return name in needs || this.installed.has(name) ? this.version(name) : null;
  }

  private change(name: string): Change {
    const before = this.installed.get(name) ?? null;
    return { name, before, version: this.version(name), kilobytes: 20 + (sumOf(name) % 900) };
  }

  /** What installing these would do: dependencies first, nothing that is there. Names must be known ones. */
  toInstall(names: readonly string[]): Change[] {
    const major = this.release === "13" ? "3.1" : "3.0";
    const wanted = new Set<string>();
    const add = (name: string) => {
      if (wanted.has(name) || (this.installed.has(name) && !this.newer.has(name))) return;
      for (const need of (needs[name] ?? "").replaceAll("MAJOR", major).split(" ")) {
        if (need !== "" && !this.installed.has(need)) add(need);
      }
      wanted.add(name);
    };
    for (const name of names) add(name);
    return [...wanted].map((name) => this.change(name));
  }

  /** What a full upgrade would do. */
  toUpgrade(): Change[] {
    return this.hasLists ? [...this.newer].map((name) => this.change(name)) : [];
  }

  unpacked({ name }: Change): void {
    this.halfDone.add(name);
  }

  configured({ name, version }: Pick<Change, "name" | "version">): void {
    this.halfDone.delete(name);
    this.newer.delete(name);
    this.installed.set(name, version);
    this.onInstalled(name);
  }

  /** dpkg --configure -a: all that is half done. */
  finish(): Change[] {
    return [...this.halfDone].map((name) => this.change(name));
  }
}
