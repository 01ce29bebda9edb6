/** What runs in a guest, as its serial console shows it: boot messages, a login, a shell that knows a few words. */
import type { Clock } from "../clock.ts";
import { bytes } from "../machine/open-file.ts";
import { asctime } from "../utilities/about.ts";

/** Who has the console now. */
export interface Attached {
  write(text: string): Promise<void>;
  /** It is taken away: by somebody else, or because the guest is off. */
  detached: () => void;
}

const kernel = "6.1.0-23-amd64";

/** Seconds of the site's time after the start, and what is printed then. */
const bootLines: readonly (readonly [number, string])[] = [
  [0.5, "Booting from Hard Disk...\r\nGRUB loading.\r\n"],
  [2, `[    0.000000] Linux version ${kernel} (debian-kernel@lists.debian.org)\r\n`],
  [2.5, "[    0.000000] Command line: BOOT_IMAGE=/vmlinuz root=/dev/vda1 ro console=ttyS0\r\n"],
  [3, "[    0.214532] Memory: 971120K/1048060K available\r\n"],
  [4, "[    0.604114] virtio_blk virtio1: [vda] 20971520 512-byte logical blocks\r\n"],
  [5, "[    1.371120] EXT4-fs (vda1): mounted filesystem with ordered data mode\r\n"],
  [6.5, "[  \u001b[0;32mOK\u001b[0m  ] Started \u001b[0;1;39mJournal Service\u001b[0m.\r\n"],
  [7.5, "[  \u001b[0;32mOK\u001b[0m  ] Reached target \u001b[0;1;39mNetwork\u001b[0m.\r\n"],
  [8.5, "[  \u001b[0;32mOK\u001b[0m  ] Started \u001b[0;1;39mOpenBSD Secure Shell server\u001b[0m.\r\n"],
];
const loginAfter = 9.5;

export interface GuestOptions {
  name: string;
  clock: Clock;
  /** The guest switches itself off. */
  onPowerOff: () => void;
}

export class GuestSystem {
  private state: "off" | "waiting" | "boot" | "login" | "shell" = "off";
  private line = "";
  private user = "";
  private attached: Attached | null = null;
  private timers: (() => void)[] = [];
  private flooding = false;
  /** It is made paused at its next start. */
  awaitsConsole = false;
  /** Its next starts stand still before its network is up. */
  hangs = false;

  constructor(private readonly options: GuestOptions) {}

  get isAttached(): boolean {
    return this.attached !== null;
  }

  /** Its network is up. */
  get isOnline(): boolean {
    return this.state === "login" || this.state === "shell";
  }

  /** It runs, and has for a while. */
  up(): void {
    this.stop();
    this.state = "login";
  }

  /** Starts it: its first line comes when somebody has its console, where that is awaited. */
  boot(): void {
    this.stop();
    const waits = this.awaitsConsole && !this.attached;
    this.state = waits ? "waiting" : "boot";
    if (waits) return;
    this.awaitsConsole = false;
    const { clock } = this.options;
    const lines = this.hangs ? bootLines.slice(0, 4) : bootLines;
    for (const [seconds, text] of lines) this.timers.push(clock.after(seconds, () => this.print(text)));
    if (this.hangs) return;
    this.timers.push(
      clock.after(loginAfter, () => {
        this.state = "login";
        this.print(`\r\n${bytes("Debian GNU/Linux 12")} ${this.options.name} ttyS0\r\n\r\n${this.prompt()}`);
      }),
    );
  }

  private stop(): void {
    for (const callOff of this.timers.splice(0)) callOff();
    this.flooding = false;
    this.line = "";
  }

  off(): void {
    this.stop();
    this.state = "off";
    const { attached } = this;
    this.attached = null;
    attached?.detached();
  }

  /** False when somebody else has it and it is not taken by force. */
  attach(who: Attached, force: boolean): boolean {
    const before = this.attached;
    if (before && !force) return false;
    this.attached = who;
    before?.detached();
    if (this.state === "waiting") this.boot();
    return true;
  }

  detach(who: Attached): void {
    if (this.attached !== who) return;
    this.attached = null;
    this.flooding = false;
  }

  private print(text: string): void {
    void this.attached?.write(text).catch(() => {});
  }

  private prompt(): string {
    if (this.state === "login") return `${this.options.name} login: `;
    return `${this.user}@${this.options.name}:~${this.user === "root" ? "#" : "$"} `;
  }

  /** Keys, as the console's line brings them. */
  type(text: string): void {
    if (this.state !== "login" && this.state !== "shell") return;
    for (const key of text) {
      if (key === "\u0003") {
        this.flooding = false;
        this.line = "";
        this.print(`^C\r\n${this.prompt()}`);
      } else if (this.flooding) continue;
      else if (key === "\r" || key === "\n") this.entered();
      else if (key === "\u007f" || key === "\b") {
        if (this.line !== "") this.print("\b \b");
        this.line = this.line.slice(0, -1);
      } else if (key >= " ") {
        this.line += key;
        this.print(key);
      } else if (key === "\u001b") this.print("^[");
    }
  }

  private entered(): void {
    const line = this.line.trim();
    this.line = "";
    this.print("\r\n");
    if (this.state === "login") {
      if (line !== "") {
        this.user = line;
        this.state = "shell";
        this.print(`Linux ${this.options.name} ${kernel} x86_64\r\n`);
      }
      this.print(this.prompt());
      return;
    }
    this.run(line);
  }

  private run(line: string): void {
    const [word = "", ...words] = line.split(/\s+/);
    const say = (text: string) => this.print(text === "" ? this.prompt() : `${text}\r\n${this.prompt()}`);
    const { name, clock, onPowerOff } = this.options;
    const upTo = Math.min(100_000, Number(words[0]) || 0);
    const commands: Readonly<Record<string, () => void>> = {
      "": () => say(""),
      help: () => say(`${Object.keys(commands).filter(Boolean).join(" ")}`),
      echo: () => say(words.join(" ")),
      whoami: () => say(this.user),
      hostname: () => say(name),
      uname: () => say(`Linux ${name} ${kernel} x86_64 GNU/Linux`),
      date: () => say(asctime(clock.now())),
      seq: () => say(Array.from({ length: upTo }, (_, index) => index + 1).join("\r\n")),
      clear: () => say("\u001b[H\u001b[2J"),
      colours: () => say(bytes(picture)),
      yes: () => void this.flood(),
      exit: () => {
        this.state = "login";
        this.print(`\r\n${this.prompt()}`);
      },
      reboot: () => this.boot(),
      poweroff: () => {
        this.print("[  \u001b[0;32mOK\u001b[0m  ] Reached target Power-Off.\r\n");
        this.timers.push(clock.after(2, onPowerOff));
      },
    };
    const command = Object.hasOwn(commands, word) ? commands[word] : undefined;
    if (command) command();
    else say(`-bash: ${word}: command not found`);
  }

  /** Prints without an end, as fast as the line takes it. */
  private async flood(): Promise<void> {
    this.flooding = true;
    const piece = "y\r\n".repeat(2000);
    while (this.flooding) {
      const { attached } = this;
      if (!attached) return;
      await attached.write(piece).catch(() => {
        this.flooding = false;
      });
      // Keys come in between.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** What a console has to get right: colours, wide characters, a title and a question that must not pass. */
const picture = [
  "\u001b]0;a title of the guest\u0007\u001b]52;c;aGVsbG8=\u0007",
  "\u001b[31mred \u001b[1;32mbold green \u001b[0;38;5;208morange \u001b[48;2;40;40;120;97m on blue \u001b[0m",
  "\r\nwide: 表示 😀 |\r\naccents: été naïve Straße",
].join("");
