/** What the domains of a libvirt host use of its storage and networks. */
import { type Command, sh } from "../ssh/command.ts";
import { tableRows } from "./virsh-table.ts";

/** virsh's script for a domain of UUID `\\1`; what it prints under `@@virtu domain` is for `readUse`. */
export const usesScript = "echo @@virtu domain; domname \\1; domblklist \\1; domiflist \\1;";

/** All of them, in two processes of virsh. `limit`: seconds for each. */
export function usesCommand(uri: string, limit: number): Command {
  const virsh = sh`LC_ALL=C.UTF-8 timeout ${limit} virsh -c ${uri}`;
  // One process asks for all: the list of UUIDs becomes the script of the next one.
  const script = sh`script=$(${virsh} list --all --uuid | sed -n ${`s/^\\([0-9a-f-]\\{36\\}\\).*/${usesScript}/p`})`;
  return sh`${script}; [ -z "$script" ] || ${virsh} "$script"`;
}

export interface DomainUse {
  name: string;
  sources: readonly string[];
  networks: readonly string[];
  macs: readonly string[];
}

/** `text`: what stands under one `@@virtu domain`. */
export function readUse(text: string): DomainUse {
  const tables = text.split(/\n(?= *Interface )/);
  const disks = tableRows(tables[0] ?? "");
  const cards = tableRows(tables[1] ?? "");
  const named = (rows: Record<string, string>[], column: string) =>
    rows.map((row) => row[column] ?? "").filter((cell) => cell !== "" && cell !== "-");
  return {
    name: text.slice(0, text.indexOf("\n")),
    sources: named(disks, "Source"),
    networks: named(
      cards.filter((row) => row["Type"] === "network"),
      "Source",
    ),
    macs: named(cards, "MAC").map((mac) => mac.toLowerCase()),
  };
}

/** Who has each file or device as a disk, by its path. */
export function diskUsers(stdout: string): Map<string, string> {
  const domains = stdout
    .split(/^@@virtu domain\n/m)
    .slice(1)
    .map((text) => readUse(text.split(/^@@virtu /m)[0] ?? ""));
  return new Map(domains.flatMap(({ name, sources }) => sources.map((source) => [source, name] as const)));
}
