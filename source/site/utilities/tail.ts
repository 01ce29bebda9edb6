/** tail, with -f: follows a file for as long as anybody reads what it prints. */
import { type RegularFile, RegularOpenFile } from "../machine/files.ts";
import type { Call } from "../machine/machine.ts";
import { BrokenPipe } from "../machine/open-file.ts";
import { linesOf, options, readAll, type Source, sources } from "./input.ts";

/** Where the wanted end of a text begins: `-n 5`, `-n +3`, `-c 10`, `-c +100`. */
function startOf(text: string, count: string, inBytes: boolean): number {
  const fromStart = count.startsWith("+");
  const number = Math.abs(Number(count));
  if (inBytes) return fromStart ? Math.min(text.length, Math.max(0, number - 1)) : Math.max(0, text.length - number);
  const lines = linesOf(text);
  const skipped = lines.slice(0, fromStart ? Math.max(0, number - 1) : Math.max(0, lines.length - number));
  return Math.min(
    text.length,
    skipped.reduce((length, line) => length + line.length + 1, 0),
  );
}

/** Ends when the process that it was told to watch has ended (`--pid`), or when nobody reads any more. */
async function follow(call: Call, file: RegularFile, offset: number, pid: number | null): Promise<number> {
  const { process, machine } = call;
  let sent = offset;
  let wake = () => {};
  const changed = () => wake();
  const watched = pid === null ? undefined : machine.processes.get(pid);
  let over = pid !== null && !watched;
  void watched?.ended.then(() => {
    over = true;
    wake();
  });
  let broken = false;
  const off = process.files.get(1)?.onBroken(() => {
    broken = true;
    wake();
  });
  file.watchers.add(changed);
  try {
    for (;;) {
      if (broken) throw new BrokenPipe("nobody reads");
      if (file.content.length < sent) sent = 0;
      const piece = file.content.slice(sent);
      sent += piece.length;
      if (piece !== "") await call.out(piece);
      else if (over) return 0;
      else {
        await process.guard(
          new Promise<void>((resolve) => {
            wake = resolve;
            if (broken || over || file.content.length !== sent) resolve();
          }),
        );
      }
    }
  } finally {
    file.watchers.delete(changed);
    off?.();
  }
}

export async function tail(call: Call): Promise<number> {
  const plain = call.args.map((arg) => arg.replace(/^-(\d+)$/, "-n$1"));
  const { given, words } = options(plain, "n c pid lines bytes s sleep-interval");
  const bytes = given.get("c") ?? given.get("bytes");
  const count = bytes ?? given.get("n") ?? given.get("lines") ?? "10";
  const follows = given.has("f") || given.has("F") || given.has("follow");
  const { list, bad } = await sources(call, words);
  for (const [index, source] of list.entries()) {
    if (list.length > 1 && !given.has("q")) await call.out(`${index > 0 ? "\n" : ""}==> ${source.name} <==\n`);
    const file: Source["file"] = source.file;
    const followed = follows && file instanceof RegularOpenFile && index === list.length - 1 ? file.file : null;
    if (!followed) {
      const text = await readAll(call, source);
      await call.out(text.slice(startOf(text, count, bytes !== undefined)));
      continue;
    }
    const { content } = followed;
    const start = startOf(content, count, bytes !== undefined);
    file.close();
    await call.out(content.slice(start));
    return follow(call, followed, content.length, given.has("pid") ? Number(given.get("pid")) : null);
  }
  return bad > 0 ? 1 : 0;
}
