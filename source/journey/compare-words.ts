/** A comparison in words: its cells, what each place did differently, what is compared and what is not. Pure. */
import { count, plainLine } from "../text.ts";
import { type Cell, leftOf, type Measure, measuresOf, notGone, type Spread } from "./compare-model.ts";
import type { ComparisonView, PlaceFacts } from "./compare-types.ts";

const names: Readonly<Record<PlaceFacts["provider"], string>> = {
  ganeti: "Ganeti",
  libvirt: "libvirt",
  xen: "Xen",
  xenserver: "XenServer",
};

/** `0.42 s`, `12.4 s`, `123 s`. */
export function secondsText(seconds: number): string {
  return `${seconds < 9.995 ? seconds.toFixed(2) : seconds < 99.95 ? seconds.toFixed(1) : Math.round(seconds)} s`;
}

/** `Ganeti gnt1`, as short as a column's head. */
export function placeTitle({ host, provider }: PlaceFacts): string {
  return `${names[provider]} ${
    plainLine(host.name)
      .replace(/^[^@]*@/, "")
      .split(".")[0] ?? ""
  }`;
}

/** `Ganeti and libvirt`; places of one provider by their hosts, many of them by their number. */
export function subjectText({ places }: ComparisonView["setup"]): string {
  const providers = [...new Set(places.map(({ provider }) => names[provider]))];
  if (providers.length === 1 && places.length > 2) return `${places.length} places of ${providers[0]}`;
  const words = providers.length > 1 ? providers : places.map(placeTitle);
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/** `today`, `yesterday`, `3 days ago`, by this machine's calendar. */
export function dayText(at: number, now: number): string {
  const midnight = (time: number) => new Date(time).setHours(0, 0, 0, 0);
  const days = Math.round((midnight(now) - midnight(at)) / 86_400_000);
  return days <= 0 ? "today" : days === 1 ? "yesterday" : `${days} days ago`;
}

const spreadOf = (cell: Cell, of: Measure["of"]): Spread | null => (of === "ready" ? cell.ready : cell.done);

/** A cell without its spread: `12.4 s`, `–` for refused, `✗` for failed, `·` for not tried. */
export function cellText(cell: Cell, of: Measure["of"]): string {
  const spread = spreadOf(cell, of);
  if (spread) return `${secondsText(spread.median)}${cell.failed > 0 ? ` ✗${cell.failed}` : ""}`;
  if (of === "ready") return "·";
  return cell.failed > 0 ? "✗" : cell.refused > 0 ? "–" : "·";
}

/** The same with its spread: `12.4 s (11.9–13.0, 3 times)`. */
export function cellLongText(cell: Cell, of: Measure["of"]): string {
  const spread = spreadOf(cell, of);
  const text = cellText(cell, of);
  if (!spread || spread.n < 2) return text;
  const [low, high] = [secondsText(spread.min).replace(" s", ""), secondsText(spread.max).replace(" s", "")];
  return `${text} (${low}–${high}, ${spread.n} times)`;
}

/** How often and in which order: `2 rounds of 1 instance on each place, one place after another`. */
export function orderText({ rounds, count: each, together }: ComparisonView["setup"]): string {
  const times = rounds === 1 ? "Once" : `${rounds} rounds`;
  return `${times}, ${count(each, "instance")} on each place, ${together ? "all places at the same time" : "one place after another"}`;
}

/** One line for each phase in which the places differ or something was not done; each says which place and how or why. */
export function differences(view: Pick<ComparisonView, "setup" | "samples">): string[] {
  const places = new Map(view.setup.places.map((place) => [place.id, placeTitle(place)]));
  return measuresOf(view)
    .filter(({ of }) => of === "done")
    .flatMap(({ phase, cells }) => {
      // Places that say the same stand together.
      const said = new Map<string, string[]>();
      for (const cell of cells) {
        const name = places.get(cell.place) ?? cell.place;
        const why = cell.why.map((text) => `${cell.failed > 0 ? "✗" : "–"} ${plainLine(text)}`);
        for (const text of [...cell.notes.map(plainLine), ...why]) said.set(text, [...(said.get(text) ?? []), name]);
      }
      const parts = [...said].map(([text, who]) => `${who.join(", ")}: ${text}`);
      return parts.length === 0 ? [] : [`${phase}: ${parts.join("; ")}.`];
    });
}

/** What is compared and what is not. */
export function caveats({ setup }: Pick<ComparisonView, "setup">): string[] {
  const made = setup.places.map((place) => `${placeTitle(place)}: ${plainLine(place.what)}`);
  const atOnce = setup.places.filter(({ startsAtOnce }) => startsAtOnce).map(placeTitle);
  const unlike = new Set(setup.places.map(({ what }) => what)).size > 1;
  return [
    `Made: ${made.join("; ")}.`,
    `${orderText(setup)}. A time runs from virtu's request until the provider's own state, the way to the host with it; what the guests do inside is not compared.`,
    ...(atOnce.length > 0 ? [`${atOnce.join(", ")}: made running, so its start was measured after its stop.`] : []),
    ...(setup.places.some(({ provider }) => provider === "libvirt")
      ? ["virsh only asks a guest to stop: virtu then looks once a second, and its time is as exact as that."]
      : []),
    ...(setup.count > 1 ? ["Of several at once each one's time holds its waiting for the others."] : []),
    ...(unlike ? ["The guests are not alike: create, start and stop tell of them as well as of the tools."] : []),
  ];
}

/** What is left behind, with why and how to take it away. */
export function leftLines(view: Pick<ComparisonView, "id" | "made" | "state">): string[] {
  const left = leftOf(view);
  const open = view.state === "running" ? [] : notGone(view).filter((one) => one.left.length === 0);
  return [
    ...left.flatMap(({ what, why, how }) => [`left behind: ${what}: ${why}`, `  take it away: ${how}`]),
    ...open.map(({ name, place }) => `may be left: ${name} on ${place}`),
    ...(left.length + open.length > 0 ? [`virtu compare --clean ${view.id} takes away what it can.`] : []),
  ].map(plainLine);
}
