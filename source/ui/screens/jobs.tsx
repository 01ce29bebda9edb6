/** The user's jobs, live. */
import { Box, Text } from "ink";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import type { Job } from "../../journey/types.ts";
import { deploymentOf, hasEnded, type KnownState } from "../../store/known.ts";
import { age } from "../../text.ts";
import { Busy } from "../components/busy.tsx";
import { Confirm } from "../components/confirm.tsx";
import { Problem } from "../components/problem.tsx";
import { Table, useList } from "../components/table.tsx";
import { useKeys, useKnown, useUi } from "../hooks.ts";
import { jobHeader, jobRow, jobState, releaseLosses } from "./job-text.ts";
import { foldNames } from "./node-names.ts";
import { openReserve } from "./open-reserve.ts";

/** Asks, then ends a job. */
export function ReleaseDialog({ job, onClose }: { job: Job; onClose: () => void }): ReactNode {
  const { workspace } = useUi();
  const now = useKnown((known) => known.now);
  const deployment = useKnown((known) => deploymentOf(known, job.jobId));
  const onItsWay = deployment?.state === "running" ? deployment.title : null;
  return (
    <Confirm
      title={`Release job ${job.jobId}?`}
      losses={releaseLosses(job, onItsWay, now / 1000)}
      text="The nodes go back to the site at once; this can't be undone."
      safe="Keep the job"
      danger={`Release job ${job.jobId}`}
      onNo={onClose}
      onYes={() => {
        onClose();
        void workspace.site.jobs.release(job.jobId);
      }}
    />
  );
}

/** Why a job can't be deployed, extended or released now; null when it can. */
function refusals(job: Job | undefined, releasing: boolean) {
  const none = job ? null : "there is no job: n reserves nodes";
  const over = job && hasEnded(job) ? `job ${job.jobId} has ended` : null;
  const going = job && releasing ? `job ${job.jobId} is being released` : null;
  const waits = job && job.state !== "Running" ? `job ${job.jobId} does not run: ${jobState(job).word}` : null;
  return { none, release: none ?? over ?? going, work: none ?? over ?? going ?? waits };
}

function Body({ known, rows, width }: { known: KnownState; rows: number; width: number }): ReactNode {
  const { jobs, site } = known;
  if (!site) return <Text> First add a site: S on Home.</Text>;
  if (jobs.error && jobs.value.length === 0) return <Problem error={jobs.error} lines={Math.max(1, rows - 6)} />;
  if (jobs.at === null && jobs.value.length === 0) return <Busy text={`asking ${site.name} for your jobs`} />;
  if (jobs.value.length > 0) return null;
  return (
    <Box flexDirection="column" width={width}>
      <Text>{` You have no job on ${site.name}.`}</Text>
      <Text> </Text>
      <Text> n reserves nodes. A job that you submit elsewhere shows up here by itself.</Text>
    </Box>
  );
}

export function JobsScreen(): ReactNode {
  const { size, workspace, navigation, copy } = useUi();
  const known = useKnown((state) => state);
  const [releasing, setReleasing] = useState<Job | null>(null);
  useEffect(() => workspace.site.watch(), [workspace]);
  const jobs = useMemo(() => [...known.jobs.value].sort((a, b) => b.jobId - a.jobId), [known.jobs.value]);
  const keys = jobs.map(({ jobId }) => String(jobId));
  const stale = known.jobs.error !== null && jobs.length > 0;
  const height = size.rows - 7 - (stale ? 2 : 0);
  const list = useList("jobs", keys, height, releasing === null);
  const job = jobs[list.index];
  const isReleasing = job ? known.releasing.includes(job.jobId) : false;
  const why = refusals(job, isReleasing);
  useKeys("jobs", {
    open: {
      run: () => {
        if (!job) return;
        workspace.site.takeOver(job.jobId);
        if (job.state === "Running") navigation.jump({ screen: "nodes" });
        else navigation.open({ screen: "waiting", jobId: job.jobId });
      },
      disabled: why.none,
    },
    reserve: {
      run: () => openReserve(navigation),
      disabled: known.site ? null : "first add a site: S on Home",
    },
    deploy: {
      run: () => {
        if (!job) return;
        workspace.site.takeOver(job.jobId);
        navigation.open({ screen: "deploy", jobId: job.jobId });
      },
      disabled: why.work,
    },
    extend: {
      run: () => {
        if (!job) return;
        workspace.site.jobs.forgetExtension();
        navigation.open({ screen: "extend", jobId: job.jobId });
      },
      disabled: why.work,
    },
    release: { run: () => job && setReleasing(job), disabled: why.release },
    refresh: { run: () => void workspace.site.refresh() },
    copy: { run: () => job && copy(String(job.jobId), `the number ${job.jobId}`), disabled: why.none },
  });
  if (releasing) return <ReleaseDialog job={releasing} onClose={() => setReleasing(null)} />;
  const width = size.columns - 2;
  const now = known.now / 1000;
  if (jobs.length === 0) return <Body known={known} rows={size.rows - 5} width={width} />;
  return (
    <Box flexDirection="column">
      {stale && (
        <Text wrap="truncate" color="red">
          {` ✗ ${known.jobs.error?.message} (seen ${age((known.now - (known.jobs.at ?? known.now)) / 1000)} ago)`}
        </Text>
      )}
      {stale && (
        <Text wrap="truncate">{`   ${known.jobs.error?.hint ?? "virtu asks again by itself; R asks now."}`}</Text>
      )}
      <Table
        header={jobHeader(width)}
        view={list}
        row={(index) => {
          const one = jobs[index] as Job;
          const marks = { current: one.jobId === known.jobId, releasing: known.releasing.includes(one.jobId) };
          return jobRow(one, marks, width, now);
        }}
      />
      {job && job.nodes.length > 0 && (
        <Text
          wrap="truncate"
          dimColor
        >{` ${job.jobId}: ${foldNames(job.nodes)}${job.subnet ? ` · subnet ${job.subnet}` : ""}`}</Text>
      )}
    </Box>
  );
}
