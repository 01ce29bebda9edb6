/** The way to a guest's screen: its graphical console is forwarded, a viewer started, and its picture drawn here. */
import { type ReactNode, useEffect, useState } from "react";
import { toVirtuError, VirtuError } from "../../errors.ts";
import type { ConsoleOwner } from "../../store/console-work.ts";
import { GraphicsWork } from "../../store/graphics-work.ts";
import { plainLine } from "../../text.ts";
import { Busy } from "../components/busy.tsx";
import { Problem } from "../components/problem.tsx";
import { useKeys, useUi } from "../hooks.ts";
import type { Place } from "../navigation.ts";

/** Takes a picture of an instance's screen; null where none can be had. */
export function pictureOf({ provider, instance }: ConsoleOwner): ((signal: AbortSignal) => Promise<Uint8Array>) | null {
  if (!provider.screenshot || provider.refusesScreenshot?.(instance)) return null;
  const take = provider.screenshot.bind(provider);
  return (signal) => take(instance, { signal, priority: "user" });
}

const noScreen = (owner: ConsoleOwner | null) =>
  new VirtuError({
    kind: "refused",
    what: owner ? `${owner.instance.name} has no screen to show` : "This instance is gone",
    where: owner?.instance.host,
    why: owner ? `${noPicture(owner)}, and it has no VNC or SPICE console now` : undefined,
    hint: owner ? "Its text console is opened by ⏎." : undefined,
  });

function noPicture({ provider, instance }: ConsoleOwner): string {
  return provider.refusesScreenshot?.(instance) ?? "its provider gives no picture of it";
}

export function GuestScreenScreen({ place }: { place: Place }): ReactNode {
  const key = place.screen === "guest-screen" ? place.key : "";
  const { workspace, navigation, lendTerminal } = useUi();
  const [error, setError] = useState<VirtuError | null>(null);
  useEffect(() => {
    const abort = new AbortController();
    const show = async () => {
      const owner = workspace.consoles.owner(key);
      if (!owner) throw noScreen(null);
      const { provider, instance } = owner;
      const graphics = new GraphicsWork(workspace.context.pool);
      try {
        await graphics.open(provider, instance, abort.signal);
        const take = pictureOf(owner);
        if (!take && !graphics.isOpen) throw noScreen(owner);
        if (abort.signal.aborted) return;
        const { viewPicture } = await import("../picture/viewer.ts");
        await lendTerminal((borrowed) =>
          viewPicture(borrowed, {
            title: `${plainLine(instance.name)} · ${plainLine(instance.host)}`,
            take,
            graphics: () => graphics.text,
            onGraphics: (listener) => {
              graphics.onChange = listener;
            },
            openViewer: () => graphics.startViewer(),
          }),
        );
        navigation.back();
      } finally {
        graphics.close();
      }
    };
    show().catch((thrown: unknown) => {
      if (!abort.signal.aborted) setError(toVirtuError(thrown));
    });
    return () => abort.abort();
  }, [key, workspace, navigation, lendTerminal]);
  useKeys("global", { back: { run: () => navigation.back() } });
  return error ? <Problem error={error} /> : <Busy text="asking for the screen …" />;
}
