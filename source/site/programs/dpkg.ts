/** dpkg, dpkg-query, apt-cache: what is installed, what could be, and finishing what was interrupted. */
import type { Program } from "../machine/machine.ts";
import { options } from "../utilities/input.ts";
import type { Packages } from "../world/packages.ts";

const updates = "/var/lib/dpkg/updates";

export function dpkg(packages: Packages): Program {
  return async ({ args, machine, process, out, err }) => {
    if (args.includes("--print-architecture")) {
      await out("amd64\n");
      return 0;
    }
    if (args.includes("--audit") || args.includes("-C")) {
      const half = packages.finish();
      if (half.length > 0) {
        await out(
          `The following packages are only half configured, probably due to problems\nconfiguring them the first time.  The configuration should be retried using\ndpkg --configure <package> or the configure menu option in dselect:\n${half.map(({ name }) => ` ${name}\n`).join("")}`,
        );
      }
      return 0;
    }
    if (!args.includes("--configure")) {
      await err("dpkg: error: need an action option\n");
      return 2;
    }
    if (packages.lock) {
      await err(
        `dpkg: error: dpkg frontend lock was locked by another process with pid ${packages.lock.pid}\nNote: removing the lock file is always wrong, can damage the locked area\nand the entire system. See <https://wiki.debian.org/Teams/Dpkg/FAQ#db-lock>.\n`,
      );
      return 2;
    }
    for (const change of packages.finish()) {
      await out(`Setting up ${change.name} (${change.version}) ...\n`);
      await process.work(0.3);
      packages.configured(change);
    }
    for (const name of machine.files.names(updates)) machine.files.remove(`${updates}/${name}`);
    return 0;
  };
}

export function dpkgQuery(packages: Packages): Program {
  return async (call) => {
    const { given, words } = options(call.args, "f showformat");
    // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own placeholders
    const format = given.get("f")?.replace(/^=/, "") ?? given.get("showformat") ?? "${Package}\\t${Version}\\n";
    let status = 0;
    for (const name of words) {
      const version = packages.installed.get(name);
      if (version === undefined) {
        await call.err(`dpkg-query: no packages found matching ${name}\n`);
        status = 1;
        continue;
      }
      const state = packages.halfDone.has(name) ? "half-configured" : "installed";
      const values: Readonly<Record<string, string>> = {
        Package: name,
        "binary:Package": name,
        Version: version,
        Architecture: "amd64",
        Status: `install ok ${state}`,
        "db:Status-Status": state,
        "db:Status-Abbrev": state === "installed" ? "ii " : "iF ",
      };
      await call.out(
        format
          .replace(/\$\{([^}]+)\}/g, (_all, field: string) => values[field] ?? "")
          .replace(/\\n/g, "\n")
          .replace(/\\t/g, "\t"),
      );
    }
    return status;
  };
}

export function aptCache(packages: Packages): Program {
  return async ({ args, out }) => {
    const [verb, ...names] = args.filter((arg) => !arg.startsWith("-"));
    if (verb !== "policy") return 0;
    for (const name of names) {
      const candidate = packages.hasLists || packages.installed.has(name) ? packages.candidate(name) : null;
      if (candidate === null) continue;
      const installed = packages.installed.get(name) ?? "(none)";
      await out(
        `${name}:\n  Installed: ${installed}\n  Candidate: ${candidate}\n  Version table:\n     ${candidate} 500\n        500 http://deb.mirror.demo/debian ${packages.codename}/main amd64 Packages\n`,
      );
    }
    return 0;
  };
}
