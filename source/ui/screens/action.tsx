/** An action that needs to know more: its form, what goes with it, and the exact command; then it is queued. */
import { Box, Text } from "ink";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import type { InstanceRow, NodeRow } from "../../instances/inventory-types.ts";
import type { Request, RequestName } from "../../instances/target.ts";
import type { InstanceDetails } from "../../instances/types.ts";
import { plainLine } from "../../text.ts";
import { Busy } from "../components/busy.tsx";
import { CommandBox } from "../components/command-box.tsx";
import { Confirm } from "../components/confirm.tsx";
import { Form, type Values } from "../components/form.tsx";
import { Problem } from "../components/problem.tsx";
import { useKnown, useUi } from "../hooks.ts";
import { joined, type Lines } from "../lines.ts";
import type { Place } from "../navigation.ts";
import { glyph, paint } from "../theme.ts";
import { wrapped } from "../wrap.ts";
import { type ActionForm, type FormContext, formOf } from "./action-forms.ts";
import { rowsOf } from "./one-instance.tsx";

type ActionPlace = Extract<Place, { screen: "action" }>;
const noPlace: ActionPlace = { screen: "action", action: "start", keys: [], of: null };

/** Instances whose details are read for one form: each costs its host a command. */
const readLimit = 30;

/** Instances whose names and commands are shown. */
const previewLimit = 50;

/** The node that carries an instance, as far as it is known. */
export function nodeOf(row: InstanceRow | undefined, nodes: readonly NodeRow[]): NodeRow | null {
  if (!row) return null;
  const own = nodes.filter(({ provider, cluster, host }) =>
    row.cluster === null ? provider === row.provider && host === row.host : cluster === row.cluster,
  );
  return own.find(({ name }) => name === row.node) ?? (own.length === 1 ? (own[0] ?? null) : null);
}

/** The command lines of a request for these, with the host where they run. */
export function useCommands(request: Request | null, keys: readonly string[], options = {}) {
  const { workspace } = useUi();
  if (!request) return { title: "will run", commands: ["–"] };
  const previews = workspace.inventory.preview(request, keys.slice(0, previewLimit), options);
  const hosts = [...new Set(previews.map(({ host }) => host))];
  const commands = [...new Set(previews.flatMap(({ lines }) => lines))];
  const more = keys.length - previewLimit;
  if (more > 0) commands.push(`# and the same for ${more} more`);
  return {
    title: `will run on ${hosts.length === 1 && more <= 0 ? hosts[0] : "their hosts"}`,
    commands: commands.length > 0 ? commands : ["–"],
  };
}

export function ActionScreen({ place }: { place: Place }): ReactNode {
  const { action, keys, of } = place.screen === "action" ? place : noPlace;
  const { workspace, size } = useUi();
  const { instances, inventory } = workspace;
  const all = useKnown((known) => known.inventory.instances);
  const nodes = useKnown((known) => known.inventory.nodes);
  const known = useKnown((state) => state.instances.details);
  const now = useKnown((state) => state.now);
  const form = formOf(action);
  const rows = useMemo(() => rowsOf(all, keys), [all, keys]);
  useEffect(() => inventory.watch(), [inventory]);
  const wanted = useMemo(() => {
    if (form?.details === "each") return keys.slice(0, readLimit);
    return form?.details === "first" ? keys.slice(0, 1) : [];
  }, [form, keys]);
  useEffect(() => {
    const stops = wanted.map((key) => instances.look(key));
    return () => {
      for (const stop of stops) stop();
    };
  }, [instances, wanted]);

  if (!form) return <Text> This action asks for nothing. Esc goes back.</Text>;
  const node = nodes.find(({ key }) => key === keys[0]) ?? nodeOf(rows[0], nodes);
  if (rows.length === 0 && !keys.includes(node?.key ?? ""))
    return <Text dimColor> It is no longer there. Esc goes back.</Text>;
  const read = wanted.map((key) => known[key]);
  const first = read[0];
  if (form.details === "first" && first?.error && first.value === null) {
    return (
      <Box flexDirection="column">
        <Problem error={first.error} lines={size.rows - 12} />
        <Text> Esc goes back.</Text>
      </Box>
    );
  }
  if (read.some((one) => !one || (one.value === null && one.error === null))) {
    return <Busy text={`asking ${plainLine(rows[0]?.host ?? "")} about ${plainLine(rows[0]?.name ?? "it")}`} />;
  }
  const details = new Map<string, InstanceDetails>();
  wanted.forEach((key, index) => {
    const value = read[index]?.value;
    if (value) details.set(key, value);
  });
  return <Asking action={action} form={form} keys={keys} context={{ rows, node, all, details, of, now }} />;
}

function Asking({
  action,
  form,
  keys,
  context,
}: {
  action: RequestName;
  form: ActionForm;
  keys: readonly string[];
  context: FormContext;
}): ReactNode {
  const { workspace, navigation, copy, size } = useUi();
  const [first] = useState(context);
  // The fields and what they start with are those of the beginning: a poll must not change what is being typed.
  const fields = useMemo(() => form.fields(first), [form, first]);
  const name = `action:${action}:${first.of ?? ""}:${keys.join(" ")}`;
  const [asked, setAsked] = useState<Values | null>(null);
  const start = (values: Values) => {
    const request = form.request(values, context);
    if (!request) return;
    workspace.inventory.act(request, keys, form.options?.(values));
    navigation.forget(`form:${name}`);
    navigation.back();
  };
  const nothing: Values = {};
  const commands = useCommands(fields.length === 0 ? form.request(nothing, context) : null, keys);
  if (fields.length === 0 || asked) {
    const title = form.title(context);
    const values = asked ?? nothing;
    return (
      <Confirm
        title={`${title}?`}
        losses={form.about?.(values, context) ?? []}
        text={asked ? undefined : [...commands.commands.slice(0, 3), ""].join("\n")}
        safe="Leave it"
        danger={title}
        onNo={() => (asked ? setAsked(null) : navigation.back())}
        onYes={() => start(values)}
      />
    );
  }
  return (
    <Box flexDirection="column">
      <Text wrap="truncate">
        {` ${paint(`${form.title(context)}${form.dangerous ? ` ${glyph.dangerous}` : ""}`, "bold", ...(form.dangerous ? (["red"] as const) : []))}`}
      </Text>
      <Text> </Text>
      <Form
        name={name}
        fields={fields}
        errors={(values) => form.errors(values, context)}
        meanings={(values) => form.meanings?.(values, context) ?? {}}
        missing={(values) => form.missing?.(values, context) ?? null}
        onSubmit={form.asks ? setAsked : start}
        onCopy={(values) => {
          const request = form.request(values, context);
          const lines = request
            ? workspace.inventory.preview(request, keys, form.options?.(values)).flatMap(({ lines }) => lines)
            : [];
          if (lines.length > 0) copy(lines.join("\n"), "the command");
        }}
        footer={(values) => (
          <Below
            about={joined(form.about?.(values, context) ?? [], namesOf(form, context, size.columns - 2))}
            request={form.request(values, context)}
            keys={keys}
            options={form.options?.(values)}
            room={size.rows - 8 - fields.length}
          />
        )}
      />
    </Box>
  );
}

/** Who they are when there are several, where the form does not name them by itself. */
function namesOf(form: ActionForm, { rows }: FormContext, width: number): string[] {
  if (rows.length < 2 || form.namesThem) return [];
  const names = rows.slice(0, previewLimit).map(({ name }) => plainLine(name));
  const more = rows.length > names.length ? ` and ${rows.length - names.length} more` : "";
  return wrapped(`For ${names.join(", ")}${more}.`, width);
}

/** What goes with it, and the commands: as much as has room. */
function Below({
  about,
  request,
  keys,
  options,
  room,
}: {
  about: Lines;
  request: Request | null;
  keys: readonly string[];
  options: object | undefined;
  room: number;
}): ReactNode {
  const { size } = useUi();
  const { title, commands } = useCommands(request, keys, options);
  const forCommands = Math.max(3, Math.min(6, Math.floor(room / 2) - 2));
  const forAbout = Math.max(2, room - forCommands - 5);
  const shown = about.slice(0, about.length > forAbout ? forAbout - 1 : forAbout);
  return (
    <Box flexDirection="column" marginY={1}>
      {shown.map((line) => (
        <Text key={line} wrap="truncate">{` ${line}`}</Text>
      ))}
      {shown.length < about.length && <Text>{` … and ${about.length - shown.length} more`}</Text>}
      {about.length > 0 && <Text> </Text>}
      <CommandBox title={title} commands={commands} columns={size.columns - 1} limit={forCommands} />
    </Box>
  );
}
