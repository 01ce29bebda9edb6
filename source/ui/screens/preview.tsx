/** A plan with every command, before it runs or beside a run: scrolled, filtered, of all nodes or of one. */
import { Box, Text } from "ink";
import { type ReactNode, useMemo } from "react";
import type { Plan } from "../../journey/plan.ts";
import { planLines } from "../../journey/run.ts";
import { plain, plainLine } from "../../text.ts";
import { FilterLine, useFilter } from "../components/filter.tsx";
import { Table, useList } from "../components/table.tsx";
import { useKeys, useKnown, useRemembered, useUi } from "../hooks.ts";
import { matches } from "../list.ts";
import type { Place } from "../navigation.ts";
import { cell, paint, widthOf } from "../theme.ts";
import { shortNames } from "./node-names.ts";

/** A line of the preview in `width` columns: titles stand out, commands keep the terminal's own colour. */
export function previewLine(line: string, width: number): string {
  const text = cell(plainLine(line), width);
  if (/^\S/.test(line)) return paint(text, "bold");
  if (/^ {3}(why|changes|after|on|reads|gives)\b/.test(line)) return paint(text, "dim");
  if (/^ {5}\S.*:$/.test(line)) return paint(text, "cyan");
  return text;
}

/**
 * A line in parts of at most `width` columns, so that nothing of a command is hidden; parts after the first stand deeper.
 * Broken after a blank where one is near; all parts one after the other, without what they stand deeper, are the line.
 */
export function wrapLine(line: string, width: number): string[] {
  const lead = /^ */.exec(line)?.[0].slice(0, Math.floor(width / 2)) ?? "";
  const parts: string[] = [];
  let indent = "";
  let rest = line;
  while (widthOf(indent + rest) > width) {
    const room = width - indent.length;
    let head = rest.slice(0, room);
    while (widthOf(head) > room) head = [...head].slice(0, -1).join("");
    const blank = head.lastIndexOf(" ") + 1;
    const at = blank > Math.max(room / 2, head.length - head.trimStart().length) ? blank : head.length;
    parts.push(indent + rest.slice(0, at));
    rest = rest.slice(at);
    indent = `${lead}  `;
  }
  return [...parts, indent + rest];
}

export interface PreviewProps {
  plan: Plan;
  /** Under which cursor and filter are remembered. */
  name: string;
  /** Lines that the owner draws besides. */
  taken: number;
  onStart?: () => void;
  active?: boolean;
}

export function Preview({ plan, name, taken, onStart, active = true }: PreviewProps): ReactNode {
  const { size, copy } = useUi();
  const [node, setNode] = useRemembered<string | null>(`${name}:node`, null);
  const filter = useFilter(name);
  const width = size.columns - 2;
  const all = useMemo(
    () => planLines(plan, node ?? undefined).flatMap((line) => plain(line).split("\n")),
    [plan, node],
  );
  const lines = useMemo(
    () => all.filter((line) => matches(line, filter.text)).flatMap((line) => wrapLine(line, width)),
    [all, filter.text, width],
  );
  const keys = useMemo(() => lines.map((_, index) => String(index)), [lines]);
  const filtering = filter.typing || filter.text !== "";
  const height = Math.max(3, size.rows - 6 - taken - (filtering ? 1 : 0));
  const list = useList(name, keys, height, active);
  const names = plan.nodes.map((one) => one.name);
  const turn = (by: number) => () => {
    const places = [null, ...names];
    const at = places.indexOf(node);
    setNode(places[(at + by + places.length) % places.length] ?? null);
  };
  useKeys(
    "preview",
    {
      ...(onStart ? { start: { run: onStart } } : {}),
      ...(names.length > 1 ? { earlier: { run: turn(-1) }, later: { run: turn(1) } } : {}),
      find: { run: filter.open },
      copy: { run: () => copy(planLines(plan).join("\n"), "the plan") },
    },
    { active },
  );
  const [short = ""] = node === null ? [] : shortNames([node]);
  const of = node === null ? (names.length > 1 ? "all nodes, → one alone" : "") : `only ${short}, ← → another`;
  return (
    <Box flexDirection="column">
      <Text wrap="truncate">
        {` ${paint("Every command that will run", "bold")}${of ? ` · ${of}` : ""} ${paint(`· line ${list.index + 1} of ${lines.length}`, "dim")}`}
      </Text>
      <FilterLine filter={filter} shown={lines.length} total={all.length} />
      <Table
        view={list}
        row={(index) => previewLine(lines[index] ?? "", width)}
        empty={<Text dimColor> No line holds these words.</Text>}
      />
    </Box>
  );
}

/** The plan of a run that is under way or over. */
export function RunPlanScreen({ place }: { place: Place }): ReactNode {
  const id = place.screen === "run-plan" ? place.id : "";
  const run = useKnown((known) => known.runs.views[id]);
  if (!run) return <Text> Nothing is known of this run any more. Esc goes back.</Text>;
  return <Preview plan={run.plan} name={`plan:${id}`} taken={0} />;
}
