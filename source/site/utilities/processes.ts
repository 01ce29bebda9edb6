/** Programs about processes and time: sleep, timeout, setsid, nohup, stdbuf, env, kill, ps. */
import { resolvePath } from "../machine/files.ts";
import type { Call, Program } from "../machine/machine.ts";
import { type Exit, type Process, shellStatus, signalName } from "../machine/process.ts";

/** Seconds of `5`, `0.5`, `2m`, `infinity`; null for nonsense. */
export function duration(word: string): number | null {
  const match = /^(\d+(?:\.\d*)?|\.\d+|inf(?:inity)?)([smhd]?)$/.exec(word);
  if (!match) return null;
  const [, number = "", unit = ""] = match;
  const factor = { "": 1, s: 1, m: 60, h: 3600, d: 86_400 }[unit] ?? 1;
  return number.startsWith("inf") ? Number.POSITIVE_INFINITY : Number(number) * factor;
}

async function sleep({ process, args, err }: Call): Promise<number> {
  let total = 0;
  if (args.length === 0) {
    await err("sleep: missing operand\nTry 'sleep --help' for more information.\n");
    return 1;
  }
  for (const word of args) {
    const seconds = duration(word);
    if (seconds === null) {
      await err(`sleep: invalid time interval '${word}'\nTry 'sleep --help' for more information.\n`);
      return 1;
    }
    total += seconds;
  }
  await process.sleep(total);
  return 0;
}

/** Starts the program that the words name as a child; null after having said that there is none. */
async function start(
  call: Call,
  words: string[],
  prepare: (process: Process) => void = () => {},
  options: { env?: Map<string, string>; newSession?: boolean } = {},
): Promise<{ child: Process; ended: Promise<Exit> } | null> {
  const [name = "", ...args] = words;
  const { machine, process } = call;
  const found = machine.lookUp(name, (options.env ?? process.env).get("PATH"));
  if (!found) {
    const quoted =
      call.name === "setsid"
        ? `failed to execute ${name}`
        : call.name === "env"
          ? `'${name}'`
          : `failed to run command '${name}'`;
    await call.err(`${call.name}: ${quoted}: No such file or directory\n`);
    return null;
  }
  const child = machine.create({
    user: process.user,
    title: words.join(" "),
    files: process.dupFiles(),
    parent: process,
    env: options.env,
    newSession: options.newSession,
  });
  prepare(child);
  return { child, ended: machine.run(child, () => found.program(machine.call(child, name, args))) };
}

async function timeout(call: Call): Promise<number> {
  const { args, process, machine } = call;
  let signal = "TERM";
  let killAfter: number | null = null;
  let index = 0;
  for (; index < args.length; index += 1) {
    const word = args[index] ?? "";
    if (word === "-s" || word === "--signal") signal = signalName(args[++index] ?? "") ?? "TERM";
    else if (word.startsWith("--signal=")) signal = signalName(word.slice(9)) ?? "TERM";
    else if (word === "-k" || word === "--kill-after") killAfter = duration(args[++index] ?? "");
    else if (word.startsWith("--kill-after=")) killAfter = duration(word.slice(13));
    else if (!["--foreground", "--preserve-status", "-v"].includes(word)) break;
  }
  const seconds = duration(args[index] ?? "");
  const words = args.slice(index + 1);
  if (seconds === null || words.length === 0) {
    await call.err(
      seconds === null ? `timeout: invalid time interval '${args[index] ?? ""}'\n` : "timeout: missing operand\n",
    );
    return 125;
  }
  // timeout leads a group of its own, so that it can end everything below it.
  if (!args.slice(0, index).includes("--foreground")) process.group = process.pid;
  const started = await start(call, words);
  if (!started) return 127;
  let late = false;
  const offs: (() => void)[] = [];
  const end = (name: string) => {
    for (const member of [...machine.processes.values()]) {
      if (member !== process && member.group === process.pid) member.signal(name);
    }
    started.child.signal(name);
  };
  process.handlers.set("TERM", () => end("TERM"));
  if (seconds > 0) {
    offs.push(
      machine.clock.afterReal(seconds * 1000, () => {
        late = true;
        end(signal);
        if (killAfter !== null) offs.push(machine.clock.afterReal(killAfter * 1000, () => end("KILL")));
      }),
    );
  }
  try {
    const exit = await process.guard(started.ended);
    if (!late) return shellStatus(exit);
    return exit.signal === "KILL" ? 137 : 124;
  } finally {
    for (const off of offs) off();
  }
}

async function setsid(call: Call): Promise<number> {
  let index = 0;
  let fork = false;
  let wait = false;
  for (; call.args[index]?.startsWith("-"); index += 1) {
    const word = call.args[index] ?? "";
    if (word === "--fork" || /^-[a-z]*f/.test(word)) fork = true;
    if (word === "--wait" || /^-[a-z]*w/.test(word)) wait = true;
  }
  const words = call.args.slice(index);
  if (words.length === 0) {
    await call.err("setsid: no command specified\n");
    return 1;
  }
  // A group's leader can't lead a new session: setsid forks then too.
  const started = await start(call, words, undefined, { newSession: true });
  if (!started) return 127;
  if (fork && !wait) {
    started.child.parent = 1;
    return 0;
  }
  return shellStatus(await call.process.guard(started.ended));
}

async function nohup(call: Call): Promise<number> {
  const { process, machine } = call;
  if (call.args.length === 0) {
    await call.err("nohup: missing operand\n");
    return 125;
  }
  if (process.files.get(1)?.isTerminal) {
    const file = machine.files.open(resolvePath(process.directory, "nohup.out"), "append", process.user);
    process.setFile(1, file);
    if (process.files.get(2)?.isTerminal) process.setFile(2, file.dup());
  }
  process.handlers.set("HUP", "ignore");
  const started = await start(call, call.args);
  return started ? shellStatus(await process.guard(started.ended)) : 127;
}

/** Pipes of the site hold nothing back: there is nothing to set. */
async function stdbuf(call: Call): Promise<number> {
  const started = await start(
    call,
    call.args.filter((arg, index) => index > 2 || !/^-[ioe]./.test(arg)),
  );
  return started ? shellStatus(await call.process.guard(started.ended)) : 127;
}

async function env(call: Call): Promise<number> {
  const variables = new Map(call.process.env);
  let index = 0;
  for (; index < call.args.length; index += 1) {
    const word = call.args[index] ?? "";
    const equals = word.indexOf("=");
    if (word === "-i") variables.clear();
    else if (word === "-u") variables.delete(call.args[++index] ?? "");
    else if (equals > 0) variables.set(word.slice(0, equals), word.slice(equals + 1));
    else break;
  }
  const words = call.args.slice(index);
  if (words.length === 0) {
    await call.out([...variables].map(([name, value]) => `${name}=${value}\n`).join(""));
    return 0;
  }
  const started = await start(call, words, undefined, { env: variables });
  return started ? shellStatus(await call.process.guard(started.ended)) : 127;
}

async function kill({ args, machine, process, err }: Call): Promise<number> {
  let signal: string | null = "TERM";
  let words = args;
  const first = args[0] ?? "";
  if (first === "-s") {
    signal = signalName(args[1] ?? "");
    words = args.slice(2);
  } else if (first !== "--" && /^-./.test(first) && args.length > 1) {
    signal = signalName(first.slice(1));
    words = args.slice(1);
  }
  if (words[0] === "--") words = words.slice(1);
  if (signal === null) {
    await err(`sh: 1: kill: Illegal option ${first}\n`);
    return 2;
  }
  let status = 0;
  for (const word of words) {
    const target = Number(word);
    if (!Number.isInteger(target)) {
      await err(`sh: 1: kill: Illegal number: ${word}\n`);
      return 2;
    }
    const owner = [...machine.processes.values()].find(
      (other) => other.pid === target || other.group === -target,
    )?.user;
    if (owner !== undefined && owner !== process.user && process.user !== "root") {
      await err("sh: 1: kill: Operation not permitted\n\n");
      status = 1;
    } else if (!machine.kill(target === 0 ? -process.group : target, signal)) {
      await err("sh: 1: kill: No such process\n\n");
      status = 1;
    }
  }
  return status;
}

/** `ps -o pid= -p PID` and the like; other forms list everything. */
async function ps({ args, machine, out }: Call): Promise<number> {
  const wanted = args.includes("-p") ? new Set((args[args.indexOf("-p") + 1] ?? "").split(",").map(Number)) : null;
  const given = args.includes("-o") ? (args[args.indexOf("-o") + 1] ?? "") : "pid,user,args";
  const columns = given.split(",").map((column) => column.replace(/=.*$/, ""));
  const bare = given.includes("=");
  const rows = [...machine.processes.values()].filter((process) => !wanted || wanted.has(process.pid));
  const cell = (process: Process, column: string) =>
    ({
      pid: String(process.pid).padStart(7),
      ppid: String(process.parent).padStart(7),
      pgid: String(process.group).padStart(7),
      sid: String(process.session).padStart(7),
      user: process.user.padEnd(8),
      stat: "S".padEnd(4),
      comm: process.title.split(" ")[0] ?? "",
    })[column] ?? process.title;
  if (!bare) await out(`${columns.map((column) => column.toUpperCase().padStart(7)).join(" ")}\n`);
  await out(rows.map((process) => `${columns.map((column) => cell(process, column)).join(" ")}\n`).join(""));
  return rows.length > 0 ? 0 : 1;
}

export const processes = { sleep, timeout, setsid, nohup, stdbuf, env, kill, ps } satisfies Record<string, Program>;
