/** What the user's terminal can show: asked of the terminal itself, never guessed from its name alone. */
import type { Depth } from "./half-blocks.ts";

export type Graphics =
  | { kind: "kitty" }
  | { kind: "iterm" }
  /** Points of a cell: a sixel picture has a size in points. */
  | { kind: "sixel"; cell: { width: number; height: number } }
  | { kind: "blocks"; depth: Depth };

/**
 * Asks whether it takes a picture in kitty's way (of one point, shown nowhere), how large a cell is, and last what it is:
 * every terminal answers that, so nothing comes after it.
 */
export const question = "\u001b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\u001b\\\u001b[16t\u001b[c";

/** True when the answer to the last question has come. */
export function isAnswered(answer: string): boolean {
  return /\u001b\[\?[\d;]*c/.test(answer);
}

/** What the terminal answered, and what only its environment tells. */
export function graphicsOf(answer: string, env: NodeJS.ProcessEnv): Graphics {
  if (/\u001b_Gi=31;OK/.test(answer)) return { kind: "kitty" };
  // tmux and screen pass nothing through, and keep the variables of the terminal around them.
  const inside = Boolean(env["TMUX"] || env["STY"]);
  if (!inside && (env["TERM_PROGRAM"] === "iTerm.app" || env["LC_TERMINAL"] === "iTerm2")) return { kind: "iterm" };
  const [, attributes = ""] = /\u001b\[\?([\d;]*)c/.exec(answer) ?? [];
  const [, height, width] = /\u001b\[6;(\d+);(\d+)t/.exec(answer) ?? [];
  const cell = { width: Number(width ?? 0), height: Number(height ?? 0) };
  // 4 among the attributes of DA1 is sixel graphics.
  if (attributes.split(";").includes("4") && cell.width > 0 && cell.height > 0) return { kind: "sixel", cell };
  return { kind: "blocks", depth: /truecolor|24bit/.test(env["COLORTERM"] ?? "") ? "true" : "256" };
}
