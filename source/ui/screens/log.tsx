/** The feed: everything that happened, where, when, what and by whom, newest at the end, followed until you move. */
import { Box, Text } from "ink";
import { type ReactNode, useEffect, useMemo } from "react";
import { count } from "../../text.ts";
import { FilterLine, useFilter } from "../components/filter.tsx";
import { Table, useFollowed } from "../components/table.tsx";
import { useKeys, useKnown, useRemembered, useUi } from "../hooks.ts";
import { matches } from "../list.ts";
import { paint } from "../theme.ts";
import {
  type FeedView,
  feedViews,
  feedWords,
  type Happening,
  happeningRow,
  happenings,
  happeningText,
} from "./feed-lines.ts";

const nothingYet: Record<FeedView, string> = {
  all: "Nothing has happened yet.",
  events: "No host has told of a change yet. Not all providers do: v shows what virtu did.",
  log: "virtu has done nothing yet.",
};

export function LogScreen(): ReactNode {
  const { size, workspace, navigation, copy } = useUi();
  const log = useKnown((state) => state.log);
  const feed = useKnown((state) => state.instances.feed);
  const hosts = useKnown((state) => state.inventory.hosts);
  const [view, setView] = useRemembered<FeedView>("log:view", "all");
  const filter = useFilter("log");
  // Events come only while somebody watches.
  useEffect(() => workspace.inventory.watch(), [workspace]);
  const all = useMemo(() => happenings(feed, log, view), [feed, log, view]);
  const lines = useMemo(() => all.filter((one) => matches(happeningText(one), filter.text)), [all, filter.text]);
  const keys = useMemo(() => lines.map(({ id }) => String(id)), [lines]);
  const height = size.rows - 8;
  const { list, following, turn } = useFollowed("log", keys, height, !filter.typing);
  const current = following ? lines.at(-1) : lines[list.index];
  const about = current?.kind === "event" ? current.line.key : null;
  useKeys("log", {
    filter: { run: filter.open },
    follow: { run: turn },
    view: { run: () => setView((before) => feedViews[(feedViews.indexOf(before) + 1) % feedViews.length] ?? "all") },
    open: {
      run: () => about && navigation.open({ screen: "instance", key: about }),
      disabled: about ? null : "this line is about no instance",
    },
    copy: {
      run: () => current && copy(happeningText(current), "the line"),
      disabled: current ? null : "there is no line",
    },
  });
  const live = hosts.filter((host) => host.live).length;
  const filtering = filter.typing || filter.text !== "";
  return (
    <Box flexDirection="column">
      {filtering ? (
        <FilterLine filter={filter} shown={lines.length} total={all.length} />
      ) : (
        <Text wrap="truncate">
          {` ${paint(feedWords[view], "bold")} · ${lines.length} · ${following ? "following" : paint("not following, f does", "yellow")} · ${live} of ${count(hosts.length, "host")} tell${live === 1 ? "s" : ""} of changes`}
        </Text>
      )}
      <Table
        view={list}
        row={(index) => happeningRow(lines[index] as Happening, size.columns - 2)}
        empty={<Text dimColor>{` ${filter.text === "" ? nothingYet[view] : "No line holds these words."}`}</Text>}
      />
    </Box>
  );
}
