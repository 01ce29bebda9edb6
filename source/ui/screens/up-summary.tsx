/** The plan of a way as it is seen before it starts: stage by stage with its commands, or the file that it stands for. */
import { Box, Text } from "ink";
import { type ReactNode, useMemo } from "react";
import { previewUp } from "../../journey/up-preview.ts";
import type { UpPlan } from "../../journey/up-types.ts";
import { Table, useList } from "../components/table.tsx";
import { useKeys, useRemembered, useUi } from "../hooks.ts";
import { paint } from "../theme.ts";
import { previewLine, wrapLine } from "./preview.tsx";

export interface UpSummaryProps {
  plan: UpPlan;
  /** The file. */
  text: string;
  /** Lines that the owner draws besides. */
  taken: number;
  onStart: () => void;
  onSave: () => void;
}

/** Stages with their commands, a line each. */
export function stageLines(plan: UpPlan): string[] {
  return previewUp(plan).flatMap(({ title, notes, commands }, index) => [
    ...(index > 0 ? [""] : []),
    `${index + 1}. ${title}`,
    ...notes.map((note) => `   ${note}`),
    ...commands.flatMap((line) => line.split("\n")).map((line) => `     ${line}`),
  ]);
}

export function UpSummary({ plan, text, taken, onStart, onSave }: UpSummaryProps): ReactNode {
  const { size, copy } = useUi();
  const [asFile, setAsFile] = useRemembered("up:as-file", false);
  const width = size.columns - 2;
  const lines = useMemo(() => {
    const all = asFile ? text.trimEnd().split("\n") : stageLines(plan);
    return all.flatMap((line) => wrapLine(line, width));
  }, [asFile, text, plan, width]);
  const keys = useMemo(() => lines.map((_, index) => String(index)), [lines]);
  const height = Math.max(3, size.rows - 6 - taken);
  const list = useList(asFile ? "up:file" : "up:stages", keys, height);
  useKeys("up", {
    start: { run: onStart },
    save: { run: onSave },
    view: { run: () => setAsFile(!asFile) },
    copy: { run: () => copy(text, "the plan's file") },
  });
  const title = asFile ? "The file that this plan stands for" : "What will be done, with every command known now";
  return (
    <Box flexDirection="column">
      <Text wrap="truncate">{` ${paint(title, "bold")} ${paint(`· line ${list.index + 1} of ${lines.length}`, "dim")}`}</Text>
      <Table view={list} row={(index) => (asFile ? (lines[index] ?? "") : previewLine(lines[index] ?? "", width))} />
    </Box>
  );
}
