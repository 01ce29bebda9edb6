/**
 * Lines of ours in a file that belongs to others, between two marks. The same filter says whether there is anything to do
 * and does it: lines outside the block keep their place and their form, the block keeps its place too.
 */
import { type Command, sh } from "../ssh/command.ts";

export interface Block {
  file: string;
  /** What it is for, one word; a file may hold several. */
  name: string;
  lines: readonly string[];
  /** Octal, of a file that is not there yet. */
  mode: string;
  /** Host names that only the block may give (in /etc/hosts): taken out of all other lines. */
  ownNames?: readonly string[];
}

const beginOf = (name: string) => `# virtu: ${name}, kept by virtu from here`;
const endOf = (name: string) => `# virtu: ${name}, to here`;

/** A line outside the block as it stays. */
function keep(ownNames: readonly string[]): Command {
  if (ownNames.length === 0) return sh`printf '%s\\n' "$line"`;
  // A name stands for the first address that the file gives it, so a stale line before the block would win.
  return sh`case "$line" in
      ''|'#'*) printf '%s\\n' "$line" ;;
      *) kept='' ours=no others=no
        for word in \${line%%#*}; do
          if [ -z "$kept" ]; then kept=$word
          else case ${` ${ownNames.join(" ")} `} in *" $word "*) ours=yes ;; *) kept="$kept $word" others=yes ;; esac; fi
        done
        if [ "$ours" = no ]; then printf '%s\\n' "$line"; elif [ "$others" = yes ]; then printf '%s\\n' "$kept"; fi ;;
    esac`;
}

/** A shell function `wanted` that prints the file as it should be. */
function wanted({ file, name, lines, ownNames = [] }: Block): Command {
  const begin = beginOf(name);
  const text = lines.length === 0 ? "" : [begin, ...lines, endOf(name)].join("\n");
  const print = text === "" ? sh`:` : sh`printf '%s\\n' ${text}`;
  return sh`wanted() {
  seen=no inside=no
  if [ -f ${file} ]; then while IFS= read -r line || [ -n "$line" ]; do
    case "$line" in
    ${begin}) inside=yes; if [ "$seen" = no ]; then seen=yes; ${print}; fi ;;
    ${endOf(name)}) inside=no ;;
    *) if [ "$inside" = no ]; then ${keep(ownNames)}; fi ;;
    esac
  done < ${file}; fi
  if [ "$seen" = no ]; then ${print}; fi
}`;
}

/** Ends 0 if the file is as it should be, 1 if not. */
export function blockCheck(block: Block): Command {
  return sh`${wanted(block)}
[ "$(wanted; echo .)" = "$(cat ${block.file} 2> /dev/null; echo .)" ] || exit 1`;
}

/** Writes the block. The file is replaced in one go, or written over where it can't be (a mount point). */
export function blockScript(block: Block): Command {
  const { file, mode } = block;
  const fresh = `${file}.virtu-new`;
  return sh`${wanted(block)}
mkdir -p ${directoryOf(file)}
if [ -f ${file} ]; then cp -p ${file} ${fresh}; else true > ${fresh} && chmod ${mode} ${fresh}; fi || exit 1
wanted > ${fresh} || exit 1
mv -f ${fresh} ${file} 2> /dev/null || { cat ${fresh} > ${file} && rm -f ${fresh}; }`;
}

/** Takes the block out again; other lines stay as they are. */
export function blockUndo(block: Block): Command {
  return blockScript({ ...block, lines: [], ownNames: [] });
}

/** Directory of an absolute path. */
export function directoryOf(file: string): string {
  return file.slice(0, file.lastIndexOf("/")) || "/";
}
