/** `sh` as a program: what a session starts for every command. */
import { FileError, resolvePath } from "../machine/files.ts";
import type { Call } from "../machine/machine.ts";
import { Shell } from "../shell/shell.ts";

export async function sh(call: Call): Promise<number> {
  const { process, machine, args } = call;
  const options = new Set<string>();
  let index = 0;
  let isCommand = false;
  for (; /^-[a-z]/.test(args[index] ?? ""); index += 1) {
    for (const option of args[index]?.slice(1) ?? "") {
      if (option === "c") isCommand = true;
      else options.add(option);
    }
  }
  const rest = args.slice(index);
  let script: string;
  let name = call.name.replace(/^.*\//, "");
  let positional: string[] = [];
  if (isCommand) {
    const [text, given, ...others] = rest;
    if (text === undefined) {
      await call.err(`${name}: 0: -c requires an argument\n`);
      return 2;
    }
    script = text;
    if (given !== undefined) name = given;
    positional = others;
  } else if (rest[0] !== undefined && !options.has("s")) {
    try {
      script = machine.files.readText(resolvePath(process.directory, rest[0]));
    } catch (thrown) {
      if (!(thrown instanceof FileError)) throw thrown;
      await call.err(`${name}: 0: cannot open ${rest[0]}: ${thrown.message.replace("file or directory", "file")}\n`);
      return 2;
    }
    name = rest[0];
    positional = rest.slice(1);
  } else {
    script = await process.readAll();
    positional = rest;
  }
  const shell = new Shell(process, name, positional);
  for (const option of options) shell.state.options.add(option);
  return shell.main(script);
}
