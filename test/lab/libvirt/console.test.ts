/** Consoles and screens of real guests, through the built program; outcomes asked of virsh on the host and of the guest. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Picture, readPicture } from "../../../source/console/picture.ts";
import { keys, type TestTerminal } from "../../terminal.ts";
import { Teardown, type VirtuOptions, virtu, virtuTerminal } from "../lab.ts";
import { type LibvirtLab, openLibvirt } from "./hosts.ts";

const leave = "\u001d";

/** A guest with a login on its serial line, made of what the host has. */
const makeGuest = `
set -eu
cd "$(mktemp -d)"
mkdir -p bin dev proc sys etc root
cp /bin/busybox bin/busybox
for name in sh mount getty login hostname uname sleep setsid yes; do ln -s busybox "bin/$name"; done
echo 'root::0:0:root:/root:/bin/sh' >etc/passwd
echo 'root:x:0:' >etc/group
cat >init <<'INIT'
#!/bin/sh
export PATH=/bin
mount -t proc proc /proc
mount -t devtmpfs dev /dev
hostname con1
while :; do setsid getty -L 115200 ttyS0 xterm; done
INIT
chmod 755 init
find . | cpio -o -H newc --quiet | gzip -1 >/var/lib/lab/console.gz`;

/** The firmware writes to the serial line too: what it says first is the first thing that a guest prints at all. */
const definition = (name: string, devices: string) => `<domain type='qemu'>
  <name>${name}</name>
  <memory unit='MiB'>128</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <kernel>/var/lib/lab/vmlinuz</kernel>
    <initrd>/var/lib/lab/console.gz</initrd>
    <cmdline>console=ttyS0 no_timer_check panic=5</cmdline>
    ${devices.includes("<serial") ? "<bios useserial='yes'/>" : ""}
  </os>
  <features><acpi/></features>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    ${devices}
    <memballoon model='none'/>
  </devices>
</domain>`;

const teardown = new Teardown();
let lab: LibvirtLab;
let options: VirtuOptions;
let terminal: TestTerminal;

beforeAll(async () => {
  lab = await openLibvirt(teardown);
  options = { sshConfig: lab.sshConfig, home: teardown.directory("home"), prefix: lab.network.prefix };
  await lab.hv1.exec(makeGuest);
  const guests = {
    con1: "<serial type='pty'/><graphics type='vnc' autoport='yes' listen='127.0.0.1'/><video><model type='vga'/></video>",
    mute1: "",
  };
  for (const [name, devices] of Object.entries(guests)) {
    const script = "cat >/run/guest.xml; virsh -c qemu:///system define /run/guest.xml";
    await lab.hv1.exec(script, { input: definition(name, devices) });
  }
});
afterAll(() => teardown.run());

test("a guest that is off is started from the dialog, and its firmware's first line is on the console", async () => {
  terminal = virtuTerminal(teardown, ["--host", "hv1"], options);
  await terminal.waitFor("5 instances");
  terminal.press("/", "con1", keys.enter);
  await terminal.waitFor("1 of 5");
  terminal.press(keys.enter);
  await terminal.waitFor("It is off.");
  terminal.press(keys.enter);
  const screen = await terminal.waitFor("SeaBIOS (version", 60_000);
  expect(await lab.state(lab.hv1, "con1")).toBe("running");
  // The firmware clears the screen, then says its name: nothing of the guest came before it, and nothing is missed.
  expect(screen[0]).toMatch(/^SeaBIOS \(version/);
  await terminal.waitFor("con1 login:", 120_000);
});

/** A getty throws away what is typed while it opens its line: whoever finds no prompt types again. */
async function logIn(): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    terminal.press("root", keys.enter);
    try {
      await terminal.waitFor(/# *$/m, 10_000);
      return;
    } catch (thrown) {
      if (tries === 4) throw thrown;
    }
  }
}

test("logs in, runs a command, comes back, and finds it as it was", async () => {
  await logIn();
  terminal.press("uname -n -r", keys.enter);
  await terminal.waitFor(/^con1 \d+\.\d+.*amd64/m);
  terminal.press(leave, "b");
  await terminal.waitFor("1 of 5");
  await terminal.waitFor(/1 console/);
  terminal.press(keys.enter);
  await terminal.waitFor(/^con1 \d+\.\d+.*amd64/m);
});

test("a guest that floods does not keep one from leaving, and minds Ctrl-C", async () => {
  terminal.press("yes", keys.enter);
  await terminal.waitFor(/^y *$\n^y *$\n^y *$/m);
  terminal.press(leave, "b");
  await terminal.waitFor("1 of 5");
  terminal.press(keys.enter);
  await terminal.waitFor(/^y *$\n^y *$/m);
  terminal.press(keys.ctrlC);
  await terminal.waitFor(/\^C[\s\S]*#\s*$/m, 60_000);
});

test("a second one is refused with the reason; it can take the console over, and the first one is told", async () => {
  const second = await virtuTerminalEnd(["console", "con1", "--host", "hv1"]);
  expect(second.status).toBe(1);
  expect(second.text).toContain("somebody else has this console open");
  expect(second.text).toContain("Active console session exists for this domain");
  const third = virtuTerminal(teardown, ["console", "con1", "--host", "hv1", "--take-over"], options);
  await third.waitFor("con1 · hv1 · serial");
  await terminal.waitFor(/con1: .* o open again/, 60_000);
  // The new one has it: a silent shell is woken, and answers.
  third.press("uname -n", keys.enter);
  await third.waitFor(/^con1 *$/m);
  third.press(leave, leave);
  expect(await third.exit).toBe(0);
  terminal.press("o");
  // The silent shell is woken.
  await terminal.waitFor(/^\S+ # *$/m, 30_000);
  terminal.press(leave, "d");
  await terminal.waitFor("1 of 5");
});

async function virtuTerminalEnd(args: string[]): Promise<{ status: number; text: string }> {
  const opened = virtuTerminal(teardown, args, { ...options, columns: 160 });
  const status = await opened.exit;
  return { status, text: opened.screen().join("\n") };
}

test("the guest's picture is the one that virsh takes", async () => {
  const file = join(teardown.directory("pictures"), "con1.ppm");
  const ran = await virtu(["screenshot", "con1", "--host", "hv1", "--output", file, "--json"], options);
  expect(ran, ran.stderr).toMatchObject({ status: 0 });
  await lab.hv1.exec("virsh -c qemu:///system screenshot con1 /run/con1.picture");
  const own = Buffer.from(await lab.hv1.exec("base64 /run/con1.picture"), "base64");
  const [ours, theirs] = [await readPicture(readFileSync(file)), await readPicture(own)];
  expect(ran.json()).toMatchObject({ width: theirs.width, height: theirs.height });
  // The cursor blinks further down; the first lines stand still, and hold something.
  const region = (picture: Picture) => picture.rgb.subarray(0, picture.width * 3 * 32);
  expect(Buffer.from(region(ours)).equals(Buffer.from(region(theirs)))).toBe(true);
  expect(new Set(region(theirs)).size).toBeGreaterThan(1);
});

test("the picture is drawn in the terminal, and the VNC port leads here while it is", async () => {
  terminal.press("v");
  const screen = await terminal.waitFor(/con1 · hv1 · Esc back · vnc:\/\/127\.0\.0\.1:\d+ · \d\d:\d\d:\d\d/, 60_000);
  expect(screen.filter((line) => line.includes("▀".repeat(60))).length).toBeGreaterThan(15);
  terminal.press(keys.escape);
  await terminal.waitFor("1 of 5");
});

test("a guest without a serial line is said to have none", async () => {
  await lab.virsh(lab.hv1, "start", "mute1");
  const ran = await virtuTerminalEnd(["console", "mute1", "--host", "hv1"]);
  expect(ran.status).toBe(1);
  expect(ran.text).toContain("the instance has no serial console");
});

test("leaves the terminal as it was, and no virsh behind", async () => {
  terminal.press("q");
  expect(await terminal.exit).toBe(0);
  expect((await lab.hv1.try("pgrep -f '[v]irsh .*console'")).stdout).toBe("");
});
