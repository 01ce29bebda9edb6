/** Durations of jobs: what people write, what OAR takes, what people read. Seconds throughout. Pure. */

export type Duration = { seconds: number } | { error: string };

const examples = "2:30, 2h30 or 90 min";
type Unit = "d" | "h" | "m" | "s";
const second: Record<Unit, number> = { d: 86_400, h: 3600, m: 60, s: 1 };
/** Nobody means more, and OAR takes any number without a word. */
const longest = 366 * 86_400;

/**
 * Reads a walltime: `2:30` (h:m), `1:30:00`, `2` (hours, as OAR takes it), `2h30`, `1.5 h`, `90 min`, `90m`, `1d`, `1d12h`.
 * The error is a sentence for the form's field. It is strict because OAR is not: `0:90`, `0:0:0` and four fields are
 * accepted there without a word, and mean something else than what was written.
 */
export function parseWalltime(text: string): Duration {
  const written = text.trim().toLowerCase();
  if (written === "") return { error: `How long? Write it as ${examples}.` };
  if (/^[-−–]/.test(written)) return { error: "A walltime can't be negative." };
  if (written.startsWith("+"))
    return { error: "A plus sign is for extending a job; a reservation takes the whole time." };
  const read = written.includes(":") ? fields(written) : units(written);
  if ("error" in read) return read;
  if (read.seconds <= 0) return { error: "A walltime of nothing: the job would end as it starts." };
  if (read.seconds > longest) return { error: "That is more than a year." };
  return read;
}

/** Reads what to add to a job's walltime: as `parseWalltime`, with or without a leading `+`. */
export function parseIncrement(text: string): Duration {
  const written = text.trim();
  if (/^[-−–]/.test(written)) return { error: "Only more time can be asked for; release the job to give it back." };
  const read = parseWalltime(written.replace(/^\+\s*/, ""));
  if ("error" in read && written.replace(/^\+\s*/, "") === "")
    return { error: "How much more? Write it as +0:30 or 30 min." };
  return read;
}

function fields(written: string): Duration {
  const parts = written.split(":");
  if (parts.length > 3) return { error: "At most hours:minutes:seconds; for days write 1d12h." };
  if (!parts.every((part) => /^\d{1,9}$/.test(part)))
    return { error: `"${written}" is not a time: write it as ${examples}.` };
  const [hours = 0, minutes = 0, seconds = 0] = parts.map(Number);
  if (minutes > 59) {
    const meant = parts.length === 2 ? `: write ${minutes + hours * 60} min` : "";
    return { error: `Minutes go up to 59${meant}.` };
  }
  if (seconds > 59) return { error: "Seconds go up to 59." };
  return { seconds: hours * 3600 + minutes * 60 + seconds };
}

const unit = /(\d+(?:[.,]\d+)?)\s*(days?|d|j|hours?|hrs?|h|minutes?|mins?|min|m|seconds?|secs?|s)?/y;

function units(written: string): Duration {
  if (/^\d+$/.test(written)) return { seconds: Number(written) * 3600 };
  let seconds = 0;
  let previous: Unit | null = null;
  const text = written.replace(/\s+/g, " ");
  for (let at = 0; at < text.length; at = unit.lastIndex) {
    while (text[at] === " ") at += 1;
    unit.lastIndex = at;
    const found: RegExpExecArray | null = unit.exec(text);
    const name: Unit | null = found ? unitOf(found[2], previous) : null;
    if (!found || name === null) return { error: `"${written}" is not a time: write it as ${examples}.` };
    if (previous !== null && second[name] >= second[previous]) {
      return { error: `"${written}" is not a time: the larger unit stands first.` };
    }
    if (found[2] === undefined && name === "m" && Number(found[1]) > 59) return { error: "Minutes go up to 59." };
    seconds += Number(found[1]?.replace(",", ".")) * second[name];
    previous = name;
  }
  return { seconds: Math.round(seconds) };
}

/** The unit of a number: its own word, or, for a bare number after another unit (`2h30`), the next smaller one. */
function unitOf(word: string | undefined, previous: Unit | null): Unit | null {
  if (word !== undefined) return word.startsWith("j") ? "d" : (word[0] as Unit);
  if (previous === "d") return "h";
  if (previous === "h") return "m";
  if (previous === "m") return "s";
  return null;
}

/** As OAR's command line takes it: `2:30:00`. */
export function formatWalltime(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (n: number) => String(n).padStart(2, "0");
  return `${Math.floor(whole / 3600)}:${two(Math.floor((whole % 3600) / 60))}:${two(whole % 60)}`;
}

/** As people read it: `2 h 30 min`, `1 d 12 h`, `45 s`; parts that are nothing are left out. */
export function readDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const parts: [number, string][] = [
    [Math.floor(whole / 86_400), "d"],
    [Math.floor((whole % 86_400) / 3600), "h"],
    [Math.floor((whole % 3600) / 60), "min"],
    [whole % 60, "s"],
  ];
  const said = parts.filter(([n]) => n > 0).map(([n, name]) => `${n} ${name}`);
  return said.length > 0 ? said.join(" ") : "0 s";
}
