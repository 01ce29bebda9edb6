/** What `xe` prints: records of `key ( RW): value` lines with two empty lines between them. */

export type XeRecord = ReadonlyMap<string, string>;

/**
 * A list. The first key stands at the left, the others are aligned to the right; a value may go on over several lines, which
 * then have no key. Each record begins with its `uuid`, which the questions always ask for.
 */
export function parseXeList(text: string): XeRecord[] {
  const records: Map<string, string>[] = [];
  let last = "";
  for (const line of text.split("\n")) {
    const found = /^ *([A-Za-z][\w-]*) \((?: RO| RW|SRO|SRW|MRO|MRW)\)(?: \[DEPRECATED\])? *:(?: (.*))?$/.exec(line);
    if (found) {
      const [, key = "", value = ""] = found;
      // A key that comes again starts the next record too: a list may have been asked for without UUIDs.
      if (records.length === 0 || records.at(-1)?.has(key)) records.push(new Map());
      records.at(-1)?.set(key, value);
      last = key;
    } else if (line !== "" && last !== "") {
      const record = records.at(-1);
      record?.set(last, `${record.get(last) ?? ""}\n${line}`);
    }
  }
  return records;
}

/** `--minimal`: values with commas between them, a comma or backslash in one escaped by a backslash. */
export function parseXeMinimal(text: string): string[] {
  const line = text.replace(/\n$/, "");
  if (line === "") return [];
  const values: string[] = [""];
  for (let index = 0; index < line.length; index += 1) {
    const letter = line[index] ?? "";
    if (letter === ",") values.push("");
    else values.push(`${values.pop() ?? ""}${letter === "\\" ? (line[++index] ?? "") : letter}`);
  }
  return values;
}

/** A set: items with `; ` between them. */
export function setOf(text: string | undefined): string[] {
  return (text ?? "").split("; ").filter((item) => item !== "");
}

/** A map: `key: value` items with `; ` between them. */
export function mapOf(text: string | undefined): Map<string, string> {
  return new Map(
    setOf(text).map((item) => {
      const at = item.indexOf(": ");
      return at < 0 ? [item, ""] : [item.slice(0, at), item.slice(at + 2)];
    }),
  );
}

/** The parts of an answer by their marks. */
export function partsOf(stdout: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const part of stdout.split(/^@@virtu /m).slice(1)) {
    const end = part.indexOf("\n");
    const [name = "", rest] = (end < 0 ? part : part.slice(0, end)).split(" ");
    found.set(name, rest ?? (end < 0 ? "" : part.slice(end + 1)));
  }
  return found;
}

/** A UUID, or null: `<not in database>` stands for a reference to nothing. */
export function uuidOf(text: string | undefined): string | null {
  return text !== undefined && /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text) ? text : null;
}

/** Bytes as MiB, or null. */
export function mebibytesOf(text: string | undefined): number | null {
  return text !== undefined && /^\d+$/.test(text) && text !== "0" ? Math.round(Number(text) / 1024 / 1024) : null;
}

export interface XeFound {
  directory: string;
  sudo: boolean;
  root: boolean;
  /** This host's own UUID, or null. */
  hostUuid: string | null;
  pool: { uuid: string; name: string; master: string | null } | null;
  /** Status of `xe pool-list`; 124: no answer in time. */
  status: number;
  text: string;
}

/** What `xeProbe` printed, or null when this is no host of XenServer or XCP-ng. */
export function parseXeProbe(text: string): XeFound | null {
  const [head = "", answer] = text.split(/^@@virtu pool\n/m);
  const [program = "", uid = "", how = "", own = ""] = head.split("\n");
  if (!program.endsWith("/xe") || answer === undefined) return null;
  const status = Number(/^@@virtu status (\d+)$/m.exec(answer)?.[1] ?? 1);
  const printed = answer.replace(/^@@virtu status \d+\n?/m, "");
  const [record] = parseXeList(printed);
  const uuid = uuidOf(record?.get("uuid"));
  return {
    directory: program.slice(0, -"xe".length),
    sudo: how === "sudo",
    root: uid === "0",
    hostUuid: uuidOf(own),
    pool: uuid === null ? null : { uuid, name: record?.get("name-label") ?? "", master: uuidOf(record?.get("master")) },
    status,
    text: printed,
  };
}
