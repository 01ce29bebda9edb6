/** What stands under the five steps: what the host is asked, and in the summary what would run. */
import { Box, Text } from "ink";
import { type ReactNode, useEffect } from "react";
import { filesOf } from "../../instances/create-plan.ts";
import type { CreatePlan } from "../../instances/create-types.ts";
import { count } from "../../text.ts";
import { Busy } from "../components/busy.tsx";
import { commandBox } from "../components/command-box.tsx";
import type { Values } from "../components/form.tsx";
import { useUi } from "../hooks.ts";
import { cell, paint, symbol } from "../theme.ts";
import type { StepNumber } from "./create-field-kinds.ts";

export interface CreateFooterProps {
  values: Values;
  step: StepNumber;
  /** Null while nothing can be planned. */
  plan: CreatePlan | null;
  loading: boolean;
  /** Ids, a line each. */
  places: string;
  lines: number;
  onPlace: (place: string) => void;
  /** What these places offer is wanted, and whether they have these files. */
  onAsk: (ids: readonly string[], files: readonly string[]) => void;
}

export function CreateFooter({
  values,
  step,
  plan,
  loading,
  places,
  lines,
  onPlace,
  onAsk,
}: CreateFooterProps): ReactNode {
  const { size } = useUi();
  const place = values["place"] ?? "";
  const files = plan ? [...new Set(plan.rows.flatMap(({ request }) => filesOf(request)))].join("\n") : "";
  // biome-ignore lint/correctness/useExhaustiveDependencies: told when the place changes, whoever listens now
  useEffect(() => onPlace(place), [place]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked when places or files change, whoever listens now
  useEffect(() => onAsk(places.split("\n"), files === "" ? [] : files.split("\n")), [places, files]);
  if (loading) return <Busy text="Asking what the host offers" />;
  if (step !== 4 || !plan) return null;
  const { rows } = plan;
  const commands = rows[0]?.commands.map(({ line }) => line) ?? [];
  const [first] = rows;
  // Several stand as a list over the command.
  const listed = rows.length > 1 ? Math.min(rows.length, 6) : 0;
  const several = new Set(rows.map(({ host }) => host)).size > 1;
  return (
    <Box flexDirection="column" marginTop={1}>
      {rows.length > 1 && (
        <Text wrap="truncate">
          {rows
            .slice(0, 5)
            .map(
              ({ name, host, where, address, problems }) =>
                ` ${problems.length > 0 ? paint(symbol("bad"), "red") : " "} ${cell(name, 24)} ${several ? `${cell(host, 14)} ` : ""}${cell(where, 20)} ${address ?? ""}`,
            )
            .join("\n")}
          {rows.length > 5 ? `\n   and ${rows.length - 5} more` : ""}
        </Text>
      )}
      {first && (
        <Text wrap="truncate">
          {commandBox(
            `will run on ${first.host}${rows.length > 1 ? `, for ${first.name} and alike for ${count(rows.length - 1, "other")}` : ""}`,
            commands,
            size.columns - 1,
            Math.max(3, lines - listed),
            "Ctrl-Y copies all of it",
          ).join("\n")}
        </Text>
      )}
    </Box>
  );
}
