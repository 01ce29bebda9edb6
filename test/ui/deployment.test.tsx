import { describe, expect, it, vi } from "vitest";
import { VirtuError } from "../../source/errors.ts";
import type { Deployment, DeployResult } from "../../source/journey/types.ts";
import type { Journeys } from "../../source/store/journeys.ts";
import {
  barLine,
  countsLine,
  explainNode,
  inOrder,
  nodeRow,
  outcomeLine,
  shareOf,
  titleLine,
} from "../../source/ui/screens/deployment-text.ts";
import { widthOf } from "../../source/ui/theme.ts";
import { keys, openUi } from "./harness.tsx";
import { booting, broken, deployed, deploying, now, running, up } from "./job-fakes.ts";

const bare = (text: string) => text.replace(/\u001b\[\d+m/g, "");

describe("a deployment in words", () => {
  it("says what, where, which try, the goal and the time", () => {
    expect(titleLine(deploying, now)).toBe(
      "debian12-min 2024102413 · 4 nodes · try 1 of 3 · goal: all · 4:12 of ~6:30",
    );
    expect(titleLine({ ...deploying, minimum: 3, expectedEnd: null }, now)).toContain("goal: 3 of 4 · 4:12");
  });
  it("measures by the clock when the end is foreseen, else by phases, and is full only at the end", () => {
    expect(shareOf(deploying, now)).toBeCloseTo(252 / 390);
    expect(shareOf(deploying, now + 9999)).toBe(0.99);
    const blind = { ...deploying, expectedEnd: null };
    expect(shareOf(blind, now)).toBeGreaterThan(0.5);
    expect(shareOf({ ...blind, progress: [] }, now)).toBe(0);
    expect(shareOf(deployed, now)).toBe(1);
    expect(bare(barLine(deploying, 78, now))).toMatch(/ 65 % {2}about 2:18 left/);
    expect(bare(barLine(deploying, 78, now + 500))).toContain("later than expected");
  });
  it("keeps the columns of its rows", () => {
    for (const width of [78, 198]) {
      for (const node of [booting("a"), broken("a"), up("a"), booting("a", { microStep: "x".repeat(300) })]) {
        expect(widthOf(bare(nodeRow(node, "a".repeat(50), width, now)))).toBe(width);
      }
    }
  });
  it("puts failed nodes first and leaves the others in their order", () => {
    const order = inOrder([up("a"), broken("b"), booting("c"), booting("d", { state: "missing" })]).map(
      ({ node }) => node,
    );
    expect(order).toEqual(["b", "d", "a", "c"]);
  });
  it("counts nodes in each phase", () => {
    expect(countsLine([booting("a"), broken("b"), up("c")])).toBe(
      "boot mini-os 3 ✓ · copy image 2 ✓ 1 ✗ · boot new 1 ◐ 1 ✓",
    );
  });
  it("tells the outcome against what was wanted", () => {
    expect(outcomeLine(deploying)).toBeNull();
    expect(outcomeLine(deployed)).toEqual({
      tone: "bad",
      text: "2 of 4 nodes up · 1 failed · 1 missing · 3 tries · 4 were wanted",
    });
    expect(outcomeLine({ ...deployed, minimum: 2 })).toMatchObject({
      tone: "warning",
      text: expect.stringContaining("enough to go on"),
    });
    const all: DeployResult = { deployed: running.nodes, failed: [], missing: [], attempts: 1 };
    expect(outcomeLine({ ...deployed, result: all })).toEqual({ tone: "good", text: "4 of 4 nodes up · 1 try" });
    expect(outcomeLine({ ...deployed, state: "cancelled" })?.tone).toBe("warning");
    const problem = { why: "you have no rights on these nodes", hint: null, detail: null };
    expect(outcomeLine({ ...deployed, state: "failed", result: null, problem })?.text).toBe(problem.why);
  });
  it("explains a failed node by phase, step and reason, a missing one by what is known", () => {
    expect(explainNode(broken("p-30.x.fr"), deploying, 78, 4)).toEqual([
      "p-30 failed in copy image, create_partition_table:",
      "  fdisk: cannot open /dev/sda: No such device",
    ]);
    const step = "SetDeploymentEnvUntrusted-create_partition_table";
    expect(explainNode({ ...broken("p-30"), microStep: step }, deploying, 78, 1)).toEqual([
      "p-30 failed in copy image, create_partition_table:",
    ]);
    expect(explainNode(booting("p-1", { state: "missing" }), deployed, 78, 4).join(" ")).toMatch(
      /missing: +asked for, but kadeploy3 says neither/,
    );
    expect(explainNode(up("p-1"), deployed, 78, 4)).toEqual([]);
  });
});

function watching(deployment: Deployment, own: Partial<Journeys> = {}, size: { columns?: number; rows?: number } = {}) {
  const journeys: Partial<Journeys> = {
    listJobs: async () => [running],
    findDeployments: async () => [deployment],
    ...own,
  };
  const ui = openUi({
    now,
    place: { screen: "nodes" },
    above: [{ screen: "deployment", id: "1874-a" }],
    journeys,
    ...size,
  });
  ui.workspace.site.takeOver(1874);
  void ui.workspace.site.refresh();
  return ui;
}

describe("watching a deployment", () => {
  it("shows every node in its phases, with times and what fails", async () => {
    const ui = watching(deploying);
    const lines = await ui.waitFor("BOOT MINI-OS");
    const row = lines.find((line) => line.includes("paravance-11"));
    expect(row).toMatch(/✓ 3:02 +✓ 0:41 +◐ 0:29 +kexec/);
    expect(lines.find((line) => line.includes("paravance-30"))).toMatch(/✓ 3:05 +✗ +·/);
    expect(lines.join("\n")).toContain("paravance-30 failed in copy image, create_partition_table:");
    expect(lines.join("\n")).toContain("Esc leaves it running");
    await ui.waitFor("c cancel⚠");
  });

  it("follows what is new", async () => {
    let update: (deployment: Deployment) => void = () => {};
    const followDeployment: Journeys["followDeployment"] = (_context, _site, _id, options) => {
      update = options?.onUpdate ?? update;
      return new Promise(() => {});
    };
    const ui = watching(deploying, { followDeployment });
    await ui.waitFor("BOOT MINI-OS");
    update({ ...deploying, attempt: 2 });
    await ui.waitFor("try 2 of 3");
  });

  it("shows failed nodes first and counts the phases when there are more nodes than lines", async () => {
    const names = Array.from({ length: 60 }, (_, index) => `paravance-${index + 1}.rennes.fr`);
    const progress = names.map((name, index) => (index === 57 ? broken(name) : booting(name)));
    const ui = watching({ ...deploying, nodes: names, progress });
    const lines = await ui.waitFor("BOOT MINI-OS");
    expect(lines.find((line) => line.startsWith("❯"))).toContain("paravance-58");
    expect(lines.join("\n")).toContain("boot mini-os 60 ✓ · copy image 59 ✓ 1 ✗ · boot new 59 ◐");
    expect(lines.join("\n")).toContain("paravance-58 failed in copy image");
    await ui.press(keys.end);
    await ui.waitFor(/❯paravance-60/);
    const wide = watching({ ...deploying, nodes: names, progress }, {}, { columns: 200, rows: 90 });
    const all = await wide.waitFor("BOOT MINI-OS");
    // Where all have room, they stand in their order.
    expect(all.find((line) => line.startsWith("❯"))).toContain("paravance-1 ");
  });

  it("shows what kadeploy3 prints, at its end, and holds it while one scrolls", async () => {
    const ui = watching(deploying);
    await ui.waitFor("BOOT MINI-OS");
    await ui.press("l");
    await ui.waitFor("[39] a line of kadeploy3");
    await ui.press(keys.up, keys.home);
    await ui.waitFor("[0] a line of kadeploy3");
    await ui.waitFor("held: f follows its end");
    await ui.press("f");
    await ui.waitFor("[39] a line of kadeploy3");
    await ui.press("l");
    await ui.waitFor("BOOT MINI-OS");
  });

  it("cancels only after saying what it means", async () => {
    const cancelDeployment = vi.fn<Journeys["cancelDeployment"]>(async () => {});
    const ui = watching(deploying, { cancelDeployment });
    await ui.waitFor("BOOT MINI-OS");
    await ui.press("c");
    const lines = (await ui.waitFor("Cancel the deployment of debian12-min")).join("\n");
    expect(lines).toContain("stay without a system");
    await ui.press(keys.enter);
    await ui.waitFor("BOOT MINI-OS");
    expect(cancelDeployment).not.toHaveBeenCalled();
    await ui.press("c", keys.down, keys.enter);
    await ui.waitFor("BOOT MINI-OS");
    expect(cancelDeployment.mock.calls[0]?.[2]).toBe("1874-a");
  });

  it("cancels nothing when it is left", async () => {
    const cancelDeployment = vi.fn<Journeys["cancelDeployment"]>(async () => {});
    const ui = watching(deploying, { cancelDeployment });
    await ui.waitFor("BOOT MINI-OS");
    await ui.press(keys.esc);
    await ui.waitFor("on its way, p shows it");
    await ui.press("p");
    await ui.waitFor("BOOT MINI-OS");
    expect(cancelDeployment).not.toHaveBeenCalled();
  });

  it("sums up at the end, and deploys the bad nodes alone again", async () => {
    const startDeployment = vi.fn<Journeys["startDeployment"]>(() => new Promise(() => {}));
    const ui = watching(deployed, { startDeployment });
    const lines = (await ui.waitFor("2 of 4 nodes up · 1 failed · 1 missing · 3 tries")).join("\n");
    expect(lines).toContain("fdisk: cannot open /dev/sda");
    expect(lines).toContain("paravance-31 is missing:");
    expect(lines).toContain("it is in use by another deployment");
    await ui.press("r");
    await ui.waitFor("paravance-[30-31]");
    await ui.press(keys.down, keys.enter);
    await ui.waitFor("starting kadeploy3");
    expect(startDeployment.mock.calls[0]?.[2]).toEqual({
      jobId: 1874,
      nodes: ["paravance-30", "paravance-31"],
      environment: deploying.environment,
      keyFile: undefined,
      minimum: 2,
      retries: 2,
    });
  });

  it("says why it can't be followed, and follows again on R", async () => {
    let follows = 0;
    const followDeployment: Journeys["followDeployment"] = () => {
      follows += 1;
      return Promise.reject(
        new VirtuError({
          kind: "connection",
          what: "The deployment can't be followed",
          where: "rennes",
          why: "the link is down",
        }),
      );
    };
    const ui = watching(deploying, { followDeployment });
    await ui.waitFor("the link is down");
    await ui.waitFor("R follows it again");
    const before = follows;
    await ui.press("R");
    await ui.waitFor("the link is down");
    expect(follows).toBe(before + 1);
  });
});
