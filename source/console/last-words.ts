/** What a console program's last words mean, where its provider does not say. Pure. */
import { plain } from "../text.ts";
import type { ConsoleEnd, EndKind, Way } from "./types.ts";

/** What the programs say before anything of the guest: it does not count as a sign of life. */
const banner =
  /^(Connected to domain .*|Escape character is .*|Authorization not available\. .*|Domain '.*' started|Waiting for job .*|Submitted jobs? .*|\w{3} \w{3} .*|)$/;

/** virsh on a terminal says so where no polkit agent is, which means nothing: the socket's rights decide. */
const noise = "Authorization not available.";

/**
 * The first output of a remote program without what only confuses; null: it is not clear yet, more of it has to come.
 * The line may arrive in pieces.
 */
export function withoutNoise(bytes: Buffer): Buffer | null {
  const text = bytes.toString("latin1");
  const isNoise = text.length < noise.length ? noise.startsWith(text) : text.startsWith(noise);
  if (!isNoise) return bytes;
  const end = text.indexOf("\n");
  return end < 0 ? null : bytes.subarray(end + 1);
}

/** The lines that are not the remote program's own opening words. */
function others(text: string): string[] {
  return plain(text)
    .split("\n")
    .map((line) => line.replaceAll("\r", "").trim())
    .filter((line) => !banner.test(line));
}

/** True when nothing was printed yet but what the remote program itself says. */
export function isSilent(text: string): boolean {
  return others(text).length === 0;
}

interface Known {
  says: RegExp;
  kind: EndKind;
  why: string;
  hint: string;
}

/** In the words of virsh 9.0, xl 4.17 and Ganeti 3.0, as they were recorded. */
const known: readonly Known[] = [
  {
    says: /Active console session exists|Could not lock .*xenconsole/,
    kind: "in-use",
    why: "somebody else has this console open",
    hint: "Wait until they leave it, or take it over where that can be done.",
  },
  {
    says: /The domain is not running|[Ii]nstance .* is not running|is an invalid domain identifier/,
    kind: "off",
    why: "the instance is off",
    hint: "Start it; the console can be attached before it prints its first line.",
  },
  {
    // virsh, when another one has come with --force or QEMU is gone.
    says: /stream had I\/O failure/,
    kind: "over",
    why: "somebody took it over, or the guest went off",
    hint: "",
  },
  {
    // Ganeti, when the program at the serial line on the node was ended by one that came with `--take-over`.
    says: /Connection to \S+ closed\.\s+Failure: command execution error:\s+Connection to console of instance/,
    kind: "over",
    why: "somebody took it over",
    hint: "",
  },
  {
    says: /cannot find (default )?character device|character device .* is not using a PTY|Console not available|No console (command|available)/i,
    kind: "none",
    why: "the instance has no serial console",
    hint: "Add a serial device to it, and console=ttyS0 to its kernel's command line; its screen may show more.",
  },
];

const lastLines = (text: string) =>
  plain(text)
    .split("\n")
    .map((line) => line.replaceAll("\r", "").trimEnd())
    .filter((line) => line !== "")
    .slice(-6)
    .join("\n");

/** Why the remote program ended by itself; `text` is the last of what it printed. */
export function endOf(way: Way, text: string, status: number | null): ConsoleEnd {
  const words = lastLines(text);
  const detail = words;
  // A shell's status is that of its last command and says nothing of the shell.
  if (way.command === null) return { kind: "over", why: "the shell has ended", hint: "", detail };
  // A guest's own output may hold these words: they count where the program failed, or said nothing else.
  const few = others(text).length <= 2;
  const said = few || status !== 0 ? (way.explain?.(words, status) ?? null) : null;
  const match = few || status !== 0 ? known.find(({ says }) => says.test(words)) : undefined;
  if (said) {
    const kind = said.inUse ? "in-use" : (said.kind ?? match?.kind ?? (status === 0 ? "over" : "refused"));
    return { kind, why: said.why, hint: said.hint, detail };
  }
  if (match) return { kind: match.kind, why: match.why, hint: match.hint, detail };
  if (status === 0) {
    return {
      kind: "over",
      why: way.over ?? "it has ended: the guest is off, or somebody took it over",
      hint: "",
      detail,
    };
  }
  const why = status === null ? "the remote program was ended" : `the remote program ended with status ${status}`;
  return { kind: few ? "refused" : "over", why, hint: "", detail };
}
