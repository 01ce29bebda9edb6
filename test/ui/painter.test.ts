import { EventEmitter } from "node:events";
import type { WriteStream } from "node:tty";
import xterm from "@xterm/headless";
import { describe, expect, it } from "vitest";
import { createPainter, difference } from "../../source/ui/painter.ts";

/** A terminal's output that keeps what is written; `full` makes it say that it can take no more. */
class FakeOutput extends EventEmitter {
  columns = 10;
  rows = 4;
  full = false;
  written: string[] = [];
  write(text: string): boolean {
    this.written.push(text);
    return !this.full;
  }
}

const open = () => {
  const output = new FakeOutput();
  const painter = createPainter(output as unknown as WriteStream);
  painter.start();
  output.written = [];
  return { output, painter };
};

async function screenAfter(...writes: string[]): Promise<string[]> {
  const terminal = new xterm.Terminal({ cols: 10, rows: 4, allowProposedApi: true });
  for (const text of writes) await new Promise<void>((done) => terminal.write(text, done));
  return Array.from({ length: 4 }, (_, row) => terminal.buffer.active.getLine(row)?.translateToString(true) ?? "");
}

/** A frame goes out when all that draws at once has drawn. */
const drawn = () => new Promise((resolve) => setImmediate(resolve));

describe("painter", () => {
  it("writes only the lines that changed", async () => {
    const { output, painter } = open();
    painter.stream.write("one\ntwo\nthree");
    await drawn();
    output.written = [];
    painter.stream.write("one\n2\nthree");
    await drawn();
    expect(output.written).toHaveLength(1);
    expect(output.written[0]).toContain("\u001b[2;1H");
    expect(output.written[0]).not.toContain("one");
    expect(output.written[0]).not.toContain("three");
  });

  it("writes nothing when nothing changed", async () => {
    const { output, painter } = open();
    painter.stream.write("one");
    await drawn();
    output.written = [];
    painter.stream.write("one");
    await drawn();
    expect(output.written).toEqual([]);
  });

  it("makes one frame of what is drawn in a row: the screen, and then the keys that it has", async () => {
    const { output, painter } = open();
    painter.stream.write("old\nold keys");
    await drawn();
    output.written = [];
    painter.stream.write("new\nold keys");
    await Promise.resolve().then(() => painter.stream.write("new\nnew keys"));
    await drawn();
    expect(output.written).toHaveLength(1);
    expect(output.written[0]).toContain("new keys");
  });

  it("leaves the screen as the last frame, full lines and the last row included", async () => {
    const frames = ["aaaaaaaaaa\nb\nc\ndddddddddd", "short\n\u001b[1mbold\u001b[22m\ncccccccccc\nd", "x\ny"];
    let before: string[] = [];
    const writes: string[] = [];
    for (const frame of frames) {
      writes.push(difference(before, frame.split("\n"), 10));
      before = frame.split("\n");
      const seen = before.map((line) => line.replace(/\u001b\[\d+m/g, ""));
      expect(await screenAfter(...writes)).toEqual([...seen, "", "", "", ""].slice(0, 4));
    }
  });

  it("never clears the screen", async () => {
    const { output, painter } = open();
    for (const frame of ["a\nb", "c", "d\ne\nf\ng"]) {
      painter.stream.write(frame);
      await drawn();
    }
    painter.repaint();
    expect(output.written.join("")).not.toMatch(/\u001b\[[23]J/);
  });

  it("sends only the newest frame when the line is slow", async () => {
    const { output, painter } = open();
    output.full = true;
    for (const frame of ["one", "two", "three"]) {
      painter.stream.write(frame);
      await drawn();
    }
    output.full = false;
    output.written = [];
    output.emit("drain");
    expect(output.written.join("")).toContain("three");
    expect(output.written.join("")).not.toContain("two");
  });

  it("draws nothing while the screen belongs to somebody else, and all of it after", async () => {
    const { output, painter } = open();
    painter.stream.write("one\ntwo");
    painter.stop();
    output.written = [];
    painter.stream.write("one\n2");
    await drawn();
    expect(output.written).toEqual([]);
    painter.start();
    expect(output.written.join("")).toContain("one");
    expect(output.written.join("")).toContain("2");
  });
});
