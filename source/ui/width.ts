/**
 * Columns that a text takes, as string-width counts them, quickly for what nearly every line consists of. The bundle puts
 * this in string-width's place for Ink as well: it measures each line of each frame.
 */
import stringWidth, { type Options } from "string-width";

const styles = /\u001b\[[\d;]*m/g;
/**
 * Characters that string-width counts as one column whatever stands beside them: ASCII, Latin letters, dashes and bullets,
 * arrows, frames, bars and the symbols of the theme. Nothing that combines, and no emoji.
 */
const narrow =
  /^[\x20-\x7e\u00a1-\u00a8\u00aa-\u00ac\u00af-\u02ff\u2010-\u2027\u2030-\u203b\u2190-\u2193\u2500-\u259f\u25b2\u25bc\u25b8\u25cb\u25cf\u25d0\u23ce\u26a0\u2713\u2717\u276f\u2800-\u28ff]*$/;

export default function width(text: string, options?: Options): number {
  if (options === undefined) {
    const bare = text.includes("\u001b") ? text.replace(styles, "") : text;
    if (narrow.test(bare)) return bare.length;
  }
  return stringWidth(text, options);
}
