/** A framed box in the middle of the body. */
import { Box, Text } from "ink";
import type { ReactNode } from "react";
import { useUi } from "../hooks.ts";

export function Dialog({
  title,
  tone = "cyan",
  children,
}: {
  title: string;
  tone?: "cyan" | "red" | "yellow";
  children: ReactNode;
}): ReactNode {
  const { size } = useUi();
  const width = Math.min(size.columns - 2, 90);
  return (
    <Box flexDirection="column" width={width} borderStyle="round" borderColor={tone} paddingX={1} marginLeft={1}>
      <Text bold wrap="truncate">
        {title}
      </Text>
      {children}
    </Box>
  );
}
