/** `od`, as far as scripts look at the first bytes of a file. */
import type { Program } from "../machine/machine.ts";
import { options, readAll, sources } from "./input.ts";

/** `od -An -v -tx1`: 16 bytes a line, each after a blank. */
const od: Program = async (call) => {
  const { words } = options(call.args, "A t");
  const { list } = await sources(call, words);
  let all = "";
  for (const source of list) all += await readAll(call, source);
  const codes = [...all].map((character) => (character.charCodeAt(0) & 0xff).toString(16).padStart(2, "0"));
  for (let at = 0; at < codes.length; at += 16) await call.out(` ${codes.slice(at, at + 16).join(" ")}\n`);
  return 0;
};

export const dumping = { od };
