import { describe, expect, test } from "vitest";
import {
  findJob,
  findJobOf,
  gnt,
  numberOf,
  parseList,
  parseSubmitted,
  parseTable,
  parseWatchLine,
  recentJobsCommand,
} from "../../source/tools/ganeti.ts";
import { explainGaneti, masterIn, parseFailure } from "../../source/tools/ganeti-errors.ts";
import { filterWords, listCommand, luxiFilter, nodeKind, partCommand } from "../../source/tools/ganeti-parts.ts";
import { ganetiProbe, parseGanetiProbe, sameHost } from "../../source/tools/ganeti-probe.ts";
import { roleOf, statusOf } from "../../source/tools/ganeti-status.ts";
import { fixture } from "../instances/fake-pool.ts";

const root = { directory: "/usr/sbin/", sudo: false };
const stdout = (name: string) => fixture("ganeti", `${name}.stdout`);
const stderr = (name: string) => fixture("ganeti", `${name}.stderr`);

/** The fields that a recorded list was asked for. */
function fieldsOf(name: string): string[] {
  return (/ -o (\S+)/.exec(fixture("ganeti", `${name}.cmd`))?.[1] ?? "").split(",");
}

describe("commands", () => {
  test("name the program by its directory, in the C locale, by sudo where it must be", () => {
    expect(gnt(root, "gnt-job", ["watch", "41"]).line).toBe("LC_ALL=C /usr/sbin/gnt-job watch 41");
    expect(gnt({ directory: "", sudo: true }, "gnt-job", ["watch", "41"]).line).toBe(
      "sudo -n env LC_ALL=C gnt-job watch 41",
    );
  });

  test("list instances and nodes in one line", () => {
    const { line } = listCommand(root, { instance: [], node: [] });
    expect(line).toContain("/usr/sbin/gnt-instance list --no-headers '--separator=|' --units=m -o name,uuid,status");
    expect(line).toContain("/usr/sbin/gnt-node list --no-headers '--separator=|' --units=m -o name,role,dtotal");
    expect(line).not.toContain(" -F ");
  });

  test("ask for the rows of some nodes, or of all others; both ways mean the same", () => {
    const [some, others] = [true, false].map((not) => ({ names: ["n1.example.org", "n2.example.org"], others: !not }));
    expect([some, others].map((choice) => choice && filterWords("pnode", choice))).toEqual([
      ["-F", 'pnode == "n1.example.org" or pnode == "n2.example.org"'],
      ["-F", 'pnode != "n1.example.org" and pnode != "n2.example.org"'],
    ]);
    expect([some, others].map((choice) => choice && luxiFilter("pnode", choice))).toEqual([
      ["|", ["=", "pnode", "n1.example.org"], ["=", "pnode", "n2.example.org"]],
      ["&", ["!=", "pnode", "n1.example.org"], ["!=", "pnode", "n2.example.org"]],
    ]);
    expect(luxiFilter("pnode", { names: [], others: true })).toBeNull();
    const { line } = listCommand(root, { instance: ["n1"], node: [] });
    expect(line.match(/ -F .*?;/g)).toEqual([` -F 'pnode != "n1"';`]);
  });

  test("give a node a time limit, also by sudo", () => {
    const choice = { names: ["n1"], others: false };
    expect(partCommand(root, nodeKind, ["name", "role"], choice, 15).line).toBe(
      `timeout -k 1 15 env LC_ALL=C TZ=UTC0 /usr/sbin/gnt-node list --no-headers '--separator=|' --units=m -o name,role -F 'name == "n1"'`,
    );
    expect(partCommand({ directory: "", sudo: true }, nodeKind, ["name"], choice, 15).line).toMatch(
      /^sudo -n timeout -k 1 15 env LC_ALL=C TZ=UTC0 gnt-node list /,
    );
  });
});

describe("tables", () => {
  test("give every row by its fields", () => {
    const fields = fieldsOf("l01-list-machine");
    const rows = parseTable(stdout("l01-list-machine"), fields);
    expect(rows).toHaveLength(7);
    expect(rows[3]).toMatchObject({ name: "web2.example.org", "disk.sizes": "1024,1024", tags: "env:prod,owner:me" });
    expect(rows[5]).toMatchObject({ status: "ADMIN_down", oper_ram: null, "be/maxmem": "128", tags: "" });
  });

  test("take every kind of missing value for null", () => {
    const cell = (name: string, row: number, field: string) =>
      parseTable(stdout(name), fieldsOf(name))[row]?.[field as never];
    expect(cell("s10-list-nodedown", 1, "oper_ram")).toBeNull();
    expect(cell("s27-list-nodeoffline", 2, "oper_ram")).toBeNull();
    expect(cell("s27-list-nodeoffline", 4, "oper_ram")).toBeNull();
    expect(cell("s28-nodelist-offline-sep", 1, "mfree")).toBeNull();
    expect(cell("s11-nodelist-nodedown-sep", 2, "dtotal")).toBeNull();
    const unknown = stdout("l04-list-badfield2").split("\n")[1]?.replace(/ +/, "|");
    expect(parseTable(`${unknown}\n`, ["name", "frob"])).toEqual([{ name: "web0", frob: null }]);
    expect(numberOf("22245")).toBe(22245);
    expect(numberOf(null)).toBeNull();
    expect(numberOf("58.8G")).toBeNull();
  });

  test("of another width are told from good ones", () => {
    expect(parseTable("a|b\na|b|c\n", ["x", "y"])).toEqual([{ x: "a", y: "b" }, null]);
  });

  test("are found between their marks, with the status of each", () => {
    const text = "@@virtu instances\n@@virtu end 1\n@@virtu nodes\nnode1|M\n@@virtu end 0\n";
    const parts = ["instances", "nodes"];
    expect(parseList(text, parts)).toEqual({
      ...{ instances: { text: "", status: 1 }, nodes: { text: "node1|M\n", status: 0 } },
    });
    expect(parseList("sh: 1: gnt-instance: not found\n", parts)).toEqual({ instances: null, nodes: null });
  });
});

describe("jobs", () => {
  test("have the number that a submission printed, wherever it printed it", () => {
    expect(parseSubmitted(stdout("a08-shutdown-submit"), "")).toBe("41");
    expect(parseSubmitted(stdout("b03-reboot-submit"), "")).toBe("63");
    expect(parseSubmitted("", "JobID: 20\n")).toBe("20");
    expect(parseSubmitted("", stderr("a02-start-unknown"))).toBeNull();
  });

  test("are followed line by line, without header and date", () => {
    const lines = stdout("k26-watch-live").split("\n").map(parseWatchLine);
    expect(lines.slice(0, 3)).toEqual([
      null,
      null,
      "INFO: Not checking memory on the secondary node as instance will not be started",
    ]);
    expect(lines).toContain("disk/0 sent 894M, 133.8 MiB/s, 87%, ETA 1s");
  });

  test("are found again by action, full name and age on the host's own clock", () => {
    const jobs = [
      "1795344950",
      "41|INSTANCE_SHUTDOWN(web1.example.org)|[1795344100, 350522]",
      "57|INSTANCE_SHUTDOWN(web1.example.org)|[1795344945, 1]",
      "58|INSTANCE_SHUTDOWN(web11.example.org)|[1795344946, 1]",
      "59|INSTANCE_REBOOT(web1.example.org)|[1795344947, 1]",
      "",
    ].join("\n");
    expect(findJobOf(jobs, "INSTANCE_SHUTDOWN(web1.example.org)", 10)).toBe("57");
    expect(findJobOf(jobs, "INSTANCE_SHUTDOWN(web1.example.org)", 2)).toBeNull();
    expect(findJobOf(jobs, "INSTANCE_STARTUP(web1.example.org)", 10)).toBeNull();
  });

  test("are found again by what they do to whom, also where the summary names nobody", () => {
    expect(recentJobsCommand(root).line).toBe(fixture("ganeti", "recent-jobs.cmd").trim().replace("[node1] ", ""));
    const real = stdout("recent-jobs");
    const find = (opcode: string, name: string, seconds = 3600) =>
      findJob(real, { opcode: `OP_${opcode}`, subject: `${name}.example.org` }, seconds);
    expect(find("TAGS_SET", "web0")).toBe("10");
    expect(find("TAGS_SET", "web1")).toBeNull();
    expect(find("INSTANCE_RENAME", "web0")).toBe("14");
    expect(find("INSTANCE_MIGRATE", "web5")).toBe("41");
    expect(find("INSTANCE_MIGRATE", "web5", 60)).toBeNull();
    expect(find("NODE_EVACUATE", "node1")).toBe("19");
  });
});

describe("errors", () => {
  test("are taken apart", () => {
    expect(parseFailure(stderr("a02-start-unknown"))).toEqual({
      type: "wrong_input",
      text: "Selection filter does not match any instances",
    });
    expect(parseFailure(stderr("s08-start-offline"))?.type).toBe("wrong_state");
    expect(parseFailure(stderr("k29-watch-canceled"))).toEqual({ type: null, text: "Job was canceled" });
    expect(parseFailure("Failure: command execution error:\nCould not start: no kernel\nmore\n")).toEqual({
      type: null,
      text: "Could not start: no kernel\nmore",
    });
    expect(parseFailure("")).toBeNull();
  });

  test.each([
    ["s08-start-offline", /marked offline/, /--online/],
    ["s13-start-nodedown", /node3\.example\.org does not answer/, /ganeti-noded/],
    ["s29-start-nodeoffline", /node2\.example\.org is marked offline/, undefined],
    ["k29-watch-canceled", /cancelled/, undefined],
    ["k11-watch-error", /not enough memory on node1\.example\.org: 32768 MiB needed, 22341 MiB free/, undefined],
    ["a02-start-unknown", /no such instance/, undefined],
    ["b11-jobwatch-unknown", /no longer knows this job/, /instance itself/],
    ["z01-nonroot", /may not talk to Ganeti's master/, /root@HOST/],
    ["j10-getmaster-uninit", /belongs to no cluster/, undefined],
  ])("of %s are explained", (name, why, hint) => {
    const explanation = explainGaneti(stderr(name));
    expect(explanation.why).toMatch(why);
    if (hint) expect(explanation.hint).toMatch(hint);
  });

  test.each([
    [
      "command execution error:\nUnable to evacuate instances web1 (Instances of type file cannot be relocated), web4 (Instances of type plain cannot be relocated)",
      /disks that are on this node only hold web1 \(file\), web4 \(plain\)/,
    ],
    [
      "command execution error:\nUnable to evacuate instances db2 (Can't find any good node:  Node node1 failed: FailCPU;)",
      /no other node takes db2 \(Node node1 failed: FailCPU;\)/,
    ],
    [
      "prerequisites not met for this operation:\nerror type: resolver_error, error details:\nThe given name (web9) does not resolve: Temporary failure in name resolution",
      /the name web9 has no address/,
    ],
    [
      'job 10 failed to start: GenericError "[start:job-10,pid=3365] Getting the lockfile of the client: user error (Timeout in reading a response)"',
      /could not start the job in time/,
    ],
  ])("of a job, %s, are explained", (text, why) => {
    expect(explainGaneti(`Failure: ${text}`).why).toMatch(why);
  });

  test("that nobody knows keep Ganeti's own words", () => {
    expect(explainGaneti("Failure: command execution error:\nno space left\nreally\n").why).toBe("no space left");
    expect(explainGaneti("").why).toMatch(/no reason/);
  });

  test("name the master where this is not it", () => {
    expect(masterIn(stderr("v04-list-on-node2"))).toBe("node1.example.org");
    expect(masterIn(stderr("z01-nonroot"))).toBeNull();
  });
});

test("every status that Ganeti has is one of ours", () => {
  const words = ["running", "ADMIN_down", "ADMIN_offline", "USER_down", "ERROR_down", "ERROR_up", "ERROR_nodedown"];
  expect([...words, null, "new"].map(statusOf)).toEqual([
    ...["running", "stopped", "stopped", "stopped", "error", "error", "error"],
    ...["unknown", "unknown"],
  ]);
  expect(["M", "O", null, "X"].map(roleOf)).toEqual([["master"], ["offline"], [], ["X"]]);
});

describe("the probe", () => {
  const found = (text: string) => parseGanetiProbe(text);

  test("asks for nothing that starts Python", () => {
    expect(ganetiProbe.line).toContain("/var/lib/ganeti/ssconf_master_node");
    expect(ganetiProbe.line).not.toMatch(/gnt-\w+ [a-z]/);
  });

  test("tells programs, user, master and cluster", () => {
    expect(ganetiProbe.line).toBe(fixture("ganeti", "probe-other.cmd").trim().replace("[node2] ", ""));
    expect(found(stdout("probe-other"))).toEqual({
      directory: "/usr/sbin/",
      root: true,
      sudo: false,
      hostname: "node2.example.org",
      master: "node1.example.org",
      cluster: "cluster1.example.org",
      group: "b3eebfd8-698b-435b-ac06-35c9a2e852c2",
    });
  });

  test("tells a node without a cluster from a host without Ganeti", () => {
    const bare = "/usr/sbin/gnt-cluster\n1000\nnode2\ndirect\n@@virtu master\n@@virtu cluster\n@@virtu groups\n";
    expect(found(bare)).toMatchObject({ master: null, cluster: null, group: null, root: false });
    expect(found("")).toBeNull();
  });

  test("knows a host with and without its domain, and no other", () => {
    expect(sameHost("node1", "node1.example.org")).toBe(true);
    expect(sameHost("Node1.example.org", "node1.example.org")).toBe(true);
    expect(sameHost("node1", "node11.example.org")).toBe(false);
    expect(sameHost("node1.example.org", "node1.other.org")).toBe(false);
  });
});
