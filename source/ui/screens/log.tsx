/** The log pane: everything that happened, newest at the end, followed until you move. */
import { Box, Text } from "ink";
import { type ReactNode, useMemo } from "react";
import type { LogLine } from "../../store/known.ts";
import { FilterLine, useFilter } from "../components/filter.tsx";
import { Table, useList } from "../components/table.tsx";
import { useKeys, useKnown, useRemembered, useUi } from "../hooks.ts";
import { matches } from "../list.ts";
import { cell, paint, type Style } from "../theme.ts";

const styles: Record<LogLine["level"], Style[]> = { info: [], warning: ["yellow"], error: ["red"] };
const words: Record<LogLine["level"], string> = { info: " ", warning: "!", error: "✗" };

/** One line of the log: time, level, where, what. */
export function logText({ at, level, where, text }: LogLine, width: number): string {
  const time = new Date(at).toTimeString().slice(0, 8);
  return paint(cell(`${time} ${words[level]} ${cell(where, 22)} ${text}`, width), ...styles[level]);
}

export function LogScreen(): ReactNode {
  const { size } = useUi();
  const log = useKnown((state) => state.log);
  const [following, setFollowing] = useRemembered("log:follow", true);
  const filter = useFilter("log");
  const lines = useMemo(
    () => log.filter((line) => matches(`${line.where} ${line.text}`, filter.text)),
    [log, filter.text],
  );
  const keys = useMemo(() => lines.map(({ id }) => String(id)), [lines]);
  const height = size.rows - 7;
  const list = useList("log", keys, height, !filter.typing && !following);
  useKeys("log", {
    filter: { run: filter.open },
    follow: { run: () => setFollowing((before) => !before) },
  });
  useKeys(
    "list",
    { up: { run: () => setFollowing(false) }, pageUp: { run: () => setFollowing(false) } },
    { active: following },
  );
  const view = following ? { index: -1, offset: Math.max(0, lines.length - height) } : list;
  return (
    <Box flexDirection="column">
      <FilterLine filter={filter} shown={lines.length} total={log.length} />
      <Table
        keys={keys}
        height={height}
        width={size.columns}
        view={view}
        row={(index) => logText(lines[index] as LogLine, size.columns - 2)}
        empty={<Text dimColor> Nothing has happened yet.</Text>}
      />
    </Box>
  );
}
