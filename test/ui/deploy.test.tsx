import { describe, expect, it, vi } from "vitest";
import { VirtuError } from "../../source/errors.ts";
import type { Journeys } from "../../source/store/journeys.ts";
import { erasedLines } from "../../source/ui/screens/deploy.tsx";
import { deployRequestOf, environmentRow, parseMinimum, parseRetries } from "../../source/ui/screens/deploy-text.ts";
import { widthOf } from "../../source/ui/theme.ts";
import { keys, openUi } from "./harness.tsx";
import { environments, now, running } from "./job-fakes.ts";

const wizard = { place: { screen: "nodes" as const }, above: [{ screen: "deploy" as const, jobId: 1874 }] };
const journeys = {
  listJobs: async () => [running],
  listEnvironments: async () => ({ environments: environments(500), problem: null }),
  environmentVersions: async (_context, _site, environment) => {
    const found = environments(500).find(({ name }) => name === environment.name);
    return found ? [found, { ...found, version: "2024050101" }] : [];
  },
} satisfies Partial<Journeys>;

describe("the wizard in words", () => {
  it("takes a minimum as nodes or as a share", () => {
    expect(parseMinimum("", 4)).toEqual({ minimum: 4 });
    expect(parseMinimum("75 %", 4)).toEqual({ minimum: 3 });
    expect(parseMinimum("1%", 4)).toEqual({ minimum: 1 });
    expect(parseMinimum("2", 4)).toEqual({ minimum: 2 });
    for (const bad of ["0", "5", "101%", "most", "-1"]) expect(parseMinimum(bad, 4)).toHaveProperty("error");
    expect(parseRetries("x")).toHaveProperty("error");
    expect(parseRetries("2")).toEqual({ retries: 2 });
  });
  it("makes a request of an image by its file, of an environment by name, version and user", () => {
    const [image, recorded] = environments(1);
    const values = { key: "", minimum: "100%", retries: "1" };
    expect(image && deployRequestOf(running, image, values)?.environment).toEqual({
      kind: "image",
      file: "/home/jdoe/image/mine.env",
    });
    expect(recorded && deployRequestOf(running, recorded, { ...values, key: "/k.pub" })).toMatchObject({
      environment: { kind: "environment", name: "debian0-min", version: "2024102413", user: "deploy" },
      keyFile: "/k.pub",
      minimum: 4,
      retries: 1,
    });
  });
  it("keeps its columns", () => {
    for (const one of environments(2)) {
      expect(widthOf(environmentRow({ ...one, description: "é".repeat(300) }, 78))).toBe(78);
    }
  });
  it("names every node that is erased, however many there are", () => {
    const many = Array.from({ length: 200 }, (_, index) => `paravance-${index + 1}.rennes.grid5000.fr`);
    expect(erasedLines(many, 60)).toEqual(["paravance-[1-200]"]);
    const odd = many.filter((_, index) => index % 2 === 0);
    const lines = erasedLines(odd, 60);
    expect(lines.every((line) => line.length <= 60)).toBe(true);
    expect(lines.join(" ")).toContain("199]");
  });
});

describe("the wizard", () => {
  it("filters as one types, over 500 environments and the images together", async () => {
    const ui = openUi({ now, ...wizard, journeys });
    const lines = await ui.waitFor("501 of 501");
    expect(lines.filter((line) => line.includes("Debian ")).length).toBeLessThan(20);
    // The key that opens the filter elsewhere is no text of it.
    await ui.press("/", "4", "2", " ", "m", "i", "n");
    const found = await ui.waitFor("15 of 501");
    expect(found.find((line) => line.startsWith("❯"))).toContain("debian42-min");
    await ui.press(keys.down);
    await ui.waitFor(/❯environment debian142-min/);
    // The first Esc clears the filter, the next one leaves.
    await ui.press(keys.esc);
    await ui.waitFor("501 of 501");
    ui.workspace.site.takeOver(1874);
    await ui.press(keys.esc);
    await ui.waitFor("4 nodes of job 1874");
  });

  it("goes from the environment by its version and the options to what is erased, and starts on yes only", async () => {
    const startDeployment = vi.fn<Journeys["startDeployment"]>(
      async (_context, _site, _request, options) => options?.id ?? "",
    );
    const ui = openUi({ now, ...wizard, journeys: { ...journeys, startDeployment } });
    await ui.waitFor("501 of 501");
    await ui.press("d", "e", "b", "i", "a", "n", "7", "-", keys.enter);
    await ui.waitFor("Which version of");
    await ui.press(keys.down, keys.enter);
    const options = (await ui.waitFor("Enough when")).join("\n");
    expect(options).toContain("debian7-min 2024050101");
    expect(options).toContain("the frontend's ~/.ssh/authorized_keys");
    expect(options).toMatch(/kadeploy3/);
    await ui.press(
      keys.tab,
      keys.backspace,
      keys.backspace,
      keys.backspace,
      keys.backspace,
      "5",
      "0",
      "%",
      keys.tab,
      keys.backspace,
      "2",
    );
    await ui.waitFor("2 of 4 nodes are up");
    await ui.press(keys.enter);
    const summary = (await ui.waitFor("This is what will be done")).join("\n");
    expect(summary).toContain("enough when 2 of 4 are up; up to 2 retries");
    await ui.press(keys.enter);
    const asked = (await ui.waitFor("Erase the disks of 4 nodes")).join("\n");
    expect(asked).toContain("paravance-[11-12, 30-31]");
    // The safe answer stands under the cursor.
    await ui.press(keys.enter);
    await ui.waitFor("This is what will be done");
    expect(startDeployment).not.toHaveBeenCalled();
    await ui.press(keys.enter, keys.down, keys.enter);
    await ui.waitFor("starting kadeploy3");
    expect(startDeployment.mock.calls[0]?.[2]).toMatchObject({
      jobId: 1874,
      nodes: running.nodes,
      environment: { kind: "environment", name: "debian7-min", version: "2024050101", user: "deploy" },
      minimum: 2,
      retries: 2,
    });
    const id = startDeployment.mock.calls[0]?.[3]?.id;
    expect(summary.replace(/\s|│|\\/g, "")).toContain(`deployments/${id}&&`);
  });

  it("asks for no version of an image, and comes back to the list from its options", async () => {
    const environmentVersions = vi.fn<Journeys["environmentVersions"]>();
    const ui = openUi({ now, ...wizard, journeys: { ...journeys, environmentVersions } });
    await ui.waitFor("501 of 501");
    await ui.press("m", "i", "n", "e", keys.enter);
    await ui.waitFor("mine.env on 4 nodes");
    expect(environmentVersions).not.toHaveBeenCalled();
    await ui.press(keys.esc);
    await ui.waitFor("1 of 501");
  });

  it("shows the images and why the rest is missing when kaenv3 fails", async () => {
    const problem = new VirtuError({
      kind: "failed",
      what: "kaenv3 can't be asked",
      why: "its server does not answer",
    });
    const images = environments(0);
    const ui = openUi({
      now,
      ...wizard,
      journeys: { ...journeys, listEnvironments: async () => ({ environments: images, problem }) },
    });
    const lines = (await ui.waitFor("only a part")).join("\n");
    expect(lines).toContain("its server does not answer");
    expect(lines).toContain("mine.env");
  });

  it("does not let an image be chosen that can't be deployed, and says why", async () => {
    const bad = environments(0).map((one) => ({ ...one, problem: "an image file of 2012" }));
    const ui = openUi({
      now,
      ...wizard,
      journeys: { ...journeys, listEnvironments: async () => ({ environments: bad, problem: null }) },
    });
    await ui.waitFor("1 of 1");
    await ui.press(keys.enter);
    await ui.waitFor("› an image file of 2012");
  });

  it("shows in place why kadeploy3 can't be started", async () => {
    const refused = new VirtuError({
      kind: "refused",
      what: "The deployment can't be started",
      why: "the disk quota is full",
      hint: "Free some of your home.",
    });
    const ui = openUi({ now, ...wizard, journeys: { ...journeys, startDeployment: () => Promise.reject(refused) } });
    await ui.waitFor("501 of 501");
    await ui.press("m", "i", "n", "e", keys.enter);
    await ui.waitFor("mine.env on 4 nodes");
    await ui.press(keys.enter, keys.enter, keys.down, keys.enter);
    await ui.waitFor("the disk quota is full");
    await ui.waitFor("Free some of your home.");
  });
});
