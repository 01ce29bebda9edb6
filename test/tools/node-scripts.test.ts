/** The lines that nodes run, run by the real sh in a directory of their own. */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Command } from "../../source/ssh/command.ts";
import { sh } from "../../source/ssh/command.ts";
import { packagesScript, parseSources, releaseSources, upgradeCheck } from "../../source/tools/apt.ts";
import { extraScript } from "../../source/tools/host-setup.ts";
import { hostsBlock, namesOf } from "../../source/tools/hosts-file.ts";
import { knownHostsBlock, letInCheck, letInScript, pairCheck, pairScript, pairUndo } from "../../source/tools/keys.ts";
import { blockCheck, blockScript, blockUndo } from "../../source/tools/marked-block.ts";
import { fileCheck, fileScript, inTurn } from "../../source/tools/own-file.ts";
import { passwordRefusal, passwordStrength } from "../../source/tools/password.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), "virtu-scripts-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const file = (name: string) => path.join(directory, name);
const write = (name: string, text: string) => writeFileSync(file(name), text);
const read = (name: string) => readFileSync(file(name), "utf8");

function run(command: Command, input = "") {
  const env = { ...process.env, PATH: `${directory}/bin:${process.env["PATH"]}` };
  return spawnSync("sh", ["-c", command.line], { input, encoding: "utf8", env });
}
const status = (command: Command) => run(command).status;

/** A program that stands in for one of the system's. */
function standIn(name: string, script: string): void {
  mkdirSync(file("bin"), { recursive: true });
  write(`bin/${name}`, `#!/bin/sh\n${script}\n`);
  chmodSync(file(`bin/${name}`), 0o755);
}

describe("/etc/hosts", () => {
  const block = () =>
    hostsBlock(
      "nodes",
      [
        { address: "10.0.0.1", names: ["node-1.lab", "node-1"] },
        { address: "10.0.0.2", names: ["node-2.lab", "node-2"] },
      ],
      file("hosts"),
    );

  test("gets the block, loses the nodes' names elsewhere, and is then as it should be", () => {
    write(
      "hosts",
      "127.0.0.1\tlocalhost\n127.0.1.1 node-1.lab node-1\n# by hand: node-1\n10.9.9.9 node-2 other # spare\n\n::1 ip6-localhost\n10.0.0.7 node-11",
    );
    expect(status(blockCheck(block()))).toBe(1);
    expect(status(blockScript(block()))).toBe(0);
    expect(read("hosts")).toBe(
      "127.0.0.1\tlocalhost\n# by hand: node-1\n10.9.9.9 other\n\n::1 ip6-localhost\n10.0.0.7 node-11\n" +
        "# virtu: nodes, kept by virtu from here\n10.0.0.1 node-1.lab node-1\n10.0.0.2 node-2.lab node-2\n# virtu: nodes, to here\n",
    );
    expect(run(blockCheck(block()))).toMatchObject({ status: 0, stdout: "", stderr: "" });
  });

  test("keeps the block's place when others add lines behind it, and changes it there", () => {
    write("hosts", "127.0.0.1 localhost\n");
    run(blockScript(block()));
    write("hosts", `${read("hosts")}10.0.0.100 cluster\n`);
    expect(status(blockCheck(block()))).toBe(0);
    const fewer = hostsBlock("nodes", [{ address: "10.0.0.3", names: ["node-1"] }], file("hosts"));
    expect(status(blockCheck(fewer))).toBe(1);
    run(blockScript(fewer));
    expect(read("hosts")).toBe(
      "127.0.0.1 localhost\n# virtu: nodes, kept by virtu from here\n10.0.0.3 node-1\n# virtu: nodes, to here\n10.0.0.100 cluster\n",
    );
  });

  test("holds two blocks, and gives one back", () => {
    write("hosts", "127.0.0.1 localhost\n");
    const cluster = hostsBlock("cluster", [{ address: "10.0.0.100", names: ["cluster"] }], file("hosts"));
    run(blockScript(block()));
    run(blockScript(cluster));
    expect(status(blockCheck(block()))).toBe(0);
    run(blockUndo(block()));
    expect(read("hosts")).toBe(
      "127.0.0.1 localhost\n# virtu: cluster, kept by virtu from here\n10.0.0.100 cluster\n# virtu: cluster, to here\n",
    );
  });

  test("keeps its rights, and is made with those asked for", () => {
    write("hosts", "");
    chmodSync(file("hosts"), 0o640);
    run(blockScript(block()));
    expect(statSync(file("hosts")).mode & 0o777).toBe(0o640);
    run(blockScript({ ...block(), file: file("new/hosts") }));
    expect(statSync(file("new/hosts")).mode & 0o777).toBe(0o644);
  });

  test("names come once, the full one first", () => {
    expect(namesOf("node-1.lab", "node-1", "n1")).toEqual(["node-1.lab", "node-1", "n1"]);
    expect(namesOf("node-1")).toEqual(["node-1"]);
  });
});

describe("keys", () => {
  const ours = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOURS virtu";
  const yours = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIYOURS you@here";
  const ssh = () => file("ssh");

  test("are added once, after a line that had no end; comments don't count", () => {
    mkdirSync(ssh());
    write("ssh/authorized_keys", `# ${ours}\nfrom="10.0.0.1" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIYOURS old`);
    expect(status(letInCheck([yours], ssh()))).toBe(0);
    expect(status(letInCheck([yours, ours], ssh()))).toBe(1);
    expect(status(letInScript([yours, ours], ssh()))).toBe(0);
    expect(status(letInScript([yours, ours], ssh()))).toBe(0);
    expect(read("ssh/authorized_keys").split("\n")).toEqual([
      `# ${ours}`,
      'from="10.0.0.1" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIYOURS old',
      ours,
      "",
    ]);
    expect(status(letInCheck([yours, ours], ssh()))).toBe(0);
  });

  test("make a directory that only root may read", () => {
    run(letInScript([ours], ssh()));
    expect(statSync(ssh()).mode & 0o777).toBe(0o700);
    expect(statSync(file("ssh/authorized_keys")).mode & 0o777).toBe(0o600);
  });

  test("come as a pair by standard input, and never over another one", () => {
    expect(status(pairCheck(ours, "id_ed25519", ssh()))).toBe(1);
    expect(run(pairScript(ours, "id_ed25519", ssh()), "PRIVATE\n").status).toBe(0);
    expect(read("ssh/id_ed25519")).toBe("PRIVATE\n");
    expect(statSync(file("ssh/id_ed25519")).mode & 0o777).toBe(0o600);
    expect(status(pairCheck(ours, "id_ed25519", ssh()))).toBe(0);
    const other = run(pairScript(yours, "id_ed25519", ssh()), "OTHER\n");
    expect(other.status).toBe(1);
    expect(other.stderr).toContain("stays as it is");
    run(pairUndo(yours, "id_ed25519", ssh()));
    expect(read("ssh/id_ed25519")).toBe("PRIVATE\n");
    run(pairUndo(ours, "id_ed25519", ssh()));
    expect(existsSync(file("ssh/id_ed25519"))).toBe(false);
  });

  test("that did not come leave nothing", () => {
    expect(run(pairScript(ours, "id_ed25519", ssh())).status).toBe(1);
    expect(existsSync(file("ssh/id_ed25519"))).toBe(false);
  });

  test("of hosts are those that last", () => {
    const { lines } = knownHostsBlock([
      { names: ["a", "10.0.0.1"], keys: ["ssh-rsa AAAA1", "ssh-ed25519 AAAA2"] },
      { names: ["b"], keys: ["ssh-rsa AAAA3"] },
    ]);
    expect(lines).toEqual(["a,10.0.0.1 ssh-ed25519 AAAA2", "b ssh-rsa AAAA3"]);
  });
});

describe("files and scripts", () => {
  test("a file of ours holds exactly its text", () => {
    const text = "it's\n$HOME `x`\n\n";
    expect(status(fileCheck(file("a/b"), text))).toBe(1);
    expect(status(fileScript(file("a/b"), text, "600"))).toBe(0);
    expect(read("a/b")).toBe(text);
    expect(status(fileCheck(file("a/b"), text))).toBe(0);
    write("a/b", text.trimEnd());
    expect(status(fileCheck(file("a/b"), text))).toBe(1);
  });

  test("one after the other, to the first failure and with its status", () => {
    const said = run(inTurn([sh`echo one`, sh`(exit 7)`, sh`echo never`]));
    expect(said).toMatchObject({ status: 7, stdout: "one\n" });
  });

  test("a script of the user's runs by its own first line and leaves no file", () => {
    const mine = extraScript('#!/usr/bin/env perl\nprint 6*7, "\\n"; exit 3;\n', "d1");
    expect(
      run(sh`TMPDIR=${directory}; export TMPDIR
${mine}`),
    ).toMatchObject({ status: 3, stdout: "42\n" });
    expect(spawnSync("ls", [directory], { encoding: "utf8" }).stdout).toBe("");
  });
});

describe("apt", () => {
  test("is asked again while its lists are locked, and no question can come", () => {
    standIn("sleep", 'echo slept >> "$0.calls"');
    standIn(
      "apt-get",
      `echo "$DEBIAN_FRONTEND $*" >> "$0.calls"
if [ "$(wc -l < "$0.calls")" -lt 3 ]; then echo "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 9 (apt-get)" >&2; exit 100; fi
echo "pmstatus:x:50:half" >&3; echo fine; read answer && echo "asked: $answer"; exit 0`,
    );
    const said = run(packagesScript(["one", "two"]), "yes\n");
    expect(said.status).toBe(0);
    expect(said.stdout).toContain("pmstatus:x:50:half\nfine\n");
    expect(said.stdout).not.toContain("asked");
    const calls = read("bin/apt-get.calls").trim().split("\n");
    expect(calls).toHaveLength(3);
    expect(calls[0]).toMatch(
      /^noninteractive .*DPkg::Lock::Timeout=600 .*--force-confold.* --no-install-recommends install one two$/,
    );
    expect(read("bin/sleep.calls")).toBe("slept\nslept\n");
  });

  test("fails with its status and its reason", () => {
    standIn("apt-get", 'echo "E: Unable to locate package one" >&2; exit 100');
    expect(run(packagesScript(["one"]))).toMatchObject({
      status: 100,
      stderr: "E: Unable to locate package one\n",
    });
  });

  test("has something to upgrade when it would install or remove", () => {
    standIn("apt-get", 'cat "$0.said"');
    write("bin/apt-get.said", "Reading package lists...\nInst liblzma5 [5.4.1-1] (5.4.1-2 x)\n");
    expect(status(upgradeCheck())).toBe(1);
    write("bin/apt-get.said", "Reading package lists...\n0 upgraded, 0 newly installed.\n");
    expect(status(upgradeCheck())).toBe(0);
  });

  test("sources of both forms", () => {
    const entries = parseSources({
      "/etc/apt/sources.list":
        "# deb http://no/debian x main\ndeb [arch=amd64 signed-by=/k] http://a/debian bookworm main contrib # mine\ndeb-src http://a/debian bookworm main\n",
      "/etc/apt/sources.list.d/a.sources":
        "Types: deb deb-src\nURIs: http://b/debian/\nSuites: trixie\n trixie-updates\nComponents: main\n\nEnabled: no\nTypes: deb\nURIs: http://c\nSuites: x\n",
    });
    expect(entries).toEqual([
      { uri: "http://a/debian", suite: "bookworm", components: ["main", "contrib"] },
      { uri: "http://b/debian/", suite: "trixie", components: ["main"] },
      { uri: "http://b/debian/", suite: "trixie-updates", components: ["main"] },
    ]);
    expect(releaseSources("trixie", entries)).toContain("URIs: http://a/debian\nSuites: trixie trixie-updates\n");
    expect(releaseSources("trixie", [{ uri: "file:/srv/apt", suite: "./", components: [] }])).toBeNull();
  });
});

test("passwords are judged", () => {
  expect(passwordStrength("grid5000").level).toBe("weak");
  expect(passwordStrength("aaaaaaaaaaaaaaaaaaaa").level).toBe("weak");
  expect(passwordStrength("Tr0ub4dor&3x").level).toBe("good");
  expect(passwordStrength("ninechars").level).toBe("fair");
  expect(passwordRefusal("a\nb")).not.toBeNull();
  expect(passwordRefusal("it's $fine")).toBeNull();
});
