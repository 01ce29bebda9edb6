/** What QEMU's sockets on a node are asked, and what they and the node answer: as Ganeti 3.0.2 with QEMU 7.2 did. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  clientsCommand,
  dismissCommand,
  explainScreen,
  parseClients,
  screenCommand,
} from "../../source/tools/ganeti-kvm.ts";

const access = { directory: "/usr/sbin/", sudo: false };

/** Runs a line by sh with programs of these names before all others; gives what they were called with. */
function run(line: string, programs: Record<string, string>): { stdout: string; stderr: string; status: number } {
  const directory = mkdtempSync(join(tmpdir(), "virtu-kvm-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  for (const [name, body] of Object.entries(programs)) {
    writeFileSync(join(directory, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  }
  const errors = join(directory, "stderr");
  const env = { PATH: `${directory}:${process.env["PATH"]}`, TMPDIR: directory, HERE: directory };
  try {
    const stdout = execFileSync("sh", ["-c", `{ ${line}\n} 2>${errors}`], { env, encoding: "utf8" });
    return { stdout, stderr: execFileSync("cat", [errors], { encoding: "utf8" }), status: 0 };
  } catch (thrown) {
    const { status, stdout } = thrown as { status: number; stdout: string };
    return { stdout, stderr: execFileSync("cat", [errors], { encoding: "utf8" }), status };
  }
}

describe("a picture of the screen", () => {
  // The pid file is what `cat` is asked for.
  const cat = `case $1 in */pid/*) echo ${process.pid} ;; *) exec /bin/cat "$@" ;; esac`;
  const greeting = '{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}}, "capabilities": ["oob"]}}';

  test("is written by QEMU into a directory of its own, which is gone afterwards", () => {
    // What QEMU does with the request: writes the file that it names.
    const socat = `printf '%s\\n' "$*" >"$HERE/asked"
tee "$HERE/request" | sed -n 's/.*"filename":"\\([^"]*\\)".*/\\1/p' | while read -r file; do printf 'P6 picture' >"$file"; done
echo '${greeting}'; echo '{"return": {}}'; echo '{"return": {}}'`;
    const { line } = screenCommand(access, "kvm1.example.org");
    const keep = `cat "$HERE/asked" "$HERE/request" >&2; ls -d "$HERE"/tmp.* >&2`;
    const { stdout, stderr } = run(`(${line}); ${keep}`, { socat, cat, chown: ":" });
    expect(execFileSync("sh", ["-c", "base64 -d | gzip -d"], { input: stdout, encoding: "utf8" })).toBe("P6 picture");
    expect(stderr).toContain("-t 15 - UNIX-CONNECT:/var/run/ganeti/kvm-hypervisor/ctrl/kvm1.example.org.qmp");
    expect(stderr).toMatch(/^\{"execute":"qmp_capabilities"\}$/m);
    expect(stderr).toMatch(/tmp\.\S+': No such file/);
  });

  test("is taken by sudo where one is not root", () => {
    expect(screenCommand({ sudo: true }, "kvm1.example.org").line).toMatch(/^sudo -n sh -c 'pid=/);
  });

  test.each([
    [
      `${greeting}\n{"return": {}}\n{"error": {"class": "GenericError", "desc": "failed to open file '/x': No such file or directory"}}\n`,
      0,
      /^QEMU can't take it: failed to open file '\/x': No such file or directory$/,
    ],
    ["cat: /var/run/ganeti/kvm-hypervisor/pid/kvm1.example.org: No such file or directory\n", 1, /does not run/],
    ["stat: cannot statx '/proc/529': No such file or directory\n", 1, /does not run/],
    ['2026/11/25 socat[1] E connect(, AF=1 "/x.qmp", 63): Connection refused\n', 1, /does not run/],
    ["timeout: failed to run command 'socat': No such file or directory\n", 127, /no socat/],
    ["", 124, /does not answer: it is stopped, or hangs/],
    ["sudo: a password is required\n", 1, /root's rights/],
  ])("that is missing is explained: %j", (stderr, status, why) => {
    expect(explainScreen(stderr, status)?.why).toMatch(why);
  });

  test("that nobody says anything of is left to its text", () => {
    expect(explainScreen("what is this?\n{not json}\n", 1)).toBeNull();
  });
});

describe("who is at the serial line", () => {
  test("is asked by the program that every Ganeti has, and told by how long they are there", () => {
    const { line } = clientsCommand(access, "node2.example.org", "kvm1.example.org");
    expect(line).toMatch(/^LC_ALL=C \/usr\/sbin\/gnt-cluster command -n node2\.example\.org '/);
    const printed = `------------------------------------------------
node: node2.example.org
     12    2210
    245    1998

return code = 0
`;
    expect(parseClients(printed)).toEqual([245, 12]);
    expect(parseClients("node: node2.example.org\nreturn code = 0\n")).toEqual([]);
  });

  test("are only those of this instance, whoever else is at another one's; and they alone are sent away", () => {
    const script = dismissCommand(access, "node2", "kvm1.example.org").line;
    // The inner script, as the node's shell gets it.
    const inner = run(`set -- ${script.replace(/^LC_ALL=C /, "")}; printf '%s' "$5"`, {}).stdout;
    const address = (name: string) => `UNIX-CONNECT:/var/run/ganeti/kvm-hypervisor/ctrl/${name}.serial`;
    // Three real processes with such a word in their command lines.
    const stay = (
      name: string,
    ) => `${process.execPath} -e 'setInterval(() => {}, 1000)' ${address(name)} & pids="$pids $!"
until tr '\\0' '\\n' <"/proc/$!/cmdline" | grep -qx ${address(name)}; do :; done`;
    const start = `${["kvm1.example.org", "kvm1.example.org", "kvm10.example.org"].map(stay).join("\n")}
echo $pids >"$HERE/all"
${inner}
set -- $pids
wait $1; echo $?; wait $2; echo $?
kill -0 $3 && echo stays; kill $3`;
    const { stdout } = run(start, { pgrep: 'cat "$HERE/all"' });
    expect(stdout).toBe("143\n143\nstays\n");
  });
});
