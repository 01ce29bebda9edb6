import { describe, expect, it, vi } from "vitest";
import type { Journeys } from "../../source/store/journeys.ts";
import {
  disksText,
  memoryText,
  nodeLines,
  nodesRow,
  nodeView,
  systemText,
} from "../../source/ui/screens/nodes-text.ts";
import { widthOf } from "../../source/ui/theme.ts";
import { keys, openUi } from "./harness.tsx";
import { deployed, deploying, ended, factsOf, now, running, waiting } from "./job-fakes.ts";

const bare = (text: string) => text.replace(/\u001b\[\d+m/g, "");
const [first = "", , third = "", fourth = ""] = running.nodes;

describe("a node in words", () => {
  it("believes a deployment on its way, then the node itself", () => {
    expect(nodeView(first, factsOf(first), deploying, false).word).toBe("deploying");
    expect(nodeView(third, factsOf(third), deploying, false)).toMatchObject({
      word: "failed",
      reason: expect.stringContaining("fdisk"),
    });
    expect(nodeView(first, factsOf(first), deployed, false).word).toBe("deployed");
    expect(nodeView(third, factsOf(third), deployed, false).word).toBe("reachable");
    expect(nodeView(third, null, deployed, false).word).toBe("failed");
    expect(nodeView(fourth, factsOf(fourth, { state: "unreachable", reason: "timed out" }), null, false)).toMatchObject(
      { word: "no answer", reason: "timed out" },
    );
    expect(nodeView(first, null, null, true).word).toBe("asking");
    expect(nodeView(first, null, null, false).word).toBe("reserved");
  });
  it("writes memory and disks as people do", () => {
    expect(memoryText(131_072)).toBe("128 G");
    expect(systemText("Debian GNU/Linux 12 (bookworm)")).toBe("Debian 12");
    expect(memoryText(512)).toBe("512 M");
    expect(
      disksText([
        { name: "sda", sizeGiB: 558.4 },
        { name: "sdb", sizeGiB: 3726 },
      ]),
    ).toBe("sda 558 G, sdb 3.6 T");
  });
  it("keeps its columns, wide and narrow, and gives their room to a reason", () => {
    for (const width of [78, 198]) {
      const good = nodeView(first, factsOf(first, { os: "x".repeat(200) }), null, false);
      expect(widthOf(bare(nodesRow(good, first, width)))).toBe(width);
      const bad = nodeView(
        first,
        factsOf(first, { state: "unreachable", reason: "y".repeat(200), os: null }),
        null,
        false,
      );
      expect(widthOf(bare(nodesRow(bad, first, width)))).toBe(width);
    }
    expect(bare(nodesRow(nodeView(first, factsOf(first), null, false), first, 198))).toContain("6.1.0-28-amd64");
  });
  it("tells where each thing comes from", () => {
    const lines = nodeLines(nodeView(first, factsOf(first), deployed, false), {
      job: "job 1874",
      deployment: "kadeploy3",
    });
    expect(lines).toContainEqual(["system", "Debian 12.8", "the node"]);
    expect(lines).toContainEqual(["boot mini-os", "done, 182 s", "kadeploy3"]);
  });
});

function nodesOf(own: Partial<Journeys> = {}, size: { columns?: number; rows?: number; now?: number } = {}) {
  const journeys: Partial<Journeys> = {
    listJobs: async () => [running],
    nodeFacts: async (_context, _site, job) => job.nodes.map((name) => factsOf(name)),
    ...own,
  };
  const ui = openUi({ now, place: { screen: "nodes" }, journeys, ...size });
  ui.workspace.site.takeOver(1874);
  return ui;
}

describe("the nodes screen", () => {
  it("asks the nodes when it is entered and the job runs, and again on R only", async () => {
    const nodeFacts = vi.fn<Journeys["nodeFacts"]>(async (_context, _site, job) =>
      job.nodes.map((name) => factsOf(name)),
    );
    const ui = nodesOf({ nodeFacts });
    const lines = await ui.waitFor("Debian 12.8");
    expect(lines.find((line) => line.includes("paravance-11"))).toMatch(
      /● reachable +Debian 12\.8 +32 +128 G sda 558 G +172\.16\.98\.11/,
    );
    await ui.press("2", "3");
    await ui.waitFor("Debian 12.8");
    expect(nodeFacts).toHaveBeenCalledTimes(1);
    await ui.press("R");
    await ui.waitFor("asked 0 s ago");
    expect(nodeFacts).toHaveBeenCalledTimes(2);
  });

  it("fills row by row", async () => {
    let update: NonNullable<Parameters<Journeys["nodeFacts"]>[3]>["onUpdate"];
    const ui = nodesOf({
      nodeFacts: (_context, _site, _job, options) => {
        update = options?.onUpdate;
        return new Promise(() => {});
      },
    });
    await ui.waitFor("asking the nodes");
    update?.([factsOf(first)]);
    const lines = await ui.waitFor("● reachable");
    expect(lines.find((line) => line.includes("paravance-12"))).toContain("◐ asking");
  });

  it("describes a node, goes to the deployment, offers to deploy", async () => {
    const ui = nodesOf({ findDeployments: async () => [deployed] });
    await ui.waitFor("Debian 12.8");
    await ui.waitFor("2 of 4 nodes up");
    await ui.press(keys.down, "d");
    const lines = (await ui.waitFor("6.1.0-28-amd64")).join("\n");
    expect(lines).toMatch(/paravance-12/);
    await ui.press(keys.esc, "p");
    await ui.waitFor("BOOT MINI-OS");
    await ui.press(keys.esc, "i");
    await ui.waitFor("deploy");
    expect(ui.navigation.here()).toEqual({ screen: "deploy", jobId: 1874 });
  });

  it("tells a long reason of a node in lines that stand beside its title", async () => {
    const reason = `nothing is deployed yet (${"connection refused by the host; ".repeat(4)})`;
    const ui = nodesOf({
      nodeFacts: async (_context, _site, job) =>
        job.nodes.map((name) => ({ ...factsOf(name), state: "reserved", os: null, reason })),
    });
    // In the table the state says enough.
    await ui.waitFor(/○ reserved +nothing is deployed yet +172/);
    await ui.press("d");
    const lines = await ui.waitFor(/^ why {11}nothing is deployed yet/m);
    const at = lines.findIndex((line) => line.startsWith(" why"));
    expect(lines[at + 1]).toMatch(/^ {15}\S/);
    expect(lines[at + 2]).toMatch(/^ {15}\S/);
  });

  it("does not start a second deployment over one that runs", async () => {
    const ui = nodesOf({ findDeployments: async () => [deploying] });
    await ui.waitFor("◐ deploying");
    await ui.press("i");
    await ui.waitFor("a deployment of these nodes is on its way");
  });

  it("says what to do without a job, with one that waits, and with one that has ended", async () => {
    const none = openUi({ now, place: { screen: "nodes" } });
    await none.waitFor("2 goes to Jobs");
    const waits = openUi({ now, place: { screen: "nodes" }, journeys: { listJobs: async () => [waiting] } });
    waits.workspace.site.takeOver(1875);
    await waits.waitFor("Job 1875 does not run yet: waiting in 12:30");
    const over = openUi({ now, place: { screen: "nodes" }, journeys: { listJobs: async () => [ended()] } });
    over.workspace.site.takeOver(1860);
    await over.waitFor("Job 1860 has ended: its walltime was over");
  });

  it("warns once when ten minutes of walltime are left, and e extends", async () => {
    const ui = nodesOf({}, { now: now + 8900 - 300 });
    await ui.waitFor(/Job 1874 ends at \d\d:\d\d/);
    await ui.press(keys.esc);
    await ui.workspace.site.refresh();
    await ui.press("e");
    const lines = await ui.waitFor("How much");
    expect(lines.join("\n")).not.toContain("ends at");
  });

  it("has the kernel where there is room", async () => {
    const ui = nodesOf({}, { columns: 200, rows: 50 });
    const lines = await ui.waitFor("Debian 12.8");
    expect(lines.length).toBe(50);
    expect(lines.join("\n")).toContain("6.1.0-28-amd64");
    ui.resize(80, 24);
    await ui.waitFor(/^(?![\s\S]*6\.1\.0)[\s\S]*Debian 12\.8/);
  });
});
