import { expect, test } from "vitest";
import {
  fingerprint,
  hashedHost,
  judge,
  keyTypeOf,
  knownTypes,
  lookupName,
  matchesHost,
  parseKnownHosts,
} from "../../source/ssh/known-hosts.ts";

/** A public key's bytes: its type, then anything. */
function key(type: string, body: string): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(type.length);
  return Buffer.concat([head, Buffer.from(type), Buffer.from(body)]);
}

const ed = key("ssh-ed25519", "one");
const otherEd = key("ssh-ed25519", "two");
const rsa = key("ssh-rsa", "three");
const line = (hosts: string, value: Buffer, marker = "") =>
  `${marker}${hosts} ${keyTypeOf(value)} ${value.toString("base64")} a comment`;
const parse = (...lines: string[]) => parseKnownHosts(lines.join("\n"), "kh");

test("reads keys with their line, and skips comments, empty lines and what is no key", () => {
  const text = `# comment\r\n\r\n${line("a,b", ed)}\r\nbroken\nhost ssh-rsa not*base64\n  ${line("c", rsa)}\n@weird ${line("d", rsa)}`;
  expect(parseKnownHosts(text, "kh").map(({ line: at, hosts, keyType }) => [at, hosts, keyType])).toEqual([
    [3, "a,b", "ssh-ed25519"],
    [6, "c", "ssh-rsa"],
  ]);
});

test("looks a host up with its port unless it is 22, and an alias as it stands", () => {
  expect(lookupName("Node-1.Site", 22, null)).toBe("node-1.site");
  expect(lookupName("Node-1", 2222, null)).toBe("[node-1]:2222");
  expect(lookupName("node-1", 2222, "Alias")).toBe("alias");
});

test.each([
  ["node-1", "node-1", true],
  ["NODE-1", "node-1", true],
  ["node-*", "node-12", true],
  ["node-?", "node-12", false],
  ["*.site,!bad.site", "good.site", true],
  ["*.site,!bad.site", "bad.site", false],
  ["!bad.site", "good.site", false],
  ["[node-1]:2222", "[node-1]:2222", true],
  ["[node-1]:2222", "node-1", false],
  ["10.0.0.1", "10a0b0.1", false],
])("pattern %s and host %s: %s", (pattern, host, expected) => {
  expect(matchesHost(pattern, host)).toBe(expected);
});

test("matches a hashed host as OpenSSH writes it", () => {
  // Written by ssh-keygen -H.
  expect(matchesHost("|1|ODNu7FNHhyJERM2UaESIvq34jJ8=|/1O0K7cKZuaxSSU/tCSBBwvPDrs=", "example.org")).toBe(true);
  expect(matchesHost(hashedHost("example.org"), "example.org")).toBe(true);
  expect(matchesHost(hashedHost("example.org"), "example.com")).toBe(false);
  expect(matchesHost("|1|broken", "example.org")).toBe(false);
});

test("judges a key by all lines of its host", () => {
  const lines = parse(line("a", ed), line("a", rsa), line("b", otherEd), line("c", ed, "@revoked "));
  expect(judge(lines, ["a"], ed).is).toBe("known");
  expect(judge(lines, ["a"], rsa).is).toBe("known");
  expect(judge(lines, ["a"], otherEd)).toMatchObject({ is: "changed", line: { line: 1 } });
  expect(judge(lines, ["b"], rsa)).toMatchObject({ is: "changed", line: { line: 3 } });
  expect(judge(lines, ["c"], ed)).toMatchObject({ is: "revoked", line: { line: 4 } });
  expect(judge(lines, ["c"], rsa).is).toBe("unknown");
  expect(judge(lines, ["d"], ed).is).toBe("unknown");
});

test("a revoked key is refused also where another line knows it", () => {
  const lines = parse(line("a", ed), line("*", ed, "@revoked "));
  expect(judge(lines, ["a"], ed).is).toBe("revoked");
});

test("the name without its port helps, but can't contradict", () => {
  const lines = parse(line("a", ed));
  expect(judge(lines, ["[a]:2222", "a"], ed).is).toBe("known");
  expect(judge(lines, ["[a]:2222", "a"], otherEd).is).toBe("unknown");
});

test("tells that a certificate authority is trusted for a host", () => {
  const lines = parse(line("*.site", ed, "@cert-authority "));
  expect(judge(lines, ["n.site"], otherEd)).toMatchObject({ is: "unknown", certAuthority: { line: 1 } });
  expect(knownTypes(lines, "n.site")).toEqual([]);
});

test("gives the types known for a host once each, in order", () => {
  expect(knownTypes(parse(line("a", rsa), line("a", ed), line("*", rsa)), "a")).toEqual(["ssh-rsa", "ssh-ed25519"]);
});

test("prints a fingerprint as ssh-keygen does", () => {
  // ssh-keygen -lf on this public key.
  const github = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
  expect(fingerprint(Buffer.from(github, "base64"))).toBe("SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU");
});
