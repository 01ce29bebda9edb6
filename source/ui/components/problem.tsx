/** An error where it belongs: what, why, what to do, and the remote program's own words under it. */
import { Box, Text } from "ink";
import type { ReactNode } from "react";
import type { VirtuError } from "../../errors.ts";
import { plain } from "../../text.ts";
import { paint, symbol } from "../theme.ts";

export function Problem({ error, lines = 6 }: { error: VirtuError; lines?: number }): ReactNode {
  const detail = error.detail ? plain(error.detail).trimEnd().split("\n") : [];
  const hidden = detail.length - lines;
  return (
    <Box flexDirection="column" paddingLeft={1} paddingRight={1}>
      <Text>{paint(`${symbol("bad")} ${error.where ? `${error.where}: ` : ""}${error.what}`, "red", "bold")}</Text>
      <Box flexDirection="column" paddingLeft={2}>
        {error.why && <Text>{error.why}</Text>}
        {error.hint && <Text bold>{error.hint}</Text>}
      </Box>
      {detail.slice(0, lines).map((line, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines of a text that does not change.
        <Text key={index} wrap="truncate" dimColor>{`  | ${line}`}</Text>
      ))}
      {hidden > 0 && <Text dimColor>{`  | … ${hidden} more lines in the log (7)`}</Text>}
    </Box>
  );
}
