/** Reads a window of a cell's output for a view: one request at a time, the newest wish next. */
import { useEffect, useRef, useState } from "react";
import { reasonOf } from "../../errors.ts";
import { useUi } from "../hooks.ts";

export interface Wish {
  id: string;
  step: string;
  node: string;
  /** First line, from 0. */
  from: number;
  count: number;
  /** Lines that there are; a new number reads the window again. */
  total: number;
}

export interface Window {
  /** First line that `lines` holds, from 0. */
  from: number;
  lines: readonly string[];
  /** Why it can't be read, or null. */
  error: string | null;
}

const nothing: Window = { from: 0, lines: [], error: null };
const sign = ({ id, step, node, from, count, total }: Wish) => [id, step, node, from, count, total].join("\n");
const cellSign = ({ id, step, node }: Wish) => [id, step, node].join("\n");

/** The window as it was last read; lines of another cell are never shown. */
export function useOutput(wish: Wish): Window {
  const { workspace } = useUi();
  const [read, setRead] = useState<{ cell: string; window: Window }>({ cell: "", window: nothing });
  const wanted = useRef(wish);
  const busy = useRef(false);
  const there = useRef(true);
  wanted.current = wish;
  const wanting = sign(wish);
  useEffect(() => {
    there.current = true;
    return () => {
      there.current = false;
    };
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the sign of what is wanted is the reason to run.
  useEffect(() => {
    if (busy.current) return;
    const turn = async () => {
      for (let done = ""; there.current && done !== sign(wanted.current); ) {
        const now = wanted.current;
        done = sign(now);
        let window: Window = { ...nothing, from: now.from };
        try {
          if (now.count > 0 && now.total > 0)
            window = { ...window, lines: await workspace.runs.output(now.id, now.step, now.node, now.from, now.count) };
        } catch (thrown) {
          window = { ...window, error: reasonOf(thrown) };
        }
        if (there.current) setRead({ cell: cellSign(now), window });
      }
      busy.current = false;
    };
    busy.current = true;
    void turn();
  }, [workspace, wanting]);
  return read.cell === cellSign(wish) ? read.window : nothing;
}
