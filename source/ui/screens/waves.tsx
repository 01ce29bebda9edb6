/** An action in waves: which instances first, and what must hold before the next ones. */
import { Box, Text } from "ink";
import { type ReactNode, useMemo } from "react";
import { toVirtuError } from "../../errors.ts";
import type { InstanceRow, Inventory } from "../../instances/inventory-types.ts";
import { isAlready } from "../../instances/rules.ts";
import { type Groups, selectBy } from "../../instances/selector.ts";
import { type OnFailure, type Wave, waveOf, waveTitle } from "../../instances/waves.ts";
import { count } from "../../text.ts";
import { Form, type FormField, type Values } from "../components/form.tsx";
import { useKnown, useUi } from "../hooks.ts";
import type { Place } from "../navigation.ts";
import { rowsOf } from "./one-instance.tsx";

const waveIds = ["wave1", "wave2", "wave3", "wave4", "wave5"] as const;

const helpLines = [
  "Names, patterns, tag= group= host= provider= state=, then what must hold:",
  "  group=db until port 5432 within 120",
  "  db1 db2 until console login: within 5m",
  "Joined by and: running, stopped, ping, port N, console [TEXT], wait N.",
];

type Done = "start" | "shutdown" | "reboot";

/** The waves that were typed, with their instances; one that two waves mean is of the first. Throws as `waveOf` does. */
export function wavesOf(
  texts: readonly string[],
  rows: readonly InstanceRow[],
  action: Done,
  groups: Groups,
  refuses: Pick<Inventory, "refuses">["refuses"],
): Wave[] {
  const taken = new Set<string>();
  return texts.map((text) => {
    const rule = waveOf(text);
    const own = selectBy(rows, rule.selector, { groups }).found.filter(({ key }) => !taken.has(key));
    for (const { key } of own) taken.add(key);
    const already = own.filter((row) => isAlready(action, row));
    const able = own.filter((row) => !isAlready(action, row) && refuses(action, row.key) === null);
    return {
      title: waveTitle(rule),
      keys: able.map(({ key }) => key),
      also: already.map(({ key }) => key),
      until: rule.until,
      withinSeconds: rule.withinSeconds,
    };
  });
}

export function WavesScreen({ place }: { place: Place }): ReactNode {
  const { workspace, navigation } = useUi();
  const { inventory } = workspace;
  const all = useKnown((known) => known.inventory.instances);
  const chosen = place.screen === "waves" ? place.keys : [];
  const rows = useMemo(() => (chosen.length > 0 ? rowsOf(all, chosen) : all), [all, chosen]);
  const groups = workspace.settings.get("groups");
  const fields = useMemo<FormField[]>(
    () => [
      {
        id: "action",
        label: "Action",
        kind: "choice",
        choices: [
          { value: "start", label: "start" },
          { value: "shutdown", label: "shut down" },
          { value: "reboot", label: "reboot" },
        ],
      },
      ...waveIds.map((id, index) => ({
        id,
        label: `Wave ${index + 1}`,
        kind: "text" as const,
        width: 40,
        // The next field comes when the one before has something.
        shown: (values: Values) => index < 2 || Boolean(values[waveIds[index - 1] ?? ""]),
      })),
      {
        id: "failure",
        label: "If one fails",
        kind: "choice",
        choices: [
          { value: "stop", label: "stop there" },
          { value: "go-on", label: "go on" },
        ],
      },
    ],
    [],
  );
  const actionOf = (values: Values): Done => (values["action"] ?? "start") as Done;
  const read = (values: Values, until: number): Wave[] => {
    const texts = waveIds.slice(0, until).flatMap((id) => values[id] || []);
    return wavesOf(texts, rows, actionOf(values), groups, (action, key) => inventory.refuses(action, key));
  };
  const each = (values: Values, say: (wave: Wave) => string | null, sayError: boolean) =>
    Object.fromEntries(
      waveIds.map((id, index) => {
        if (!values[id]) return [id, null];
        try {
          const wave = read(values, index + 1).at(-1);
          return [id, wave ? say(wave) : null];
        } catch (thrown) {
          const { what, why } = toVirtuError(thrown);
          return [id, sayError ? (why ?? what) : null];
        }
      }),
    );
  const size = ({ keys, also }: Wave) => keys.length + also.length;
  return (
    <Box flexDirection="column">
      <Form
        name="waves"
        fields={fields}
        errors={(values) =>
          each(values, (wave) => (size(wave) === 0 ? "none fits, or all are in a wave before" : null), true)
        }
        meanings={(values) =>
          each(
            values,
            (wave) => {
              const already = wave.also.length > 0 ? `, ${wave.also.length} is so` : "";
              return `${count(size(wave), "instance")}${already}`;
            },
            false,
          )
        }
        footer={(values) => {
          // Beside the field there is room for a few words only.
          const said = Object.values(each(values, () => null, true)).find(Boolean);
          return said ? <Text color="red">{`   ${said}`}</Text> : null;
        }}
        missing={(values) => (values["wave1"] ? null : { field: "wave1", text: "a first wave is needed" })}
        onSubmit={(values) => {
          const waves = read(values, waveIds.length);
          const onFailure = (values["failure"] ?? "stop") as OnFailure;
          const keys = waves.flatMap((wave) => wave.keys);
          const { run } = inventory.act({ do: actionOf(values) }, keys, { waves, onFailure });
          navigation.replace({ screen: "bulk", run });
        }}
      />
      <Box flexDirection="column" marginTop={1} paddingX={1}>
        {[
          ...helpLines,
          chosen.length > 0 ? `Only the ${count(chosen.length, "marked instance")} can be meant.` : "",
        ].map((line) => (
          <Text key={line} wrap="truncate" dimColor>
            {line}
          </Text>
        ))}
      </Box>
    </Box>
  );
}
