/** Views that were kept under a name: take one, keep the one of now, remove one. */
import { Box, Text } from "ink";
import { type ReactNode, useState } from "react";
import type { ViewSettings } from "../../settings.ts";
import { plainLine } from "../../text.ts";
import { Confirm } from "../components/confirm.tsx";
import { Form } from "../components/form.tsx";
import { Table, useList } from "../components/table.tsx";
import { lineOf } from "../editor.ts";
import { useKeys, useRemembered, useUi } from "../hooks.ts";
import { cell, paint } from "../theme.ts";
import { type ColumnChoice, isColumn, isSort } from "./instances-columns.ts";
import { isGrouping } from "./instances-groups.ts";
import { type TableView, useTableView } from "./instances-view.ts";

/** A view of the settings as the table takes it; what this version does not know is left out. */
export function viewFrom(kept: ViewSettings): TableView {
  const columns = kept.columns?.flatMap(({ id, width }): ColumnChoice[] =>
    isColumn(id) ? [width === undefined ? { id } : { id, width }] : [],
  );
  const by = kept.sort?.by;
  return {
    columns: columns && columns.length > 0 ? columns : null,
    sort: by !== undefined && isSort(by) ? { by, down: kept.sort?.down === true } : { by: "name", down: false },
    group: kept.group !== undefined && isGrouping(kept.group) ? kept.group : null,
  };
}

/** The view of now as the settings keep it. */
export function keptFrom(name: string, { columns, sort, group }: TableView, filter: string): ViewSettings {
  return {
    name,
    sort,
    ...(columns ? { columns: [...columns] } : {}),
    ...(group ? { group } : {}),
    ...(filter ? { filter } : {}),
  };
}

function describe({ columns, sort, group, filter }: ViewSettings): string {
  return [
    columns ? columns.map(({ id }) => id).join(" ") : "columns by room",
    sort ? `by ${sort.by}` : "",
    group ? `grouped by ${group}` : "",
    filter ? `/${filter}` : "",
  ]
    .filter(Boolean)
    .join(" · ");
}

export function ViewsScreen(): ReactNode {
  const { workspace, navigation, size } = useUi();
  const [, change] = useTableView();
  const [, setFilter] = useRemembered("filter:instances", lineOf(""));
  const [views, setViews] = useState<readonly ViewSettings[]>(() => workspace.settings.get("views"));
  const [removing, setRemoving] = useState<ViewSettings | null>(null);
  const names = views.map(({ name }) => name);
  const list = useList("views", names, size.rows - 8);
  const selected = views[list.index];
  const none = selected ? null : "no view is kept yet: a keeps the one of now";
  const keep = (after: readonly ViewSettings[]) => {
    setViews(after);
    void workspace.save(() => workspace.settings.set("views", [...after]));
  };
  useKeys("views", {
    take: {
      run: () => {
        if (!selected) return;
        change(() => viewFrom(selected));
        setFilter(lineOf(selected.filter ?? ""));
        navigation.back();
      },
      disabled: none,
    },
    keep: { run: () => navigation.open({ screen: "keep-view" }) },
    remove: { run: () => selected && setRemoving(selected), disabled: none },
  });
  if (removing) {
    return (
      <Confirm
        title={`Remove the view ${removing.name}?`}
        losses={[describe(removing)]}
        text="Nothing changes on any host."
        safe="Keep it"
        danger="Remove it"
        onNo={() => setRemoving(null)}
        onYes={() => {
          keep(views.filter((one) => one !== removing));
          setRemoving(null);
        }}
      />
    );
  }
  return (
    <Box flexDirection="column">
      <Text dimColor wrap="truncate">
        {" A view keeps columns, order, groups and filter of the instance table."}
      </Text>
      <Table
        view={list}
        row={(index) => {
          const one = views[index] as ViewSettings;
          return `${cell(plainLine(one.name), 20)} ${paint(cell(describe(one), Math.max(10, size.columns - 24)), "dim")}`;
        }}
        empty={<Text dimColor> No view is kept yet. a keeps the one of now under a name.</Text>}
      />
    </Box>
  );
}

/** Keeps the view of now under a name. */
export function KeepViewScreen(): ReactNode {
  const { workspace, navigation } = useUi();
  const [view] = useTableView();
  const [filter] = useRemembered("filter:instances", lineOf(""));
  const views = workspace.settings.get("views");
  return (
    <Form
      name="keep-view"
      fields={[{ id: "name", label: "Name", kind: "text", width: 26, help: "of the view as it is now" }]}
      errors={() => ({})}
      meanings={({ name = "" }) => ({
        name: views.some((one) => one.name === name) ? "takes the place of the one of that name" : null,
      })}
      missing={({ name }) => (name ? null : "a name is needed")}
      onSubmit={({ name = "" }) => {
        const after = [...views.filter((one) => one.name !== name), keptFrom(name, view, filter.text)];
        void workspace.save(() => workspace.settings.set("views", after));
        navigation.forget("form:keep-view");
        navigation.back();
      }}
    />
  );
}
