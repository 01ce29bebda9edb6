/** A comparison as a file: every single time as CSV, all of it as JSON, the table side by side as Markdown. Pure. */
import path from "node:path";
import { csvOf } from "../instances/export.ts";
import { iso, plainLine } from "../text.ts";
import { measuresOf } from "./compare-model.ts";
import type { ComparisonView } from "./compare-types.ts";
import { caveats, cellLongText, differences, leftLines, placeTitle, subjectText } from "./compare-words.ts";

export type ComparisonFormat = "csv" | "json" | "md";

/** The kind of file that a name asks for; null: none of them. */
export function comparisonFormat(file: string): ComparisonFormat | null {
  const ending = path.extname(file).toLowerCase();
  if (ending === ".csv" || ending === ".json" || ending === ".md") return ending.slice(1) as ComparisonFormat;
  return null;
}

const at = (milliseconds: number | null) => iso(milliseconds === null ? null : Math.floor(milliseconds / 1000));
const rounded = (value: number) => Math.round(value * 1000) / 1000;

/** The documented shape of a comparison. Seconds; `cells` hold the medians. */
export function comparisonJson(view: ComparisonView): unknown {
  const { id, setup, state, startedAt, endedAt, samples, made } = view;
  const { rounds, count, together, limitSeconds } = setup;
  return {
    ...{ id, state, startedAt: at(startedAt), endedAt: at(endedAt), rounds, count, together, limitSeconds },
    places: setup.places.map(({ id: place, host, provider, label, what, ready }) => ({
      ...{ id: place, host: host.name, provider, label, what, ready: ready?.by ?? null },
    })),
    cells: measuresOf(view).flatMap(({ id: measure, of, cells }) =>
      cells.map((cell) => {
        const spread = of === "ready" ? cell.ready : cell.done;
        return {
          ...{
            place: cell.place,
            measure,
            median: spread && rounded(spread.median),
            min: spread && rounded(spread.min),
          },
          ...{ max: spread && rounded(spread.max), n: spread?.n ?? 0, requests: cell.requests?.median ?? null },
          ...{ failed: cell.failed, refused: cell.refused, notes: cell.notes, why: cell.why },
        };
      }),
    ),
    samples: samples.map((sample) => ({
      ...sample,
      seconds: sample.seconds === null ? null : rounded(sample.seconds),
      readySeconds: sample.readySeconds === null ? null : rounded(sample.readySeconds),
    })),
    notGone: made.filter(({ gone }) => !gone).map(({ name, place, left }) => ({ name, place, left })),
  };
}

function csv({ id, setup, samples }: ComparisonView): string {
  const places = new Map(setup.places.map((place) => [place.id, place]));
  const number = (value: number | null) => (value === null ? "" : String(rounded(value)));
  return csvOf({
    columns: [
      ...["comparison", "host", "provider", "round", "instance", "phase", "state", "seconds", "ready_seconds"],
      ...["requests", "text"],
    ],
    rows: samples.map(({ place, round, name, phase, state, seconds, readySeconds, requests, text }) => {
      const { host, provider } = places.get(place) ?? {};
      return [
        ...[id, host?.name ?? "", provider ?? "", String(round), name, phase, state, number(seconds)],
        ...[number(readySeconds), String(requests), plainLine(text)],
      ];
    }),
    objects: [],
  });
}

/** A cell of a Markdown table: what a host says may hold anything. */
const escaped = (text: string) => text.trim().replaceAll("\\", "\\\\").replaceAll("|", "\\|").replaceAll("<", "&lt;");

export function markdown(view: ComparisonView): string {
  const { setup, startedAt } = view;
  const row = (cells: readonly string[]) => `| ${cells.map(escaped).join(" | ")} |`;
  const lines = measuresOf(view).map(({ title, phase, of, cells }) =>
    row([of === "ready" ? `${phase}, the guest answers` : title, ...cells.map((cell) => cellLongText(cell, of))]),
  );
  const said = [...caveats(view), ...differences(view), ...leftLines(view)];
  return [
    `# ${subjectText(setup)} compared, ${at(startedAt)}`,
    "",
    row(["", ...setup.places.map(placeTitle)]),
    `|---|${setup.places.map(() => "---:|").join("")}`,
    ...lines,
    "",
    ...said.map((line) => `- ${escaped(line)}`),
    "",
  ].join("\n");
}

export function comparisonText(view: ComparisonView, format: ComparisonFormat): string {
  if (format === "csv") return csv(view);
  return format === "json" ? `${JSON.stringify(comparisonJson(view), null, 2)}\n` : markdown(view);
}
