import { expect, test } from "vitest";
import { displayCommand, parseDisplay, screenshotCommand } from "../../source/tools/virsh-screen.ts";

test("a picture is made in a file that is removed, and comes packed in one line's output", () => {
  expect(screenshotCommand("qemu:///system", "a b").line).toBe(
    `f=$(mktemp) || exit 1; trap 'rm -f "$f"' EXIT; LC_ALL=C.UTF-8 timeout 10 virsh -c qemu:///system screenshot 'a b' "$f" >&2 && gzip -1 -c "$f" | base64`,
  );
  expect(displayCommand("qemu:///system", "web1").line).toContain("domdisplay --all web1");
});

// As virsh 9.0 prints them.
test.each([
  ["vnc://127.0.0.1:0\n\n", { kind: "vnc", address: "127.0.0.1", port: 5900 }],
  ["spice://127.0.0.1:5901\nvnc://localhost:3\n", { kind: "vnc", address: "localhost", port: 5903 }],
  ["spice://127.0.0.1:5901?tls-port=5902\n", { kind: "spice", address: "127.0.0.1", port: 5901 }],
  ["vnc://[::1]:1\n", { kind: "vnc", address: "::1", port: 5901 }],
  ["rdp://127.0.0.1:3389\n", null],
  ["spice://127.0.0.1\n", null],
  ["\n", null],
])("%j", (text, expected) => {
  expect(parseDisplay(text)).toEqual(expected);
});
