/** Root file systems of the lab's nodes: made once from Debian's packages, kept in the cache, never written to afterwards. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { cacheDir, installPackages, must, run } from "./lab.ts";

/** What every node has, before anything is installed on it. */
const basePackages = [
  "ca-certificates",
  "iproute2",
  "iputils-ping",
  "netbase",
  "openssh-server",
  "procps",
  "python3-minimal",
  "tini",
];

/** What apt of this machine knows of its own Debian release. */
interface Debian {
  release: string;
  /** Where the release itself is. */
  mirror: string;
  /** Lines for sources.list: the release, its updates and its security fixes. */
  sources(suite: string): string;
}

async function debian(): Promise<Debian> {
  const release = await must("sh", ["-c", '. /etc/os-release; echo "$VERSION_CODENAME"']);
  const look = async () => {
    const fields = ["indextargets", "--format", "$(CODENAME) $(REPO_URI)", "Created-By: Packages", "Component: main"];
    const lines = (await run("apt-get", fields)).stdout.split("\n").map((line) => line.trim().split(" "));
    return lines.flatMap(([name = "", uri = ""]) => (name.split("-")[0] === release && uri ? [{ name, uri }] : []));
  };
  let found = await look();
  if (found.length === 0) {
    await must("apt-get", ["-o", "DPkg::Lock::Timeout=600", "update", "-qq"], { timeoutMs: 300_000 });
    found = await look();
  }
  const mirror = found.find(({ name }) => name === release)?.uri;
  if (!mirror) throw new Error(`this machine's apt names no mirror of ${release}'s main packages`);
  const sources = (suite: string) =>
    found.map(({ name, uri }) => `deb ${uri} ${name.replace(release, suite)} main\n`).join("");
  return { release, mirror, sources };
}

/** The release of this machine. */
export async function ownSuite(): Promise<string> {
  return (await debian()).release;
}

/** Runs a build script under a lock; what it makes in $new becomes `path` at once and whole, older builds of the name go. */
async function build(name: string, path: string, script: string, args: readonly string[]): Promise<string> {
  if (existsSync(path)) return path;
  console.log(`making the root file system "${name}"`);
  const whole = `
path=$1 family=$2; shift 2
[ ! -e "$path" ] || exit 0
new=$path.new
rm -rf "$new"
${script}
for old in "$family"-*; do
  case $old in *"$new") ;; *) rm -rf "$old" ;; esac
done
mv "$new" "$path"`;
  const family = join(cacheDir, "roots", name);
  const words = ["sh", path, family, ...args];
  await must("mkdir", ["-p", join(cacheDir, "roots")]);
  // unshare: what the script mounts is gone with it, also when it fails.
  await must("flock", [`${family}.lock`, "unshare", "--mount", "sh", "-euc", whole, ...words], {
    timeoutMs: 900_000,
    env: { DEBIAN_FRONTEND: "noninteractive" },
  });
  return path;
}

/** `base` of `…/base-0123456789ab`. */
function familyOf(path: string): string {
  return basename(path).replace(/-[0-9a-f]+$/, "");
}

function cachePath(name: string, ...content: readonly string[]): string {
  const hash = createHash("sha256").update(JSON.stringify(content)).digest("hex").slice(0, 12);
  return join(cacheDir, "roots", `${name}-${hash}`);
}

/** A minimal Debian of the machine's own release, or another one, with an SSH server. */
export async function baseRoot(suite?: string): Promise<string> {
  const { release, mirror } = await debian();
  const wanted = suite ?? release;
  const path = cachePath(wanted === release ? "base" : `base.${wanted}`, wanted, ...basePackages);
  if (existsSync(path)) return path;
  await installPackages("debootstrap");
  const script = `
for protocol in http https; do
  eval "$(apt-config shell proxy "Acquire::$protocol::Proxy")"
  [ -z "\${proxy:-}" ] || export "\${protocol}_proxy=$proxy"
  proxy=
done
debootstrap --variant=minbase --include="$3" "$1" "$new" "$2" >"$new.log" 2>&1 || { tail -n 30 "$new.log" >&2; exit 1; }
rm -rf "$new.log" "$new"/var/cache/apt/archives/*.deb
sed -i 's/^root:[^:]*:/root:*:/' "$new/etc/shadow"
mkdir -p -m 700 "$new/root/.ssh"
# A test opens many sessions at once, from one address.
printf 'MaxStartups 200\\nMaxSessions 100\\nUseDNS no\\nPermitRootLogin prohibit-password\\n' >"$new/etc/ssh/sshd_config.d/lab.conf"`;
  return await build(familyOf(path), path, script, [wanted, mirror, basePackages.join(",")]);
}

/**
 * Shell function: mounts into a root ($1) what apt inside of it needs: sources, keys, credentials and proxy of this machine.
 * None of it stays in the root. With $2 the sources are these lines instead, for another release.
 */
// `-e` does not hold on the left of `||`: there each command says so by `&&`.
const openApt = `
open_apt() {
  mount -t proc proc "$1/proc"
  mount -t tmpfs tmpfs "$1/tmp"
  mount --bind -o ro /etc/apt "$1/etc/apt"
  if [ -z "\${2:-}" ]; then
    [ ! -d /usr/share/keyrings ] || mount --bind -o ro /usr/share/keyrings "$1/usr/share/keyrings"
  else
    [ ! -e "$1/etc/apt/sources.list" ] || mount --bind /dev/null "$1/etc/apt/sources.list"
    mount -t tmpfs tmpfs "$1/etc/apt/sources.list.d"
    printf '%s' "$2" >"$1/etc/apt/sources.list.d/release.list"
  fi
  mount -t tmpfs tmpfs "$1/etc/apt/apt.conf.d"
  apt-config dump | grep -i '^Acquire.*proxy' >"$1/etc/apt/apt.conf.d/proxy" || true
  : >>"$1/etc/resolv.conf"
  mount --bind -o ro /etc/resolv.conf "$1/etc/resolv.conf"
  printf '#!/bin/sh\\nexit 101\\n' >"$1/usr/sbin/policy-rc.d"
  chmod 755 "$1/usr/sbin/policy-rc.d"
}`;

/**
 * The base with Debian packages installed and none of their services started; `finish` is a shell script that is then
 * run inside of it, still with network and apt.
 */
export async function rootWith(
  name: string,
  packages: readonly string[],
  finish = "",
  suite?: string,
): Promise<string> {
  const { release, sources } = await debian();
  const base = await baseRoot(suite);
  const path = cachePath(name, base, ...packages, finish);
  const script = `${openApt}
base=$1 finish=$2 sources=$3; shift 3
cp -a --reflink=auto "$base" "$new"
open_apt "$new" "$sources"
{
  chroot "$new" apt-get update -qq &&
    chroot "$new" apt-get install -y -qq --no-install-recommends "$@" &&
    chroot "$new" sh -euc "$finish" &&
    chroot "$new" apt-get clean
} >"$new.log" 2>&1 || { tail -n 30 "$new.log" >&2; exit 1; }
for mounted in etc/apt usr/share/keyrings etc/resolv.conf tmp proc; do
  ! mountpoint -q "$new/$mounted" || umount -R "$new/$mounted"
done
rm -rf "$new.log" "$new"/var/lib/apt/lists/* "$new/usr/sbin/policy-rc.d"`;
  const other = suite === undefined || suite === release ? "" : sources(suite);
  return await build(name, path, script, [base, finish, other, ...packages]);
}

/** What an installed Debian has and a minimal one has not. */
const installedPackages = ["ifupdown", "less", "sudo"];

/** What a journey's nodes start from: a Debian as a deployment leaves it, with nothing that a journey installs. */
export function bareRoot(suite: string): Promise<string> {
  // Its logs begin with the node.
  return rootWith(`bare.${suite}`, installedPackages, "rm -f /var/log/dpkg.log /var/log/apt/*", suite);
}

/**
 * A package repository for nodes that start from `root`: a directory with these packages, all that they need there, and
 * every upgrade of what the root has. For apt: `deb [trusted=yes] file:DIRECTORY ./`. Each package is fetched once.
 */
export async function packageRepository(suite: string, root: string, packages: readonly string[]): Promise<string> {
  const { release, sources } = await debian();
  const path = cachePath(`packages.${suite}`, root, ...packages);
  if (existsSync(path)) return path;
  await installPackages("apt-utils");
  // Each package is asked for alone too: a node may install it without the others.
  const script = `${openApt}
root=$1 sources=$2; shift 2
mkdir -p "$new"
mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay -o "lowerdir=$root,upperdir=/mnt/upper,workdir=/mnt/work" overlay /mnt/root
open_apt /mnt/root "$sources"
mount --bind "$new" /mnt/root/var/cache/apt/archives
mkdir "$new/partial"
get="chroot /mnt/root apt-get -y -q --download-only --no-install-recommends"
{
  chroot /mnt/root apt-get update -q && $get dist-upgrade && $get install "$@" &&
    (cd "$new" && rm -rf partial lock && apt-ftparchive packages . >Packages && apt-ftparchive release . >Release)
} >"$new.log" 2>&1 || { tail -n 30 "$new.log" >&2; exit 1; }
rm "$new.log"`;
  const other = suite === release ? "" : sources(suite);
  return await build(familyOf(path), path, script, [root, other, ...packages]);
}
