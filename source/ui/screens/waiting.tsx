/** A job on its way to running: what OAR says of it, until it runs, is refused or ends. */
import { Box, Text } from "ink";
import { type ReactNode, useEffect, useState } from "react";
import type { Job } from "../../journey/types.ts";
import { hasEnded, type Reservation } from "../../store/known.ts";
import { clock, count, plainLine } from "../../text.ts";
import { Busy } from "../components/busy.tsx";
import { Problem } from "../components/problem.tsx";
import { TextLines } from "../components/text-lines.tsx";
import { type Handlers, useKeys, useKnown, useUi } from "../hooks.ts";
import type { Place } from "../navigation.ts";
import { cell, state } from "../theme.ts";
import { jobState, queueReason, timeOf } from "./job-text.ts";
import { ReleaseDialog } from "./jobs.tsx";

/** What is known of a waiting job, as names and values. `now` in epoch seconds. */
export function waitingFacts(job: Job | undefined, reservation: Reservation | null, now: number): [string, string][] {
  const since = job?.submittedAt ?? (reservation ? reservation.sentAt / 1000 : null);
  const facts: [string, string][] = [];
  if (job) {
    const { tone, word } = jobState(job);
    const planned = job.predictedStart;
    const start =
      planned === null
        ? "OAR has not planned it yet"
        : planned > now
          ? `in ${clock(planned - now)}, at ${timeOf(planned, now)}, as OAR predicts now`
          : "any moment";
    facts.push(
      ["Job", `${job.jobId} · ${job.name ?? "no name"} · queue ${job.queue}`],
      ["State", state(tone, word)],
      ["Start", start],
      ["Waits for", queueReason(job) || "OAR gives no reason"],
      ...(job.message ? [["OAR says", plainLine(job.message)] as [string, string]] : []),
    );
  }
  if (since !== null) facts.push(["Since", clock(Math.max(0, now - since))]);
  return facts;
}

export function WaitingScreen({ place }: { place: Place }): ReactNode {
  const { workspace, navigation, copy, size } = useUi();
  const [releasing, setReleasing] = useState(false);
  const own = place.screen === "waiting" ? place.jobId : null;
  const site = useKnown((known) => known.site);
  const now = useKnown((known) => known.now) / 1000;
  const reservation = useKnown((known) =>
    known.reservation && (own === null || known.reservation.jobId === own) ? known.reservation : null,
  );
  const jobId = own ?? reservation?.jobId ?? null;
  const job = useKnown((known) => known.jobs.value.find((one) => one.jobId === jobId));
  const error = reservation?.error ?? null;
  const runs = job?.state === "Running";
  useEffect(() => workspace.site.watch(), [workspace]);
  useEffect(() => {
    if (!runs || jobId === null) return;
    workspace.site.takeOver(jobId);
    if (workspace.state.reservation?.jobId === jobId) workspace.site.jobs.forgetReservation();
    navigation.jump({ screen: "nodes" });
  }, [runs, jobId, workspace, navigation]);
  const alive = job !== undefined && !hasEnded(job);
  const keys: Handlers<"jobs"> = alive
    ? {
        release: { run: () => setReleasing(true) },
        refresh: { run: () => void workspace.site.refresh() },
        copy: { run: () => copy(String(job.jobId), `the number ${job.jobId}`) },
      }
    : {};
  useKeys("jobs", keys);
  useKeys(
    "global",
    {
      back: {
        run: () => {
          // After a refusal the form is there as it was; a job in the queue is left there.
          if (error) workspace.site.jobs.forgetReservation();
          if (error || own !== null) navigation.back();
          else navigation.jump({ screen: "jobs" });
        },
      },
    },
    { active: !releasing },
  );
  if (releasing && job) return <ReleaseDialog job={job} onClose={() => setReleasing(false)} />;
  if (error) {
    return (
      <Box flexDirection="column">
        <Problem error={error} lines={Math.max(2, size.rows - 13)} />
        <Text> </Text>
        <Text>{own === null ? " Esc goes back to the form; all that you typed is there." : " Esc goes back."}</Text>
      </Box>
    );
  }
  if (job && hasEnded(job)) {
    return (
      <Box flexDirection="column">
        <Text bold>{` Job ${job.jobId} has ended${job.startedAt === null ? " before it ran" : ""}.`}</Text>
        <Text>{`   ${plainLine(job.end?.text ?? job.state)}`}</Text>
        <Text> </Text>
        <Text> Esc goes back.</Text>
      </Box>
    );
  }
  if (!job && !reservation)
    return <Text dimColor>{` Nothing is known of this job${jobId === null ? "" : ` (${jobId})`}.`}</Text>;
  const request = reservation?.request;
  const what = request ? `Waiting for ${count(request.nodes, "node")} on ${site?.name}` : `Waiting for job ${jobId}`;
  const notes = reservation?.notes.slice(-4) ?? [];
  return (
    <Box flexDirection="column">
      <Busy text={jobId === null ? (reservation?.text ?? what) : what} />
      <Text> </Text>
      {waitingFacts(job, reservation, now).map(([name, value]) => (
        <Text key={name} wrap="wrap">{` ${cell(name, 10)} ${value}`}</Text>
      ))}
      {notes.length > 0 && <Text> </Text>}
      <TextLines lines={notes} before=" " dim />
      <Text> </Text>
      <Text> When it runs, this goes on to its nodes by itself.</Text>
      <Text>{jobId === null ? "" : " Esc leaves it in the queue; it is found again under Jobs (2)."}</Text>
    </Box>
  );
}
