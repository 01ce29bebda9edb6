/** Configurations of the network with a bridge in an interface's place; and who has the last word about it, by the real sh. */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bridgeScript, findBridge, keepScript } from "../../source/tools/bridge.ts";
import { rewriteInterfaces } from "../../source/tools/ifupdown.ts";
import { rewriteNetplan } from "../../source/tools/netplan.ts";
import { networkdFiles, sectionsFor } from "../../source/tools/networkd.ts";
import type { NodeState } from "../../source/tools/node-state.ts";
import { parseNodeState } from "../../source/tools/node-state-parse.ts";

const wish = { bridge: "br0", port: "eth0", mac: "aa:bb:cc:dd:ee:ff" };
const options =
  "  bridge_ports eth0\n  bridge_stp off\n  bridge_fd 0\n  bridge_maxwait 0\n  bridge_hw aa:bb:cc:dd:ee:ff\n";

describe("ifupdown", () => {
  test("the address goes over to the bridge with all that belongs to it", () => {
    const before =
      "# The loopback\nauto lo eth0\niface lo inet loopback\n\nallow-hotplug eth0\niface eth0 inet static\n  address 10.0.0.5\n  netmask 255.255.255.0\n  network 10.0.0.0\n  broadcast 10.0.0.255\n  gateway 10.0.0.1\n\nauto eth1\niface eth1 inet dhcp\n";
    expect(rewriteInterfaces(before, wish)).toBe(
      `# The loopback\nauto lo\niface lo inet loopback\n\niface eth0 inet manual\n\nauto br0\niface br0 inet static\n  address 10.0.0.5\n  netmask 255.255.255.0\n  network 10.0.0.0\n  broadcast 10.0.0.255\n  gateway 10.0.0.1\n${options}\nauto eth1\niface eth1 inet dhcp\n`,
    );
  });

  test("DHCP, IPv6 and aliases too; the bridge's options stand once", () => {
    const before =
      "allow-hotplug eth0\niface eth0 inet dhcp\niface eth0 inet6 auto\nauto eth0:1\niface eth0:1 inet static\n  address 10.0.0.6/24";
    expect(rewriteInterfaces(before, wish)).toBe(
      `iface eth0 inet manual\n\nauto br0\niface br0 inet dhcp\n${options}iface br0 inet6 auto\nauto br0:1\niface br0:1 inet static\n  address 10.0.0.6/24`,
    );
  });

  test("other interfaces whose names begin alike stay", () => {
    const before = "auto eth01\niface eth01 inet dhcp\n";
    expect(rewriteInterfaces(before, wish)).toBe(before);
  });
});

describe("systemd-networkd", () => {
  test("the first file that matches gives its sections, by name or MAC", () => {
    const files = {
      "/etc/systemd/network/50-other.network": "[Match]\nName=eth1\n\n[Network]\nDHCP=yes\n",
      "/etc/systemd/network/80-any.network": "[Match]\nName=*\n[Network]\nDHCP=no\n",
      "/run/systemd/network/60-en.network":
        "[Match]\nName=eth? en*\n\n[Link]\nMTUBytes=9000\n\n[Network]\nAddress=10.0.0.5/24\n\n[Route]\nGateway=10.0.0.1\n",
    };
    expect(sectionsFor(files, wish)).toEqual([
      "[Network]",
      "Address=10.0.0.5/24",
      "",
      "[Route]",
      "Gateway=10.0.0.1",
      "",
    ]);
    expect(
      sectionsFor(
        { "/etc/systemd/network/a.network": "[Match]\nMACAddress=AA:BB:CC:DD:EE:FF\n[Network]\nDHCP=yes" },
        wish,
      ),
    ).toEqual(["[Network]", "DHCP=yes"]);
    expect(
      sectionsFor({ "/etc/systemd/network/50-other.network": files["/etc/systemd/network/50-other.network"] }, wish),
    ).toBeNull();
  });

  test("three files that sort before all others", () => {
    expect(networkdFiles(wish, ["[Network]", "DHCP=yes"])).toEqual({
      "/etc/systemd/network/05-virtu-br0.netdev":
        "[NetDev]\nName=br0\nKind=bridge\nMACAddress=aa:bb:cc:dd:ee:ff\n\n[Bridge]\nSTP=no\nForwardDelaySec=0\n",
      "/etc/systemd/network/05-virtu-br0-port.network": "[Match]\nName=eth0\n\n[Network]\nBridge=br0\n",
      "/etc/systemd/network/05-virtu-br0.network": "[Match]\nName=br0\n\n[Network]\nDHCP=yes\n",
    });
  });
});

describe("netplan", () => {
  const before = `# cloud-init's
network:
    version: 2
    ethernets:
        eth0:
            match:
                macaddress: aa:bb:cc:dd:ee:ff
            set-name: eth0
            addresses:
            - 10.0.0.5/24
            routes:
                - to: default
                  via: 10.0.0.1
        eth1:
            dhcp4: true
`;

  test("the addresses go over, what names the device stays", () => {
    expect(rewriteNetplan(before, wish)).toBe(`# cloud-init's
network:
    version: 2
    ethernets:
        eth0:
            dhcp4: false
            dhcp6: false
            match:
                macaddress: aa:bb:cc:dd:ee:ff
            set-name: eth0
        eth1:
            dhcp4: true
    bridges:
        br0:
            interfaces: [eth0]
            macaddress: aa:bb:cc:dd:ee:ff
            parameters: {stp: false, forward-delay: 0}
            addresses:
            - 10.0.0.5/24
            routes:
                - to: default
                  via: 10.0.0.1
`);
  });

  test("joins bridges that are there, and names the port by its own key", () => {
    const text =
      "network:\n  bridges:\n    br9:\n      dhcp4: no\n  ethernets:\n    nic0:\n      match: {name: e*}\n      set-name: eth0\n      dhcp4: true\n";
    expect(rewriteNetplan(text, wish)).toBe(
      "network:\n  bridges:\n    br0:\n      interfaces: [nic0]\n      macaddress: aa:bb:cc:dd:ee:ff\n      parameters: {stp: false, forward-delay: 0}\n      dhcp4: true\n    br9:\n      dhcp4: no\n  ethernets:\n    nic0:\n      dhcp4: false\n      dhcp6: false\n      match: {name: e*}\n      set-name: eth0\n",
    );
  });

  test("leaves what it can't read alone", () => {
    expect(rewriteNetplan("network: {ethernets: {eth0: {dhcp4: true}}}\n", wish)).toBeNull();
    expect(rewriteNetplan("network:\n  ethernets:\n    eth7:\n      dhcp4: true\n", wish)).toBeNull();
  });
});

const recorded = readFileSync(new URL("../../fixtures/node/t13-bare.stdout", import.meta.url), "utf8");
const bare = parseNodeState(recorded, 0);

describe("what has to be done", () => {
  test("is nothing with the node's address on the bridge, and is refused where it would go wrong", () => {
    const [eth0] = bare.interfaces;
    const bridged: NodeState = { ...bare, interfaces: [{ ...eth0!, name: "br0", bridge: true }] };
    expect(findBridge(bridged, "br0")).toEqual({ kind: "there" });
    expect(findBridge(bridged, "br1")).toMatchObject({ kind: "problem", hint: "Use that one: br0." });
    expect(findBridge(bare, "eth0")).toMatchObject({ kind: "problem" });
    const manager: NodeState = { ...bare, network: { kind: "network-manager", files: {} } };
    expect(findBridge(manager, "br0")).toMatchObject({
      kind: "problem",
      text: expect.stringContaining("NetworkManager"),
    });
  });

  test("writes all numbers where no file configures the interface", () => {
    const found = findBridge(
      { ...bare, network: { kind: "ifupdown", files: {} }, gateway: { address: "192.168.77.1", interface: "eth0" } },
      "br0",
    );
    expect(found.kind === "change" ? found.change.files : null).toEqual({
      "/etc/network/interfaces.d/br0": expect.stringContaining(
        "iface br0 inet static\n  address 192.168.77.11\n  netmask 255.255.255.0\n  network 192.168.77.0\n  broadcast 192.168.77.255\n  gateway 192.168.77.1\n  bridge_ports eth0\n",
      ),
    });
  });
});

describe("the way back", () => {
  let directory = "";
  beforeEach(() => {
    directory = mkdtempSync(path.join(os.tmpdir(), "virtu-bridge-"));
    mkdirSync(path.join(directory, "bin"));
    writeFileSync(path.join(directory, "interfaces"), "before");
    // The timer is not waited for: its program tells what it would have run.
    standIn("setsid", 'printf "%s\\n" "$@" > "$D/timer"');
    standIn("ip", 'if [ "$1" = -4 ] && [ -e "$D/up" ]; then echo "inet 192.168.77.11/24"; fi');
    standIn("ifup", '[ "$1" != br0 ] || [ -e "$D/broken" ] || touch "$D/up"');
    standIn("ifdown", 'rm -f "$D/up"');
    standIn("sleep", ":");
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  function standIn(name: string, script: string): void {
    const file = path.join(directory, "bin", name);
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
  }
  const change = () => {
    const found = findBridge(bare, "br0");
    if (found.kind !== "change") throw new Error("no change");
    return { ...found.change, files: { [path.join(directory, "interfaces")]: "after" } };
  };
  /** The scripts' places on a node lie below the directory here. */
  function run(line: string, ...words: string[]) {
    const here = line
      .replaceAll("/var/lib/virtu", `${directory}/virtu`)
      .replaceAll("[ -d /sys/class/net/br0/bridge ]", '[ -e "$D/up" ]');
    const env = { ...process.env, D: directory, PATH: `${directory}/bin:${process.env["PATH"]}` };
    return spawnSync("sh", ["-c", here, ...words], { encoding: "utf8", env });
  }
  const interfaces = () => readFileSync(path.join(directory, "interfaces"), "utf8");
  const timer = () => {
    const [, , , script = "", name = "", number = ""] = readFileSync(path.join(directory, "timer"), "utf8").split("\n");
    return run(script, name, number);
  };

  test("is gone once the node was reached again", () => {
    expect(run(bridgeScript("br0", change()).line).status).toBe(0);
    expect(interfaces()).toBe("after");
    expect(run(keepScript("br0", change()).line)).toMatchObject({ status: 0, stdout: "br0 stays\n" });
    timer();
    expect(interfaces()).toBe("after");
    expect(existsSync(path.join(directory, "virtu/bridge-br0"))).toBe(false);
  });

  test("is taken by the node itself when nobody comes; who comes late makes the bridge once more", () => {
    run(bridgeScript("br0", change()).line);
    timer();
    expect(interfaces()).toBe("before");
    const late = run(keepScript("br0", change()).line);
    expect(late.status).toBe(1);
    expect(late.stderr).toContain("went back to its former configuration");
    expect(interfaces()).toBe("after");
    expect(run(keepScript("br0", change()).line).status).toBe(0);
  });

  test("is taken at once when the bridge does not come up", () => {
    writeFileSync(path.join(directory, "broken"), "");
    const said = run(bridgeScript("br0", change()).line);
    expect(said.status).toBe(1);
    expect(said.stderr).toContain("the former configuration is put back");
    expect(interfaces()).toBe("before");
  });

  test("leads to what was before the first of two tries; an earlier timer does nothing", () => {
    run(bridgeScript("br0", change()).line);
    const first = readFileSync(path.join(directory, "timer"), "utf8");
    rmSync(path.join(directory, "up"));
    run(bridgeScript("br0", change()).line);
    const second = readFileSync(path.join(directory, "timer"), "utf8");
    writeFileSync(path.join(directory, "timer"), first);
    timer();
    expect(interfaces()).toBe("after");
    writeFileSync(path.join(directory, "timer"), second);
    timer();
    expect(interfaces()).toBe("before");
  });
});
