/** apt and dpkg, unattended: no question is ever asked, locks are waited for, what was left half done is finished. */
import { type Command, sh } from "../ssh/command.ts";
import { nodeDirectory } from "./own-file.ts";

/** Seconds to wait for another apt or dpkg. */
const lockSeconds = 600;

// conffiles: the package's version where nobody changed it, else the one that is there. needrestart's hook would list (and,
// by hand, ask for) services; grub and ucf ask through debconf, which takes the defaults without a terminal.
const quiet = sh`export LC_ALL=C PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
export DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true APT_LISTCHANGES_FRONTEND=none
export NEEDRESTART_MODE=a NEEDRESTART_SUSPEND=1 UCF_FORCE_CONFFOLD=1 UCF_FORCE_CONFFDEF=1`;

const options = [
  "-y",
  "-o",
  `DPkg::Lock::Timeout=${lockSeconds}`,
  "-o",
  "Dpkg::Options::=--force-confdef",
  "-o",
  "Dpkg::Options::=--force-confold",
  "-o",
  "Dpkg::Use-Pty=0",
  "-o",
  "APT::Status-Fd=3",
];

const apt = (words: readonly string[]) => sh`apt-get ${options} ${words} 3>&1 < /dev/null`;

/**
 * Runs an apt command; again while its own lists or archives are locked, which apt's lock timeout does not cover: it is told
 * on standard error, which is therefore shown at the end of each try.
 */
function patient(words: readonly string[]): Command {
  return sh`errors=$(mktemp) || exit 1
trap 'rm -f "$errors"' EXIT
waited=0
while :; do
  ${apt(words)} 2> "$errors"
  status=$?
  cat "$errors" >&2
  if [ "$status" = 0 ]; then break; fi
  if ! grep -q 'Could not get lock /var/[a-z]*/apt' "$errors" || [ "$waited" -ge ${lockSeconds} ]; then exit "$status"; fi
  echo 'another apt is at work: waiting for it'
  sleep 5; waited=$((waited + 5))
done`;
}

/** Ends 0 if no package is left half installed. */
export function repairCheck(): Command {
  return sh`export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
[ -z "$(ls /var/lib/dpkg/updates 2> /dev/null)" ] && [ -z "$(dpkg --audit 2>&1)" ] || exit 1`;
}

/** Finishes what an interrupted dpkg left. */
export function repairScript(): Command {
  return sh`${quiet}
waited=0
while ! dpkg --configure -a --force-confdef --force-confold < /dev/null; do
  if [ -n "$(ls /var/lib/dpkg/updates 2> /dev/null)" ] && [ "$waited" -lt ${lockSeconds} ]; then sleep 5; waited=$((waited + 5)); else break; fi
done
${apt(["--fix-broken", "install"])}`;
}

const listsMark = `${nodeDirectory}/package-lists`;
/** Lists younger than so many seconds are not fetched again. */
const freshSeconds = 3600;
const sources = sh`cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2> /dev/null`;

/** Ends 0 if virtu fetched the lists of these sources within the last hour. */
export function listsCheck(): Command {
  return sh`export LC_ALL=C
[ -s ${listsMark} ] && ls /var/lib/apt/lists | grep -q _Packages || exit 1
at=$(head -n 1 ${listsMark})
[ $(($(date +%s) - at)) -lt ${freshSeconds} ] || exit 1
[ "$(tail -n +2 ${listsMark})" = "$(${sources})" ] || exit 1`;
}

/** Fetches the lists. Without `Error-Mode=any` apt ends 0 even when nothing could be fetched. */
export function listsScript(): Command {
  return sh`${quiet}
mkdir -p ${nodeDirectory} && rm -f ${listsMark} || exit 1
(${patient(["-o", "APT::Update::Error-Mode=any", "update"])}
) || exit $?
{ date +%s; ${sources}; } > ${listsMark}.new; mv -f ${listsMark}.new ${listsMark}`;
}

/** Ends 0 if nothing would be upgraded. */
export function upgradeCheck(): Command {
  return sh`export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
plan=$(apt-get -s -y full-upgrade 2> /dev/null < /dev/null) || exit 1
case "
$plan" in *'
Inst '*|*'
Remv '*) exit 1 ;; esac`;
}

export function upgradeScript(): Command {
  return sh`${quiet}
(${patient(["full-upgrade"])}
) || exit $?
if [ -e /run/reboot-required ]; then echo 'a new kernel or library is in place: the node has to be rebooted to use it'; fi`;
}

/** Ends 0 if all these packages are installed. A name that was only once seen prints an empty version: the status counts. */
export function packagesCheck(packages: readonly string[]): Command {
  return sh`export LC_ALL=C
[ "$(dpkg-query -W -f='\${db:Status-Status}\\n' ${packages} 2> /dev/null | grep -cx installed)" = ${packages.length} ] || exit 1`;
}

/** Installs packages without what they only recommend (Ganeti's would be ten times as many). */
export function packagesScript(packages: readonly string[]): Command {
  return sh`${quiet}
(${patient(["--no-install-recommends", "install", ...packages])}
) || exit $?`;
}

/** Ends 0 if apt knows a version of every one of these packages that could be installed. */
export function candidatesCheck(packages: readonly string[]): Command {
  return sh`export LC_ALL=C
[ "$(apt-cache policy ${packages} 2> /dev/null | grep -c '^  Candidate: [0-9]')" = ${packages.length} ] || exit 1`;
}

/** What is wrong with apt's sources of a node, as far as it can be seen without fetching anything. */
export interface SourceEntry {
  uri: string;
  suite: string;
  components: readonly string[];
}

/** Entries of one-line and deb822 source files; comments, disabled entries and `deb-src` are left out. */
export function parseSources(files: Readonly<Record<string, string>>): SourceEntry[] {
  return Object.entries(files).flatMap(([path, text]) => (path.endsWith(".sources") ? deb822(text) : oneLine(text)));
}

function oneLine(text: string): SourceEntry[] {
  return text.split("\n").flatMap((line) => {
    const [, uri, suite, rest] = /^\s*deb\s+(?:\[[^\]]*\]\s*)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line) ?? [];
    return uri && suite ? [{ uri, suite, components: (rest ?? "").split(/\s+/).filter(Boolean) }] : [];
  });
}

function deb822(text: string): SourceEntry[] {
  return text.split(/\n\s*\n/).flatMap((paragraph) => {
    const fields = new Map<string, string>();
    let name = "";
    for (const line of paragraph.split("\n")) {
      if (line.startsWith("#")) continue;
      const [, field, value] = /^([A-Za-z-]+):\s*(.*)$/.exec(line) ?? [];
      if (field !== undefined) {
        name = field.toLowerCase();
        fields.set(name, value ?? "");
      } else if (/^\s/.test(line)) fields.set(name, `${fields.get(name) ?? ""} ${line.trim()}`);
    }
    const words = (field: string) => (fields.get(field) ?? "").split(/\s+/).filter(Boolean);
    if (!words("types").includes("deb") || fields.get("enabled")?.trim().toLowerCase() === "no") return [];
    return words("uris").flatMap((uri) =>
      words("suites").map((suite) => ({ uri, suite, components: words("components") })),
    );
  });
}

/** File that virtu adds when a node's own sources have none of its release. */
export const ownSourcesFile = "/etc/apt/sources.list.d/virtu.sources";

/**
 * Sources of a release at the place that the node's other sources name, as deb822; null: there is no archive among them.
 * @param codename `bookworm`.
 */
export function releaseSources(codename: string, entries: readonly SourceEntry[]): string | null {
  const archive = entries.find(({ uri, components }) => components.includes("main") && /\/debian\/?$/.test(uri));
  if (!archive) return null;
  return `Types: deb\nURIs: ${archive.uri}\nSuites: ${codename} ${codename}-updates\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n`;
}
