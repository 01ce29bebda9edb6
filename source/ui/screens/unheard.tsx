/** What can be done with guests that did not hear a shutdown: asked by a key only, so that no question comes under typing hands. */
import { type ReactNode, useMemo, useState } from "react";
import type { InstanceRow } from "../../instances/inventory-types.ts";
import { isUnheard, longerWaitSeconds } from "../../instances/unheard.ts";
import { count, plainLine } from "../../text.ts";
import { Confirm } from "../components/confirm.tsx";
import { useKnown, useUi } from "../hooks.ts";
import type { Handler } from "../router.ts";
import { lossLines } from "./loss-lines.ts";

export interface UnheardOffer {
  handler: Handler;
  /** The offer, instead of the screen; else null. */
  dialog: ReactNode | null;
}

/** `rows`: those that the key is for; who heard is left out. */
export function useUnheard(rows: readonly InstanceRow[], onStarted?: () => void): UnheardOffer {
  const { workspace } = useUi();
  const [asked, setAsked] = useState<ReadonlySet<string> | null>(null);
  // Who goes off by itself while the question stands is no longer part of it.
  const all = useKnown((known) => known.inventory.instances);
  const deaf = useMemo(
    () => (asked ? all.filter((row) => isUnheard(row) && asked.has(row.key)) : rows.filter(isUnheard)),
    [asked, all, rows],
  );
  const losses = useMemo(() => lossLines({ do: "force-off" }, deaf), [deaf]);
  const keys = deaf.map(({ key }) => key);
  const handler: Handler = {
    run: () => setAsked(new Set(keys)),
    disabled: keys.length > 0 ? null : "none has missed a shutdown",
  };
  if (!asked) return { handler, dialog: null };
  const [only] = deaf;
  const one = deaf.length === 1 && only ? plainLine(only.name) : null;
  const end = () => setAsked(null);
  const act = (run: () => void) => {
    end();
    if (keys.length === 0) return;
    run();
    onStarted?.();
  };
  const longer = () => workspace.inventory.act({ do: "shutdown" }, keys, { limitSeconds: longerWaitSeconds });
  const force = () => workspace.inventory.act({ do: "force-off" }, keys);
  return {
    handler,
    dialog: (
      <Confirm
        title={
          deaf.length === 0
            ? "All of them have shut down meanwhile"
            : `${one ?? count(deaf.length, "instance")} did not shut down in time`
        }
        losses={losses}
        text="What is listed is lost by force only. Asking once more costs nothing: some guests hear it late."
        safe={one ? "Leave it as it is" : "Leave them as they are"}
        also={{ label: `Ask again, and wait ${longerWaitSeconds / 60} min`, run: () => act(longer) }}
        danger={`Force off ${one ?? `the ${deaf.length} that did not hear`}`}
        onNo={() => {
          end();
          workspace.instances.leaveUnheard();
        }}
        onYes={() => act(force)}
      />
    ),
  };
}
