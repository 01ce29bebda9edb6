/** A comparison as lines: phases × places with times and bars, the one under the cursor in full, what it all means. Pure. */
import { type Cell, type Measure, measuresOf, notGone } from "../../journey/compare-model.ts";
import type { Activity, ComparisonView, PlaceFacts } from "../../journey/compare-types.ts";
import { caveats, cellLongText, cellText, differences, leftLines, placeTitle } from "../../journey/compare-words.ts";
import { clock, count, plainLine } from "../../text.ts";
import { bar, cell, paint, state as stateText, symbol, widthOf } from "../theme.ts";
import { wrapped } from "../wrap.ts";

const titleWidth = 10;
const narrowest = 18;
const widest = 40;

/** How many places stand beside each other in so many columns, and how wide each is. */
export function columnsFor(places: number, width: number): { shown: number; each: number } {
  const room = width - titleWidth - 2;
  const shown = Math.max(1, Math.min(places, Math.floor(room / narrowest)));
  return { shown, each: Math.min(widest, Math.floor(room / shown)) };
}

export function headLine(places: readonly PlaceFacts[], each: number): string {
  return [cell("", titleWidth), ...places.map((place) => cell(placeTitle(place), each - 1))].join(" ");
}

/** What goes on at this moment in a phase of a place: the one that has been at it longest. */
function activityOf(view: ComparisonView, { place, phase }: Cell): Activity | undefined {
  return view.now.filter((one) => one.place === place && one.phase === phase).sort((a, b) => a.since - b.since)[0];
}

/** One row: each place's time, with a bar as long as it is beside the slowest of the row. */
export function measureLine(
  view: ComparisonView,
  { title, of, cells }: Measure,
  from: number,
  { shown, each }: { shown: number; each: number },
  now: number,
): string {
  const time = ({ done, ready }: Cell) => (of === "ready" ? ready : done)?.median ?? 0;
  const slowest = Math.max(...cells.map(time));
  const parts = cells.slice(from, from + shown).map((one) => {
    const activity = of === "done" ? activityOf(view, one) : undefined;
    if (activity) {
      const text = `${clock(Math.max(0, now - activity.since) / 1000)} ${plainLine(activity.text)}`;
      return `${paint(symbol("busy"), "cyan")} ${cell(text, each - 3)}`;
    }
    const text = cellText(one, of);
    const long = cell(text, Math.min(11, each - 1), "right");
    const bad = one.failed > 0 && of === "done";
    const shownText = bad ? paint(long, "red") : time(one) > 0 ? long : paint(long, "dim");
    const room = each - 2 - widthOf(long);
    if (room < 3) return shownText + " ".repeat(Math.max(0, each - 1 - widthOf(long)));
    return `${shownText} ${time(one) > 0 ? bar(time(one) / slowest, room) : " ".repeat(room)}`;
  });
  return [cell(title, titleWidth), ...parts].join(" ");
}

/** Everything about one row, place by place. */
export function detailLines({ setup }: ComparisonView, { title, phase, of, cells }: Measure, width: number): string[] {
  const lines = cells.flatMap((one) => {
    const place = setup.places.find(({ id }) => id === one.place);
    const requests = of === "done" && one.requests ? `${count(Math.round(one.requests.median), "request")}` : "";
    const texts = of === "done" ? [...one.notes, ...one.why].map(plainLine) : [];
    const time = one.tries === 0 ? "not tried" : cellLongText(one, of);
    const parts = [time, requests, ...texts].filter(Boolean);
    return wrapped(`${place ? placeTitle(place) : one.place}: ${parts.join(" · ")}`, width);
  });
  return [paint(of === "ready" ? `${phase}: until the guest answers` : title.trim(), "bold"), ...lines];
}

/** What is compared and what not, and what is left behind: that first. */
export function meaningLines(view: ComparisonView, width: number): string[] {
  const left = view.state === "running" ? [] : leftLines(view).flatMap((line) => wrapped(line, width));
  return [
    ...left.map((line) => paint(line, "yellow")),
    ...[...differences(view), ...caveats(view)].flatMap((line) => wrapped(line, width)),
  ];
}

/** How it is, in a word. */
export function comparisonState(view: Pick<ComparisonView, "state" | "made">): string {
  const left = view.state === "running" ? 0 : notGone(view).length;
  const more = left > 0 ? paint(` · ${left} may be left`, "yellow") : "";
  switch (view.state) {
    case "running":
      return stateText("busy", "running");
    case "done":
      return stateText("good", "done") + more;
    case "cancelled":
      return stateText("idle", "taken back") + more;
    case "interrupted":
      return stateText("warning", "broken off") + more;
  }
}

/** How far it is: samples of all that there will be. */
export function progressOf(view: ComparisonView): { share: number; text: string } {
  const { places, rounds, count: each } = view.setup;
  const all = places.length * rounds * each * measuresOf(view).filter(({ of }) => of === "done").length;
  const clean = view.now.find(({ phase }) => phase === "clean");
  const round = Math.max(1, ...view.made.map((one) => one.round));
  const text = clean ? plainLine(clean.text) : `round ${round} of ${rounds}`;
  return { share: all === 0 ? 0 : view.samples.length / all, text };
}
