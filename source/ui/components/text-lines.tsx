/** Lines one under the other, each cut where there is no more room. */
import { Text } from "ink";
import type { ReactNode } from "react";

export interface TextLinesProps {
  lines: readonly string[];
  /** Put before each of them. */
  before?: string;
  dim?: boolean;
}

export function TextLines({ lines, before = "", dim = false }: TextLinesProps): ReactNode {
  return lines.map((line, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: a line is where it stands, and two may be equal.
    <Text key={index} wrap="truncate" dimColor={dim}>
      {`${before}${line}` || " "}
    </Text>
  ));
}
