/** Debian 13 with Ganeti 3.1, on hosts that nobody reserved; a node's cable is pulled in the middle of a step. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { InstanceJson } from "../instances.ts";
import { run, Teardown, until, type VirtuOptions, virtu } from "../lab.ts";
import type { LabNode } from "../nodes.ts";
import { beginnings, type CellEvent, carry, stepsThat, unchanged, whatHappened } from "./carry.ts";
import { type BareHosts, openHosts } from "./hosts.ts";

const teardown = new Teardown();
let hosts: BareHosts;
let options: VirtuOptions;
let master: LabNode;
let other: LabNode;
let rootPassword: string | null = null;

const names = ["node1", "node2"];
const domain = "lab.example.org";

beforeAll(async () => {
  hosts = await openHosts(teardown, process.env["SUITE"] ?? "trixie", names);
  [master, other] = hosts.nodes as [LabNode, LabNode];
  const home = teardown.directory("trixie-home");
  options = { sshConfig: hosts.sshConfig, home, prefix: hosts.network.prefix, timeoutMs: 300_000 };
});
afterAll(() => teardown.run());

const configure = [
  ...["configure", "--nodes", names.join(","), "--yes"],
  ...["--timezone", "Europe/Paris", "--generate-password"],
];
const install = [
  ...["install", "ganeti", "--nodes", names.join(","), "--yes", "--hypervisor", "fake", "--storage", "file"],
  ...["--cluster-name", `cluster1.${domain}`, "--cluster-address", "10.99.0.100"],
];

it("configures the nodes", async () => {
  const carried = await carry(teardown, configure, options);
  expect(carried, whatHappened(carried)).toMatchObject({ status: 0, outcome: { ok: true, changed: true } });
  rootPassword = carried.rootPassword;
  for (const node of hosts.nodes) {
    expect(await node.exec("apt-get -s full-upgrade | grep -c '^Inst' || true")).toBe("0");
    expect(await node.exec("date +%Z")).toMatch(/^CES?T$/);
  }
  expect(await master.exec(`ssh -o BatchMode=yes -o StrictHostKeyChecking=yes node2 hostname -f`)).toBe(
    `node2.${domain}`,
  );
});

it("made a password that is in force, and is kept nowhere", async () => {
  expect(rootPassword).toMatch(/^[\w-]{16,}$/);
  const check = `perl -e '
    my ($field) = map { (split /:/)[1] } grep { /^root:/ } do { open my $file, "<", "/etc/shadow"; <$file> };
    chomp(my $password = <STDIN>);
    print crypt($password, $field) eq $field ? "it is the one" : "it is another";'`;
  for (const node of hosts.nodes) expect(await node.exec(check, { input: `${rootPassword}\n` })).toBe("it is the one");
  // Neither on the nodes nor here, in what the run keeps.
  expect(await run("grep", ["-rlF", "--", rootPassword ?? "", options.home])).toMatchObject({ status: 1, stdout: "" });
  for (const node of hosts.nodes) {
    const found = await node.try(`grep -rlF -- "$(cat)" /root /etc /var /tmp /run`, { input: rootPassword ?? "" });
    expect(found).toMatchObject({ status: 1, stdout: "" });
  }
});

it("makes a cluster, although a node's cable is pulled on the way", async () => {
  let cut: Promise<void> | null = null;
  const pull = async ({ step }: CellEvent) => {
    await until("the script runs", async () => {
      const running = await other.try(`kill -0 "$(cat /root/.virtu/runs/*/${step}.*/worker)"`);
      return running.status === 0;
    });
    await other.link("down");
    // The node gives its sessions up, as one does that hears nothing; virtu finds that out once the cable is in again.
    await other.exec(`sessions=$(pgrep -f '^sshd(-session)?: root'); kill -9 $sessions`);
    const ended = '! kill -0 "$(cat /root/.virtu/runs/*/packages.*/worker)" 2>/dev/null';
    await until("the script has ended meanwhile", async () => (await other.try(ended)).status === 0);
    await other.link("up");
  };
  const carried = await carry(teardown, install, options, (event) => {
    if (event.step === "packages" && event.node === "node2" && event.state === "running") cut ??= pull(event);
  });
  expect(cut).not.toBeNull();
  await cut;
  expect(carried, whatHappened(carried)).toMatchObject({ status: 0, outcome: { ok: true, changed: true } });
  expect(stepsThat(carried.outcome, "failed", "skipped", "cancelled")).toEqual([]);
  for (const node of hosts.nodes) {
    expect(Object.values(await beginnings(node)).filter((count) => count !== 1)).toEqual([]);
    expect(await node.exec("grep -c ' install ganeti:' /var/log/dpkg.log")).toBe("1");
  }
  const verified = await master.try("gnt-cluster verify --error-codes");
  expect(verified, verified.stdout).toMatchObject({ status: 0 });
  expect(verified.stdout).not.toMatch(/ - (ERROR|WARNING)/);
});

it("runs an instance with its disk in a file, which virtu lists", async () => {
  const name = `web1.${domain}`;
  await master.exec(
    `gnt-instance add -t file --disk 0:size=1G -o noop -n node2.${domain} -B memory=128,vcpus=1 ${name}`,
  );
  const listed = await virtu(["instances", "--host", "node1", "--json"], options);
  expect(listed, listed.stderr).toMatchObject({ status: 0 });
  expect(listed.json<InstanceJson[]>()).toEqual([
    expect.objectContaining({ name, provider: "ganeti", node: `node2.${domain}`, status: "running", memoryMiB: 128 }),
  ]);
});

it("changes nothing when all is run again", async () => {
  await unchanged(teardown, configure, options, hosts.nodes);
  await unchanged(teardown, install, options, hosts.nodes);
});
