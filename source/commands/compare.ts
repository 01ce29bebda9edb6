/** `virtu compare`: the same life cycle on several places, timed, side by side; what was kept of it; what it left behind. */
import { existsSync } from "node:fs";
import type { Command } from "commander";
import { VirtuError } from "../errors.ts";
import {
  type ComparisonSummary,
  carryComparison,
  cleanComparison,
  listComparisons,
  lookAtComparison,
} from "../journey/compare.ts";
import { comparisonFormat, comparisonJson, comparisonText } from "../journey/compare-export.ts";
import { measuresOf, notGone, tally } from "../journey/compare-model.ts";
import { type ComparisonPlan, planComparison } from "../journey/compare-plan.ts";
import type { ComparisonView } from "../journey/compare-types.ts";
import {
  caveats,
  cellLongText,
  differences,
  leftLines,
  orderText,
  placeTitle,
  secondsText,
  subjectText,
} from "../journey/compare-words.ts";
import { localPath, writeLocal } from "../local-file.ts";
import { count, iso, plainLine } from "../text.ts";
import { cancelled } from "../waiting.ts";
import { type CompareOptions, wishOf, withCompareFlags } from "./compare-flags.ts";
import { confirm, type ExitStatus, exit, reportError, run, type Session, withChange } from "./run.ts";
import { table } from "./table.ts";

/** The table side by side, then what it means and what is left. */
export function comparisonLines(view: ComparisonView): string[] {
  const { id, state, setup, startedAt } = view;
  const rows = measuresOf(view).map(({ title, of, cells }) => [title, ...cells.map((cell) => cellLongText(cell, of))]);
  const at = iso(Math.floor(startedAt / 1000));
  return [
    `${id}  ${state}  ${at}  ${subjectText(setup)}`,
    ...table(["", ...setup.places.map((place) => placeTitle(place).toUpperCase())], rows),
    "",
    ...[...caveats(view), ...differences(view)].map(plainLine),
    ...leftLines(view),
  ];
}

function planLines({ places, problems, setup }: ComparisonPlan): string[] {
  return places.flatMap(({ facts, rows, lines }) => [
    `${facts.id}  ${plainLine(facts.what)}`,
    `  ${orderText(setup)}: ${rows.map(({ name }) => name).join(", ")}`,
    ...problems.filter(({ place }) => place === facts.id).map(({ field, text }) => `  ! ${field}: ${text}`),
    ...lines.flatMap(({ phase, lines: commands, note }) => [
      `  ${phase}${note === null ? "" : ` (${commands.length > 0 ? "" : "– "}${plainLine(note)})`}`,
      ...commands.map(({ host, line }) => `    ${host}: ${line}`),
    ]),
  ]);
}

function planJson({ id, setup, places, problems }: ComparisonPlan): unknown {
  return {
    ...{ id, rounds: setup.rounds, count: setup.count, together: setup.together },
    places: places.map(({ facts, rows, lines }) => ({
      ...{ id: facts.id, host: facts.host.name, provider: facts.provider, what: facts.what },
      ...{ names: rows.map(({ name }) => name), phases: lines },
    })),
    problems,
  };
}

function refuse({ problems }: ComparisonPlan): void {
  const [first] = problems;
  if (!first) return;
  const lines = problems.map(({ place, field, text }) => `${place}: ${field}: ${text}`);
  throw new VirtuError({
    ...{ kind: "usage", what: "What is to be compared can't be made so", where: first.place },
    why: `${first.field}: ${first.text}`,
    hint: "Nothing was made. Change the sizes, or describe what to make there in a file (-f).",
    detail: lines.length > 1 ? lines.join("\n") : undefined,
  });
}

/** Refuses what could not be written in the end, before anything is made. */
function checkOutput(file: string | undefined): void {
  if (file === undefined) return;
  const why = comparisonFormat(file) === null ? "its name ends neither with .csv nor with .json or .md" : null;
  const there = existsSync(localPath(file)) ? "there is one of that name already" : null;
  const reason = why ?? there;
  if (reason !== null) {
    throw new VirtuError({ kind: "usage", what: "The file can't be written", where: file, why: reason });
  }
}

async function writeOutput(session: Session, view: ComparisonView, file: string | undefined): Promise<void> {
  if (file === undefined) return;
  const text = comparisonText(view, comparisonFormat(file) ?? "json");
  session.out.note(`the comparison is in ${await writeLocal(file, text, { what: "The comparison", mode: 0o600 })}`);
}

/** Milliseconds for which a phase may go on before its steps are told. */
const longPhase = 3000;

/** One line for each time, and for what goes on where a phase takes long. */
function teller(session: Session): (view: ComparisonView) => void {
  const told = new Map<string, number>();
  let samples = 0;
  return (view) => {
    for (const { place, name, phase, state, seconds, readySeconds, text } of view.samples.slice(samples)) {
      const ready = readySeconds === null ? "" : `, its guest answers after ${secondsText(readySeconds)}`;
      const how = state === "done" && seconds !== null ? `${secondsText(seconds)}${ready}` : state;
      session.out.note([`${place}/${name}: ${phase} ${how}`, text].filter(Boolean).join(": "));
    }
    samples = view.samples.length;
    const now = Date.now();
    for (const { place, name, phase, text, since } of view.now) {
      const last = Math.max(since, told.get(name) ?? 0);
      if (text === "" || now - last < longPhase) continue;
      told.set(name, now);
      session.out.note(`${place}/${name}: ${phase} … ${text}`);
    }
  };
}

function statusOf(view: ComparisonView, silent: number): ExitStatus {
  const { done, failed } = tally(view);
  if (done === 0) return exit.failed;
  return failed > 0 || silent > 0 || notGone(view).length > 0 ? exit.some : exit.done;
}

async function compare(session: Session, options: CompareOptions): Promise<ExitStatus> {
  checkOutput(options.output);
  const { app, globals, signal, out } = session;
  const plan = await planComparison(app, wishOf(session, options), signal);
  for (const error of plan.silent) reportError(error, globals.json);
  if (globals.dryRun) {
    out.result(planJson(plan), planLines(plan));
    return plan.problems.length > 0 ? exit.usage : exit.done;
  }
  refuse(plan);
  const names = plan.places.flatMap(({ rows }) => rows.map(({ name }) => name));
  const made = plan.places.map(({ facts, rows }) => `${facts.id}: ${rows.map(({ name }) => name).join(", ")}`);
  await confirm(session, `Make, start, migrate and remove ${count(names.length, "instance")}?`, made);
  const view = await carryComparison(app, plan, { signal, onView: teller(session) });
  out.result(comparisonJson(view), comparisonLines(view));
  await writeOutput(session, view, options.output);
  if (signal.aborted) throw cancelled();
  return statusOf(view, plan.silent.length);
}

function listLine({ view, pid }: ComparisonSummary): string {
  const { id, state, setup, startedAt } = view;
  const left = pid === null ? notGone(view).length : 0;
  const at = iso(Math.floor(startedAt / 1000)) ?? "";
  const more = left > 0 ? `  ${count(left, "instance")} may be left` : "";
  return plainLine(`${id}  ${state.padEnd(11)}  ${at}  ${subjectText(setup)}${more}`);
}

async function list(session: Session): Promise<ExitStatus> {
  const all = await listComparisons(session.app);
  session.out.result(
    all.map(({ view, pid }) => ({ ...(comparisonJson(view) as object), samples: undefined, pid })),
    all.map(listLine),
  );
  if (all.length === 0) session.out.note("Nothing was compared on this machine yet.");
  return exit.done;
}

/** The one that is named, else the newest. */
async function find(session: Session, id: string | true): Promise<ComparisonSummary> {
  if (id !== true) return lookAtComparison(session.app, id);
  const [newest] = await listComparisons(session.app);
  if (newest) return newest;
  throw new VirtuError({ kind: "usage", what: "Nothing was compared on this machine yet" });
}

async function show(session: Session, id: string | true, options: CompareOptions): Promise<ExitStatus> {
  checkOutput(options.output);
  const { view } = await find(session, id);
  session.out.result(comparisonJson(view), comparisonLines(view));
  await writeOutput(session, view, options.output);
  return exit.done;
}

/** Of one comparison, or of all that nobody carries. */
async function clean(session: Session, id: string | true): Promise<ExitStatus> {
  const { app, signal, out, globals } = session;
  const all = id === true ? await listComparisons(app) : [await lookAtComparison(app, id)];
  const open = all.filter(({ view, pid }) => notGone(view).length > 0 && (id !== true || pid === null));
  if (open.length === 0) {
    out.result([], []);
    out.note("Nothing is left behind by any comparison.");
    return exit.done;
  }
  const losses = open.flatMap(({ view }) => notGone(view).map(({ name, place }) => `${place}/${name}`));
  if (globals.dryRun) {
    out.result(losses, losses);
    return exit.done;
  }
  await confirm(session, `Remove ${count(losses.length, "instance")} of comparisons, with disks?`, losses);
  const views: ComparisonView[] = [];
  for (const { view } of open) views.push(await cleanComparison(app, view.id, { signal, onView: teller(session) }));
  const left = views.flatMap((view) => notGone(view));
  out.result(
    views.map(comparisonJson),
    views.flatMap((view, index) => {
      const before = open[index] ? notGone(open[index].view).length : 0;
      const gone = before - notGone(view).length;
      return [`${view.id}: ${gone} of ${count(before, "instance")} gone`, ...leftLines(view)];
    }),
  );
  if (left.length === 0) return exit.done;
  return left.length === losses.length ? exit.failed : exit.some;
}

const told = `
Each place makes instances with names of its own (virtu-compare-…), takes them through create, start, reboot, migrate, stop
and remove, and ends with nothing left; nothing else there is touched. Ctrl-C takes away what was made and shows the times
so far; after a crash --clean does that. Refused is a result (–), failed is not (exit status 3).
With --json: {id, state, places, cells: [{place, measure, median, min, max, n, …}], samples, notGone}.`;

export function declare(program: Command): void {
  withCompareFlags(withChange(program.command("compare")))
    .description(
      "Compares tools: the same life cycle of instances on two or more places, timed and shown side by side.",
    )
    .addHelpText("after", told)
    .action((options: CompareOptions, command: Command) =>
      run((session) => {
        const all = command.optsWithGlobals() as CompareOptions;
        if (all.list) return list(session);
        if (all.show !== undefined) return show(session, all.show, all);
        return all.clean === undefined ? compare(session, all) : clean(session, all.clean);
      })(options, command),
    );
}
