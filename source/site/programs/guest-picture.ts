/** What a guest's screen shows, as QEMU gives it: a text console of 720×400 points, here in blocks for letters. */
import type { Domain } from "../world/libvirt-domain.ts";

const columns = 720;
const rows = 400;
/** Points of a character's cell. */
const cell = { width: 9, height: 16 };

/** A binary PPM, one byte a character. Its last line grows with time, so that two pictures differ. */
export function guestPicture(domain: Pick<Domain, "name">, now: number): string {
  const points = Buffer.alloc(columns * rows * 3);
  const fill = (left: number, top: number, width: number, height: number, colour: readonly number[]) => {
    for (let y = Math.max(0, top); y < Math.min(rows, top + height); y += 1) {
      for (let x = Math.max(0, left); x < Math.min(columns, left + width); x += 1)
        points.set(colour, (y * columns + x) * 3);
    }
  };
  const grey = [170, 170, 170];
  const lines = [`Debian GNU/Linux 12 ${domain.name} tty1`, "", `${domain.name} login: `];
  for (const [row, line] of lines.entries()) {
    for (const [column, letter] of [...line].entries()) {
      if (letter !== " ") fill(column * cell.width + 1, row * cell.height + 3, cell.width - 2, cell.height - 6, grey);
    }
  }
  // A bar of colours, as a test picture has it.
  const colours = [
    [170, 0, 0],
    [0, 170, 0],
    [170, 85, 0],
    [0, 0, 170],
    [170, 0, 170],
    [0, 170, 170],
  ];
  for (const [index, colour] of colours.entries()) fill(index * 120, 160, 120, 80, colour);
  fill(0, 368, (Math.floor(now / 1000) % 80) * cell.width, cell.height, grey);
  return `P6\n${columns} ${rows}\n255\n${points.toString("latin1")}`;
}
