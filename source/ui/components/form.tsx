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
}: FormProps): ReactNode {
  const { size } = useUi();
  const [state, setState] = useRemembered<FormState>(`form:${name}`, startOf(all));
  const [refusal, setRefusal] = useState("");
  const values = valuesOf(state, all);
  const fields = all.filter(({ shown }) => shown?.(values) ?? true);
  const wrong = errors(values);
  const focus = Math.max(
    0,
    fields.findIndex(({ id }) => id === state.focus),
  );
  const field = fields[focus];
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
    const bad = fields.find(({ id }) => wrong[id]);
    const lacking = bad ? { field: bad.id, text: wrong[bad.id] ?? "" } : (missing?.(values) ?? null);
    const at = typeof lacking === "string" ? undefined : fields.find(({ id }) => id === lacking?.field);
    const text = typeof lacking === "string" ? lacking : (lacking?.text ?? "");
    setRefusal(at ? `${at.label.trim()}: ${text}` : text);
    if (at) goTo(at.id);
    if (!lacking) onSubmit(values);
  };
  const handlers: Handlers<"form"> = {
    next: step(1),
    previous: step(-1),
    submit: { run: submit },
    ...(field?.kind === "choice" ? { earlier: { run: turn(-1) }, later: { run: turn(1) } } : {}),
    ...(onCopy ? { copy: { run: () => onCopy(values) } } : {}),
    ...(onSave ? { save: { run: () => onSave(values) } } : {}),
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
  const noteOf = ({ id, help }: FormField) => wrong[id] ?? meaning[id] ?? help ?? "";
  const boxOf = (one: FormField, focused: boolean) => {
    const line = state.lines[one.id] ?? lineOf(one.initial ?? "");
    return one.kind === "choice"
      ? choiceBox(one.choices?.find((choice) => choice.value === values[one.id])?.label ?? line.text, focused)
      : textBox(line, one.width ?? 20, focused, one.kind === "secret");
  };
  // What stands beside the field with the cursor and is cut there is said in full under the fields, where there is room.
  const note = field ? noteOf(field) : "";
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
          error={wrong[one.id] ?? null}
          help={meaning[one.id] ?? one.help}
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
