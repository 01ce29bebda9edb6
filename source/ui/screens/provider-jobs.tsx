/** The jobs of the clusters (Ganeti's queue): what waits, runs and ended; the log of one; taking back what waits. */
import { Box, Text } from "ink";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import type { QueuedJob } from "../../store/instance-known.ts";
import { age, count, plain, plainLine } from "../../text.ts";
import { Busy } from "../components/busy.tsx";
import { Confirm } from "../components/confirm.tsx";
import { FilterLine, useFilter } from "../components/filter.tsx";
import { Problem } from "../components/problem.tsx";
import { headerLine, layout, Table, useList } from "../components/table.tsx";
import { useKeys, useKnown, useUi } from "../hooks.ts";
import { matches } from "../list.ts";
import type { Place } from "../navigation.ts";
import { cell, paint, state, type Tone } from "../theme.ts";

const columnsAt = (width: number) =>
  layout(
    [
      { title: "JOB", width: 7, align: "right" },
      { title: "STATE", width: 12 },
      { title: "AGE", width: 7, align: "right" },
      { title: "CLUSTER", width: 14, grow: 1 },
      { title: "WHAT", width: 24, grow: 5 },
    ],
    width,
  );

/** The tone of a job's state, in Ganeti's words. */
export function jobTone(word: string): Tone {
  if (word === "success") return "good";
  if (word === "error") return "bad";
  if (word === "running" || word === "canceling") return "busy";
  if (word === "canceled") return "idle";
  return word === "queued" || word === "waiting" ? "paused" : "unknown";
}

/** One job in `width` columns; `now` in epoch milliseconds. */
export function jobRow(job: QueuedJob, now: number, width: number): string {
  const [id, word, time, where, what] = columnsAt(width).map((column) => column.width);
  return [
    cell(plainLine(job.id), id ?? 0, "right"),
    state(jobTone(job.state), cell(plainLine(job.state), (word ?? 0) - 2)),
    cell(job.at === null ? "" : age(now / 1000 - job.at), time ?? 0, "right"),
    cell(plainLine(job.where), where ?? 0),
    cell(plainLine(job.summary), what ?? 0),
  ].join(" ");
}

const keyOf = ({ place, id }: { place: string; id: string }) => `${place} ${id}`;

function CancelDialog({ job, onClose }: { job: QueuedJob; onClose: () => void }): ReactNode {
  const { workspace } = useUi();
  return (
    <Confirm
      title={`Take back job ${plainLine(job.id)} of ${plainLine(job.where)}?`}
      losses={[plainLine(job.summary)]}
      text="It waits and has done nothing yet. Who asked for it sees it as cancelled."
      safe="Leave it"
      danger={`Take back job ${plainLine(job.id)}`}
      onNo={onClose}
      onYes={() => {
        onClose();
        void workspace.instances.cancelJob(job);
      }}
    />
  );
}

function cancelRefusal(job: QueuedJob | undefined): string | null {
  if (!job) return "there is no job";
  return job.cancellable ? null : `job ${job.id} does not wait: it is ${job.state}`;
}

export function ProviderJobsScreen(): ReactNode {
  const { size, workspace, navigation, copy } = useUi();
  const jobs = useKnown((known) => known.instances.jobs);
  const now = useKnown((known) => known.now);
  const [cancelling, setCancelling] = useState<QueuedJob | null>(null);
  const filter = useFilter("provider-jobs");
  useEffect(() => {
    const stops = [workspace.inventory.watch(), workspace.instances.watchJobs()];
    return () => {
      for (const stop of stops) stop();
    };
  }, [workspace]);
  const shown = useMemo(
    () => jobs.value.filter((job) => matches(`${job.id} ${job.state} ${job.where} ${job.summary}`, filter.text)),
    [jobs.value, filter.text],
  );
  const keys = useMemo(() => shown.map(keyOf), [shown]);
  const filtering = filter.typing || filter.text !== "";
  const height = Math.max(3, size.rows - 8 - (filtering ? 1 : 0) - (jobs.error ? 4 : 0));
  const list = useList("provider-jobs", keys, height, cancelling === null);
  const current = shown[list.index];
  const none = current ? null : "there is no job";
  useKeys(
    "providerJobs",
    {
      open: {
        run: () => current && navigation.open({ screen: "provider-job", place: current.place, id: current.id }),
        disabled: none,
      },
      cancel: { run: () => current && setCancelling(current), disabled: cancelRefusal(current) },
      filter: { run: filter.open },
      refresh: { run: () => void workspace.instances.readJobs() },
      copy: { run: () => current && copy(current.id, `the number ${current.id}`), disabled: none },
    },
    { active: cancelling === null },
  );
  if (cancelling) return <CancelDialog job={cancelling} onClose={() => setCancelling(null)} />;
  if (jobs.at === null) {
    return jobs.error ? (
      <Problem error={jobs.error} lines={size.rows - 12} />
    ) : (
      <Busy text="asking the clusters for their jobs" />
    );
  }
  const waiting = jobs.value.filter(({ cancellable }) => cancellable).length;
  const running = jobs.value.filter(({ state: word }) => word === "running").length;
  const width = size.columns - 2;
  return (
    <Box flexDirection="column">
      {filtering ? (
        <FilterLine filter={filter} shown={shown.length} total={jobs.value.length} />
      ) : (
        <Text>{` ${count(jobs.value.length, "job")} · ${running} running · ${waiting} waiting`}</Text>
      )}
      <Table
        header={headerLine(columnsAt(width))}
        view={list}
        row={(index) => jobRow(shown[index] as QueuedJob, now, width)}
        empty={<Text dimColor> No job. Only clusters have a queue: Ganeti's are shown here.</Text>}
      />
      {jobs.error && <Problem error={jobs.error} lines={1} />}
    </Box>
  );
}

/** One job: what it is, and its log. */
export function ProviderJobScreen({ place }: { place: Place }): ReactNode {
  const { size, workspace, copy } = useUi();
  const wanted = place.screen === "provider-job" ? keyOf(place) : "";
  const job = useKnown((known) => known.instances.jobs.value.find((one) => keyOf(one) === wanted));
  const now = useKnown((known) => known.now);
  const asked = useKnown((known) => known.instances.jobs.at !== null || known.instances.jobs.error !== null);
  const [cancelling, setCancelling] = useState(false);
  useEffect(() => workspace.instances.watchJobs(), [workspace]);
  const lines = useMemo(() => (job?.log ?? []).flatMap((text) => plain(text).trimEnd().split("\n")), [job]);
  const keys = useMemo(() => lines.map((_, index) => String(index)), [lines]);
  const height = size.rows - 10;
  const list = useList(`provider-job:${wanted}`, keys, height, !cancelling);
  useKeys(
    "providerJobs",
    {
      cancel: { run: () => setCancelling(true), disabled: cancelRefusal(job) },
      refresh: { run: () => void workspace.instances.readJobs() },
      copy: { run: () => job && copy(job.id, `the number ${job.id}`), disabled: job ? null : "it is gone" },
    },
    { active: !cancelling },
  );
  if (!job && !asked) return <Busy text="asking the cluster for the job" />;
  if (!job) return <Text dimColor> This job is no longer in the queue. Esc goes back.</Text>;
  if (cancelling) return <CancelDialog job={job} onClose={() => setCancelling(false)} />;
  const width = size.columns - 2;
  return (
    <Box flexDirection="column">
      <Text wrap="truncate">{` ${paint(`Job ${plainLine(job.id)}`, "bold")} on ${plainLine(job.where)} · ${state(jobTone(job.state), plainLine(job.state))}${job.at === null ? "" : ` · ${age(now / 1000 - job.at)}`}`}</Text>
      <Text wrap="truncate">{` ${plainLine(job.summary)}`}</Text>
      <Text> </Text>
      <Table
        view={list}
        row={(index) => cell(lines[index] ?? "", width)}
        empty={<Text dimColor> It has logged nothing.</Text>}
      />
    </Box>
  );
}
