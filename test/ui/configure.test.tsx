import { describe, expect, it, vi } from "vitest";
import { VirtuError } from "../../source/errors.ts";
import type { Journeys } from "../../source/store/journeys.ts";
import {
  configureChoice,
  configureErrors,
  configureFields,
  configureMeanings,
  configureMissing,
} from "../../source/ui/screens/configure-text.ts";
import { wrapLine } from "../../source/ui/screens/preview.tsx";
import { widthOf } from "../../source/ui/theme.ts";
import { jobOf, keys, openUi, type TestUi } from "./harness.tsx";
import { statesOf } from "./node-fakes.ts";
import { handleOf, now, planOf, runOf } from "./run-fakes.ts";

/** All nodes answer but those named. */
const answering =
  (silent: readonly string[] = []): Journeys["askNodes"] =>
  async (_context, nodes, options) => {
    const failed = new Map<string, VirtuError>();
    for (const { name } of nodes) {
      const error = silent.includes(name) ? new VirtuError({ kind: "connection", what: "no route to host" }) : null;
      if (error) failed.set(name, error);
      options?.onAnswer?.(name, error);
    }
    return { states: statesOf(nodes.map(({ name }) => name).filter((name) => !silent.includes(name))), failed };
  };

const job = jobOf({ startedAt: now / 1000 - 100, endsAt: now / 1000 + 8000 });

function open(journeys: Partial<Journeys> = {}, withJob = true): TestUi {
  const ui = openUi({
    place: { screen: "runs" },
    above: [{ screen: "configure" }],
    clock: () => now,
    journeys: { askNodes: answering(), listJobs: async () => (withJob ? [job] : []), ...journeys },
  });
  if (withJob) ui.workspace.site.takeOver(job.jobId);
  return ui;
}

describe("the form's text", () => {
  const fields = configureFields(["/home/me/.ssh/a.pub", "/home/me/.ssh/b.pub"], "/home/me");

  it("shows the password's fields only while one is typed", () => {
    const shown = (values: Record<string, string>) =>
      fields.filter((field) => field.shown?.(values) ?? true).map(({ id }) => id);
    expect(shown({ password: "leave" })).not.toContain("new");
    expect(shown({ password: "typed" })).toContain("again");
    expect(fields.filter(({ kind }) => kind === "secret").map(({ id }) => id)).toEqual(["new", "again"]);
  });

  it("says what is wrong while it is typed", () => {
    const wrong = configureErrors(
      {
        password: "typed",
        new: "abc",
        again: "abd",
        copyKey: "~/.ssh/id.pub",
        timezone: "1st",
        locale: "a b",
        minimum: "9",
      },
      4,
    );
    expect(wrong).toMatchObject({
      again: "the two are not the same",
      copyKey: "the private half, without .pub",
      timezone: "like Europe/Paris",
      locale: "like en_US.UTF-8",
      minimum: "the job has 4 nodes",
    });
    expect(configureMissing({ password: "typed", new: "abc", again: "" })).toContain("not the same");
    expect(configureMissing({ password: "generated" })).toBeNull();
  });

  it("says what is so now on the nodes", () => {
    const states = new Map([
      ...statesOf(["a"]),
      ...statesOf(["b"], { timezone: "Europe/Paris", rootPassword: "none" }),
    ]);
    const meanings = configureMeanings({ password: "leave", minimum: "100%", upgrade: "yes" }, states);
    expect(meanings["timezone"]).toBe("now 2 different ones");
    expect(meanings["locale"]).toBe("now C.UTF-8");
    expect(meanings["password"]).toContain("1 of 2 nodes");
  });

  it("stands for a choice", () => {
    const choice = configureChoice(
      {
        upgrade: "no",
        password: "typed",
        new: "pw",
        key: "*",
        pair: "no",
        scripts: "a.sh, b.sh",
        minimum: "50%",
        locale: "",
      },
      4,
      ["x.pub", "y.pub"],
    );
    expect(choice).toMatchObject({
      upgrade: false,
      password: { kind: "typed", value: "pw" },
      publicKeyFiles: ["x.pub", "y.pub"],
      scriptFiles: ["a.sh", "b.sh"],
      minimum: 2,
      locale: null,
    });
  });

  it("hides nothing of a long line", () => {
    const line = `    ${"x".repeat(50)}${"y".repeat(60)}`;
    const parts = wrapLine(line, 40);
    expect(parts.every((part) => part.length <= 40)).toBe(true);
    expect(parts.map((part) => part.trimStart()).join("")).toBe(line.trimStart());
  });

  it("breaks a long line between its words, and loses none of its blanks", () => {
    const line = "    why: Each node has to find every other, and itself,  by name at its real address.";
    const parts = wrapLine(line, 40);
    expect(parts).toEqual([
      "    why: Each node has to find every ",
      "      other, and itself,  by name at ",
      "      its real address.",
    ]);
    expect(wrapLine("名前".repeat(15), 40).every((part) => widthOf(part) <= 40)).toBe(true);
  });
});

describe("configuring nodes on the screen", () => {
  it("asks the job's nodes, shows every command, starts after a question, and ends in the run", async () => {
    const run = runOf(["paravance-11"], { id: "configure-1" });
    const startRun = vi.fn<Journeys["startRun"]>(async () => handleOf(run));
    const ui = open({ startRun });
    await ui.waitFor("the 4 nodes of job 1874");
    await ui.press(keys.enter);
    await ui.waitFor("Configure 4 nodes");
    await ui.press(keys.tab, keys.right, keys.enter);
    const lines = (await ui.waitFor("shown only here")).join("\n");
    const password = /shown only here: (\S+)/.exec(lines)?.[1] ?? "";
    expect(password.length).toBeGreaterThan(15);
    expect(lines).toContain("Every command that will run");
    await ui.press(keys.enter);
    await ui.waitFor("Start: configure 4 nodes?");
    expect(startRun).not.toHaveBeenCalled();
    await ui.press(keys.down, keys.enter);
    await ui.waitFor(/step \d of 11/);
    expect(ui.navigation.places()).toEqual([{ screen: "runs" }, { screen: "run", id: "configure-1" }]);
    const [, plan, options] = startRun.mock.calls[0] ?? [];
    expect(plan).toMatchObject({ kind: "configure", site: "rennes", jobId: 1874 });
    expect(await options?.secrets?.("root-password", new AbortController().signal)).toBe(password);
    ui.navigation.open({ screen: "configure" });
    await ui.waitFor("the 4 nodes of job 1874");
    expect(ui.screen().join("\n")).not.toContain(password);
  });

  it("takes any hosts where there is no job, and says which did not answer", async () => {
    const ui = open({ askNodes: answering(["b"]) }, false);
    await ui.waitFor("any hosts");
    await ui.press(keys.enter);
    await ui.waitFor("at least one host is needed");
    // The cursor stands where it is typed.
    await ui.waitFor(/❯Hosts/);
    await ui.press("a, b", keys.enter);
    const lines = (await ui.waitFor("1 of 2 nodes answered")).join("\n");
    expect(lines).toMatch(/✗ b: no route to host/);
    await ui.press(keys.enter);
    await ui.waitFor("Configure 1 node");
    await ui.press(keys.esc);
    await ui.waitFor("any hosts");
    expect(ui.screen().join("\n")).toContain("a, b");
  });

  it("does not go on when nobody answered", async () => {
    const ui = open({ askNodes: answering(job.nodes) });
    await ui.waitFor("the 4 nodes of job 1874");
    await ui.press(keys.enter);
    await ui.waitFor("0 of 4 nodes answered");
    await ui.press(keys.enter);
    await ui.waitFor("no node answered");
  });

  it("never shows a typed password, and refuses two different ones", async () => {
    const ui = open();
    await ui.waitFor("the 4 nodes of job 1874");
    await ui.press(keys.enter);
    await ui.waitFor("Configure 4 nodes");
    await ui.press(keys.tab, keys.right, keys.right, keys.tab, "very secret 1", keys.tab, "very secret");
    const text = (await ui.waitFor("the two are not the same")).join("\n");
    expect(text).not.toContain("secret 1");
    expect(text).toContain("•••••");
    await ui.press(keys.enter);
    await ui.waitFor(/✗ .*once more: the two are not the same/);
    await ui.press(" 1", keys.enter);
    await ui.waitFor("Every command that will run");
    expect(ui.screen().join("\n")).not.toContain("very secret");
  });

  it("shows why it can't start, and takes nodes that another run holds after a question only", async () => {
    const startRun = vi.fn<Journeys["startRun"]>();
    startRun.mockRejectedValueOnce(
      new VirtuError({ kind: "refused", what: "Another run has paravance-11", hint: "Wait for it." }),
    );
    startRun.mockResolvedValueOnce(handleOf(runOf(["paravance-11"], { id: "taken", plan: planOf(["paravance-11"]) })));
    const ui = open({ startRun });
    await ui.waitFor("the 4 nodes of job 1874");
    await ui.press(keys.enter);
    await ui.waitFor("Configure 4 nodes");
    await ui.press(keys.enter);
    await ui.waitFor("Every command that will run");
    await ui.press(keys.enter, keys.down, keys.enter);
    await ui.waitFor("Another run has paravance-11");
    await ui.waitFor("T takes the nodes");
    await ui.press("T");
    await ui.waitFor("Take the nodes and start");
    await ui.press(keys.down, keys.enter);
    await ui.waitFor(/step \d of 11/);
    expect(startRun.mock.calls.map(([, , options]) => options?.takeLock)).toEqual([false, true]);
  });
});
