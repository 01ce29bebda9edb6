/** A node's own name, clock, time zone and locale. */
import { type Command, sh } from "../ssh/command.ts";
import { nodeDirectory } from "./own-file.ts";

export function hostNameCheck(name: string): Command {
  return sh`[ "$(hostname)" = ${name} ] && [ "$(cat /etc/hostname 2> /dev/null)" = ${name} ] || exit 1`;
}

export function hostNameScript(name: string): Command {
  return sh`printf '%s\\n' ${name} > /etc/hostname && hostname ${name}`;
}

/** A name that says nothing of its host: what an image has that nobody named. */
export function isNoName(name: string): boolean {
  return /^(?:|localhost|\(none\)|debian|unassigned)(?:\.|$)/.test(name);
}

/**
 * Moves the clock by what it was off when it was asked, once. Its mark lies where a reboot removes it, and is named after the
 * question, so that the same plan never moves the clock twice.
 * @param question Names the question: its epoch second here.
 */
export function clockCheck(question: number): Command {
  return sh`[ -e ${`/run/virtu-clock-${question}`} ] || exit 1`;
}

export function clockScript(aheadSeconds: number, question: number): Command {
  return sh`export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
if command -v timedatectl > /dev/null && timedatectl set-ntp true 2> /dev/null; then echo 'time service is on'; fi
touch ${`/run/virtu-clock-${question}`} && date -s @"$(($(date +%s) - ${aheadSeconds}))" || { rm -f ${`/run/virtu-clock-${question}`}; exit 1; }`;
}

const zoneFile = (zone: string) => `/usr/share/zoneinfo/${zone}`;

/** Debian 13 has no /etc/timezone any more: the link counts. */
export function timezoneCheck(zone: string): Command {
  return sh`case "$(readlink /etc/localtime)" in */${zone}) ;; *) exit 1 ;; esac`;
}

export function timezoneScript(zone: string): Command {
  return sh`if [ ! -e ${zoneFile(zone)} ]; then echo ${`there is no time zone ${zone}`} >&2; exit 1; fi
ln -sf ${zoneFile(zone)} /etc/localtime && if [ -e /etc/timezone ]; then printf '%s\\n' ${zone} > /etc/timezone; fi`;
}

/** `locale -a` writes the character set without dashes and in small letters: `fr_FR.utf8`. */
export function localeName(locale: string): string {
  return locale.replace(/\.utf-?8$/i, ".utf8");
}

export function localeCheck(locale: string): Command {
  return sh`[ "$(grep '^LANG=' /etc/default/locale 2> /dev/null | tr -d '"')" = ${`LANG=${locale}`} ] && locale -a | grep -qixF ${localeName(locale)} || exit 1`;
}

/** Needs the package `locales` for any locale but C and C.UTF-8. */
export function localeScript(locale: string): Command {
  const line = `${locale} ${/\.([^@]+)/.exec(locale)?.[1] ?? "ISO-8859-1"}`;
  return sh`export PATH="$PATH:/usr/sbin:/sbin"
if ! locale -a | grep -qixF ${localeName(locale)}; then
  grep -qxF ${line} /etc/locale.gen || printf '%s\\n' ${line} >> /etc/locale.gen
  locale-gen || exit 1
fi
printf 'LANG=%s\\n' ${locale} > /etc/default/locale`;
}

/**
 * A script of the user's: as a file of its own, so that its first line chooses the interpreter. What it holds is remembered
 * by a digest: the same script is not run twice on a node.
 */
export function extraCheck(digest: string): Command {
  return sh`[ -e ${`${nodeDirectory}/scripts/${digest}`} ] || exit 1`;
}

export function extraScript(script: string, digest: string): Command {
  const text = script.endsWith("\n") ? script : `${script}\n`;
  const whole = text.startsWith("#!") ? text : `#!/bin/sh\n${text}`;
  return sh`directory=$(mktemp -d) || exit 1
trap 'rm -rf "$directory"' EXIT
printf '%s' ${whole} > "$directory/script" && chmod 700 "$directory/script" || exit 1
"$directory/script" < /dev/null || exit $?
mkdir -p ${`${nodeDirectory}/scripts`} && touch ${`${nodeDirectory}/scripts/${digest}`}`;
}
