import { expect, test } from "vitest";
import { endOf, isSilent } from "../../source/console/last-words.ts";
import type { Way } from "../../source/console/types.ts";
import { userLine } from "../../source/ssh/command.ts";

const way: Way = { host: { name: "hv1" }, command: userLine("virsh console web1") };
const banner = "Connected to domain 'web1'\r\nEscape character is ^] (Ctrl + ])\r\n";

// As virsh 9.0, xl 4.17 and Ganeti 3.0 really print it on a terminal.
test.each([
  [`${banner}error: operation failed: Active console session exists for this domain\r\n\r\n`, 1, "in-use"],
  ["xenconsole: Could not lock /var/lock/xenconsole.1: Resource temporarily unavailable\r\n", 11, "in-use"],
  ["error: The domain is not running\r\n\r\n", 1, "off"],
  ["Failure: command execution error:\nInstance web9 is not running (state ADMIN_down)\n", 1, "off"],
  ["web1 is an invalid domain identifier (rc=-6)\r\n", 1, "off"],
  [`${banner}error: internal error: cannot find character device <null>\r\n`, 1, "none"],
  [`${banner}root@web1:~# error: stream had I/O failure\r\n\r\n`, 1, "over"],
  ["Console not available for fake hypervisor\r\n", 0, "none"],
  [
    "kvm1 login: Connection to node2.example.org closed.\r\nFailure: command execution error:\r\n" +
      "Connection to console of instance kvm1.example.org failed, please check cluster configuration\r\n",
    ...([1, "over"] as const),
  ],
  ["sh: 1: virsh: not found\r\n", 127, "refused"],
] as const)("%j with status %d is %s", (text, status, kind) => {
  const end = endOf(way, text, status);
  expect(end.kind).toBe(kind);
  expect(end.why).not.toBe("");
  expect(end.detail).not.toMatch(/\r/);
});

test("an end with status 0 after the guest was seen is an ordinary one, whatever the guest printed", () => {
  const text = `${banner}echo The domain is not running\r\nThe domain is not running\r\nroot@web1:~# \r\n`;
  expect(endOf(way, text, 0)).toMatchObject({ kind: "over" });
});

test("what the provider says goes first", () => {
  const explain = () => ({ why: "a job holds it", hint: "Wait for job 7.", inUse: true });
  expect(endOf({ ...way, explain }, "locked\r\n", 1)).toEqual({
    kind: "in-use",
    why: "a job holds it",
    hint: "Wait for job 7.",
    detail: "locked",
  });
});

test("the provider may know what an ordinary end means, and that an instance is off", () => {
  expect(endOf({ ...way, over: "it went elsewhere" }, `${banner}web1 login:\r\n`, 0)).toMatchObject({
    ...{ kind: "over", why: "it went elsewhere" },
  });
  const explain = () => ({ why: "its QEMU does not run", hint: "Start it.", inUse: false, kind: "off" as const });
  expect(endOf({ ...way, explain }, "Connection refused\r\n", 1)).toMatchObject({ kind: "off" });
});

test("a shell's status is that of its last command", () => {
  expect(endOf({ ...way, command: null }, "logout\r\n", 1)).toMatchObject({ kind: "over" });
});

test("only what the remote program itself says counts as silence", () => {
  expect(isSilent(banner)).toBe(true);
  expect(isSilent(`Authorization not available. Check if polkit service is running.\r\n${banner}`)).toBe(true);
  expect(isSilent(`${banner}\r\nweb1 login: `)).toBe(false);
});
