/** A bare simulated host, and what one command on it gives. */
import { Clock, realTimers } from "../../source/site/clock.ts";
import { Machine } from "../../source/site/machine/machine.ts";
import { fromText, makePipe, type OpenFile } from "../../source/site/machine/open-file.ts";
import { type Exit, type Process, shellStatus } from "../../source/site/machine/process.ts";
import { installUtilities } from "../../source/site/utilities/all.ts";

export interface Ran {
  stdout: string;
  stderr: string;
  status: number;
}

export function newMachine(speed = 1000): Machine {
  const machine = new Machine("host.demo", new Clock(realTimers, speed));
  machine.addAccount({ name: "jdoe", home: "/home/jdoe", uid: 1000 });
  installUtilities(machine);
  return machine;
}

async function collect(file: OpenFile): Promise<string> {
  let all = "";
  for (let piece = await file.read(); piece !== null; piece = await file.read()) all += piece;
  return all;
}

export function begin(
  machine: Machine,
  script: string,
  stdin = "",
  user = "jdoe",
): { process: Process; ended: Promise<Exit>; output: Promise<Ran> } {
  const out = makePipe();
  const err = makePipe();
  const process = machine.create({
    user,
    title: "sh",
    newSession: true,
    files: new Map([
      [0, fromText(stdin)],
      [1, out.writer],
      [2, err.writer],
    ]),
  });
  const found = machine.lookUp("sh", "/usr/bin");
  if (!found) throw new Error("no sh");
  const ended = machine.run(process, () => found.program(machine.call(process, "sh", ["-c", script])));
  const output = Promise.all([collect(out.reader), collect(err.reader), ended]).then(([stdout, stderr, exit]) => ({
    stdout,
    stderr,
    status: shellStatus(exit),
  }));
  return { process, ended, output };
}

export function run(machine: Machine, script: string, stdin = "", user = "jdoe"): Promise<Ran> {
  return begin(machine, script, stdin, user).output;
}
