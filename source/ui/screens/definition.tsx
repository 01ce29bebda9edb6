/** The definition of an instance: read, searched, and edited in the user's own editor. */
import { Box, Text } from "ink";
import { type ReactNode, useMemo } from "react";
import { plain } from "../../text.ts";
import { FilterLine, useFilter } from "../components/filter.tsx";
import { Table, useList } from "../components/table.tsx";
import { useKeys, useRemembered, useUi } from "../hooks.ts";
import { matches } from "../list.ts";
import type { Place } from "../navigation.ts";
import { cell, paint } from "../theme.ts";
import { type Draft, draftName, useEditor } from "./change.tsx";
import { NoDetails, OneInstanceTitle, useOneInstance } from "./one-instance.tsx";
import { wrapLine } from "./preview.tsx";

export function DefinitionScreen({ place }: { place: Place }): ReactNode {
  const key = place.screen === "definition" ? place.key : "";
  const { size, workspace, navigation, copy } = useUi();
  const one = useOneInstance(key);
  const { row, details } = one;
  const [draft, setDraft] = useRemembered<Draft | null>(draftName(key), null);
  const editor = useEditor(key);
  const search = useFilter(`definition:${key}`);
  const definition = details.value?.definition ?? null;
  const width = size.columns - 8;
  const lines = useMemo(
    () =>
      plain(definition?.text ?? "")
        .trimEnd()
        .split("\n")
        .flatMap((text, index) =>
          wrapLine(text, width).map((part, at) => ({ number: at === 0 ? index + 1 : null, text: part })),
        ),
    [definition, width],
  );
  const keys = useMemo(() => lines.map((_, index) => String(index)), [lines]);
  const searching = search.typing || search.text !== "";
  const found = useMemo(
    () =>
      search.text.trim() === "" ? [] : lines.flatMap(({ text }, index) => (matches(text, search.text) ? [index] : [])),
    [lines, search.text],
  );
  const height = size.rows - 8 - (searching ? 1 : 0);
  const list = useList(`definition:${key}`, keys, height);
  const goTo = (index: number | undefined) => {
    if (index !== undefined) list.select(String(index));
  };
  const notFound = found.length > 0 ? null : searching ? "no line holds that" : "nothing is searched for";
  const locked = !row
    ? "it is gone"
    : !definition
      ? "it is not read yet"
      : definition.editable
        ? workspace.inventory.refuses("define", key)
        : (workspace.inventory.refuses("define", key) ?? "its provider takes no definition back");
  useKeys("definition", {
    edit: {
      run: () => {
        if (!definition) return;
        if (draft) {
          navigation.open({ screen: "change", key });
          return;
        }
        const base = definition.text;
        void editor(base, definition.language).then((text) => {
          if (text === null) return;
          if (text === base) {
            workspace.notify("info", "Nothing was changed.");
            return;
          }
          setDraft({ base, text, language: definition.language });
          navigation.open({ screen: "change", key });
        });
      },
      disabled: locked,
    },
    search: { run: search.open },
    next: { run: () => goTo(found.find((index) => index > list.index) ?? found[0]), disabled: notFound },
    previous: {
      run: () => goTo([...found].reverse().find((index) => index < list.index) ?? found.at(-1)),
      disabled: notFound,
    },
    refresh: { run: one.reload },
    copy: {
      run: () => definition && copy(definition.text, "the definition"),
      disabled: definition ? null : "it is not read yet",
    },
  });
  if (!row || !definition) return <NoDetails one={one} lines={size.rows - 12} />;
  const state = draft ? "a change is not applied yet: e shows it" : locked === null ? "e edits it" : locked;
  return (
    <Box flexDirection="column">
      <OneInstanceTitle
        row={row}
        text={`${definition.language === "text" ? "account" : definition.language.toUpperCase()} · ${state}`}
      />
      <FilterLine filter={search} shown={found.length} total={lines.length} />
      <Table
        view={list}
        row={(index) => {
          const line = lines[index];
          if (!line) return "";
          const text = cell(line.text, width);
          return `${paint(cell(line.number === null ? "" : String(line.number), 4, "right"), "dim")} ${found.includes(index) ? paint(text, "yellow") : text}`;
        }}
        empty={<Text dimColor> It is empty.</Text>}
      />
    </Box>
  );
}
