import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { checkUpPlan, readUpPlan } from "../../source/journey/up-file.ts";
import type { UpPlan } from "../../source/journey/up-types.ts";

function planOf(text: string): UpPlan {
  const read = readUpPlan(text);
  if ("faults" in read) throw new Error(read.faults.map((fault) => fault.text).join("\n"));
  return read.plan;
}

/** Faults as `LINE:COLUMN FIELD: TEXT`. */
function faultsOf(text: string): string[] {
  const read = readUpPlan(text);
  return "faults" in read
    ? read.faults.map(({ line, column, field, text: why }) => `${line}:${column} ${field}: ${why}`)
    : [];
}

test("the documented example is a plan, and names every field that there is", () => {
  const text = readFileSync("docs/up.example.yaml", "utf8");
  expect(planOf(text)).toEqual({
    nodes: {
      kind: "reserve",
      site: "rennes",
      request: {
        nodes: 4,
        walltimeSeconds: 9000,
        subnet: 22,
        cluster: "paravance",
        properties: "memnode > 100000",
        queue: "default",
        project: "lab",
        name: "virtu",
        start: "2026-03-02 19:00:00",
      },
    },
    minimum: { kind: "share", share: 0.75 },
    deploy: {
      environment: { kind: "environment", name: "debian12-min", version: undefined },
      key: "~/.ssh/id_ed25519.pub",
      retries: 2,
    },
    configure: {
      keys: ["~/.ssh/id_ed25519.pub"],
      pair: true,
      copyKey: null,
      upgrade: true,
      password: "generate",
      timezone: "Europe/Paris",
      locale: "C.UTF-8",
      run: ["echo ready > /root/ready"],
      scripts: [],
    },
    install: {
      provider: "ganeti",
      cluster: "cluster1",
      address: "10.144.0.1",
      master: "paravance-11",
      hypervisors: ["kvm"],
      storage: "lvm",
      group: "xenvg",
      disks: ["/dev/sdb", "paravance-12:/dev/sdc"],
      erase: [],
      bridge: "br0",
      systems: ["noop"],
    },
    instances: [
      ...["web1.example.org", "web2.example.org"].map((name) => ({
        ...{ name, memoryMiB: 512, vcpus: 1, disksGiB: [10], os: "noop", image: null, node: null, network: null },
        ...{ bridge: "br0", start: true },
      })),
      {
        ...{ name: "db", memoryMiB: 2048, vcpus: 2, disksGiB: [20, 5], os: null, image: null, node: "paravance-11" },
        ...{ network: null, bridge: null, start: true },
      },
    ],
  });
  // A field that is not in the example is one that nobody finds.
  const [, list = ""] = /there are (.*)$/.exec(faultsOf("quite-another: 1")[0] ?? "") ?? [];
  for (const field of list.split(", ")) expect(text).toMatch(new RegExp(`\\b${field}:`));
});

test("hosts without a site, a job that is there, and what is left out", () => {
  const install = "install: {provider: libvirt}";
  expect(planOf(`nodes: [hv1, "node-[1-2]", hv1]\n${install}`)).toEqual({
    nodes: { kind: "hosts", names: ["hv1", "node-1", "node-2"] },
    minimum: null,
    deploy: null,
    configure: null,
    install: { provider: "libvirt", users: [], pool: "/var/lib/libvirt/images" },
    instances: [],
  });
  expect(planOf("site: nancy\njob: 77\nconfigure:")).toMatchObject({
    nodes: { kind: "job", site: "nancy", jobId: 77 },
    configure: { pair: true, upgrade: true, password: null, keys: [] },
  });
  // YAML 1.2 leaves 2:30 a text; 90 would be hours.
  expect(planOf("site: s\nnodes: 2\nwalltime: 2:30").nodes).toMatchObject({ request: { walltimeSeconds: 9000 } });
  expect(planOf("site: s\nnodes: 2\nwalltime: 2").nodes).toMatchObject({ request: { walltimeSeconds: 7200 } });
});

test("every fault at once, each with line, column, field, what was given and what is allowed", () => {
  expect(
    faultsOf(`site: demo
nodes: four
waltime: 2:00
minimum: 120%
deploy:
  enviroment: debian12-min
  retries: 99
configure:
  upgrade: yes
  password: hunter2
install:
  provider: ganetti
instances:
  - nam: web
    memory: lots
  - web2
`),
  ).toEqual([
    '2:8 nodes: "four" can\'t be taken: A whole number of nodes',
    '3:1 waltime: "waltime" is no field of a plan: did you mean "walltime"?',
    '4:10 minimum: "120%" is not a share from 1% to 100%',
    '6:3 deploy.enviroment: "enviroment" is no field of a deployment: did you mean "environment"?',
    '7:12 deploy.retries: "99" is not a whole number from 0 to 20',
    '9:12 configure.upgrade: "yes" is not true or false',
    "10:13 configure.password: a password never stands in the file: write generate, stdin or ask",
    '12:13 install.provider: "ganetti" is not ganeti or libvirt: did you mean "ganeti"?',
    '14:5 instances[1].nam: "nam" is no field of an instance: did you mean "name"?',
    '15:13 instances[1].memory: "lots" is not a size, like 512, 512m or 2g (MiB without a unit)',
    expect.stringMatching(/^16:5 instances\[2\]: "web2" is not an instance: it has fields/),
  ]);
});

test("what does not fit together is said where one would change it", () => {
  const faults = (text: string) => faultsOf(text).join("\n");
  const hosts = "nodes: [a]\n";
  expect(faults("nodes: 4\nwalltime: 1")).toBe(
    '1:1 site: "site" is missing: nodes are reserved on one; hosts are a list: "nodes: [a, b]"',
  );
  expect(faults("")).toContain('"nodes" is missing: how many to reserve on a site');
  expect(faults(`site: s\n${hosts}configure:`)).toMatch(/^1:7 site: "site" has no place here/);
  expect(faults(`${hosts}deploy: {environment: x}`)).toContain("only a site's nodes can be deployed");
  expect(faults(hosts)).toContain("hosts that are there already need one of configure and install");
  expect(faults("site: s\njob: 3\nwalltime: 2\nconfigure:")).toContain('3:11 walltime: "walltime" has no place here');
  expect(faults("job: 3\nconfigure:")).toContain('"site" is missing');
  expect(faults(`${hosts}configure:\ninstances: [{name: a}]`)).toContain('instances need "install"');
  expect(faults(`${hosts}minimum: 2\nconfigure:`)).toContain('"2" is not a number of nodes from 1 to 1');
  expect(faults("site: s\nnodes: 2\nwalltime: 1\ndeploy: {environment: a, image: b}")).toContain("one of them only");
  expect(faults(`${hosts}install: {provider: libvirt, bridge: br0}`)).toBe(
    '2:30 install.bridge: "bridge" is no field of an installation of libvirt: there are provider, users, pool',
  );
  expect(faults(`${hosts}install: {provider: ganeti}`)).toContain("the name of the new cluster");
  expect(faults(`${hosts}install: {provider: ganeti, cluster: c, address: 10.0.0.256}`)).toContain(
    "not an IPv4 address",
  );
  expect(faults(`${hosts}install: {provider: ganeti, cluster: c, hypervisors: [kvm, vmware]}`)).toContain(
    '"vmware" is not',
  );
  expect(faults(`${hosts}install: {provider: libvirt}\ninstances: [{name: a}, {name: a}]`)).toContain('the name "a"');
});

test("what is no YAML, or no group of fields, is said with its place", () => {
  expect(faultsOf("nodes: [a\n")[0]).toMatch(/^2:1 : it is not YAML: /);
  expect(faultsOf("nodes: [a]\nnodes: [b]\n")[0]).toMatch(/^2:1 : it is not YAML: .*unique/);
  expect(faultsOf("just words")[0]).toMatch(/^1:1 : "just words" is not a plan: it has fields \(site, /);
  expect(faultsOf(`x: ${"y".repeat(1_000_001)}`)).toEqual(["1:1 : the file is too long: more than 1000000 characters"]);
  expect(faultsOf('nodes: [a]\nconfigure: {timezone: "Europe/\\u001b[31mParis"}')[0]).toMatch(/control characters/);
});

test("a secret that somebody wrote into the file is not repeated", () => {
  for (const field of ["password: correct horse", "root-password: correct horse", "passwd: correct horse"]) {
    expect(faultsOf(`nodes: [a]\nconfigure:\n  ${field}`).join()).not.toContain("correct horse");
  }
});

test("the error names the first fault with file, line and column, and lists all of them", () => {
  expect(() => checkUpPlan("nodes: [a]\ninstal: 1\nconfigre: 1", "my.yaml")).toThrow(
    expect.objectContaining({
      kind: "usage",
      where: "my.yaml:2:1",
      why: 'instal: "instal" is no field of a plan: did you mean "install"?',
      detail: expect.stringContaining("my.yaml:3:1: configre"),
    }),
  );
});
