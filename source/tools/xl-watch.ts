/**
 * What can be learnt of a Xen host's domains as it happens (measured on Xen 4.17). xenstore tells that a domain came or went,
 * but not which, and what xl writes of it: its name, how much memory and how many processors it shall have. A pause, a crash
 * that keeps its domain or the end of a build is a word between xl and the hypervisor alone, of which nobody is told: for
 * these one xentop looks once a second on the host itself (some thousandths of a processor), and only differences are sent.
 */
import { type Command, sh } from "../ssh/command.ts";
import { rootShell, type XlAccess } from "./xl.ts";

/** What xenstore-watch shows once at its start, for each of its watches. */
const watches = ["@introduceDomain", "@releaseDomain", "/local/domain"] as const;
/** Seconds after which a word is sent though nothing happened: so what runs for a virtu that was lost ends. */
const aliveSeconds = 30;

/**
 * Prints each watch once, then xenstore's paths as they change, and `@@virtu state FLAGS NAME` when a domain that is known
 * from the round before is dying (d), shut down (s), crashed (c) or paused (p) or is so no more (`-`: none of them). Whether
 * it runs or waits flutters and is left out. Ends as a whole when one of its parts ends.
 */
export function watchCommand(access: XlAccess): Command {
  const xentop = `${access.directory}xentop`;
  return rootShell(
    access,
    sh`command -v xenstore-watch >/dev/null || exit 127
trap 'trap - TERM EXIT; kill 0' EXIT HUP INT TERM
{ xenstore-watch ${watches} | while read -r path; do
  case $path in @*|/local/domain|/local/domain/*/name|/local/domain/*/memory/target|/local/domain/*/cpu/*/availability) printf '%s\\n' "$path" ;; esac
done; kill $$; } &
{ if [ -x ${xentop} ]; then ${xentop} -b -f -d 1 | {
  before= now= count=0
  while read -r line; do
    values=\${line#* [d-][s-][b-][c-][p-][r-] }
    if [ "$values" = "$line" ]; then
      before=$now now='|' count=$((count + 1))
      [ $((count % ${aliveSeconds})) != 0 ] || echo @@virtu alive
      continue
    fi
    head=\${line%" $values"}
    flags=-
    for flag in d s c p; do case \${head##* } in *$flag*) flags=$flags$flag ;; esac; done
    name=\${head% *}
    now="$now$flags $name|"
    case $before in
      *"|$flags $name|"*) ;;
      *" $name|"*) printf '@@virtu state %s %s\\n' "$flags" "$name" ;;
    esac
  done
}
else while sleep ${aliveSeconds}; do echo @@virtu alive; done; fi; kill $$; } &
wait`,
  );
}

/** A line of `watchCommand`. */
export type XenNews =
  | { kind: "made" }
  | { kind: "ended" }
  /** What xl wrote of a domain, by its number. */
  | { kind: "changed"; what: "name" | "memory" | "vcpus"; domainId: number }
  | { kind: "state"; name: string; state: string };

/** Reads the lines in turn; null: nothing to tell. */
export class XenNewsReader {
  private readonly begun = new Set<string>();

  /** All watches are there: what happens from now on is told. */
  get ready(): boolean {
    return this.begun.size === watches.length;
  }

  read(line: string): XenNews | null {
    const watch = watches.find((one) => one === line);
    if (watch !== undefined && !this.begun.has(watch)) {
      this.begun.add(watch);
      return null;
    }
    if (line === "@introduceDomain") return { kind: "made" };
    if (line === "@releaseDomain") return { kind: "ended" };
    const [, flags, name] = /^@@virtu state -([dscp]*) (.*)$/.exec(line) ?? [];
    if (flags !== undefined && name !== undefined) return { kind: "state", name, state: wordOf(flags) };
    const [, id, key, cpu] =
      /^\/local\/domain\/(\d+)\/(?:(name|memory)(?:\/target)?|(cpu)\/\d+\/availability)$/.exec(line) ?? [];
    if (id === undefined) return null;
    const what = cpu === undefined ? (key === "name" ? "name" : "memory") : "vcpus";
    return { kind: "changed", what, domainId: Number(id) };
  }
}

/** In the words of `statusOfXl`. */
function wordOf(flags: string): string {
  if (flags.includes("c")) return "crashed";
  if (flags.includes("d")) return "going away";
  if (flags.includes("s")) return flags.includes("p") ? "going away" : "shut down";
  return flags.includes("p") ? "paused" : "running";
}
