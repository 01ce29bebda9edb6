/** TakTuk's output, on recordings, and the command that asks for it. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { sh } from "../../source/ssh/command.ts";
import { parseTaktukLine, taktukCommand } from "../../source/tools/taktuk.ts";

function read(name: string) {
  const text = readFileSync(new URL(`../../fixtures/taktuk/${name}.stdout`, import.meta.url), "utf8");
  return text.split("\n").flatMap((line) => parseTaktukLine(line) ?? []);
}

const site = (host: string) => (/^grisou/.test(host) ? `${host}.nancy.grid5000.fr` : host);

test("each host's output, end and the end's being whole", () => {
  const lines = read("ok").filter(({ host }) => host === site("grisou-1"));
  expect(lines).toEqual([
    { kind: "output", host: site("grisou-1"), text: "out" },
    { kind: "error", host: site("grisou-1"), text: "err" },
    { kind: "exit", host: site("grisou-1"), status: 0, signal: null },
    { kind: "over", host: site("grisou-1") },
  ]);
});

test("wait statuses: 768 is exit 3, 9 is a signal; a host that can't be reached is named with what ssh said", () => {
  const lines = read("fail-unreachable");
  expect(lines.find(({ kind }) => kind === "exit")).toMatchObject({ host: site("grisou-2"), status: 3, signal: null });
  expect(lines).toContainEqual({ kind: "unreachable", host: "10.158.0.99" });
  const said = "ssh: connect to host 10.158.0.99 port 22: No route to host";
  expect(lines).toContainEqual({ kind: "connection", host: "10.158.0.99", text: said, closed: false });
  // Text keeps its TABs.
  expect(lines).toContainEqual({ kind: "output", host: site("grisou-1"), text: "a\tb" });
  expect(read("killed").filter(({ kind }) => kind === "exit")).toMatchObject(
    [9, 9, 9].map((signal) => ({ signal, status: null })),
  );
});

test("a link that is cut in the middle is told by its closing alone", () => {
  const lines = read("connection-lost").filter(({ host }) => host === site("grisou-2"));
  expect(lines.filter(({ kind }) => kind === "exit")).toEqual([]);
  expect(lines.at(-1)).toMatchObject({ kind: "connection", closed: true });
});

test("options come before the hosts; what runs there is carried unread by every shell on the way", () => {
  const wish = { user: "root", stdin: null, flat: true, connectSeconds: 7 };
  const command = sh`[ -e ${"it's ]"} ] && echo "$HOME"`;
  const line = taktukCommand({ ...wish, hosts: ["node-1", "node-2"], command })?.line ?? "";
  expect(line).toMatch(/^LC_ALL=C taktuk -d -1 -l root -t 7 -c /);
  expect(line.indexOf("-t 7")).toBeLessThan(line.indexOf("-m node-1 -m node-2 broadcast exec '[' "));
  expect(line).not.toContain("it's");
  const [, encoded = ""] = /echo ([A-Za-z0-9+/=]+) \|/.exec(line) ?? [];
  expect(Buffer.from(encoded, "base64").toString()).toBe(command.line);
  expect(taktukCommand({ ...wish, flat: false, hosts: ["a", "b"], command })?.line).toContain("taktuk -s -l root");
  // More than a command line takes.
  expect(taktukCommand({ ...wish, hosts: ["a", "b"], command, stdin: "x".repeat(200_000) })).toBeNull();
});
