/** The screen as a whole: frame, the place that is shown, and what may lie over it. */
import { Box, Text } from "ink";
import { type ReactNode, useState } from "react";
import { Footer, Header, NoticeLine } from "./components/frame.tsx";
import { HelpScreen, Palette } from "./components/help.tsx";
import { QuestionDialog } from "./components/questions.tsx";
import { type Handlers, useKeys, useKnown, useUi } from "./hooks.ts";
import { keymap } from "./keys.ts";
import { topScreens } from "./navigation.ts";
import { type Active, layer } from "./router.ts";
import { useShownPlaces } from "./shown-places.ts";

/** The smallest terminal that the screens are made for. */
const smallest = { columns: 60, rows: 16 };

const leaving: readonly string[] = keymap.global.quit.keys;

export function App(): ReactNode {
  const { size, navigation, router, workspace } = useUi();
  const { places, place, Screen } = useShownPlaces();
  const questions = useKnown((state) => state.questions);
  const kept = useKnown((state) => state.notice?.until === null);
  const home = places.length === 1 && places[0]?.screen === "home";
  const [over, setOver] = useState<{ kind: "help" | "palette"; active: readonly Active[] } | null>(null);
  const close = () => setOver(null);
  const ui = useUi();

  const jumps: Handlers<"global"> = {};
  topScreens.forEach(({ screen }, index) => {
    jumps[`screen${index + 1}` as keyof Handlers<"global">] = { run: () => navigation.jump({ screen }) };
  });
  useKeys(
    "global",
    {
      ...jumps,
      // A notice that goes by itself must not take the Esc that was meant for the place. At home there is nowhere to go.
      ...(home && !kept
        ? {}
        : {
            back: {
              run: () => void (workspace.state.notice?.until === null ? workspace.dismiss() : navigation.back()),
              // What waits to be read goes first; the next Esc leaves the place.
              ...(kept ? { label: "seen" } : {}),
            },
          }),
      palette: { run: () => setOver({ kind: "palette", active: router.active() }) },
      help: { run: () => setOver({ kind: "help", active: router.active() }) },
      consoles: {
        run: () => {
          if (navigation.here().screen !== "consoles") navigation.open({ screen: "consoles" });
        },
      },
      quit: { run: ui.quit },
      suspend: { run: ui.suspend },
      redraw: { run: ui.redraw },
    },
    { level: layer.global },
  );

  const small = size.columns < smallest.columns || size.rows < smallest.rows;
  const question = questions[0];
  let body: ReactNode = null;
  if (question) body = <QuestionDialog key={question.id} question={question} />;
  else if (over?.kind === "help") body = <HelpScreen active={over.active} onClose={close} />;
  else if (over?.kind === "palette") body = <Palette active={over.active} onClose={close} />;
  else if (Screen) body = <Screen key={JSON.stringify(place)} place={place} />;
  return (
    <Box flexDirection="column" width={size.columns} height={size.rows} overflow="hidden">
      {small && <TooSmall />}
      {/* A question stays as it stands, unseen, until there is room for it again. */}
      <Box flexDirection="column" flexGrow={1} overflow="hidden" display={small ? "none" : "flex"}>
        <Header places={places} />
        <Box flexDirection="column" flexGrow={1} overflow="hidden">
          {body}
        </Box>
        <NoticeLine />
        <Footer />
      </Box>
    </Box>
  );
}

/** What cannot be seen gets no key. */
function TooSmall(): ReactNode {
  const { size, quit } = useUi();
  useKeys(
    "global",
    { quit: { run: quit } },
    { level: layer.cover, modal: true, typed: ({ name }) => !leaving.includes(name) },
  );
  return (
    <Text>{`virtu needs ${smallest.columns}×${smallest.rows}; this is ${size.columns}×${size.rows}. q quits.`}</Text>
  );
}
