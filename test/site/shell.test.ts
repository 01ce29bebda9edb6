/** The site's shell beside the machine's own /bin/sh: every script of scripts.txt must do the same in both. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { begin, newMachine, type Ran, run } from "./machine.ts";

/** One script a line; a here-document or an open quote goes on until the shell is satisfied. */
function scripts(): string[] {
  const lines = readFileSync(new URL("./scripts.txt", import.meta.url), "utf8")
    .trimEnd()
    .split("\n");
  const all: string[] = [];
  let open: { script: string; end: RegExp } | null = null;
  for (const line of lines) {
    if (open) {
      open.script += `\n${line}`;
      if (!open.end.test(line)) continue;
      all.push(open.script);
      open = null;
    } else if (/<<-?'?E'?/.test(line)) open = { script: line, end: /"\$\(cat/.test(line) ? /^\)"/ : /^\t*E$/ };
    else if ((line.match(/(?<!\\)'/g)?.length ?? 0) % 2 === 1 && !line.includes('"quote'))
      open = { script: line, end: /'/ };
    else if (line.endsWith("\\")) open = { script: line, end: /^/ };
    else all.push(line);
  }
  return all;
}

function realShell(script: string, directory: string): Promise<Ran> {
  return new Promise((resolve) => {
    const child = spawn("/bin/sh", ["-c", script], {
      cwd: directory,
      env: { PATH: "/usr/bin:/bin", HOME: "/home/jdoe", LC_ALL: "C" },
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("latin1").on("data", (text) => {
      stdout += text;
    });
    child.stderr.setEncoding("latin1").on("data", (text) => {
      stderr += text;
    });
    child.stdin.end();
    child.on("close", (code, signal) =>
      resolve({ stdout, stderr, status: code ?? (signal === "SIGTERM" ? 143 : 129) }),
    );
  });
}

const folder = mkdtempSync(path.join(os.tmpdir(), "virtu-sh-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Names of the shell and line numbers differ by how sh was called. */
function comparable({ stdout, stderr, status }: Ran): Ran {
  return { stdout, stderr: stderr.replace(/^(?:\/bin\/)?sh: \d+: /gm, "sh: "), status };
}

describe("the site's shell does what /bin/sh does", () => {
  for (const script of scripts()) {
    test(script.replaceAll("\n", "⏎"), async () => {
      const directory = mkdtempSync(path.join(folder, "run-"));
      const expected = comparable(await realShell(script, directory));
      const machine = newMachine(20);
      const actual = comparable(await run(machine, script));
      expect(actual).toEqual(expected);
    });
  }
});

describe("what a differential test can't show", () => {
  test("a script that is no script is refused with status 2", async () => {
    for (const script of ["if", "echo (", "a | | b", "case x in", "echo 'open", "fi", "echo $" + "{}"]) {
      const { status, stderr, stdout } = await run(newMachine(), script);
      expect({ script, status, stdout }).toEqual({ script, status: 2, stdout: "" });
      expect(stderr).toMatch(/^sh: \d+: (Syntax error: .*|Bad substitution)\n$/);
    }
  });

  test("output comes as it is made, not at the end", async () => {
    const machine = newMachine();
    const { process, ended } = begin(machine, "echo first > log; echo second >> log; sleep infinity");
    const reader = begin(machine, "while [ ! -s log ]; do sleep 0.01; done; tail -n +1 -f log | head -n 2");
    expect((await reader.output).stdout).toBe("first\nsecond\n");
    expect(process.exit).toBeNull();
    machine.kill(-process.group, "TERM");
    expect(await ended).toEqual({ status: null, signal: "TERM" });
    expect(machine.processes.size).toBe(0);
  });

  test("tail -f follows a file across processes and ends with the one it watches", async () => {
    const machine = newMachine();
    const writer = begin(
      machine,
      "echo $$ > pid; echo one > log; while [ ! -e go ]; do sleep 0.01; done; echo two >> log",
    );
    const reader = begin(machine, "while [ ! -s log ]; do sleep 0.01; done; tail -n +1 --pid=$(cat pid) -f log");
    await run(machine, "while [ ! -s log ]; do sleep 0.01; done; touch go");
    await writer.ended;
    expect((await reader.output).stdout).toBe("one\ntwo\n");
  });

  test("a detached process outlives the group that started it", async () => {
    const machine = newMachine();
    const { process, ended } = begin(
      machine,
      "setsid -f sh -c 'echo $$ > pid; while [ ! -e stop ]; do sleep 0.01; done; echo done > result' >/dev/null 2>&1; sleep infinity",
    );
    await run(machine, "while [ ! -s pid ]; do sleep 0.01; done");
    machine.kill(-process.group, "HUP");
    expect(await ended).toEqual({ status: null, signal: "HUP" });
    const { stdout } = await run(
      machine,
      "kill -0 $(cat pid) && echo alive; touch stop; while [ ! -s result ]; do sleep 0.01; done; cat result",
    );
    expect(stdout).toBe("alive\ndone\n");
  });

  test("a background process that keeps the output keeps the channel open", async () => {
    const machine = newMachine();
    const { output } = begin(machine, "(sleep 0.1; echo late) & echo early");
    expect((await output).stdout).toBe("early\nlate\n");
  });
});
