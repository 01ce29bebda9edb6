/** `kaenv3`: the environments that Kadeploy has on record. Its table has no fixed columns, and three known layouts. */
import type { Environment } from "../journey/types.ts";
import { type Command, sh } from "../ssh/command.ts";

/** The newest version of every environment that the user may deploy. */
export function listRecorded(): Command {
  return sh`LC_ALL=C kaenv3 -l`;
}

/** All versions of one environment. Without `user`, of whoever recorded it. */
export function listVersions(name: string, user: string | null): Command {
  return sh`LC_ALL=C kaenv3 -l ${name} -s${user === null ? sh`` : sh` -u ${user}`}`;
}

export interface RecordedList {
  environments: Environment[];
  /** The table is that of Kadeploy 3.1 (2012), whose image files are written in another way. */
  of2012: boolean;
  /** Lines that are neither header nor row: an error's text, or a layout that nobody knows. */
  strange: string[];
}

const architectures = /^(?:x86_64|amd64|i[36]86|ppc64le|ppc64|aarch64|arm64|armv7l|riscv64|s390x|noarch)$/;

/**
 * Rows as 3.1 (`%-21s %-7s %-10s %-40s`), 3.2 and 3.3 (`%-21s %-7s %-11s %.35s`) print them, and with an architecture
 * column as since 4. Header and rows don't line up in 3.1, and a long name or version shifts its row: so a row is taken
 * by its words, the version being the first number after the name.
 */
export function parseRecorded(text: string): RecordedList {
  const list: RecordedList = { environments: [], of2012: false, strange: [] };
  let architectureLast = false;
  for (const line of text.split("\n")) {
    if (/^#{2,}[# ]*$/.test(line) || line.trim() === "" || /^No environment has been found/.test(line)) continue;
    if (/^Name\s+Version\b/i.test(line)) {
      list.of2012 ||= /^Name {16}Version {5}User/.test(line);
      architectureLast ||= /\bUser\b.*\bArch/i.test(line);
      continue;
    }
    const row = /^(\S+)\s+(\d+)\s+(\S+)\s*(.*?)\s*$/.exec(line);
    if (!row) {
      list.strange.push(line);
      continue;
    }
    const [, name = "", version = "", third = "", rest = ""] = row;
    const [fourth = "", after = ""] = splitWord(rest);
    let [arch, user, description]: [string | null, string, string] = [null, third, rest];
    if (architectures.test(third)) [arch, user, description] = [third, fourth, after];
    else if (architectureLast && architectures.test(fourth)) [arch, description] = [fourth, after];
    list.environments.push({
      kind: "environment",
      name,
      version,
      arch,
      user: user || null,
      description,
      file: null,
      problem: null,
    });
  }
  return list;
}

function splitWord(text: string): string[] {
  const parts = /^(\S+)\s*(.*)$/.exec(text);
  return parts ? parts.slice(1) : [];
}
