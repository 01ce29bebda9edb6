/**
 * Five hundred domains of libvirt's test driver on five hosts: all at once, in waves, and at a time. Everything that is
 * claimed is read with virsh, at and the hosts' own files.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ActionJson } from "../instances.ts";
import { Teardown, until, type VirtuOptions, virtu, virtuProcess } from "../lab.ts";
import { type LabNode, openNetwork, shareHosts, startNode, writeSshConfig } from "../nodes.ts";
import { rootWith } from "../roots.ts";

// Through the daemon all see the same domains, for as long as one connection is open.
const uri = "test+unix:///default?socket=/run/libvirt/libvirt-sock";
const names = ["b1", "b2", "b3", "b4", "b5"];
const perHost = 100;

const teardown = new Teardown();
let hosts: LabNode[];
let options: VirtuOptions;

/** `db-0 … db-4`, the others `web-5 …`: running but for those of the last host. */
const domainNames = Array.from({ length: perHost }, (_, index) => `${index < 5 ? "db" : "web"}-${index}`);

/**
 * In front of the real virsh: writes down when it was asked to start or shut down whom, and refuses two of b3's, as a host
 * does whose administrator forbids it.
 */
const before = `#!/bin/sh
case "$*" in
  *" start "*|*" shutdown "*) printf '%s %s %s\\n' "$(date +%s.%N)" "$3" "$4" >>/run/asked ;;
esac
case "$3 $4" in
  "shutdown web-50"|"shutdown web-51")
    [ ! -e /run/forbidden ] || { printf "error: Failed to shutdown domain '%s'\\nerror: access denied: not now\\n" "$4" >&2; exit 1; } ;;
esac
exec /usr/bin/virsh "$@"
`;

async function startHost(host: LabNode): Promise<void> {
  const running = host.name === "b5" ? [] : domainNames;
  const xml = (name: string) =>
    `<domain type="test"><name>${name}</name><memory unit="MiB">64</memory><vcpu>1</vcpu><os><type>hvm</type></os></domain>`;
  await host.exec(
    `cat >/usr/local/bin/virsh; chmod 755 /usr/local/bin/virsh
printf 'unix_sock_rw_perms = "0770"\\nauth_unix_rw = "none"\\nauth_unix_ro = "none"\\n' >>/etc/libvirt/libvirtd.conf
printf 'host_uuid = "%s"\\n' "$(cat /proc/sys/kernel/random/uuid)" >>/etc/libvirt/libvirtd.conf
${host.name === "b3" ? "touch /run/forbidden" : ""}
mkdir -p /run/domains
libvirtd -d`,
    { input: before },
  );
  await until(`libvirtd on ${host.name}`, async () => {
    return (await host.try(`/usr/bin/virsh -c '${uri}' version`)).status === 0;
  });
  await host.exec(`setsid /usr/bin/virsh -c '${uri}' event --all --loop >/dev/null 2>&1 </dev/null &`);
  const commands = [
    "destroy test",
    "undefine test",
    ...domainNames.map((name) => `define /run/domains/${name}.xml`),
    ...running.map((name) => `start ${name}`),
  ];
  const files = domainNames.map((name) => `printf '%s' '${xml(name)}' >/run/domains/${name}.xml`).join("\n");
  await host.exec(`${files}\n/usr/bin/virsh -q -c '${uri}' >/run/made 2>&1`, { input: `${commands.join("\n")}\n` });
}

beforeAll(async () => {
  const root = await rootWith("bulk", ["libvirt-daemon-system", "libvirt-clients", "at"]);
  const network = await openNetwork(teardown);
  hosts = await Promise.all(names.map((name) => startNode(teardown, network, { name, root })));
  await shareHosts(network, hosts);
  await Promise.all(hosts.map(startHost));
  // b5 has no atd: it can't carry anything at a time.
  await Promise.all(hosts.slice(0, 4).map((host) => host.exec("atd")));
  const sshConfig = await writeSshConfig(network, hosts);
  options = { sshConfig, home: teardown.directory("home"), prefix: network.prefix, timeoutMs: 150_000 };
});
afterAll(() => teardown.run());

const at = (name: string) => hosts.find((host) => host.name === name) as LabNode;
const list = async (host: string, state: string) =>
  (await at(host).exec(`/usr/bin/virsh -c '${uri}' list --name ${state}`)).split("\n").filter(Boolean).sort();
const everywhere = names.flatMap((name) => ["--host", name]);
const headless = (...words: string[]) => virtu([...words, "--uri", uri, "--json"], options);

interface Kept {
  host: string;
  ok: boolean;
  id: string | null;
  carrier: string | null;
  error: { what: string; hint: string } | null;
}

/** The next full minute that is far enough to be kept before it comes. */
const soon = new Date(Math.ceil((Date.now() + 1000) / 60_000) * 60_000);
let kept: Kept[];

test("keeps an action at a time on the host that is to do it, by at", async () => {
  // While machines start, a minute may go by.
  soon.setTime(Math.ceil((Date.now() + 15_000) / 60_000) * 60_000);
  const when = soon.toISOString().slice(11, 16);
  const ran = await headless("at", when, "shutdown", "db-0", "web-99", "--host", "b4", "--yes");
  expect(ran, ran.stderr).toMatchObject({ status: 0 });
  kept = ran.json<Kept[]>();
  expect(kept).toMatchObject([{ host: "b4", ok: true, carrier: "at" }]);
  expect(await at("b4").exec("TZ=UTC LC_ALL=C atq")).toContain(`${when}:00`);
  expect(await list("b4", "--state-running")).toHaveLength(perHost);
});

test("takes one back: at has it no more", async () => {
  const made = (await headless("at", "+2h", "shutdown", "--glob", "web-1?", "--host", "b4", "--yes")).json<Kept[]>();
  const id = made[0]?.id ?? "";
  const listed = await headless("scheduled", "--host", "b4");
  expect(listed.json<{ id: string; state: string; names: string[] }[]>().find((job) => job.id === id)).toMatchObject({
    state: "waiting",
    names: Array.from({ length: 10 }, (_, index) => `web-${10 + index}`),
  });
  expect((await at("b4").exec("atq")).split("\n")).toHaveLength(2);
  const back = await headless("unschedule", id, "--host", "b4");
  expect(back, back.stderr).toMatchObject({ status: 0 });
  expect((await at("b4").exec("atq")).split("\n")).toHaveLength(1);
  expect(await at("b4").exec("ls ~/.virtu/scheduled")).toBe(kept[0]?.id);
});

test("refuses where neither at nor systemd runs, and says what to do", async () => {
  const ran = await headless("at", "+2h", "start", "db-0", "--host", "b5", "--yes");
  expect(ran.status).toBe(1);
  expect(ran.json<Kept[]>()[0]).toMatchObject({
    ok: false,
    error: { hint: expect.stringContaining("Install and start at") },
  });
  expect(await at("b5").exec("ls ~/.virtu/scheduled")).toBe("");
});

test("keeps it as a systemd timer's unit files where there is no at; they go with the job (systemctl is a stand-in)", async () => {
  await at("b5").exec(
    `mkdir -p /run/systemd/system /etc/systemd/system
cat >/usr/local/bin/systemctl; chmod 755 /usr/local/bin/systemctl`,
    {
      input: `#!/bin/sh
echo "$*" >>/run/systemctl
case $1 in is-active) [ -e "/etc/systemd/system/$3" ] ;; esac
`,
    },
  );
  const units = async () =>
    (await at("b5").exec("ls /etc/systemd/system")).split("\n").filter((name) => /^virtu-/.test(name));
  const keep = async () => {
    const ran = await headless("at", "+2h", "start", "db-4", "--host", "b5", "--yes");
    const [job] = ran.json<Kept[]>();
    expect(job, ran.stderr).toMatchObject({ ok: true, carrier: "systemd" });
    return job?.id ?? "";
  };
  const first = await keep();
  expect(await units()).toEqual([`virtu-${first}.service`, `virtu-${first}.timer`]);
  expect(await at("b5").exec("cat /run/systemctl")).toContain(`enable --now virtu-${first}.timer`);
  expect(await at("b5").exec(`cat /etc/systemd/system/virtu-${first}.service`)).toMatch(
    /User=root\nExecStart=\/bin\/sh "\/root\/.virtu\/scheduled\//,
  );
  expect((await headless("scheduled", "--host", "b5")).json<{ state: string }[]>()).toMatchObject([
    { state: "waiting" },
  ]);
  expect((await headless("unschedule", first, "--host", "b5")).status).toBe(0);
  expect(await units()).toEqual([]);
  const second = await keep();
  await at("b5").exec(`sh ~/.virtu/scheduled/${second}/script`);
  expect(await list("b5", "--state-running")).toEqual(["db-4"]);
  expect(await units()).toEqual([]);
  expect((await headless("scheduled", "--host", "b5")).json<{ state: string }[]>()).toMatchObject([{ state: "done" }]);
  await at("b5").exec(
    `/usr/bin/virsh -c '${uri}' destroy db-4; rm -r /run/systemd /usr/local/bin/systemctl; : >/run/asked`,
  );
});

test("starts the databases first, and the web servers when the databases answer", async () => {
  const waves = [
    ...["--wave", "db-0 until running and port 5432 within 60"],
    ...["--wave", "glob=web-1? until running within 60"],
  ];
  const words = ["start", ...waves, "--host", "b5", "--uri", uri, "--parallel", "4"];
  const running = virtuProcess(teardown, words, options);
  const asked = async () => (await at("b5").try("cat /run/asked")).stdout.split("\n").filter(Boolean);
  await until("db-0 started", async () => (await list("b5", "--state-running")).includes("db-0"), 60_000);
  // Nobody answers for it: the second wave waits.
  await at("b5").exec("printf '127.0.0.1 db-0\\n' >>/etc/hosts");
  const listening = await at("b5").exec(
    `setsid python3 -c 'import socket,time
time.sleep(3)
s=socket.create_server(("127.0.0.1",5432))
open("/run/listens","w").write(repr(time.time()))
while True: s.accept()[0].close()' >/dev/null 2>&1 </dev/null & echo $!`,
  );
  expect(Number(listening)).toBeGreaterThan(0);
  expect(await asked()).toHaveLength(1);
  const ended = await running.ended;
  expect(ended, ended.stderr).toMatchObject({ status: 0 });
  const listens = Number(await at("b5").exec("cat /run/listens"));
  const [db, ...web] = (await asked()).map((line) => line.split(" "));
  expect(db?.slice(1)).toEqual(["start", "db-0"]);
  expect(Number(db?.[0])).toBeLessThan(listens);
  expect(web.map((words) => words[2]).sort()).toEqual(Array.from({ length: 10 }, (_, index) => `web-${10 + index}`));
  expect(Math.min(...web.map(([time]) => Number(time)))).toBeGreaterThan(listens);
  expect(await list("b5", "--state-running")).toHaveLength(11);
});

test("a condition that does not come to hold stops the waves and says why", async () => {
  const waves = ["--wave", "db-1 until port 5433 within 3", "--wave", "web-20"];
  const ran = await headless("start", ...waves, "--host", "b5");
  expect(ran.status).toBe(3);
  const results = ran.json<ActionJson[]>();
  expect(results.find(({ name }) => name === "db-1")).toMatchObject({ ok: true });
  expect(results.find(({ name }) => name === "web-20")).toMatchObject({
    ok: false,
    error: expect.stringMatching(/^wave 1 \(db-1\) failed: db-1: port 5433: .* does not answer after 3 s$/),
  });
  expect(await list("b5", "--state-running")).not.toContain("web-20");
});

test("what was kept for a time is done by the host itself, and what came of it is listed", async () => {
  const id = kept[0]?.id ?? "";
  const job = `~/.virtu/scheduled/${id}`;
  const over = async () => (await at("b4").try(`cat ${job}/status`)).status === 0;
  await until(`the scheduled job of ${soon.toISOString()}`, over, 90_000);
  expect(await at("b4").exec(`cat ${job}/results`)).toBe("0 db-0\n0 web-99");
  const begun = Number(await at("b4").exec(`cat ${job}/started`));
  expect(begun).toBeGreaterThanOrEqual(soon.getTime() / 1000);
  expect(begun).toBeLessThan(soon.getTime() / 1000 + 30);
  const off = await list("b4", "--state-shutoff");
  expect(off).toEqual(["db-0", "web-99"]);
  const listed = (await headless("scheduled", "--host", "b4")).json<{ id: string; state: string }[]>();
  expect(listed.find((one) => one.id === id)?.state).toBe("done");
  expect(await at("b4").exec("atq")).toBe("");
}, 120_000);

test("shuts down five hundred at once with two that refuse: each answered for, the two named", async () => {
  // Those of b5 that are off are as wanted already; b4's scheduled ones may be off as well.
  const summary = join(options.home, "summary.json");
  const words = ["shutdown", "--all", "--parallel", "8", "--summary", summary, "--yes"];
  const ran = await headless(...words, ...everywhere);
  expect(ran.status, ran.stderr).toBe(3);
  const results = ran.json<ActionJson[]>();
  expect(results).toHaveLength(names.length * perHost);
  const refused = results.filter(({ ok }) => !ok).map(({ host, name }) => `${host}/${name}`);
  expect(refused.sort()).toEqual(["b3/web-50", "b3/web-51"]);
  expect(results.find(({ name, host }) => name === "web-50" && host === "b3")?.error).toContain("access denied");
  for (const host of names) {
    expect(await list(host, "--state-running")).toEqual(host === "b3" ? ["web-50", "web-51"] : []);
  }
  const saved = JSON.parse(readFileSync(summary, "utf8")) as {
    counts: Record<string, number>;
    items: { name: string }[];
  };
  expect(saved.counts["failed"]).toBe(2);
  expect(
    saved.items
      .slice(0, 2)
      .map(({ name }) => name)
      .sort(),
  ).toEqual(["web-50", "web-51"]);
  console.log(`500 domains on 5 hosts shut down in ${(ran.durationMs / 1000).toFixed(1)} s`);
});
