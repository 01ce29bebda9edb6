/** What the hosts keep to be done at a time, and what came of it. */
import { Box, Text } from "ink";
import { type ReactNode, useEffect, useState } from "react";
import { verbOf } from "../../instances/action-words.ts";
import type { ScheduledJob, ScheduledState } from "../../instances/schedule.ts";
import { whenText } from "../../instances/when.ts";
import { age, count, plainLine } from "../../text.ts";
import { Busy } from "../components/busy.tsx";
import { Confirm } from "../components/confirm.tsx";
import { headerLine, layout, Table, useList } from "../components/table.tsx";
import { useKeys, useKnown, useUi } from "../hooks.ts";
import { cell, state, type Tone } from "../theme.ts";

const tones: Readonly<Record<ScheduledState, Tone>> = {
  waiting: "idle",
  running: "busy",
  done: "good",
  failed: "bad",
  lost: "warning",
};

const columns = [
  { title: "WHEN", width: 22, grow: 1 },
  { title: "STATE", width: 10 },
  { title: "HOST", width: 12, grow: 1 },
  { title: "BY", width: 7 },
  { title: "WHAT", width: 22, grow: 3 },
];

const isOpen = ({ state: now }: ScheduledJob) => now === "waiting" || now === "running";

function rowText(job: ScheduledJob, width: number, now: number): string {
  const verb = job.action === "unknown" ? "?" : verbOf(job.action);
  const bad = job.results.filter(({ status }) => status !== 0).map(({ name, status }) => `${name}: status ${status}`);
  const names = bad.length > 0 ? bad.join(", ") : job.names.join(", ");
  const cells = [
    whenText(job.at, now / 1000, job.clock),
    state(tones[job.state], job.state),
    job.host,
    job.carrier,
    plainLine(`${verb} ${names}`),
  ];
  return layout(columns, width)
    .map((column, at) => cell(cells[at] ?? "", column.width))
    .join(" ");
}

export function ScheduledScreen(): ReactNode {
  const { size, workspace, copy } = useUi();
  const { value: jobs, at, error } = useKnown((known) => known.scheduled);
  const now = useKnown((known) => known.now);
  const [asked, setAsked] = useState<ScheduledJob | null>(null);
  useEffect(() => workspace.schedule.watch(), [workspace]);
  const keys = jobs.map(({ host, id }) => `${host}/${id}`);
  const list = useList("scheduled", keys, size.rows - 9, asked === null);
  const job = jobs[list.index];
  const none = job ? null : "there is nothing";
  useKeys(
    "scheduled",
    {
      cancel: {
        run: () => job && setAsked(job),
        disabled: none ?? (job?.state === "running" ? "it has begun" : null),
      },
      refresh: { run: () => void workspace.schedule.refresh() },
      copy: { run: () => job && copy(job.id, "its id"), disabled: none },
    },
    { active: asked === null },
  );
  if (asked) {
    const open = isOpen(asked);
    return (
      <Confirm
        title={open ? "Take this back?" : "Forget what came of this?"}
        losses={asked.names.map((name) => `${name} on ${asked.host}`)}
        text={`${asked.action === "unknown" ? "?" : verbOf(asked.action)} at ${whenText(asked.at, now / 1000, asked.clock)}`}
        safe="Leave it"
        danger={open ? "Take it back" : "Forget it"}
        onNo={() => setAsked(null)}
        onYes={() => {
          setAsked(null);
          void workspace.schedule.cancel(asked);
        }}
      />
    );
  }
  if (at === null) return <Busy text="asking the hosts what they keep" />;
  const open = jobs.filter(isOpen);
  const [next] = open;
  const head = next
    ? `${count(open.length, "action")} to come, the next in ${age(next.at - now / 1000)}. The hosts do them by themselves.`
    : "The hosts keep nothing that is still to be done.";
  const width = size.columns - 2;
  return (
    <Box flexDirection="column">
      <Text wrap="truncate">{` ${head}`}</Text>
      <Table
        header={headerLine(layout(columns, width))}
        view={list}
        row={(index) => {
          const one = jobs[index];
          return one ? rowText(one, width, now) : "";
        }}
        empty={<Text dimColor> @ on the instances has something done at a time, as `virtu at 19:00 …` does.</Text>}
      />
      {error && <Text wrap="truncate" color="red">{` ✗ ${error.message}`}</Text>}
    </Box>
  );
}
