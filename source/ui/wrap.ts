import { widthOf } from "./theme.ts";

/** A text in lines of at most `width` columns, broken at blanks where there are any. */
export function wrapped(text: string, width: number): string[] {
  const room = Math.max(10, width);
  return text.split("\n").flatMap((whole) => {
    const lines: string[] = [];
    let rest = whole;
    while (widthOf(rest) > room) {
      let head = [...rest].slice(0, room).join("");
      while (widthOf(head) > room) head = [...head].slice(0, -1).join("");
      const blank = head.lastIndexOf(" ");
      const at = blank > room / 3 ? blank : head.length;
      lines.push(rest.slice(0, at));
      rest = rest.slice(at).replace(/^ /, "");
    }
    return [...lines, rest];
  });
}
