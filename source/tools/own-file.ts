/** Files that are ours as a whole. */
import { type Command, sh } from "../ssh/command.ts";
import { directoryOf } from "./marked-block.ts";

/** Ends 0 if the file holds exactly this text. */
export function fileCheck(file: string, text: string): Command {
  return sh`[ "$(cat ${file} 2> /dev/null; echo .)" = ${`${text}.`} ] || exit 1`;
}

/** Writes the file in one go. `mode` in octal. */
export function fileScript(file: string, text: string, mode = "644"): Command {
  const fresh = `${file}.virtu-new`;
  return sh`mkdir -p ${directoryOf(file)} && printf '%s' ${text} > ${fresh} && chmod ${mode} ${fresh} && mv -f ${fresh} ${file}`;
}

/** Where virtu keeps what it must remember on a node (saved configurations, marks). */
export const nodeDirectory = "/var/lib/virtu";

/** Several commands one after the other; the first that fails ends the script with its status. */
export function inTurn(commands: readonly Command[]): Command {
  return commands
    .map(
      (command) => sh`{ ${command}
} || exit $?`,
    )
    .reduce(
      (all, one) => sh`${all}
${one}`,
    );
}
