/**
 * Colours and symbols. Only the terminal's own sixteen colours, none of them black or white, so that light and dark
 * themes both work; every state has a symbol and a word as well. Rows are preformatted strings, so this writes SGR codes.
 */
import stringWidth from "./width.ts";

export type Style = "bold" | "dim" | "inverse" | "underline" | "red" | "green" | "yellow" | "blue" | "magenta" | "cyan";

const codes: Record<Style, [on: number, off: number]> = {
  bold: [1, 22],
  dim: [2, 22],
  underline: [4, 24],
  inverse: [7, 27],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  magenta: [35, 39],
  cyan: [36, 39],
};

/** NO_COLOR (no-color.org) and TERM=dumb take the colours away; bold and inverse stay, they are not colours. */
export function colourAllowed(env: NodeJS.ProcessEnv): boolean {
  return !env["NO_COLOR"] && env["TERM"] !== "dumb" && env["FORCE_COLOR"] !== "0";
}

/** Whether the terminal takes UTF-8 at all, by the locale. */
export function utf8Allowed(env: NodeJS.ProcessEnv): boolean {
  const locale = env["LC_ALL"] || env["LC_CTYPE"] || env["LANG"] || "";
  return /utf-?8/i.test(locale || "utf-8");
}

/** Linux' text console and terminals without UTF-8 get the ASCII twins. */
export function unicodeAllowed(env: NodeJS.ProcessEnv): boolean {
  return env["TERM"] !== "linux" && env["TERM"] !== "dumb" && utf8Allowed(env);
}

const coloured = colourAllowed(process.env);
/** Whether this terminal shows more than ASCII. */
export const unicodeShown = unicodeAllowed(process.env);
const unicode = unicodeShown;

export function paint(text: string, ...styles: Style[]): string {
  let result = text;
  for (const style of styles) {
    const [on, off] = codes[style];
    if (!coloured && on >= 30) continue;
    result = `\u001b[${on}m${result}\u001b[${off}m`;
  }
  return result;
}

/** How a thing is: decides symbol and colour; the word beside it is the caller's. */
export type Tone = "good" | "idle" | "busy" | "bad" | "unknown" | "paused" | "warning" | "note";

const tones: Record<Tone, { symbol: string; ascii: string; styles: Style[] }> = {
  good: { symbol: "●", ascii: "*", styles: ["green"] },
  idle: { symbol: "○", ascii: "o", styles: ["dim"] },
  busy: { symbol: "◐", ascii: "~", styles: ["cyan"] },
  bad: { symbol: "✗", ascii: "x", styles: ["red", "bold"] },
  unknown: { symbol: "?", ascii: "?", styles: ["dim"] },
  paused: { symbol: "‖", ascii: "=", styles: ["yellow"] },
  warning: { symbol: "⚠", ascii: "!", styles: ["yellow", "bold"] },
  note: { symbol: "›", ascii: "-", styles: [] },
};

export function symbol(tone: Tone): string {
  const { symbol: full, ascii } = tones[tone];
  return unicode ? full : ascii;
}

/** Symbol and word, coloured. */
export function state(tone: Tone, word: string): string {
  return paint(`${symbol(tone)} ${word}`, ...tones[tone].styles);
}

export function toneStyles(tone: Tone): Style[] {
  return tones[tone].styles;
}

export const glyph = unicode
  ? {
      line: "─",
      cursor: "❯",
      done: "✓",
      none: "·",
      crumb: "▸",
      open: "▾",
      bar: "━",
      barHead: "╸",
      barRest: "─",
      more: "…",
      dangerous: "⚠",
      mark: "*",
      ascending: "▲",
      descending: "▼",
    }
  : {
      line: "-",
      cursor: ">",
      done: "v",
      none: ".",
      crumb: ">",
      open: "v",
      bar: "=",
      barHead: ">",
      barRest: "-",
      more: "~",
      dangerous: "!",
      mark: "*",
      ascending: "^",
      descending: "v",
    };

const ascii = /^[\x20-\x7e]*$/;

/** Columns that a text takes, escape sequences not counted. */
export function widthOf(text: string): number {
  return stringWidth(text);
}

/** A plain text (no escape sequences) in exactly `width` columns, cut with `…` or padded. */
export function cell(text: string, width: number, align: "left" | "right" = "left"): string {
  if (width <= 0) return "";
  let columns = widthOf(text);
  let shown = text;
  if (columns > width) {
    if (ascii.test(text)) {
      shown = text.slice(0, width - 1) + glyph.more;
    } else {
      shown = "";
      for (const { segment } of new Intl.Segmenter().segment(text)) {
        if (widthOf(shown + segment) > width - 1) break;
        shown += segment;
      }
      shown += glyph.more;
    }
    columns = widthOf(shown);
  }
  const padding = " ".repeat(Math.max(0, width - columns));
  return align === "right" ? padding + shown : shown + padding;
}

/** A progress bar of `width` columns; `share` from 0 to 1. */
export function bar(share: number, width: number): string {
  const full = Math.max(0, Math.min(width, Math.round(share * width)));
  const head = full > 0 && full < width ? glyph.barHead : "";
  return (
    paint(glyph.bar.repeat(full - (head ? 1 : 0)) + head, "cyan") + paint(glyph.barRest.repeat(width - full), "dim")
  );
}
