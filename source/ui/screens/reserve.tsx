/** The reservation: a form that is checked as it is typed, then its summary, then OAR. */
import { Box, Text } from "ink";
import { type ReactNode, useEffect } from "react";
import { reserveCommand } from "../../journey/reserve.ts";
import type { ReserveRequest, Site } from "../../journey/types.ts";
import { CommandBox } from "../components/command-box.tsx";
import { Form } from "../components/form.tsx";
import { useKeys, useKnown, useRemembered, useUi } from "../hooks.ts";
import { layer } from "../router.ts";
import { paint } from "../theme.ts";
import { wrapped } from "../wrap.ts";
import { reserveSummary } from "./open-reserve.ts";
import { requestLines, requestOf, reserveErrors, reserveFields, reserveMeanings, warningsOf } from "./reserve-text.ts";

/** Counts of free nodes older than this are asked for again when the form opens; milliseconds. */
const freshFor = 30_000;

function Warnings({ texts, width, lines }: { texts: readonly string[]; width: number; lines: number }): ReactNode {
  const all = texts.flatMap((text) => wrapped(text, width));
  return all.slice(0, lines).map((line) => (
    <Text key={line} color="yellow" wrap="truncate">
      {` ${line}`}
    </Text>
  ));
}

function Command({ request, site }: { request: ReserveRequest | null; site: Site }): ReactNode {
  const { size } = useUi();
  return (
    <CommandBox
      title={`will run on ${site.frontend}`}
      commands={[request ? reserveCommand(request).line : "…"]}
      columns={size.columns - 1}
    />
  );
}

function Summary({ request, site, onBack }: { request: ReserveRequest; site: Site; onBack: () => void }): ReactNode {
  const { workspace, navigation, copy, size } = useUi();
  const now = useKnown((known) => known.now) / 1000;
  useKeys("global", { back: { run: onBack } }, { level: layer.field });
  useKeys(
    "form",
    {
      reserve: {
        run: () => {
          onBack();
          void workspace.site.jobs.reserve(request);
          navigation.open({ screen: "waiting", jobId: null });
        },
      },
      copy: { run: () => copy(reserveCommand(request).line, "the command") },
    },
    { level: layer.field },
  );
  return (
    <Box flexDirection="column">
      <Text bold> This is what will be asked for</Text>
      {requestLines(request, site).map((line) => (
        <Text key={line} wrap="truncate">{`   ${line}`}</Text>
      ))}
      <Text> </Text>
      <Warnings texts={warningsOf(request, site, now)} width={size.columns - 3} lines={4} />
      <Command request={request} site={site} />
      <Text> </Text>
      <Text>{` ${paint("⏎ reserve", "bold", "green")}   Esc back to the fields`}</Text>
    </Box>
  );
}

export function ReserveScreen(): ReactNode {
  const { workspace, copy, size } = useUi();
  const site = useKnown((known) => known.site);
  const free = useKnown((known) => known.free);
  const now = useKnown((known) => known.now) / 1000;
  const [confirming, setConfirming] = useRemembered<ReserveRequest | null>(reserveSummary, null);
  useEffect(() => {
    const { at } = workspace.state.free;
    if (at === null || workspace.clock() - at > freshFor) void workspace.site.countNodes();
  }, [workspace]);
  if (!site) return <Text> First add a site: S on Home.</Text>;
  if (confirming) return <Summary request={confirming} site={site} onBack={() => setConfirming(null)} />;
  const fields = reserveFields(free.value, now);
  return (
    <Form
      name="reserve"
      fields={fields}
      errors={(values) => ({ ...reserveErrors(values) })}
      meanings={(values) => {
        const meanings = reserveMeanings(values, free.value, site.name, now);
        if (free.value) return meanings;
        return { ...meanings, nodes: free.error ? "free nodes can't be counted" : "counting free nodes …" };
      }}
      onSubmit={(values) => setConfirming(requestOf(values))}
      onCopy={(values) => {
        const request = requestOf(values);
        if (request) copy(reserveCommand(request).line, "the command");
        else workspace.notify("info", "There is no command yet: something is wrong with a field.");
      }}
      footer={(values) => {
        const request = requestOf(values);
        const count = fields.filter(({ shown }) => shown?.(values) ?? true).length;
        // Body lines that fields, the largest box, a refusal and a notice leave.
        const room = Math.max(0, size.rows - 5 - count - 6);
        return (
          <Box flexDirection="column" marginTop={count > 9 ? 0 : 1}>
            <Warnings texts={warningsOf(request, site, now)} width={size.columns - 3} lines={Math.min(4, room)} />
            <Command request={request} site={site} />
          </Box>
        );
      }}
    />
  );
}
