/** An error where it belongs: what, why, what to do, and the remote program's own words under it. */
import { Box, Text } from "ink";
import type { ReactNode } from "react";
import type { VirtuError } from "../../errors.ts";
import { plain } from "../../text.ts";
import { paint, symbol } from "../theme.ts";
import { TextLines } from "./text-lines.tsx";

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
      <TextLines lines={detail.slice(0, lines)} before="  | " dim />
      {hidden > 0 && <Text dimColor>{`  | … ${hidden} more lines in the log (7)`}</Text>}
    </Box>
  );
}
