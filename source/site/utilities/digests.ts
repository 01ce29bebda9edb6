/** sha256sum, md5sum and the like. */
import { createHash } from "node:crypto";
import type { Call, Program } from "../machine/machine.ts";
import { readAll, sources } from "./input.ts";

function digest(algorithm: string): Program {
  return async (call: Call) => {
    const words = call.args.filter((arg) => !arg.startsWith("-") || arg === "-");
    const { list, bad } = await sources(call, words);
    for (const source of list) {
      const text = await readAll(call, source);
      await call.out(`${createHash(algorithm).update(Buffer.from(text, "latin1")).digest("hex")}  ${source.name}\n`);
    }
    return bad > 0 ? 1 : 0;
  };
}

export const digests = { sha256sum: digest("sha256"), sha1sum: digest("sha1"), md5sum: digest("md5") };
