/** A definition that was edited: what is wrong with it, what changes, and then it is applied. Nothing is lost when it is refused. */
import { Box, Text } from "ink";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import type { ActionItem } from "../../instances/inventory-types.ts";
import { plain, plainLine } from "../../text.ts";
import { Busy } from "../components/busy.tsx";
import { Confirm } from "../components/confirm.tsx";
import { Table, useList } from "../components/table.tsx";
import { TextLines } from "../components/text-lines.tsx";
import { definitionProblem } from "../definition-check.ts";
import { type DiffPart, diffLines, diffParts } from "../diff.ts";
import { editText } from "../edit-text.ts";
import { useKeys, useKnown, useRemembered, useUi } from "../hooks.ts";
import type { Place } from "../navigation.ts";
import { cell, paint, symbol } from "../theme.ts";
import { isPending } from "./instances-rows.ts";

/** What the user made of a definition; kept until it is applied or discarded. */
export interface Draft {
  /** What the provider gave. */
  base: string;
  text: string;
  language: "xml" | "yaml" | "text";
}

/** Under which the draft of an instance is remembered. */
export function draftName(key: string): string {
  return `draft:${key}`;
}

const extensions = { xml: "xml", yaml: "yaml", text: "txt" } as const;

/** Opens the user's editor on this terminal; null: it gave nothing back, and that was said. */
export function useEditor(key: string): (text: string, language: Draft["language"]) => Promise<string | null> {
  const { handOver, workspace } = useUi();
  const name = key.split("/").pop() || "definition";
  return async (text, language) => {
    try {
      // The name is a host's: only what no shell and no file system takes amiss.
      const file = `${name.replace(/[^\w.-]+/g, "-").replace(/^[.-]+/, "") || "definition"}.${extensions[language]}`;
      return await handOver(() => editText(text, file));
    } catch (thrown) {
      workspace.failed(thrown);
      return null;
    }
  };
}

/** A part of the difference in `width` columns. */
export function diffRow(part: DiffPart, width: number): string {
  if (part.kind === "gap") return paint(cell(`   … ${part.lines} lines as before`, width), "dim");
  const text = plainLine(part.text);
  if (part.kind === "gone") return paint(cell(`- ${text}`, width), "red");
  if (part.kind === "new") return paint(cell(`+ ${text}`, width), "green");
  return cell(`  ${text}`, width);
}

export function ChangeScreen({ place }: { place: Place }): ReactNode {
  const key = place.screen === "change" ? place.key : "";
  const { size, workspace, navigation } = useUi();
  const { inventory } = workspace;
  const [draft, setDraft] = useRemembered<Draft | null>(draftName(key), null);
  const row = useKnown((known) => known.inventory.instances.find((one) => one.key === key));
  const editor = useEditor(key);
  const [discarding, setDiscarding] = useState(false);
  /** The number of the run that applies it, while or after it does. */
  const [run, setRun] = useState<number | null>(null);
  useEffect(() => inventory.watch(), [inventory]);
  const parts = useMemo(() => (draft ? diffParts(diffLines(draft.base, draft.text)) : []), [draft]);
  const problem = useMemo(() => (draft ? definitionProblem(draft.text, draft.language) : null), [draft]);
  const action = row?.action?.run === run ? row?.action : null;
  const applied = action?.state === "done";
  const pending = action ? isPending(action) : false;
  useEffect(() => {
    if (!applied) return;
    navigation.forget(draftName(key));
    navigation.back();
    workspace.notify("good", "The definition is changed.");
  }, [applied, navigation, key, workspace]);
  const refused = action?.state === "failed" ? action : null;
  const below = refused ? 2 + Math.min(6, detailLines(refused).length) : problem ? 2 : 1;
  const height = Math.max(3, size.rows - 8 - below);
  const keys = parts.map((_, index) => String(index));
  const list = useList(`change:${key}`, keys, height, !discarding);
  const why = !row ? "it is gone" : pending ? "it is being applied" : problem;
  useKeys(
    "change",
    {
      apply: {
        run: () => draft && setRun(inventory.act({ do: "define", text: draft.text }, [key]).run),
        disabled: why ?? inventory.refuses("define", key),
      },
      edit: {
        run: () => {
          if (!draft) return;
          void editor(draft.text, draft.language).then((text) => {
            if (text === null) return;
            setRun(null);
            setDraft({ ...draft, text });
          });
        },
        disabled: pending ? "it is being applied" : null,
      },
      discard: { run: () => setDiscarding(true), disabled: pending ? "it is being applied" : null },
    },
    { active: !discarding && draft !== null },
  );
  if (!draft) return <Text dimColor> Nothing was changed. Esc goes back to the definition.</Text>;
  const name = plainLine(row?.name ?? "It");
  if (discarding) {
    return (
      <Confirm
        title={`Forget what you changed of ${name}?`}
        losses={["what you typed; the instance stays as it is"]}
        safe="Keep it"
        danger="Forget it"
        onNo={() => setDiscarding(false)}
        onYes={() => {
          setDraft(null);
          navigation.back();
        }}
      />
    );
  }
  const fresh = parts.filter(({ kind }) => kind === "new").length;
  const gone = parts.filter(({ kind }) => kind === "gone").length;
  const width = size.columns - 2;
  return (
    <Box flexDirection="column">
      <Text wrap="truncate">
        {` ${paint(`What changes in ${name}`, "bold")} · ${paint(`+${fresh}`, "green")} ${paint(`-${gone}`, "red")} · not applied yet; it is kept until you apply or discard it`}
      </Text>
      <Table
        view={list}
        row={(index) => diffRow(parts[index] as DiffPart, width)}
        empty={<Text dimColor> It is the same as before. D discards it.</Text>}
      />
      <Outcome problem={problem} pending={pending} refused={refused} />
    </Box>
  );
}

function detailLines({ detail }: ActionItem): string[] {
  return detail ? plain(detail).trimEnd().split("\n") : [];
}

/** What stands in the way, or how applying goes. */
function Outcome({
  problem,
  pending,
  refused,
}: {
  problem: string | null;
  pending: boolean;
  refused: ActionItem | null;
}): ReactNode {
  if (pending) return <Busy text="applying it" />;
  if (refused) {
    return (
      <Box flexDirection="column">
        <Text wrap="truncate">{paint(` ${symbol("bad")} ${plainLine(refused.error ?? refused.text)}`, "red")}</Text>
        <TextLines lines={detailLines(refused).slice(0, 6)} before="  | " dim />
        <Text> Nothing was changed. e edits it again, with all that you typed.</Text>
      </Box>
    );
  }
  if (problem) {
    return (
      <Box flexDirection="column">
        <Text wrap="truncate">{paint(` ${symbol("bad")} ${plainLine(problem)}`, "red")}</Text>
        <Text> It can't be read so. e edits it again, with all that you typed.</Text>
      </Box>
    );
  }
  return <Text dimColor> ⏎ applies it. A running guest takes most of it at its next start.</Text>;
}
