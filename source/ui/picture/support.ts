/** What the user's terminal can show: asked of the terminal itself, never guessed from its name alone. */
import type { Depth } from "./half-blocks.ts";

export type Graphics =
  | { kind: "kitty" }
  | { kind: "iterm" }
  /** Points of a cell: a sixel picture has a size in points. */
  | { kind: "sixel"; cell: { width: number; height: number } }
  | { kind: "blocks"; depth: Depth };

/** Multiplexers pass no picture through, and keep the variables of the terminal around them. */
const isInside = (env: NodeJS.ProcessEnv) =>
  Boolean(env["TMUX"] || env["STY"] || /^(?:screen|tmux)/.test(env["TERM"] ?? ""));

/**
 * What is asked of the terminal: whether it takes a picture in kitty's way (of one point, shown nowhere), its name, how large
 * a cell is, and last what it is: every terminal answers that, so nothing comes after it.
 *
 * Only what it surely swallows: the console of Linux prints an unknown APC string as text, tmux takes one for a title, and
 * screen hands it on.
 */
export function questionFor(env: NodeJS.ProcessEnv): string {
  const term = env["TERM"] ?? "";
  if (term === "" || term === "dumb") return "";
  if (/^(?:linux|vt\d|cons25|ansi)/.test(term)) return "\u001b[c";
  const kitty = isInside(env) ? "" : "\u001b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\u001b\\";
  return `${kitty}\u001b[>q\u001b[16t\u001b[c`;
}

/** True when the answer to the last question has come. */
export function isAnswered(answer: string): boolean {
  return /\u001b\[\?[\d;]*c/.test(answer);
}

/** What the terminal answered; where it did not, or in doubt, blocks of colour, which every terminal shows. */
export function graphicsOf(answer: string, env: NodeJS.ProcessEnv): Graphics {
  const inside = isInside(env);
  if (!inside && /\u001b_Gi=31;OK/.test(answer)) return { kind: "kitty" };
  // By its own name only: ssh hands its variables on, out of a tmux and into other terminals.
  if (!inside && /\u001bP>\|iTerm2/.test(answer)) return { kind: "iterm" };
  const [, attributes = ""] = /\u001b\[\?([\d;]*)c/.exec(answer) ?? [];
  const [, height, width] = /\u001b\[6;(\d+);(\d+)t/.exec(answer) ?? [];
  const cell = { width: Number(width ?? 0), height: Number(height ?? 0) };
  // 4 among the attributes of DA1 is sixel graphics.
  if (attributes.split(";").includes("4") && cell.width > 0 && cell.height > 0) return { kind: "sixel", cell };
  return { kind: "blocks", depth: /truecolor|24bit/.test(env["COLORTERM"] ?? "") ? "true" : "256" };
}
