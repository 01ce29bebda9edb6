/** apt-get, as far as journeys go: update, full-upgrade, install; locks, progress on APT::Status-Fd, failures. */
import type { Call, Program } from "../machine/machine.ts";
import type { Trouble } from "../world/node-system.ts";
import type { Change, Packages } from "../world/packages.ts";

interface Asked {
  verb: string;
  names: string[];
  simulate: boolean;
  /** `-o NAME=VALUE`. */
  settings: Map<string, string>;
}

function read(args: readonly string[]): Asked {
  const asked: Asked = { verb: "", names: [], simulate: false, settings: new Map() };
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? "";
    if (arg === "-o" || arg.startsWith("-o")) {
      const [name = "", ...value] = (arg === "-o" ? (args[++index] ?? "") : arg.slice(2)).split("=");
      asked.settings.set(name, value.join("="));
    } else if (/^-[a-z]*s/.test(arg) || arg === "--simulate" || arg === "--dry-run") asked.simulate = true;
    else if (arg === "--fix-broken" || arg === "-f") asked.verb ||= "install";
    else if (arg.startsWith("-")) continue;
    else if (asked.verb === "") asked.verb = arg;
    else if (arg !== asked.verb) asked.names.push(arg);
  }
  return asked;
}

/** Lines of names as apt folds them. */
function folded(names: readonly string[]): string {
  const lines: string[] = [];
  for (const name of names) {
    const last = lines.at(-1);
    if (last === undefined || last.length + name.length > 76) lines.push(`  ${name}`);
    else lines[lines.length - 1] = `${last} ${name}`;
  }
  return lines.map((line) => `${line}\n`).join("");
}

/** Holds dpkg's lock while `run` runs; waits for another holder as `DPkg::Lock::Timeout` says. */
async function locked(call: Call, packages: Packages, asked: Asked, run: () => Promise<number>): Promise<number> {
  let left = Number(asked.settings.get("DPkg::Lock::Timeout") ?? 0);
  while (packages.lock) {
    const { pid, name } = packages.lock;
    const held = `Could not get lock /var/lib/dpkg/lock-frontend. It is held by process ${pid} (${name})`;
    if (left <= 0) {
      if (!asked.settings.has("DPkg::Lock::Timeout")) await call.err(`E: ${held}\n`);
      await call.err(
        "E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?\n",
      );
      return 100;
    }
    await call.out(`Waiting for cache lock: ${held}...\n`);
    left -= 1;
    await call.process.work(1);
  }
  packages.lock = { pid: call.process.pid, name: "apt-get" };
  try {
    return await run();
  } finally {
    packages.lock = null;
  }
}

async function update(call: Call, packages: Packages, fd: number | null): Promise<number> {
  const archive = "http://deb.mirror.demo/debian";
  const { codename } = packages;
  const parts = [
    `${archive} ${codename} InRelease [151 kB]`,
    `${archive} ${codename}-updates InRelease [55.4 kB]`,
    `http://security.mirror.demo/debian-security ${codename}-security InRelease [48.0 kB]`,
    `${archive} ${codename}/main amd64 Packages [8,793 kB]`,
    `http://security.mirror.demo/debian-security ${codename}-security/main amd64 Packages [271 kB]`,
  ];
  for (const [index, part] of parts.entries()) {
    if (fd !== null) {
      await call.process.write(
        fd,
        `dlstatus:${index + 1}:${(index * 20).toFixed(4)}:Retrieving file ${index + 1} of 5\n`,
      );
    }
    await call.process.work(1.5);
    await call.out(`Get:${index + 1} ${part}\n`);
  }
  const { files } = call.machine;
  for (const suite of [codename, `${codename}-updates`]) {
    files.writeText(`/var/lib/apt/lists/deb.mirror.demo_debian_dists_${suite}_main_binary-amd64_Packages`, "");
  }
  packages.hasLists = true;
  await call.out("Fetched 9,318 kB in 2s (4,412 kB/s)\nReading package lists...\n");
  return 0;
}

function summary(changes: readonly Change[]): string {
  const fresh = changes.filter(({ before }) => before === null);
  const upgraded = changes.filter(({ before }) => before !== null);
  const kilobytes = changes.reduce((sum, { kilobytes: size }) => sum + size, 0);
  return [
    fresh.length > 0 ? `The following NEW packages will be installed:\n${folded(fresh.map(({ name }) => name))}` : "",
    upgraded.length > 0 ? `The following packages will be upgraded:\n${folded(upgraded.map(({ name }) => name))}` : "",
    `${upgraded.length} upgraded, ${fresh.length} newly installed, 0 to remove and 0 not upgraded.\n`,
    changes.length > 0
      ? `Need to get ${kilobytes.toLocaleString("en")} kB of archives.\nAfter this operation, ${(kilobytes * 3).toLocaleString("en")} kB of additional disk space will be used.\n`
      : "",
  ].join("");
}

/** Pieces of at most so many, so that many packages on many nodes make no more events than a few. */
function pieces<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, index) =>
    list.slice(index * size, (index + 1) * size),
  );
}

interface Work {
  call: Call;
  packages: Packages;
  fd: number | null;
  trouble: Trouble;
  /** How much longer than usual everything takes. */
  slowness: number;
}

/** One pass over the packages, a few at a time: text to standard output, progress to its descriptor. */
async function pass(
  { call, fd, slowness }: Work,
  changes: readonly Change[],
  seconds: number,
  each: (change: Change, index: number) => { text: string; status: string },
): Promise<void> {
  let index = 0;
  for (const piece of pieces(changes, Math.max(1, Math.ceil(changes.length / 12)))) {
    let text = "";
    let status = "";
    for (const change of piece) {
      const said = each(change, index);
      index += 1;
      text += said.text;
      status += said.status;
    }
    if (fd !== null) await call.process.write(fd, status);
    await call.out(text);
    await call.process.work(seconds * piece.length * slowness);
  }
}

async function carryOut(work: Work, changes: readonly Change[]): Promise<number> {
  const { call, packages, fd, trouble } = work;
  const total = changes.length;
  const percent = (value: number) => value.toFixed(4);
  await pass(work, changes, 0.12, ({ name, version, kilobytes }, index) => ({
    text: `Get:${index + 1} http://deb.mirror.demo/debian ${packages.codename}/main amd64 ${name} amd64 ${version} [${kilobytes} kB]\n`,
    status: `dlstatus:${index + 1}:${percent((100 * index) / total)}:Retrieving file ${index + 1} of ${total}\n`,
  }));
  // Whoever kills it from here on leaves packages half done.
  call.machine.files.writeText("/var/lib/dpkg/updates/0001", "");
  await pass(work, changes, 0.25, (change, index) => {
    const { name, before, version } = change;
    packages.unpacked(change);
    return {
      text: `${before === null ? `Selecting previously unselected package ${name}.\n` : ""}Preparing to unpack .../${name}_${version}_amd64.deb ...\nUnpacking ${name} (${version})${before === null ? "" : ` over (${before})`} ...\n`,
      status: `pmstatus:${name}:${percent((50 * index) / total)}:Preparing ${name} (amd64)\n`,
    };
  });
  const bad = trouble.failingPackage(changes);
  const good = changes.filter((change) => change !== bad);
  await pass(work, good, 0.3, (change, index) => {
    packages.configured(change);
    return {
      text: `Setting up ${change.name} (${change.version}) ...\n`,
      status: `pmstatus:${change.name}:${percent(50 + (50 * index) / total)}:Configuring ${change.name} (amd64)\n`,
    };
  });
  call.machine.files.remove("/var/lib/dpkg/updates/0001");
  if (!bad) {
    if (fd !== null) await call.process.write(fd, "pmstatus:dpkg-exec:100.0000:Running dpkg\n");
    await call.out(`Processing triggers for libc-bin (${packages.installed.get("libc-bin") ?? "2.36"}) ...\n`);
    return 0;
  }
  const why = `installed ${bad.name} package post-installation script subprocess returned error exit status 1`;
  if (fd !== null) await call.process.write(fd, `pmerror:${bad.name}:${percent(99)}:${why}\n`);
  await call.out(`Setting up ${bad.name} (${bad.version}) ...\n`);
  await call.err(
    `dpkg: error processing package ${bad.name} (--configure):\n ${why}\nErrors were encountered while processing:\n ${bad.name}\nE: Sub-process /usr/bin/dpkg returned an error code (1)\n`,
  );
  return 100;
}

export function aptGet(packages: Packages, trouble: Trouble): Program {
  return async (call) => {
    const asked = read(call.args);
    const { verb, names, simulate, settings } = asked;
    if (call.process.user !== "root" && !simulate) {
      await call.err(
        "E: Could not open lock file /var/lib/dpkg/lock-frontend - open (13: Permission denied)\nE: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), are you root?\n",
      );
      return 100;
    }
    const fd = settings.has("APT::Status-Fd") ? Number(settings.get("APT::Status-Fd")) : null;
    if (verb === "update") return update(call, packages, fd);
    if (["clean", "autoclean", "check", "autoremove"].includes(verb)) return 0;
    const isUpgrade = ["upgrade", "dist-upgrade", "full-upgrade"].includes(verb);
    if (!isUpgrade && verb !== "install") {
      await call.err(`E: Invalid operation ${verb}\n`);
      return 100;
    }
    const body = async () => {
      await call.out("Reading package lists...\nBuilding dependency tree...\nReading state information...\n");
      const unknown = names.filter((name) => !packages.hasLists || packages.candidate(name) === null);
      const missing = unknown.filter((name) => !packages.installed.has(name));
      if (missing.length > 0) {
        await call.err(missing.map((name) => `E: Unable to locate package ${name}\n`).join(""));
        return 100;
      }
      if (isUpgrade) await call.out("Calculating upgrade...\n");
      const fresh = isUpgrade ? packages.toUpgrade() : packages.toInstall(names);
      const changes = [...packages.finish().filter(({ name }) => !fresh.some((one) => one.name === name)), ...fresh];
      await call.out(summary(changes));
      if (simulate) {
        const line = ({ name, before, version }: Change) =>
          `Inst ${name} ${before === null ? "" : `[${before}] `}(${version} Debian:${packages.codename} [amd64])\nConf ${name} (${version} Debian:${packages.codename} [amd64])\n`;
        await call.out(changes.map(line).join(""));
        return 0;
      }
      if (changes.length === 0) return 0;
      if (await trouble.dies(call, changes)) return 100;
      return carryOut({ call, packages, fd, trouble, slowness: isUpgrade ? trouble.slowness() : 1 }, changes);
    };
    if (simulate) return body();
    trouble.beforeLock(call);
    return locked(call, packages, asked, body);
  };
}
