/** Tables as virsh prints them. */

/** The rows of a table of virsh: cut where its header's columns begin, because cells may hold blanks. */
export function tableRows(text: string): Record<string, string>[] {
  const lines = text.split("\n");
  const at = lines.findIndex((line) => /^-{5,}$/.test(line));
  const header = lines[at - 1];
  if (header === undefined) return [];
  const starts = [...header.matchAll(/\S(?:\S| (?! ))*/g)].map((found) => ({ name: found[0], from: found.index }));
  return lines
    .slice(at + 1)
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const cells = [...line];
      return Object.fromEntries(
        starts.map(({ name, from }, index) => [
          name,
          cells
            .slice(from, starts[index + 1]?.from)
            .join("")
            .trim(),
        ]),
      );
    });
}
