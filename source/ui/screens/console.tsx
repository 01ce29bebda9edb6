/** The way to a console: it is opened, gets the terminal, and what stands in its way is explained with what to do. */
import { Box, Text } from "ink";
import { type ReactNode, useCallback, useEffect, useRef, useState } from "react";
import type { ConsoleSession } from "../../console/session.ts";
import type { Opening, Way } from "../../console/types.ts";
import type { NoConsole } from "../../store/console-work.ts";
import { plainLine } from "../../text.ts";
import { Busy } from "../components/busy.tsx";
import { Dialog } from "../components/dialog.tsx";
import { Menu, useDialogKeys } from "../components/menu.tsx";
import { TextLines } from "../components/text-lines.tsx";
import { guestSize } from "../console/size.ts";
import { useKeys, useUi } from "../hooks.ts";
import type { ConsoleOf, Place } from "../navigation.ts";
import { layer } from "../router.ts";
import { type ConsoleAnswer, consoleChoices, type Obstacle } from "./console-text.ts";
import { pictureOf } from "./guest-screen.tsx";

/** Milliseconds that a console may be silent before it is shown all the same. */
const silentTime = 300;

/** Resolves when there is something to look at, or when it has ended. */
function worthLooking(session: ConsoleSession): Promise<void> {
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | null = null;
    const done = () => {
      if (timer) clearTimeout(timer);
      session.off("change", look);
      session.off("drawn", look);
      resolve();
    };
    const look = () => {
      const { phase } = session.view();
      if (phase === "ended" || (phase === "open" && !session.silent)) done();
      else if (phase === "open") timer ??= setTimeout(done, silentTime);
    };
    session.on("change", look);
    session.on("drawn", look);
    look();
  });
}

export function ConsoleScreen({ place }: { place: Place }): ReactNode {
  if (place.screen !== "console") return null;
  return <ConsoleWayIn of={place.of} opening={place.opening} />;
}

function ConsoleWayIn({ of, opening }: { of: ConsoleOf; opening: Opening }): ReactNode {
  const { workspace, navigation, size, attach } = useUi();
  const { consoles } = workspace;
  const [obstacle, setObstacle] = useState<Obstacle | null>(null);
  const current = useRef<ConsoleSession | null>(null);
  const gone = useRef(false);
  const room = useRef(size);
  room.current = size;

  const begin = useCallback(
    (how: Opening, anyway: boolean): Promise<ConsoleSession | NoConsole> => {
      const area = guestSize(room.current);
      if (of.kind === "shell") return consoles.openShell(of.host, of.title, area);
      if (of.kind === "instance") return consoles.openInstance(of.key, area, how, anyway);
      const open = consoles.consoles.get(of.id);
      return Promise.resolve(open ?? { kind: "gone", why: "this console is closed", hint: "" });
    },
    [consoles, of],
  );
  const go = useCallback(
    async (how: Opening, anyway = false): Promise<void> => {
      setObstacle(null);
      try {
        const opened = await begin(how, anyway);
        if (gone.current) return;
        if ("why" in opened) {
          setObstacle({ ...opened, detail: "", way: null });
          return;
        }
        current.current = opened;
        await worthLooking(opened);
        if (gone.current) return;
        const { id, why } = await attach(opened);
        const shown = consoles.consoles.get(id);
        const end = shown?.view().end ?? null;
        if (why === "back" || !shown || !end || end.kind === "left") {
          navigation.back();
        } else if (end.kind === "over") {
          workspace.notify("info", `${shown.target.title}: ${end.why}.`);
          void consoles.consoles.close(id);
          navigation.back();
        } else {
          current.current = shown;
          setObstacle({ ...end, way: shown.way });
        }
      } catch (thrown) {
        workspace.failed(thrown);
        navigation.back();
      }
    },
    [begin, attach, consoles, navigation, workspace],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is opened once, when the place is.
  useEffect(() => {
    gone.current = false;
    void go(opening);
    return () => {
      gone.current = true;
    };
  }, []);

  const leave = () => {
    // What never opened, or was refused, is nothing to keep.
    const session = current.current;
    if (session && session.view().phase !== "open") void consoles.consoles.close(session.id);
    navigation.back();
  };
  const title = useTitle(of);
  if (!obstacle) return <OnTheWay text={`opening ${title} …`} onBack={leave} />;
  const answer = (chosen: ConsoleAnswer) => {
    const owner = of.kind === "instance" ? consoles.owner(of.key) : null;
    switch (chosen) {
      case "again":
        return void go("attach");
      case "anyway":
        return void go("attach", true);
      case "take-over":
        return void go("take-over");
      case "start":
        return void go("start");
      case "screen":
        leave();
        return of.kind === "instance" && navigation.open({ screen: "guest-screen", key: of.key });
      case "shell": {
        leave();
        const host = owner?.provider.attachment.host;
        return (
          host &&
          navigation.open({ screen: "console", of: { kind: "shell", host, title: host.name }, opening: "attach" })
        );
      }
      case "leave":
        return leave();
    }
  };
  return <ObstacleDialog title={title} of={of} obstacle={obstacle} onAnswer={answer} />;
}

function useTitle(of: ConsoleOf): string {
  const { workspace } = useUi();
  if (of.kind === "shell") return `a shell on ${plainLine(of.title)}`;
  if (of.kind === "open") return plainLine(workspace.consoles.consoles.get(of.id)?.target.title ?? "the console");
  const owner = workspace.consoles.owner(of.key);
  return owner
    ? `the console of ${plainLine(owner.instance.name)} on ${plainLine(owner.instance.host)}`
    : "the console";
}

function OnTheWay({ text, onBack }: { text: string; onBack: () => void }): ReactNode {
  useKeys("global", { back: { run: onBack } });
  return <Busy text={text} />;
}

function ObstacleDialog({
  title,
  of,
  obstacle,
  onAnswer,
}: {
  title: string;
  of: ConsoleOf;
  obstacle: Obstacle;
  onAnswer: (answer: ConsoleAnswer) => void;
}): ReactNode {
  const { workspace } = useUi();
  const owner = of.kind === "instance" ? workspace.consoles.owner(of.key) : null;
  const choices = consoleChoices(obstacle, {
    canTakeOver: Boolean((obstacle.way as Way | null)?.takeOver),
    hasScreen: owner !== null && owner.instance.status !== "stopped" && pictureOf(owner) !== null,
    host: owner ? owner.provider.attachment.host.name : null,
  });
  useKeys(
    "global",
    { back: { run: () => onAnswer("leave") } },
    // ink-select-input takes a digit for a choice at once.
    { level: layer.dialog, modal: true, typed: (key) => /^\d$/.test(key.name) },
  );
  useDialogKeys("menu");
  const { why, hint, detail } = obstacle;
  return (
    <Dialog title={`${title.charAt(0).toUpperCase()}${title.slice(1)} is not open`} tone="yellow">
      <Box flexDirection="column" marginY={1}>
        <Text>{`${why.charAt(0).toUpperCase()}${why.slice(1).replace(/\.$/, "")}.`}</Text>
        {hint !== "" && <Text>{hint}</Text>}
        <TextLines lines={detail.split("\n").filter((line) => line !== "")} before="| " dim />
      </Box>
      <Menu choices={choices} onChoose={onAnswer} />
    </Dialog>
  );
}
