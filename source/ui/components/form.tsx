/** A form of text and choice fields. What was typed is remembered until the form's owner forgets it. */
import { Box, Text } from "ink";
import { type ReactNode, useState } from "react";
import { edit, type Line, lineOf } from "../editor.ts";
import { type Handlers, useKeys, useRemembered, useUi } from "../hooks.ts";
import { layer } from "../router.ts";
import { paint, widthOf } from "../theme.ts";
import { wrapped } from "../wrap.ts";
import { choiceBox, Field, labelWidth, noteColumn, textBox } from "./field.tsx";
import { frameLines } from "./frame.tsx";

export interface FormField {
  id: string;
  label: string;
  /** `secret`: a text that is never shown, and taken as it is typed. */
  kind: "text" | "choice" | "secret";
  /** Columns of a text field. */
  width?: number;
  /** Choices, with `choice`: value and what is shown. */
  choices?: readonly { value: string; label: string }[];
  initial?: string;
  help?: string;
  /** Whether it is there, from the values as they stand. A field that is not shown keeps its value. */
  shown?: (values: Values) => boolean;
  /** The fields of one part are drawn while the cursor is in it; else the first one stands for all of them. */
  part?: string;
  /** Of the first field of a part: what stands beside it meanwhile. */
  summary?: (values: Values) => string;
}

export type Values = Readonly<Record<string, string>>;

interface FormState {
  lines: Readonly<Record<string, Line>>;
  /** Id of the field with the cursor; null: the first. */
  focus: string | null;
}

function startOf(fields: readonly FormField[]): FormState {
  const lines: Record<string, Line> = {};
  for (const { id, initial, choices } of fields) lines[id] = lineOf(initial ?? choices?.[0]?.value ?? "");
  return { lines, focus: null };
}

function valuesOf(state: FormState, fields: readonly FormField[]): Values {
  const text = ({ id, kind, initial, choices }: FormField) => {
    const typed = state.lines[id]?.text ?? initial ?? "";
    // The choices can have become others since; what is no longer one of them counts as not chosen.
    if (choices && choices.length > 0 && !choices.some(({ value }) => value === typed)) {
      return initial ?? choices[0]?.value ?? "";
    }
    return kind === "secret" ? typed : typed.trim();
  };
  return Object.fromEntries(fields.map((field) => [field.id, text(field)]));
}

export interface FormProps {
  /** Under which it is remembered: `form:NAME`. */
  name: string;
  fields: readonly FormField[];
  /** What is wrong with each field, as it stands. */
  errors: (values: Values) => Readonly<Record<string, string | null | undefined>>;
  /** What each value means, beside its field; instead of the field's own help. */
  meanings?: (values: Values) => Readonly<Record<string, string | null | undefined>>;
  /** What is still missing, said when one tries to go on; with its field, the cursor goes there. */
  missing?: (values: Values) => string | { field: string; text: string } | null;
  onSubmit: (values: Values) => void;
  /** Drawn under the fields, from the values as they stand. */
  footer?: (values: Values) => ReactNode;
  /** Lines that the footer may take (default 10): what is only said once more must not push it off the screen. */
  footerLines?: number;
  onCopy?: (values: Values) => void;
  /** Keeps what the form stands for. */
  onSave?: (values: Values) => void;
  /** Adds a part, or removes the one with the cursor. Absent: it has no such parts. */
  parts?: {
    /** Null, or why it can't be done now. */
    refuses: (what: "add" | "remove", values: Values) => string | null;
    /** The id of the field that the cursor goes to. `field`: the one that it is on. */
    change: (what: "add" | "remove", values: Values, field: string) => string;
  };
}

export function Form({
  name,
  fields: all,
  errors,
  meanings,
  missing,
  onSubmit,
  footer,
  footerLines = 10,
  onCopy,
  onSave,
  parts,
}: FormProps): ReactNode {
  const { size } = useUi();
  const [state, setState] = useRemembered<FormState>(`form:${name}`, startOf(all));
  const [refusal, setRefusal] = useState("");
  const values = valuesOf(state, all);
  const present = all.filter(({ shown }) => shown?.(values) ?? true);
  const wrong = errors(values);
  const field = present.find(({ id }) => id === state.focus) ?? present[0];
  const isFirst = (index: number) => present[index]?.part !== present[index - 1]?.part;
  const fields = present.filter(({ part }, index) => part === undefined || part === field?.part || isFirst(index));
  const focus = field ? fields.indexOf(field) : 0;
  const goTo = (id: string | null) => setState((before) => ({ ...before, focus: id }));
  const step = (by: number) => ({
    run: () => goTo(fields[(focus + by + fields.length) % fields.length]?.id ?? null),
  });
  const turn = (by: number) => () => {
    const choices = field?.choices;
    if (!field || !choices) return;
    const at = choices.findIndex(({ value }) => value === values[field.id]);
    const next = choices[(at + by + choices.length) % choices.length];
    setRefusal("");
    if (next) setState((before) => ({ ...before, lines: { ...before.lines, [field.id]: lineOf(next.value) } }));
  };
  const submit = () => {
    const bad = present.find(({ id }) => wrong[id]);
    const lacking = bad ? { field: bad.id, text: wrong[bad.id] ?? "" } : (missing?.(values) ?? null);
    const at = typeof lacking === "string" ? undefined : present.find(({ id }) => id === lacking?.field);
    const text = typeof lacking === "string" ? lacking : (lacking?.text ?? "");
    setRefusal(at ? `${at.label.trim()}: ${text}` : text);
    if (at) goTo(at.id);
    if (!lacking) onSubmit(values);
  };
  const changing = (what: "add" | "remove", { change, refuses }: NonNullable<typeof parts>, { id }: FormField) => ({
    disabled: refuses(what, values),
    run: () => {
      setRefusal("");
      goTo(change(what, values, id));
    },
  });
  const handlers: Handlers<"form"> = {
    next: step(1),
    previous: step(-1),
    submit: { run: submit },
    ...(field?.kind === "choice" ? { earlier: { run: turn(-1) }, later: { run: turn(1) } } : {}),
    ...(onCopy ? { copy: { run: () => onCopy(values) } } : {}),
    ...(onSave ? { save: { run: () => onSave(values) } } : {}),
    ...(parts && field ? { add: changing("add", parts, field), remove: changing("remove", parts, field) } : {}),
  };
  useKeys("form", handlers, {
    level: layer.field,
    typed: (key) => {
      if (!field) return false;
      if (field.kind === "choice") {
        if (key.name === "space") turn(1)();
        // Typing in a field of choices must not jump to another screen.
        return key.text !== null;
      }
      const line = edit(state.lines[field.id] ?? lineOf(field.initial ?? ""), key);
      if (line) {
        setState((before) => ({ ...before, lines: { ...before.lines, [field.id]: line } }));
        setRefusal("");
      }
      return line !== null;
    },
  });
  const meaning = meanings?.(values) ?? {};
  const wrongWith = ({ id, part }: FormField) => {
    if (part === undefined || part === field?.part) return wrong[id] ?? null;
    // It stands for fields that are not drawn.
    const bad = present.find((one) => one.part === part && wrong[one.id]);
    return bad ? (wrong[bad.id] ?? null) : null;
  };
  const helpOf = (one: FormField) =>
    one.part !== undefined && one.part !== field?.part ? one.summary?.(values) : (meaning[one.id] ?? one.help);
  const boxOf = (one: FormField, focused: boolean) => {
    const line = state.lines[one.id] ?? lineOf(one.initial ?? "");
    return one.kind === "choice"
      ? choiceBox(one.choices?.find((choice) => choice.value === values[one.id])?.label ?? line.text, focused)
      : textBox(line, one.width ?? 20, focused, one.kind === "secret");
  };
  // What stands beside the field with the cursor and is cut there is said in full under the fields, where there is room.
  const note = field ? (wrongWith(field) ?? helpOf(field) ?? "") : "";
  const cut = field && noteColumn(boxOf(field, true)) + widthOf(note) > size.columns;
  const whole = cut ? wrapped(note, size.columns - labelWidth - 2) : [];
  const noteTone = field && wrong[field.id] ? "red" : "dim";
  const room = size.rows - frameLines - fields.length - (footer ? footerLines : 2);
  return (
    <Box flexDirection="column">
      {fields.map((one, index) => (
        <Field
          key={one.id}
          label={one.label}
          focused={index === focus}
          value={boxOf(one, index === focus)}
          error={wrongWith(one)}
          help={helpOf(one) ?? ""}
        />
      ))}
      {whole.length > 0 && whole.length <= room && (
        <Text>{paint(whole.map((line) => `${" ".repeat(labelWidth + 1)}${line}`).join("\n"), noteTone)}</Text>
      )}
      {footer?.(values)}
      {refusal !== "" && <Text>{paint(` ✗ ${refusal}`, "red")}</Text>}
    </Box>
  );
}
