/** One instance through single phases, on a provider that does what the test says. */
import { expect, test } from "vitest";
import { LibvirtMaker } from "../../source/instances/create-maker-libvirt.ts";
import type { CreateRow } from "../../source/instances/create-types.ts";
import type { Action, ActionOutcome, Instance, Provider } from "../../source/instances/types.ts";
import { countingPool } from "../../source/journey/compare-count.ts";
import { Life, type LifeOptions } from "../../source/journey/compare-phases.ts";
import type { PlannedPlace } from "../../source/journey/compare-plan.ts";
import type { Phase, PlaceFacts } from "../../source/journey/compare-types.ts";
import type { ExecResult, Pool } from "../../source/ssh/types.ts";
import { idlePool } from "../ui/harness.tsx";
import { providerOf } from "../ui/instance-fakes.ts";

const row: CreateRow = {
  ...{ name: "vc-1", host: "hv1", provider: "libvirt", where: "", address: "10.0.0.5", commands: [], problems: [] },
  request: {
    ...{
      provider: "libvirt",
      name: "vc-1",
      memoryMiB: 64,
      vcpus: 1,
      start: false,
      uuid: "u1",
      media: { kind: "none" },
    },
    ...{
      osinfo: null,
      disks: [],
      nics: [],
      arch: null,
      machine: null,
      firmware: null,
      virtType: null,
      graphics: "none",
    },
  },
};

const instanceOf = (status: Instance["status"]): Instance => ({
  ...{ key: "k", name: "vc-1", id: "u1", provider: "libvirt", cluster: null, host: "hv1", node: "hv1", status },
  ...{ statusDetail: status, vcpus: 1, memoryMiB: 64, facts: {} },
});

const ok = (own: Partial<ActionOutcome> = {}): ActionOutcome => ({
  ...{ ok: true, job: null, text: null, error: null, detail: null, ...own },
});

const exited = (status: number, stdout = ""): ExecResult => ({
  ...{ outcome: "exited", status, signal: null, stdout, stderr: "", truncated: false, durationMs: 1 },
});

interface Script {
  /** What each list shows in turn; the last one stays. */
  shows: readonly (Instance["status"] | null)[];
  act?: (action: Action) => ActionOutcome;
  /** Whether a ping is answered now. */
  answers?: () => boolean;
  facts?: Partial<PlaceFacts>;
  provider?: Partial<Provider>;
  options?: Partial<LifeOptions>;
}

function lifeOf({ shows, act = () => ok(), answers = () => false, facts, provider: own, options }: Script) {
  const lists = [...shows];
  const acted: string[] = [];
  const pool: Pool = countingPool(
    Object.assign(idlePool(), {
      exec: async (_host: unknown, { line }: { line: string }) => {
        if (line.startsWith("ping")) return exited(answers() ? 0 : 1);
        return exited(0, "running\n");
      },
    }),
  );
  const provider = providerOf({
    list: async () => {
      await pool.exec({ name: "hv1" }, { line: "list" } as never);
      const status = lists.length > 1 ? lists.shift() : lists[0];
      return { instances: status ? [instanceOf(status)] : [], nodes: [], notes: [] };
    },
    act: async (action) => {
      acted.push(action.do);
      return act(action);
    },
    targets: async () => [],
    maker: async () => new LibvirtMaker({ name: "hv1" }, "qemu:///system"),
    ...own,
  });
  const place: PlannedPlace = {
    facts: {
      ...{ id: "hv1:libvirt", host: { name: "hv1" }, provider: "libvirt", label: "qemu:///system", what: "" },
      ...{ startsAtOnce: false, ready: null, ...facts },
    },
    ...{ provider, offers: { provider: "libvirt", files: new Map() } as never, rows: [row], lines: [] },
  };
  const life = new Life(place, row, 1, {
    reach: { pool, homes: new Map([["hv1:libvirt", provider]]), all: [provider], silent: new Map() },
    ...{ limitSeconds: 1, signal: new AbortController().signal, onText: () => {}, onMove: async () => {}, lookMs: 1 },
    ...options,
  });
  // As if it had been made.
  Object.assign(life, { instance: instanceOf(shows[0] ?? "stopped") });
  return { life, acted };
}

const phaseOf = (phase: Phase, script: Script) => lifeOf(script).life.phase(phase);

test("a state that is shown at the first look was reached when the provider said so; a later one when it was shown", async () => {
  const act = () => {
    const until = performance.now() + 30;
    while (performance.now() < until);
    return ok();
  };
  const first = await phaseOf("start", { shows: ["stopped", "running"].slice(1) as Instance["status"][], act });
  expect(first).toMatchObject({ state: "done", requests: 1, readySeconds: null });
  const late = await phaseOf("start", { shows: ["stopped", "stopped", "stopped", "running"], act });
  expect(late.state).toBe("done");
  expect(late.requests).toBe(4);
  expect(late.seconds).toBeGreaterThan(0.03);
});

test("what only asks is said so, and a guest is waited for that fell silent first", async () => {
  const act = () => ok({ text: "the guest was asked to reboot" });
  const asked = await phaseOf("reboot", { shows: ["running"], act });
  expect(asked).toMatchObject({ state: "done", text: "the guest was asked to reboot, nobody waited for it" });
  const ready = { by: "ping" as const, pattern: null, address: null, limitSeconds: 5 };
  let pings = 0;
  let silentSince = 0;
  // It answers twice, is away for longer than a lost packet, and comes back.
  const answers = () => {
    pings += 1;
    if (pings === 3) silentSince = performance.now();
    return pings < 3 || performance.now() - silentSince > 1300;
  };
  const waited = await phaseOf("reboot", {
    shows: ["running"],
    act,
    answers,
    facts: { ready },
    options: { silenceSeconds: 1 },
  });
  expect(waited).toMatchObject({ state: "done", text: "the guest was asked to reboot", requests: 1 });
  expect(waited.readySeconds).toBeGreaterThan(1.3);
});

test("a guest that never answers is no failure of the provider", async () => {
  const ready = { by: "ping" as const, pattern: null, address: null, limitSeconds: 1 };
  const sample = await phaseOf("start", { shows: ["running"], facts: { ready } });
  expect(sample).toMatchObject({
    ...{ state: "done", readySeconds: null, text: "made no answer: 10.0.0.5 does not answer ping after 1 s" },
  });
  expect(sample.seconds).not.toBeNull();
});

test("a guest that does not listen is ended by force, untimed; then it can be removed", async () => {
  const { life, acted } = lifeOf({
    shows: ["running", "running", null],
    act: (action) => (action.do === "shutdown" ? ok({ ok: false, error: "the guest is still running" }) : ok()),
  });
  expect(await life.phase("stop")).toMatchObject({
    state: "failed",
    seconds: null,
    text: "the guest is still running",
  });
  expect(acted).toEqual(["shutdown", "force-off"]);
  expect(await life.phase("remove")).toMatchObject({ state: "done" });
  expect(acted).toEqual(["shutdown", "force-off", "force-off", "remove"]);
});

test("no second host, a provider that refuses, and one that is off: refused or skipped, each with its reason", async () => {
  expect(await phaseOf("migrate", { shows: ["running"] })).toMatchObject({
    ...{ state: "refused", text: "no second libvirt host is named" },
  });
  const full = [{ name: "hv2", memoryFreeMiB: 1, refusal: "only 1 MiB of memory are free there", note: "" }];
  expect(await phaseOf("migrate", { shows: ["running"], provider: { targets: async () => full } })).toMatchObject({
    ...{ state: "refused", text: "hv2: only 1 MiB of memory are free there" },
  });
  expect(
    await phaseOf("stop", { shows: ["running"], provider: { refuses: () => "its memory is saved" } }),
  ).toMatchObject({
    ...{ state: "refused", text: "its memory is saved" },
  });
  expect(await phaseOf("reboot", { shows: ["stopped"] })).toMatchObject({ state: "skipped", text: "it did not run" });
});

test("a comparison that is taken back counts nothing as failed", async () => {
  const signal = AbortSignal.abort();
  expect(await phaseOf("start", { shows: ["running"], options: { signal } })).toMatchObject({
    ...{ state: "cancelled", seconds: null },
  });
});
