/**
 * TakTuk: one command on many hosts, from the frontend. Its exit status is always 0; what came of each host is in its output,
 * which is asked for as lines of TAB-separated fields, the first of which names what they tell.
 */
import { type Command, sh } from "../ssh/command.ts";

export interface TaktukWish {
  /** As the frontend knows them. */
  hosts: readonly string[];
  user: string;
  /** Runs on each host, by sh. */
  command: Command;
  /** The same for all hosts; null: empty. */
  stdin: string | Uint8Array | null;
  /** Every connection is made by the frontend; else hosts connect further hosts, which must let one another in. */
  flat: boolean;
  /** Seconds for one connection. No command starts anywhere before all connections are made or have failed. */
  connectSeconds: number;
}

/** Perl expressions, one for each of TakTuk's streams. */
const templates: readonly string[] = [
  'connector="C\\t$peer\\t$line\\n"',
  'state="S\\t$host\\t$peer\\t$line\\t".event_msg($line)."\\n"',
  'output="O\\t$host\\t$rank\\t$pid\\t$line\\n"',
  'error="E\\t$host\\t$rank\\t$pid\\t$line\\n"',
  'status="X\\t$host\\t$rank\\t$pid\\t$line\\t$start_date\\t$stop_date\\n"',
  'taktuk="T\\t$host\\t$level_name\\t$line\\n"',
];

/** The longest word that Linux takes on a command line (MAX_ARG_STRLEN), less what is around ours. */
const longestWord = 120_000;

const encoded = (text: string | Uint8Array) => Buffer.from(text).toString("base64");

/**
 * The command for the frontend, or null when it would be longer than a command line may be. The hosts' command and its
 * input go as base64, which neither TakTuk nor any shell on the way takes for something of its own.
 */
export function taktukCommand(wish: TaktukWish): Command | null {
  const { hosts, user, command, stdin, flat, connectSeconds } = wish;
  const text = `"$(echo ${encoded(command.line)} | base64 -d)"`;
  const input = stdin === null || stdin.length === 0 ? "< /dev/null" : "";
  const before = input === "" && stdin !== null ? `echo ${encoded(stdin)} | base64 -d | ` : "";
  // Without input nothing stands between TakTuk and the command, so that a signal is told as one.
  const remote = before === "" ? `exec sh -c ${text} ${input}`.trim() : `${before}sh -c ${text}`;
  const connector = `ssh -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ConnectTimeout=${connectSeconds}`;
  // Options hold for the hosts named after them only.
  const words = [
    ...(flat ? ["-d", "-1"] : ["-s"]),
    ...["-l", user, "-t", String(connectSeconds), "-c", connector],
    ...templates.flatMap((template) => ["-o", template]),
    ...hosts.flatMap((host) => ["-m", host]),
    ...["broadcast", "exec", "[", remote, "]"],
  ];
  const line = sh`LC_ALL=C taktuk ${words} < /dev/null`;
  return remote.length > longestWord || line.line.length > longestWord ? null : line;
}

export type TaktukLine =
  | { kind: "output" | "error"; host: string; text: string }
  /** Exit status, or the signal's number. */
  | { kind: "exit"; host: string; status: number | null; signal: number | null }
  /** The command's end has been told whole, its output too. */
  | { kind: "over"; host: string }
  /** No connection: the command did not start there. */
  | { kind: "unreachable"; host: string }
  /** What ssh said of a connection. `closed`: one that had been made is gone. */
  | { kind: "connection"; host: string; text: string; closed: boolean };

const state = { connectionFailed: "3", terminated: "8", failed: "7" };

/** One line of output, or null for what tells nothing that is needed. */
export function parseTaktukLine(line: string): TaktukLine | null {
  const [kind, host = "", second = ""] = line.split("\t", 3);
  const after = (fields: number) => line.split("\t").slice(fields).join("\t");
  switch (kind) {
    case "O":
    case "E":
      return { kind: kind === "O" ? "output" : "error", host, text: after(4) };
    case "X": {
      // As wait(2) has it: the exit status above eight bits that hold the signal.
      const raw = Number(after(4).split("\t")[0]);
      if (!Number.isInteger(raw)) return null;
      const signal = raw & 127;
      return { kind: "exit", host, status: signal === 0 ? raw >> 8 : null, signal: signal === 0 ? null : signal };
    }
    case "S": {
      const code = after(3).split("\t")[0];
      if (code === state.connectionFailed) return { kind: "unreachable", host: second };
      return code === state.terminated || code === state.failed ? { kind: "over", host } : null;
    }
    case "C": {
      const text = after(2).replace(/\r$/, "");
      const closed = /closed by remote host|Connection reset|Broken pipe|not responding/.test(text);
      return { kind: "connection", host, text, closed };
    }
    default:
      return null;
  }
}
