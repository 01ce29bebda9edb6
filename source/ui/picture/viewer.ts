/**
 * Shows the screen of a guest on the terminal, as a picture that is taken anew about once a second while somebody looks.
 * One line stays at the bottom.
 */
import { type Picture, readPicture } from "../../console/picture.ts";
import { toVirtuError } from "../../errors.ts";
import { plainLine } from "../../text.ts";
import { shownLine } from "../ascii.ts";
import type { Borrowed } from "../console/viewer.ts";
import { KeyDecoder } from "../input.ts";
import { keymap, keyName } from "../keys.ts";
import { cell, paint } from "../theme.ts";
import { pictureText } from "./frame.ts";
import { kittyRemove } from "./graphics.ts";
import { type Graphics, graphicsOf, isAnswered, questionFor } from "./support.ts";

/** Milliseconds between the end of a picture and the next one. */
const pause = 1000;
/** How long the terminal has to say what it can show. */
const answerTime = 400;

export interface PictureOptions {
  /** `web1 · lvhost1` */
  title: string;
  /** A new picture, PPM or PNG; null: the provider gives none. */
  take: ((signal: AbortSignal) => Promise<Uint8Array>) | null;
  /** What is said of the graphical console now: its address, the viewer. */
  graphics: () => string;
  /** Tells when `graphics` says something else. */
  onGraphics: (listener: () => void) => void;
  /** Starts a viewer; null: there is none. */
  openViewer: () => void;
}

/** Resolves when the user has left. */
export async function viewPicture(borrowed: Borrowed, options: PictureOptions): Promise<void> {
  const { output, lend, signal } = borrowed;
  const abort = new AbortController();
  const leave = () => abort.abort();
  signal.addEventListener("abort", leave, { once: true });
  let onAnswer: ((text: string) => void) | null = null;
  const decoder = new KeyDecoder();
  const typed = (text: string) => {
    // What the terminal answers, in time or late, is no key: the decoder knows it.
    for (const { name } of [...decoder.feed(text), ...decoder.timeout()]) {
      if ((keymap.guestScreen.back.keys as readonly string[]).includes(name)) leave();
      if ((keymap.guestScreen.viewer.keys as readonly string[]).includes(name)) options.openViewer();
    }
  };
  const giveBack = lend((bytes) => {
    if (onAnswer) onAnswer(bytes.toString("latin1"));
    else typed(bytes.toString("utf8"));
  });
  output.write("\u001b[0m\u001b[?25l\u001b[2J");
  const question = questionFor(process.env);
  const asking = new Promise<string>((resolve) => {
    let text = "";
    const timer = setTimeout(() => resolve(text), question === "" ? 0 : answerTime);
    onAnswer = (more) => {
      text += more;
      if (!isAnswered(text)) return;
      clearTimeout(timer);
      resolve(text);
    };
    output.write(question);
  });
  const answer = await asking;
  onAnswer = null;
  // A hand may have been faster than the terminal.
  typed(answer);
  const screen = new PictureScreen(borrowed, options, graphicsOf(answer, process.env));
  output.on("resize", screen.onResize);
  options.onGraphics(() => screen.drawStatus());
  try {
    await screen.run(abort.signal);
  } finally {
    output.off("resize", screen.onResize);
    signal.removeEventListener("abort", leave);
    giveBack();
    output.write(`${screen.graphics.kind === "kitty" ? kittyRemove : ""}\u001b[0m\u001b[2J`);
  }
}

class PictureScreen {
  private picture: Picture | null = null;
  private trouble: string | null = null;
  private shownAt: Date | null = null;
  private over = false;

  constructor(
    private readonly borrowed: Borrowed,
    private readonly options: PictureOptions,
    readonly graphics: Graphics,
  ) {}

  async run(signal: AbortSignal): Promise<void> {
    this.drawStatus();
    const left = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    const { take } = this.options;
    if (!take) await left;
    while (take && !signal.aborted) {
      try {
        this.picture = await Promise.race([take(signal).then(readPicture), left.then(() => null)]);
        if (signal.aborted) break;
        this.trouble = null;
        this.shownAt = new Date();
        await this.draw();
      } catch (thrown) {
        const { what, why } = toVirtuError(thrown);
        this.trouble = why ?? what;
      }
      this.drawStatus();
      await Promise.race([left, new Promise((resolve) => setTimeout(resolve, pause))]);
    }
    this.over = true;
  }

  readonly onResize = (): void => {
    this.borrowed.output.write("\u001b[0m\u001b[2J");
    void this.draw().then(() => this.drawStatus());
  };

  private async draw(): Promise<void> {
    const { output } = this.borrowed;
    const { columns, rows } = output;
    if (!this.picture) return;
    const text = await pictureText(this.picture, { columns, rows: Math.max(1, rows - 1) }, this.graphics);
    // The window may have another size by now: the picture for that one is on its way.
    if (this.over || output.columns !== columns || output.rows !== rows) return;
    output.write(`\u001b[?2026h${text}\u001b[0m\u001b[?2026l`);
  }

  drawStatus(): void {
    if (this.over) return;
    const { output } = this.borrowed;
    const { title, graphics, take } = this.options;
    const back = `${keyName(keymap.guestScreen.back.keys[0])} back`;
    const state = this.trouble ?? (take === null ? "no picture" : (this.shownAt?.toTimeString().slice(0, 8) ?? "…"));
    const text = [title, back, graphics(), state].filter(Boolean).map(plainLine).join(" · ");
    output.write(
      `\u001b[${output.rows};1H${paint(cell(shownLine(` ${text}`, output.columns), output.columns), "inverse")}`,
    );
  }
}
