/** A terminal's screen as an SVG picture that reads well on light and dark pages. */
import type { Cell, TestTerminal } from "../terminal.ts";

const cellWidth = 8.4;
const cellHeight = 18;
const palette = ["#1d1f21", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#d7dae0"];
const background = "#1b1e24";
const foreground = "#d7dae0";

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function colour({ foreground: index }: Cell): string {
  return index < 0 ? foreground : (palette[index % 8] ?? foreground);
}

/** One run of cells that look alike. */
function run(text: string, column: number, row: number, look: Cell): string {
  if (text.trim() === "" && !look.inverse) return "";
  const x = (column * cellWidth + 12).toFixed(1);
  const y = row * cellHeight + 26;
  const width = ([...text].length * cellWidth).toFixed(1);
  const box = look.inverse
    ? `<rect x="${x}" y="${y - 13}" width="${width}" height="${cellHeight}" fill="${colour(look)}"/>`
    : "";
  const fill = look.inverse ? background : colour(look);
  const weight = look.bold ? ' font-weight="bold"' : "";
  const opacity = look.dim ? ' opacity="0.65"' : "";
  return `${box}<text x="${x}" y="${y}" fill="${fill}"${weight}${opacity} textLength="${width}" xml:space="preserve">${escaped(text)}</text>`;
}

function rowOf(terminal: TestTerminal, row: number, columns: number): string {
  const parts: string[] = [];
  let text = "";
  let start = 0;
  let look: Cell | null = null;
  for (let column = 0; column <= columns; column += 1) {
    const cell = column < columns ? terminal.cell(column, row) : null;
    const same =
      look !== null &&
      cell !== null &&
      look.bold === cell.bold &&
      look.dim === cell.dim &&
      look.inverse === cell.inverse &&
      look.foreground === cell.foreground;
    if (!same) {
      if (look) parts.push(run(text, start, row, look));
      text = "";
      start = column;
      look = cell;
    }
    text += cell?.text || " ";
  }
  return parts.join("");
}

/** What the terminal shows now. */
export function svgOf(terminal: TestTerminal, columns: number, rows: number, title: string): string {
  const width = Math.ceil(columns * cellWidth + 24);
  const height = rows * cellHeight + 28;
  const lines = Array.from({ length: rows }, (_, row) => rowOf(terminal, row, columns)).filter(Boolean);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">
<rect width="${width}" height="${height}" rx="8" fill="${background}"/>
${lines.join("\n")}
</svg>
`;
}
