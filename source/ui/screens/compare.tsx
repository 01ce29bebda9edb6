/** A new comparison: which places, what and how often, then the exact commands; only then does anything run. */
import { Box, Text } from "ink";
import { type ReactNode, useEffect, useMemo } from "react";
import type { Provider } from "../../instances/types.ts";
import type { ComparisonPlan } from "../../journey/compare-plan.ts";
import { placeTitle } from "../../journey/compare-words.ts";
import { count, plainLine } from "../../text.ts";
import { Busy } from "../components/busy.tsx";
import { wrapCommand } from "../components/command-box.tsx";
import { Form } from "../components/form.tsx";
import { frameLines } from "../components/frame.tsx";
import { Problem } from "../components/problem.tsx";
import { Table, useList } from "../components/table.tsx";
import { useKeys, useKnown, useRemembered, useUi } from "../hooks.ts";
import { layer } from "../router.ts";
import { cell, glyph, paint, symbol } from "../theme.ts";
import { wrapped } from "../wrap.ts";
import { compareErrors, compareFields, wishOf } from "./compare-fields.ts";
import { NoPlaces } from "./no-places.tsx";

interface WizardState {
  step: "places" | "sizes" | "plan";
  /** Places that take part, by their provider's `place`. */
  marked: readonly string[];
}

const begin: WizardState = { step: "places", marked: [] };

export function CompareScreen(): ReactNode {
  const { workspace, navigation } = useUi();
  const hosts = useKnown((known) => known.inventory.hosts);
  const running = useKnown((known) => known.comparisons.running);
  const [state, setState] = useRemembered<WizardState>("compare:wizard", begin);
  useEffect(() => workspace.inventory.watch(), [workspace]);
  const providers = useMemo(
    () =>
      hosts.length === 0
        ? []
        : [...workspace.making.providers()].sort((one, other) => (titleOf(one) < titleOf(other) ? -1 : 1)),
    [hosts, workspace],
  );
  const chosen = providers.filter(({ place }) => state.marked.includes(place));
  const change = (part: Partial<WizardState>) => setState((before) => ({ ...before, ...part }));
  const back: Readonly<Record<WizardState["step"], () => void>> = {
    places: () => void navigation.back(),
    sizes: () => change({ step: "places" }),
    plan: () => change({ step: "sizes" }),
  };
  // Over the form's own field; elsewhere a field's place would take every letter from the other keys.
  const level = state.step === "sizes" && chosen.length > 1 ? layer.field : layer.screen;
  useKeys("global", { back: { run: back[state.step] } }, { level });
  if (state.step === "places" || chosen.length < 2) {
    return <Places providers={providers} state={state} onChange={change} />;
  }
  if (state.step === "sizes") {
    return (
      <Box flexDirection="column">
        <Text wrap="truncate">{paint(` What is made on each of ${count(chosen.length, "place")}`, "bold")}</Text>
        <Form
          name="compare"
          fields={compareFields(chosen)}
          errors={compareErrors}
          missing={() => (running === null ? null : "another comparison is under way: wait for its end")}
          onSubmit={(values) => {
            const uri = workspace.settings.get("libvirtUri");
            void workspace.comparing.plan(wishOf(values, chosen, providers, uri));
            change({ step: "plan" });
          }}
        />
      </Box>
    );
  }
  return <Plan onStarted={() => setState(begin)} />;
}

function titleOf({ name, attachment, cluster }: Provider): string {
  return `${plainLine(attachment.host.name)} · ${name}${cluster === null ? "" : ` ${plainLine(cluster)}`}`;
}

interface PlacesProps {
  providers: readonly Provider[];
  state: WizardState;
  onChange: (part: Partial<WizardState>) => void;
}

function Places({ providers, state, onChange }: PlacesProps): ReactNode {
  const { size } = useUi();
  const keys = providers.map(({ place }) => place);
  const marked = state.marked.filter((place) => keys.includes(place));
  const height = Math.max(3, size.rows - frameLines - 6);
  const list = useList("compare", keys, height);
  const here = list.key;
  const none = here === null ? "no place is known yet" : null;
  useKeys("compare", {
    mark: {
      run: () => {
        if (here === null) return;
        onChange({ marked: marked.includes(here) ? marked.filter((one) => one !== here) : [...marked, here] });
      },
      disabled: none,
    },
    markAll: { run: () => onChange({ marked: marked.length === keys.length ? [] : keys }), disabled: none },
    goOn: {
      run: () => onChange({ step: "sizes", marked }),
      disabled: marked.length < 2 ? "a comparison needs two places: space marks them" : null,
    },
  });
  return (
    <Box flexDirection="column">
      <Text bold> Which places are compared?</Text>
      <Text dimColor wrap="truncate">
        {" On each the same life cycle: create, start, reboot, migrate, stop, remove."}
      </Text>
      <Text> </Text>
      <Table
        view={list}
        row={(index) => {
          const provider = providers[index] as Provider;
          const on = marked.includes(provider.place);
          return `${on ? paint(`[${glyph.done}]`, "green") : "[ ]"} ${cell(titleOf(provider), size.columns - 8)}`;
        }}
        empty={<NoPlaces none="No host that is shown makes instances." />}
      />
      <Text dimColor>{` ${count(marked.length, "place")} of ${keys.length}`}</Text>
    </Box>
  );
}

/** The plan as lines of at most `width` columns: what stands in its way first. */
export function planLines({ places, problems, silent, setup }: ComparisonPlan, width: number): string[] {
  return [
    ...silent.flatMap((error) => wrapped(`${symbol("warning")} ${plainLine(error.message)}`, width)),
    ...places.flatMap(({ facts, rows, lines }) => [
      paint(cell(`${placeTitle(facts)}: ${plainLine(facts.what)}`, width), "bold"),
      ...problems
        .filter(({ place }) => place === facts.id)
        .flatMap(({ field, text }) => wrapped(`  ${symbol("bad")} ${field}: ${plainLine(text)}`, width))
        .map((line) => paint(line, "red")),
      ...lines.flatMap(({ phase, lines: commands, note }) => [
        ...(commands.length === 0 ? [`  ${phase} – ${plainLine(note ?? "nothing runs")}`] : []),
        ...commands.flatMap(({ line }, index) =>
          wrapCommand(plainLine(line), width - 10).map(
            (part, at) => `  ${cell(index === 0 && at === 0 ? phase : "", 8)} ${part}`,
          ),
        ),
      ]),
      ...(rows.length > 1
        ? [`  and alike for ${count(rows.length - 1, "other")}, in ${count(setup.rounds, "round")}`]
        : []),
    ]),
  ];
}

function Plan({ onStarted }: { onStarted: () => void }): ReactNode {
  const { workspace, navigation, size, copy } = useUi();
  const { value: plan, error, loading } = useKnown((known) => known.comparisons.plan);
  const running = useKnown((known) => known.comparisons.running);
  const lines = useMemo(() => (plan ? planLines(plan, size.columns - 4) : []), [plan, size.columns]);
  const keys = lines.map((_, index) => String(index));
  const height = Math.max(3, size.rows - frameLines - 3);
  const list = useList("compare-plan", keys, height);
  const [problem] = plan?.problems ?? [];
  const none = plan ? null : "the places have not answered yet";
  const another = running === null ? null : "another comparison is under way";
  useKeys("comparePlan", {
    start: {
      run: () => {
        const id = workspace.comparing.start();
        if (id === null) return;
        onStarted();
        navigation.replace({ screen: "comparison", id });
      },
      disabled: none ?? (problem ? `${problem.field}: ${problem.text}` : another),
    },
    copy: {
      run: () => {
        const all = plan?.places.flatMap((place) => place.lines.flatMap((one) => one.lines.map(({ line }) => line)));
        copy((all ?? []).join("\n"), "the commands");
      },
      disabled: none,
    },
  });
  if (loading) return <Busy text="Asking the places what they offer" />;
  if (error) return <Problem error={error} />;
  if (!plan) return <Text dimColor> Nothing is planned. Esc goes back to the form.</Text>;
  const instances = plan.places.reduce((sum, { rows }) => sum + rows.length, 0);
  return (
    <Box flexDirection="column">
      <Text wrap="truncate">
        {` ${paint(`${count(instances, "instance")} virtu-compare-${plan.setup.tag}-…`, "bold")}, removed in the end; nothing else is touched.`}
      </Text>
      <Text> </Text>
      <Table view={list} row={(index) => lines[index] ?? ""} />
    </Box>
  );
}
