/** Has an action done at a time: when, by the user's clock and the hosts'; who carries it, who is left out. */
import { Box, Text } from "ink";
import { type ReactNode, useEffect, useMemo } from "react";
import { toVirtuError } from "../../errors.ts";
import { verbOf } from "../../instances/action-words.ts";
import type { PlainActionName } from "../../instances/types.ts";
import { parseWhen, whenText } from "../../instances/when.ts";
import { age, count, plainLine } from "../../text.ts";
import { Form, type FormField, type Values } from "../components/form.tsx";
import { useKnown, useUi } from "../hooks.ts";
import type { Place } from "../navigation.ts";
import { rowsOf } from "./one-instance.tsx";

const choices = ["shutdown", "start", "reboot", "save", "force-off"] as const satisfies readonly (
  | PlainActionName
  | "reboot"
)[];
type Choice = (typeof choices)[number];

const shownNames = 6;

export function ScheduleScreen({ place }: { place: Place }): ReactNode {
  const { workspace, navigation } = useUi();
  const keys = place.screen === "schedule" ? place.keys : [];
  const now = useKnown((known) => known.now) / 1000;
  const asked = keys.join("\n");
  useEffect(() => void workspace.schedule.askCarriers(asked.split("\n")), [workspace, asked]);
  // Who is left out is drawn anew when a host has said what it has.
  useKnown((known) => known.carriers);
  const all = useKnown((known) => known.inventory.instances);
  const there = useMemo(() => rowsOf(all, keys).length, [all, keys]);
  const fields = useMemo<FormField[]>(
    () => [
      { id: "when", label: "When", kind: "text", width: 20, help: "+2h, tomorrow 7:30, 2026-11-26 19:00" },
      {
        id: "action",
        label: "Action",
        kind: "choice",
        choices: choices.map((value) => ({ value, label: verbOf(value) })),
      },
    ],
    [],
  );
  const actionOf = (values: Values) => ({ do: (values["action"] ?? choices[0]) as Choice });
  const timeOf = (values: Values): { at: number } | { error: string } | null => {
    if (!values["when"]) return null;
    try {
      return { at: parseWhen(values["when"], now) };
    } catch (thrown) {
      const { what, why } = toVirtuError(thrown);
      return { error: why ?? what };
    }
  };
  return (
    <Box flexDirection="column">
      <Form
        name="schedule"
        fields={fields}
        errors={(values) => {
          const time = timeOf(values);
          return { when: time && "error" in time ? time.error : null };
        }}
        meanings={(values) => {
          const time = timeOf(values);
          return time && "at" in time ? { when: `${whenText(time.at, now)}, in ${age(time.at - now)}` } : {};
        }}
        missing={(values) => {
          if (!values["when"]) return { field: "when", text: "a time is needed" };
          const { jobs, left } = workspace.schedule.plan(actionOf(values), keys);
          return jobs.length > 0 ? null : (left[0]?.reason ?? "no instance is there");
        }}
        footer={(values) => {
          const { jobs, left } = workspace.schedule.plan(actionOf(values), keys);
          return (
            <Box flexDirection="column" marginTop={1}>
              {jobs.map(({ target, lines }) => (
                <Text key={target.name} wrap="truncate">
                  {`   ${target.name}: ${lines
                    .slice(0, shownNames)
                    .map(({ name }) => plainLine(name))
                    .join(", ")}${lines.length > shownNames ? ` and ${lines.length - shownNames} more` : ""}`}
                </Text>
              ))}
              {left.slice(0, shownNames).map(({ key, name, reason }) => (
                <Text key={key} wrap="truncate" color="yellow">
                  {`   left out: ${plainLine(name)}: ${reason}`}
                </Text>
              ))}
              {left.length > shownNames && <Text color="yellow">{`   and ${left.length - shownNames} more`}</Text>}
            </Box>
          );
        }}
        onSubmit={(values) => {
          const time = timeOf(values);
          if (!time || !("at" in time)) return;
          const action = actionOf(values);
          void workspace.schedule.schedule(action, workspace.schedule.plan(action, keys), time.at);
          navigation.forget("form:schedule");
          navigation.replace({ screen: "scheduled" });
        }}
      />
      <Box marginTop={1} paddingX={1}>
        <Text dimColor>
          {`For ${count(there, "instance")}. The hosts do it by themselves, by at or a systemd timer; virtu need not stay open for it, and a reboot of theirs changes nothing.`}
        </Text>
      </Box>
    </Box>
  );
}
