/** What sets a host up: services, accounts' passwords, time, locales, kernel modules. */
import { createHash } from "node:crypto";
import type { Program } from "../machine/machine.ts";
import { linesOf } from "../utilities/input.ts";

/** Units that can be asked for; `active` ones run. */
export interface Services {
  readonly known: Set<string>;
  readonly active: Set<string>;
  /** Told when one is started (`true`) or stopped. */
  onChange(name: string, runs: boolean): Promise<void>;
}

const unit = (word: string) => word.replace(/\.(?:service|socket)$/, "");

export function servicePrograms(services: Services): Record<string, Program> {
  const change = async (name: string, runs: boolean) => {
    if (runs) services.active.add(name);
    else services.active.delete(name);
    await services.onChange(name, runs);
  };
  const systemctl: Program = async ({ args, out, err, process }) => {
    const [verb = "", ...rest] = args.filter((arg) => !arg.startsWith("-"));
    const names = rest.map(unit);
    const quiet = args.includes("-q") || args.includes("--quiet");
    const isActive = names.filter((name) => services.active.has(name));
    switch (verb) {
      case "is-active":
        if (!quiet) await out(names.map((name) => `${services.active.has(name) ? "active" : "inactive"}\n`).join(""));
        return isActive.length > 0 ? 0 : 3;
      case "is-enabled":
        if (!quiet) await out(names.map((name) => `${services.known.has(name) ? "enabled" : "not-found"}\n`).join(""));
        return names.some((name) => services.known.has(name)) ? 0 : 4;
      case "status":
        await out(
          names
            .map(
              (name) =>
                `● ${name}.service\n   Active: ${services.active.has(name) ? "active (running)" : "inactive (dead)"}\n`,
            )
            .join(""),
        );
        return isActive.length === names.length ? 0 : 3;
      case "start":
      case "restart":
      case "reload":
      case "try-restart":
      case "reload-or-restart":
      case "stop":
      case "enable":
      case "disable":
      case "mask":
      case "unmask": {
        const missing = names.filter((name) => !services.known.has(name));
        for (const name of missing) await err(`Failed to ${verb} ${name}.service: Unit ${name}.service not found.\n`);
        if (missing.length > 0) return 5;
        const starts = /start|reload/.test(verb) || (verb === "enable" && args.includes("--now"));
        if (starts || verb === "stop" || (verb === "disable" && args.includes("--now"))) {
          await process.work(1);
          for (const name of names) await change(name, starts);
        }
        return 0;
      }
      case "is-system-running":
        await out("running\n");
        return 0;
      default:
        return 0;
    }
  };
  const service: Program = (call) => systemctl({ ...call, args: [call.args[1] ?? "status", call.args[0] ?? ""] });
  return { systemctl, service };
}

const chpasswd: Program = async ({ machine, process, err }) => {
  for (const line of linesOf(await process.readAll())) {
    const [name = "", ...password] = line.split(":");
    const shadow = linesOf(machine.files.readText("/etc/shadow"));
    const index = shadow.findIndex((row) => row.startsWith(`${name}:`));
    if (index < 0 || password.length === 0) {
      await err(`chpasswd: (user ${name}) pam_chauthtok() failed, error:\nAuthentication token manipulation error\n`);
      return 1;
    }
    // A digest in the place of yescrypt's: never the password itself.
    const digest = createHash("sha256")
      .update(`${machine.name} ${password.join(":")}`)
      .digest("base64url");
    shadow[index] = `${name}:$y$j9T$${digest}:20414:0:99999:7:::`;
    machine.files.writeText("/etc/shadow", `${shadow.join("\n")}\n`, "root", 0o640);
  }
  return 0;
};

const localesFile = "/var/lib/locales/made";

const locale: Program = async ({ args, machine, out }) => {
  if (!args.includes("-a")) await out("LANG=\nLC_ALL=\n");
  else await out(`C\nC.utf8\nPOSIX\n${machine.files.find(localesFile) ? machine.files.readText(localesFile) : ""}`);
  return 0;
};

const localeGen: Program = async ({ machine, process, out }) => {
  await out("Generating locales (this might take a while)...\n");
  const wanted = linesOf(machine.files.find("/etc/locale.gen") ? machine.files.readText("/etc/locale.gen") : "");
  const names = wanted.filter((line) => /^\w/.test(line)).map((line) => line.split(" ")[0] ?? "");
  for (const name of names) {
    await process.work(3);
    await out(`  ${name}... done\n`);
  }
  machine.files.makeDirectory("/var/lib/locales", "root", { parents: true });
  machine.files.writeText(localesFile, names.map((name) => `${name.replace(/\.UTF-8$/, ".utf8")}\n`).join(""));
  await out("Generation complete.\n");
  return 0;
};

const timedatectl: Program = async ({ args, out, machine }) => {
  if (args[0] === "set-timezone" || args[0] === "set-ntp") return 0;
  const zone = machine.files.look("/etc/localtime");
  await out(
    `Timezone=${zone?.kind === "link" ? zone.target.replace(/^.*zoneinfo\//, "") : "Etc/UTC"}\nLocalRTC=no\nCanNTP=yes\nNTP=yes\nNTPSynchronized=yes\n`,
  );
  return 0;
};

const quietly: Program = () => 0;

/** What every deployed node has. */
export const setupPrograms: Readonly<Record<string, Program>> = {
  chpasswd,
  "locale-gen": localeGen,
  timedatectl,
  modprobe: quietly,
  depmod: quietly,
  udevadm: quietly,
  "update-grub": quietly,
  "debconf-set-selections": quietly,
  sync: quietly,
  locale,
};
