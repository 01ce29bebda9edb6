/** Something is under way: a spinner and what it is. */
import { Text } from "ink";
import Spinner from "ink-spinner";
import type { ReactNode } from "react";
import { symbol } from "../theme.ts";

/** Where the plain symbols are shown, the spinner's braille can't be. */
const type = symbol("busy") === "~" ? "line" : "dots";

export function Busy({ text }: { text: string }): ReactNode {
  return (
    <Text wrap="truncate">
      {" "}
      <Text color="cyan">
        <Spinner type={type} />
      </Text>
      {` ${text}`}
    </Text>
  );
}
