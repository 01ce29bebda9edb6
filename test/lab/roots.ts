/** Root file systems of the lab's nodes: made once from Debian's packages, kept in the cache, never written to afterwards. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
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

/** The machine's own Debian release and the mirror that its apt uses for it. */
async function debian(): Promise<{ release: string; mirror: string }> {
  const release = await must("sh", ["-c", '. /etc/os-release; echo "$VERSION_CODENAME"']);
  const look = () =>
    run("apt-get", [
      "indextargets",
      "--format",
      "$(REPO_URI)",
      "Created-By: Packages",
      `Codename: ${release}`,
      "Component: main",
    ]);
  let mirror = (await look()).stdout.split("\n")[0]?.trim();
  if (!mirror) {
    await must("apt-get", ["-o", "DPkg::Lock::Timeout=600", "update", "-qq"], { timeoutMs: 300_000 });
    mirror = (await look()).stdout.split("\n")[0]?.trim();
  }
  if (!mirror) throw new Error(`this machine's apt names no mirror of ${release}'s main packages`);
  return { release, mirror };
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

function cachePath(name: string, ...content: readonly string[]): string {
  const hash = createHash("sha256").update(JSON.stringify(content)).digest("hex").slice(0, 12);
  return join(cacheDir, "roots", `${name}-${hash}`);
}

/** A minimal Debian of the machine's own release with an SSH server. */
export async function baseRoot(): Promise<string> {
  const { release, mirror } = await debian();
  const path = cachePath("base", release, ...basePackages);
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
  return await build("base", path, script, [release, mirror, basePackages.join(",")]);
}

/**
 * The base with Debian packages installed and none of their services started; `finish` is a shell script that is then
 * run inside of it, still with network and apt.
 */
export async function rootWith(name: string, packages: readonly string[], finish = ""): Promise<string> {
  const base = await baseRoot();
  const path = cachePath(name, base, ...packages, finish);
  // Apt inside uses what apt of this machine uses: sources, keys, credentials, proxy. None of it stays in the root.
  const script = `
finish=$2 base=$1; shift 2
cp -a --reflink=auto "$base" "$new"
mount -t proc proc "$new/proc"
mount -t tmpfs tmpfs "$new/tmp"
for from in /etc/apt /usr/share/keyrings; do [ ! -d "$from" ] || mount --bind -o ro "$from" "$new$from"; done
mount -t tmpfs tmpfs "$new/etc/apt/apt.conf.d"
apt-config dump | grep -i '^Acquire.*proxy' >"$new/etc/apt/apt.conf.d/proxy" || true
: >>"$new/etc/resolv.conf"
mount --bind -o ro /etc/resolv.conf "$new/etc/resolv.conf"
printf '#!/bin/sh\\nexit 101\\n' >"$new/usr/sbin/policy-rc.d"
chmod 755 "$new/usr/sbin/policy-rc.d"
{
  chroot "$new" apt-get update -qq
  chroot "$new" apt-get install -y -qq --no-install-recommends "$@"
  chroot "$new" sh -euc "$finish"
  chroot "$new" apt-get clean
} >"$new.log" 2>&1 || { tail -n 30 "$new.log" >&2; exit 1; }
rm -rf "$new.log" "$new"/var/lib/apt/lists/* "$new/usr/sbin/policy-rc.d"
umount -R "$new/etc/apt" "$new/usr/share/keyrings" "$new/etc/resolv.conf" "$new/tmp" "$new/proc"`;
  return await build(name, path, script, [base, finish, ...packages]);
}
