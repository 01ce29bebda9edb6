/** What the stand-ins print, beside what the real programs printed. */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { Clock, realTimers } from "../../source/site/clock.ts";
import { type EmbeddedSite, startSite } from "../../source/site/index.ts";
import type { Machine } from "../../source/site/machine/machine.ts";
import { virsh } from "../../source/site/programs/virsh.ts";
import { Random } from "../../source/site/random.ts";
import { fold, unfold } from "../../source/site/world/fold.ts";
import { LibvirtHost } from "../../source/site/world/libvirt.ts";
import type { DomainFacts } from "../../source/site/world/libvirt-domain.ts";
import { begin, newMachine, type Ran, run } from "./machine.ts";
import { masked, recording, shape } from "./recordings.ts";

function maskedRun({ stdout, stderr, status }: Ran) {
  return { stdout: masked(stdout), stderr: masked(stderr), status };
}

let site: EmbeddedSite;
let frontend: Machine;
let job = 0;

async function reserve(words: string): Promise<number> {
  const { stdout, stderr } = await run(frontend, `oarsub ${words}`);
  const id = Number(/OAR_JOB_ID=(\d+)/.exec(stdout)?.[1]);
  expect({ id: id > 0, stderr }).toEqual({ id: true, stderr: "" });
  await vi.waitUntil(() => site.world.oar.jobs.get(id)?.state === "Running", { interval: 5 });
  return id;
}

beforeAll(async () => {
  site = await startSite({ nodes: 16, speed: 1000 });
  frontend = site.world.machines.get(site.frontend)!;
  job = await reserve(`-t deploy -n virtu -l slash_22=1+nodes=2,walltime=1:00:00 'sleep 100000'`);
});

afterAll(() => site.end());

describe("OAR, masked", () => {
  const same: [string, string][] = [
    ["oar/oarsub-deploy-env", "oarsub -t deploy -n virtu -l slash_22=1+nodes=2,walltime=0:10:00 'sleep infinity'"],
    ["oar/oarsub-J", "oarsub -J -t deploy -n virtu -l slash_22=1+nodes=2,walltime=1:00:00 'sleep infinity'"],
    ["oar/err-impossible-nodes", "oarsub -t deploy -l slash_22=1+nodes=99,walltime=1:00:00 'sleep 300'"],
    ["oar/err-queue-unknown", "oarsub -q nope -t deploy -l slash_22=1+nodes=1,walltime=1:00:00 'sleep 300'"],
    ["oar/err-bad-option", "oarsub --nope 'sleep 300'"],
    ["oar/err-walltime-text", "oarsub -t deploy -l slash_22=1+nodes=1,walltime=abc 'sleep 300'"],
    ["oar/err-resource-syntax", "oarsub -t deploy -l slash_22=1+nodes,walltime=1:00:00 'sleep 300'"],
    ["oar/err-walltime-none", "oarsub --hold -t deploy -l slash_22=1+nodes=1 'sleep 300'"],
    ["oar/err-type-unknown", "oarsub -t deploi -l nodes=1,walltime=1:00:00 'sleep 300'"],
    ["oar/err-core-with-deploy", "oarsub -t deploy -l core=1,walltime=1:00:00 'sleep 300'"],
    ["oar/resa-bad-date", "oarsub -r tomorrow -t deploy -n virtu -l slash_22=1+nodes=1,walltime=0:05:00"],
    ["oar/resa-past", "oarsub -r '2020-11-22 09:35:14' -t deploy -n virtu -l slash_22=1+nodes=1,walltime=0:05:00"],
    ["oar/oardel-nosuch", "oardel 9999"],
    ["oar/oardel-badid", "oardel abc"],
    ["oar/oardel-notmine", "oardel 1874"],
    ["oar/oarstat-J-nosuch", "oarstat -J -j 9999"],
    ["oar/oarstat-s-J-nosuch", "oarstat -s -J -j 9999"],
    ["site/oarstat-s-running", "oarstat -s -j $JOB"],
    ["site/oarstat-s-J-running", "oarstat -s -J -j $JOB"],
    ["site/oarstat-list", "oarstat -j $JOB"],
    ["site/oarstat-badid", "oarstat -j abc"],
    ["oar/walltime-query", "oarwalltime $JOB"],
    ["oar/walltime-too-much", "oarwalltime $JOB +9:00:00"],
    ["oar/walltime-increase", "oarwalltime $JOB +0:30:00"],
    ["oar/walltime-nosuch", "oarwalltime 9999 +1:00"],
    ["oar/walltime-nosuch-query", "oarwalltime 9999"],
  ];
  for (const [name, line] of same) {
    test(name, async () => {
      const actual = maskedRun(await run(frontend, line.replace("$JOB", String(job))));
      expect(actual).toEqual(maskedRun(recording(name)));
    });
  }

  test("a column that OAR does not have", async () => {
    const { stdout, stderr, status } = await run(
      frontend,
      "oarsub -t deploy -l slash_99=1+nodes=1,walltime=1:00:00 'sleep 300'",
    );
    const real = recording("oar/err-property-unknown");
    expect({ stdout, status }).toEqual({ stdout: real.stdout, status: real.status });
    expect(stderr).toBe(real.stderr.replace(/\nHINT: .*?(?= at |\)\n)/g, ""));
  });

  test("root is refused", async () => {
    const ran = await run(frontend, "oarsub -t deploy -l nodes=1 'sleep 1'", "", "root");
    expect(ran).toEqual(recording("oar/err-root"));
  });

  const json: [string, string, string][] = [
    ["oar/oarstat-f-J-j-running", "oarstat -f -J -j", ""],
    ["site/oarstat-J-u", "oarstat -J -j", ""],
    ["oar/oarstat-f-J-deleted", "oarstat -f -J -j", "oardel"],
    ["oar/oarstat-f-J-waiting", "oarstat -f -J -j", "wait"],
  ];
  for (const [name, line, how] of json) {
    test(`${name}: the same keys and types`, async () => {
      let id = job;
      if (how === "oardel") {
        id = await reserve("-t deploy -n virtu -l slash_22=1+nodes=1,walltime=0:10:00 'sleep infinity'");
        await run(frontend, `oarwalltime ${id} -0:01; oardel ${id}`);
        await expect.poll(() => site.world.oar.jobs.get(id)?.state, { interval: 5 }).toBe("Error");
      }
      if (how === "wait") {
        const { stdout } = await run(
          frontend,
          "oarsub -t deploy -n virtu -l slash_22=1+nodes=16,walltime=1:00:00 'sleep infinity'",
        );
        id = Number(/=(\d+)/.exec(stdout)?.[1]);
        await expect.poll(() => site.world.oar.jobs.get(id)?.predicted, { interval: 5 }).toEqual(expect.any(Number));
      }
      const { stdout, status } = await run(frontend, `${line} ${id}`);
      const [key, mine] = Object.entries(JSON.parse(stdout))[0]!;
      const [, real] = Object.entries(JSON.parse(recording(name).stdout))[0]!;
      expect({ key, status }).toEqual({ key: String(id), status: 0 });
      expect(shape(mine)).toEqual(shape(real));
      // Perl's own way of writing it.
      expect(stdout.startsWith(`{\n   "${id}" : {\n      "`)).toBe(true);
    });
  }

  test("the text form has the same lines in the same order", async () => {
    const keys = (text: string) => text.split("\n").map((line) => line.replace(/ = .*$/, " =").replace(/\d+$/, "N"));
    const { stdout } = await run(frontend, `oarstat -f -j ${job}`);
    expect(keys(stdout.replace(/^\S.*> .*\n/gm, ""))).toEqual(keys(recording("oar/oarstat-f-j-running").stdout));
  });

  test("oarstat -p tells the same columns, and the subnet", async () => {
    const columns = (text: string) => text.split("\n").map((line) => (line.match(/\w+(?= = ')/g) ?? []).sort());
    const { stdout } = await run(frontend, `oarstat -p -j ${job}`);
    const real = new Set(columns(recording("oar/oarstat-p-running").stdout).flat());
    const mine = new Set(columns(stdout).flat());
    expect([...real].filter((column) => !mine.has(column))).toEqual([]);
    expect(stdout.trimEnd().split("\n").at(-1)).toMatch(/ subnet_address = '10\.156\.\d+\.0' , .* slash_22 = '\d+'/);
  });

  test("the node file is there while the job runs, a line for each core", async () => {
    const { stdout } = await run(
      frontend,
      `sort /var/lib/oar/${job} | uniq -c; g5k-subnets -p -j ${job}; g5k-subnets -im -j ${job} | head -n 1`,
    );
    expect(stdout).toMatch(
      /^ {6}4 paravance-\d+\.demo\n {6}4 paravance-\d+\.demo\n10\.156\.(\d+)\.0\/22\n10\.156\.\1\.1\t00:16:3E:9C:..:01\n$/,
    );
  });

  test("oarnodes", async () => {
    const states = JSON.parse((await run(frontend, "oarnodes -J -s")).stdout) as Record<string, Record<string, string>>;
    expect(Object.keys(states[""] ?? {}).length).toBe(64);
    expect(new Set(Object.values(states["paravance-1.demo"] ?? {}))).toEqual(new Set(["Alive"]));
    const all = JSON.parse((await run(frontend, "oarnodes -J")).stdout) as Record<string, Record<string, unknown>>;
    const real = Object.values(JSON.parse(recording("oar/oarnodes-J").stdout))[1] as object;
    const mine = Object.keys(all["1"] ?? {});
    expect(Object.keys(real).filter((key) => key !== "jobs" && !mine.includes(key))).toEqual([]);
    expect((await run(frontend, "oarnodes nosuch")).stdout).toBe("");
  });
});

describe("Kadeploy, masked", () => {
  const nodes = () =>
    site.world.oar.jobs
      .get(job)!
      .nodes.map(({ name }) => `-m ${name}`)
      .join(" ");
  const deploy = (more = "-k") =>
    run(
      frontend,
      `cd; RUBYOPT=-rlive kadeploy3 ${nodes()} -e debian11-min ${more} -o ok -n ko --write-workflow-id wid`,
    );

  test("a deployment that is well", async () => {
    const { stdout, stderr, status } = await deploy();
    const real = recording("kadeploy/success").stdout.replace(
      "Grab the tarball file server:///tmp/g5krun/img/a.tgz\n",
      "",
    );
    // Three nodes there, two here.
    expect(masked(stdout)).toBe(masked(real).replace(/HOST\nHOST\nHOST\n/, "HOST\nHOST\n"));
    expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
    const files = await run(frontend, "cat ok; wc -c < ko; cat wid");
    expect(files.stdout).toMatch(/^paravance-\d+\.demo\nparavance-\d+\.demo\n0\nD-[0-9a-f-]{36}\n$/);
  });

  test("a node that fails: the same words, the same split, status 0", async () => {
    site.setScenario("node-always-fails");
    const { stdout, status } = await deploy();
    site.setScenario("node-always-fails", false);
    const real = masked(recording("kadeploy/partial-failure").stdout);
    const mine = masked(stdout);
    const words = (text: string) =>
      new Set(
        text.split("\n").map((line) =>
          line
            .replace(/^(?:\[N\] )?/, "")
            .replace(/\(\S+-\w+: .*\)/, "(STEP: REASON)")
            .replace("wait_reboot", "STEP")
            .replace("create_partition_table", "STEP"),
        ),
      );
    expect([...words(mine)].sort()).toEqual([...words(real)].sort());
    expect(mine).toMatch(/---\nNodeset \[N\] split into :\n {2}\[N\] HOST\n {2}\[N\] HOST\n---\n/);
    expect(mine).toMatch(
      /done\n\nThe deployment is successful on nodes\nHOST\nThe deployment failed on nodes\nHOST \(SetDeploymentEnvUntrusted-create_partition_table: fdisk: .*\)\n$/,
    );
    expect(status).toBe(0);
  });

  test("Ctrl-C cancels, a hang-up does not", async () => {
    const line = `RUBYOPT=-rlive kadeploy3 ${nodes()} -e debian11-min -k > log 2>&1 & while ! grep -q wait_reboot log; do sleep 0.01; done; kill -SIGNAL $!; wait $!; echo $?`;
    site.setSpeed(100);
    const hung = await run(frontend, line.replace("SIGNAL", "HUP"));
    expect(hung.stdout).toBe("129\n");
    const [deployment] = [...site.world.kadeploy.deployments.values()].filter(({ state }) => state === "running");
    site.setSpeed(1000);
    await expect.poll(() => deployment?.state, { timeout: 10_000 }).toBe("done");
    const last = begin(frontend, `RUBYOPT=-rlive kadeploy3 ${nodes()} -e debian11-min -k > log 2>&1`);
    const client = () => [...frontend.processes.values()].find(({ title }) => title.startsWith("kadeploy3 "));
    await vi.waitUntil(() => client()?.handlers.has("INT"));
    client()?.signal("INT");
    expect(await last.ended).toEqual({ status: 1, signal: null });
    expect((await run(frontend, "tail -n 1 log")).stdout).toBe("SIGINT trapped\n");
    expect([...site.world.kadeploy.deployments.values()].filter(({ state }) => state === "running")).toEqual([]);
  });

  const errors: [string, string][] = [
    ["error-bad-option", "kadeploy3 -z"],
    ["error-no-environment-chosen", "kadeploy3 -m paravance-1.demo"],
    ["error-no-environment", "kadeploy3 -e nope -m paravance-1.demo"],
    ["error-no-image", "kadeploy3 -a absent.env -m paravance-1.demo"],
    ["error-no-key", "kadeploy3 -e debian11-min -m paravance-1.demo -k /nokey"],
    ["error-rights", "kadeploy3 -e debian11-min -m paravance-9.demo"],
    ["error-unknown-node", "kadeploy3 -e debian11-min -m unknown-9.demo"],
  ];
  for (const [name, line] of errors) {
    test(name, async () => {
      const { stderr, status, stdout } = await run(frontend, line);
      const names = (text: string) => text.replace(/\S*absent\.env/, "FILE").replace(/unknown-9\.\S+/, "HOST");
      const real = recording(`kadeploy/${name}`).stderr;
      expect(names(stderr)).toBe(names(real));
      expect({ stdout, status }).toEqual({ stdout: "", status: Number(/#(\d+)/.exec(real)?.[1] ?? 1) });
    });
  }

  test("kaenv3's table", async () => {
    const rows = (text: string) => text.split("\n").slice(0, 2);
    const { stdout } = await run(frontend, "kaenv3 -l");
    expect(rows(stdout)).toEqual(rows(recording("kadeploy/kaenv3-list").stdout));
    expect(stdout).toContain("\nvirtu-xen             1       jdoe        Bullseye + Xen 4.14 + ganeti prereq...\n");
    expect(await run(frontend, "kaenv3 -l -u nobody")).toEqual({
      stdout: recording("kadeploy/kaenv3-none").stdout,
      stderr: "",
      status: 0,
    });
    const keys = (text: string) => text.match(/^ *[a-z_]+:/gm);
    expect(keys((await run(frontend, "kaenv3 -p debian12-min")).stdout)).toEqual(
      keys(recording("kadeploy/kaenv3-print").stdout),
    );
  });

  test("names are folded and unfolded", () => {
    expect(fold(["a-3.x", "a-1.x", "a-2.x", "a-7.x"])).toBe("a-[1-3,7].x");
    expect(fold(["a-1.x"])).toBe("a-1.x");
    expect(unfold("a-[1-3,7].x")).toEqual(["a-1.x", "a-2.x", "a-3.x", "a-7.x"]);
  });
});

describe("Ganeti, masked", () => {
  const on = (line: string, host = "gnt1.demo") => run(site.world.machines.get(host)!, line, "", "root");
  const same: [string, string, string?][] = [
    ["site/a01-start-running", "gnt-instance startup web1"],
    ["site/a18-multi-start", "gnt-instance shutdown web1 web2"],
    ["site/a19-multi-start-force", "gnt-instance startup --force-multiple web1 web2"],
    ["ganeti/a02-start-unknown", "gnt-instance startup nosuch"],
    ["ganeti/a07-reboot-down", "gnt-instance reboot db2"],
    ["ganeti/a08-shutdown-submit", "gnt-instance shutdown --submit web1"],
    ["ganeti/s08-start-offline", "gnt-instance startup backup"],
    ["site/l06-list-unknown", "gnt-instance list nosuch"],
    ["ganeti/b11-jobwatch-unknown", "gnt-job watch 99999"],
    ["site/k08-cancel-done", "gnt-job cancel -f 1"],
    ["ganeti/v04-list-on-node2", "gnt-instance list", "gnt2.demo"],
    ["site/v03-getmaster", "gnt-cluster getmaster", "gnt3.demo"],
  ];
  for (const [name, line, host] of same) {
    test(name, async () => {
      // Lines of dashes are as long as the number above them.
      const level = (ran: Ran) => JSON.parse(JSON.stringify(maskedRun(ran)).replace(/-{5,}/g, "-----"));
      expect(level(await on(line, host))).toEqual(level(recording(name)));
    });
  }

  test("tables: headers, columns, what has no value", async () => {
    const head = (text: string) => text.split("\n")[0]?.split(/ +/).filter(Boolean);
    expect(head((await on("gnt-instance list")).stdout)).toEqual(head(recording("site/a24-list").stdout));
    expect(head((await on("gnt-node list --units h")).stdout)).toEqual(head(recording("site/n04-node-list-h").stdout));
    const separated = await on(
      "gnt-instance list --separator='|' --units m -o name,status,oper_ram,be/vcpus,tags wiki proxy",
    );
    expect(separated.stdout).toBe(
      `${recording("site/l02-list-machine-headers").stdout.split("\n")[0]}\nwiki.demo|ADMIN_down|-|1|\nproxy.demo|running|256|1|\n`,
    );
    const filtered = await on(`gnt-instance list --no-headers -o name -F 'status == "ERROR_down"'`);
    expect(filtered.stdout).toBe("ci-runner.demo\n");
    const others = await on(`gnt-node list --no-headers -o name -F 'name != "gnt1.demo" and name != "gnt3.demo"'`);
    expect(others.stdout).toBe("gnt2.demo\n");
    expect(await on("gnt-instance list --no-headers --separator=: -o name,nope proxy")).toMatchObject({
      stdout: "proxy.demo:??\n",
      status: 14,
    });
  });

  test("nobody but root is served", async () => {
    expect(await run(site.world.machines.get("gnt1.demo")!, "/usr/sbin/gnt-instance list")).toEqual(
      recording("ganeti/z01-nonroot"),
    );
  });

  test("jobs on one instance wait for each other", async () => {
    site.setSpeed(200);
    const { stdout } = await on(
      "gnt-instance shutdown --submit mail; gnt-instance start --submit mail; while ! gnt-job list --no-headers -o status | grep -q waiting; do sleep 0.01; done; gnt-job list --no-headers --separator='|' -o status,summary | tail -n 2",
    );
    site.setSpeed(1000);
    expect(stdout).toMatch(/running\|INSTANCE_SHUTDOWN\(mail\.demo\)\nwaiting\|INSTANCE_STARTUP\(mail\.demo\)\n$/);
  });
});

describe("virsh, to the byte", () => {
  const facts = (
    name: string,
    state: DomainFacts["state"],
    title = "",
    more: Partial<DomainFacts> = {},
  ): DomainFacts => ({
    name,
    title,
    state,
    vcpus: 1,
    memory: 163_840,
    autostart: false,
    saved: false,
    ...more,
  });

  function host(domains: readonly DomainFacts[], ids: Readonly<Record<string, number>>): Machine {
    const libvirt = new LibvirtHost("vm", new Clock(realTimers, 1000), new Random(1), domains);
    for (const domain of libvirt.domains) {
      if (domain.id !== null) domain.id = ids[domain.name] ?? domain.id;
      domain.maximumMemory = 196_608;
      if (domain.name === "web1") domain.uuid = "c0a92ec1-aa59-49b5-a59e-0068edd58b08";
      if (domain.name === "db1") domain.uuid = "ac33113b-6531-4f50-82e6-d30d76d1982f";
      if (domain.name === "ci1") domain.uuid = "3ea5324c-957e-4162-8153-48349a0bc499";
    }
    const machine = newMachine();
    machine.install({ virsh: virsh(libvirt, () => 0) });
    return machine;
  }

  const off = [facts("web1", "shut off"), facts("db1", "shut off"), facts("ci1", "running")];
  const titled = [
    facts("web1", "running", "Front-end web"),
    facts("db1", "running"),
    facts("ci1", "running", "CI runner ü"),
  ];
  const cases: [string, readonly DomainFacts[], Record<string, number>][] = [
    ["list-all-mixed", off, { ci1: 10 }],
    ["list-all-title", titled, { web1: 1, db1: 2, ci1: 3 }],
    [
      "list-managed-save",
      [facts("web1", "shut off", "", { saved: true }), facts("db1", "running"), facts("ci1", "running")],
      { ci1: 10, db1: 13 },
    ],
    ["list-all-name-uuid-id", titled, { web1: 1, db1: 2, ci1: 3 }],
    ["dominfo-off", off, {}],
    ["err-unknown-cmd", off, {}],
    ["err-bad-opt", off, {}],
    ["err-missing-arg", off, {}],
    ["err-reboot-off", off, {}],
    ["err-no-domain-dominfo", off, {}],
    ["start-ci1", [facts("ci1", "shut off")], {}],
    ["shutdown-acpi-web1", titled, {}],
    ["reboot-ci1", titled, {}],
    ["destroy-web1", titled, {}],
    ["hostname", off, {}],
    ["version", off, {}],
    ["uri", off, {}],
  ];
  for (const [name, domains, ids] of cases) {
    test(name, async () => {
      const command = recordingCommand(name);
      const real = recording(`site/${name}`);
      expect(await run(host(domains, ids), command, "", "root")).toEqual(real);
    });
  }

  test("a batch runs on after a failure, and its status is that of its last command", async () => {
    const machine = host(off, {});
    expect(await run(machine, "virsh 'echo @@a; start nosuch; echo @@b'", "", "root")).toEqual({
      stdout: "@@a\n\n@@b\n",
      stderr: "error: failed to get domain 'nosuch'\n",
      status: 0,
    });
    expect(await run(machine, "virsh 'echo @@a; frob'", "", "root")).toEqual({
      stdout: "",
      stderr: "error: unknown command: 'frob'\n",
      status: 1,
    });
  });
});

function recordingCommand(name: string): string {
  const commands: Readonly<Record<string, string>> = {
    "list-all-mixed": "virsh list --all",
    "list-all-title": "virsh list --all --title",
    "list-managed-save": "virsh list --all --managed-save",
    "list-all-name-uuid-id": "virsh list --all --name --uuid --id",
    "dominfo-off": "virsh dominfo web1",
    "err-unknown-cmd": "virsh frobnicate",
    "err-bad-opt": "virsh list --frob",
    "err-missing-arg": "virsh start",
    "err-reboot-off": "virsh reboot web1",
    "err-no-domain-dominfo": "virsh dominfo nosuch",
    "start-ci1": "virsh start ci1",
    "shutdown-acpi-web1": "virsh shutdown web1",
    "reboot-ci1": "virsh reboot ci1",
    "destroy-web1": "virsh destroy web1",
    hostname: "virsh hostname",
    version: "virsh version",
    uri: "virsh uri",
  };
  return commands[name] ?? "false";
}
