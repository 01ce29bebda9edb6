/** A longer walltime: how much may be asked for, the form, and what was really given. */
import { Box, Text } from "ink";
import { type ReactNode, useEffect, useState } from "react";
import { toVirtuError, type VirtuError } from "../../errors.ts";
import { type ExtensionLimits, extendCommands } from "../../journey/jobs.ts";
import { parseIncrement, readDuration } from "../../journey/walltime.ts";
import { Busy } from "../components/busy.tsx";
import { CommandBox } from "../components/command-box.tsx";
import { Form, type FormField, type Values } from "../components/form.tsx";
import { Problem } from "../components/problem.tsx";
import { useKnown, useUi } from "../hooks.ts";
import type { Place } from "../navigation.ts";
import { paint } from "../theme.ts";
import { extensionText, timeOf } from "./job-text.ts";

const fields: FormField[] = [{ id: "amount", label: "How much", kind: "text", width: 10, initial: "+0:30" }];

/** What the site lets one ask for, in a sentence. */
export function limitsText({ walltime, possible, granted, pending }: ExtensionLimits): string {
  const parts = [
    possible === null
      ? "The site sets no limit."
      : possible === 0
        ? "The site gives this job no more time."
        : `At most ${readDuration(possible)} more.`,
  ];
  if (walltime !== null) parts.push(`Its walltime is ${readDuration(walltime)}.`);
  if (granted > 0) parts.push(`${readDuration(granted)} of that were granted before.`);
  if (pending > 0)
    parts.push(`${readDuration(pending)} are asked for and not granted; a new request takes their place.`);
  return parts.join(" ");
}

/** What is wrong with the amount, or null. */
function wrong(values: Values, possible: number | null): string | null {
  const parsed = parseIncrement(values["amount"] ?? "");
  if ("error" in parsed) return parsed.error;
  return possible !== null && parsed.seconds > possible ? `at most ${readDuration(possible)} can be asked for` : null;
}

export function ExtendScreen({ place }: { place: Place }): ReactNode {
  const { size, workspace, copy } = useUi();
  const jobId = place.screen === "extend" ? place.jobId : 0;
  const job = useKnown((known) => known.jobs.value.find((one) => one.jobId === jobId));
  const extending = useKnown((known) => (known.extending?.jobId === jobId ? known.extending : null));
  const site = useKnown((known) => known.site);
  const now = useKnown((known) => known.now) / 1000;
  const [limits, setLimits] = useState<ExtensionLimits | null>(null);
  const [problem, setProblem] = useState<VirtuError | null>(null);
  useEffect(() => workspace.site.watch(), [workspace]);
  const asked = extending?.result ?? null;
  // Asked again after each answer: what may be asked for has changed then.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the answer is the reason to ask.
  useEffect(() => {
    let there = true;
    workspace.site.jobs.extensionLimits(jobId).then(
      (found) => there && setLimits(found),
      (thrown: unknown) => there && setProblem(toVirtuError(thrown)),
    );
    return () => {
      there = false;
    };
  }, [workspace, jobId, asked]);
  if (problem) return <Problem error={problem} />;
  const command = (values: Values): string | null =>
    "error" in parseIncrement(values["amount"] ?? "")
      ? null
      : (extendCommands(jobId, values["amount"] ?? "")[1]?.line ?? null);
  const meaning = (values: Values) => {
    const parsed = parseIncrement(values["amount"] ?? "");
    if ("error" in parsed) return "";
    const until = job?.endsAt ? `: until ${timeOf(job.endsAt + parsed.seconds, now)} if all of it is granted` : "";
    return `${readDuration(parsed.seconds)} more${until}`;
  };
  return (
    <Box flexDirection="column">
      <Form
        name={`extend:${jobId}`}
        fields={fields}
        errors={(values) => ({ amount: wrong(values, limits?.possible ?? null) })}
        meanings={(values) => ({ amount: meaning(values) })}
        missing={() => (extending?.working ? "the last request is on its way" : null)}
        onSubmit={(values) => void workspace.site.jobs.extend(jobId, values["amount"] ?? "")}
        onCopy={(values) => {
          const line = command(values);
          if (line) copy(line, "the command");
        }}
        footer={(values) => {
          const line = command(values);
          return (
            <Box flexDirection="column" marginY={1}>
              {limits ? (
                <Box paddingX={1}>
                  <Text>{limitsText(limits)}</Text>
                </Box>
              ) : (
                <Busy text="asking what may be asked for" />
              )}
              <Text> </Text>
              <CommandBox
                title={`will run on ${site?.frontend ?? "the frontend"}`}
                commands={[line ?? "–"]}
                columns={size.columns - 1}
              />
            </Box>
          );
        }}
      />
      {extending?.working && <Busy text="OAR decides" />}
      {extending?.error && <Problem error={extending.error} />}
      {asked && (
        <Box flexDirection="column">
          <Box paddingX={1}>
            <Text>{paint(extensionText(asked), "bold", asked.pending > 0 ? "yellow" : "green")}</Text>
          </Box>
          {job?.endsAt && <Text>{` The job now runs until ${timeOf(job.endsAt, now)}. Esc goes back.`}</Text>}
        </Box>
      )}
    </Box>
  );
}
