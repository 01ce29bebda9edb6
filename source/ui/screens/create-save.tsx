/** Keeps what the five steps stand for as a file that `virtu create -f` takes. */
import { Text } from "ink";
import type { ReactNode } from "react";
import { plain } from "../../text.ts";
import { SaveAs } from "../components/save-as.tsx";
import { useUi } from "../hooks.ts";
import type { Place } from "../navigation.ts";

export function CreateSaveScreen({ place }: { place: Place }): ReactNode {
  const { size } = useUi();
  if (place.screen !== "create-save") return null;
  const { text, file } = place;
  return (
    <SaveAs
      name="create-save"
      initial={file}
      // A cloud image's can hold what only its owner may read.
      mode={0o600}
      textFor={() => text}
      told={(written) => `Saved. Again by: virtu create -f ${written}`}
    >
      <Text dimColor wrap="truncate">
        {plain(text)
          .split("\n")
          .slice(0, Math.max(4, size.rows - 14))
          .map((line) => ` ${line}`)
          .join("\n")}
      </Text>
    </SaveAs>
  );
}
