/** Makes instances: virt-manager's five steps, forward and back, with what is wrong beside each field. */
import { randomUUID } from "node:crypto";
import { Box, Text } from "ink";
import { type ReactNode, useCallback, useEffect, useMemo } from "react";
import { stringify } from "yaml";
import { type CreateData, wantedOf } from "../../instances/create-file.ts";
import { checkBatch, planCreate } from "../../instances/create-plan.ts";
import type { ProviderPlace } from "../../instances/create-run.ts";
import type { CreatePlan, CreateProblem } from "../../instances/create-types.ts";
import { plainLine } from "../../text.ts";
import { Form, type Values } from "../components/form.tsx";
import { frameLines } from "../components/frame.tsx";
import { Problem } from "../components/problem.tsx";
import { useKeys, useKnown, useRemembered, useUi } from "../hooks.ts";
import type { Place } from "../navigation.ts";
import { layer } from "../router.ts";
import { glyph, paint } from "../theme.ts";
import { addDisk, type Disks, oneDisk, refusesDisks, removeDisk } from "./create-disks.ts";
import { type StepNumber, stepTitles } from "./create-field-kinds.ts";
import { type CreatePlace, createFields, isSpread } from "./create-fields.ts";
import { CreateFooter } from "./create-footer.tsx";
import { meaningsOf } from "./create-meanings.ts";
import { dataOf, fieldOf, typedErrors } from "./create-request.ts";
import { NoPlaces } from "./no-places.tsx";

interface WizardState {
  step: StepNumber;
  /** The place of the form, for what is asked of it. */
  place: string;
  /** Identities of the instances, so that the plan that is shown is the one that runs. */
  uuids: readonly string[];
  disks: Disks;
}

const begin: WizardState = { step: 0, place: "", uuids: [], disks: oneDisk };

interface Made {
  plan: CreatePlan;
  problems: readonly CreateProblem[];
}

export function CreateScreen({ place: here }: { place: Place }): ReactNode {
  const { workspace, navigation, size, copy } = useUi();
  const { making } = workspace;
  const hosts = useKnown((known) => known.inventory.hosts);
  const known = useKnown((state) => state.making);
  const [state, setState] = useRemembered<WizardState>("create:wizard", begin);
  const change = (part: Partial<WizardState>) => setState((before) => ({ ...before, ...part }));
  useEffect(() => workspace.inventory.watch(), [workspace]);
  const first = here.screen === "create" ? here.host : undefined;
  const places = useMemo(
    () =>
      hosts.length === 0
        ? []
        : making
            .providers()
            .map(
              ({ place, name, attachment, cluster }): CreatePlace => ({
                id: place,
                host: attachment.host.name,
                label: `${plainLine(cluster ?? attachment.host.name)} · ${name}`,
                provider: name,
              }),
            )
            .sort(
              (one, other) =>
                Number(other.host === first) - Number(one.host === first) || (one.label < other.label ? -1 : 1),
            ),
    [hosts, making, first],
  );
  // Where one came to make it is asked first, and may be slower than others to tell what it runs.
  const awaited = hosts.find(({ host, state: how }) => host === first && how === "discovering");
  const chosen = awaited ? undefined : (places.find(({ id }) => id === state.place) ?? places[0]);
  const loaded = chosen ? known.offers[chosen.id] : undefined;
  const offers = loaded?.value ?? null;
  const fields = useMemo(
    () => createFields(places, offers, known.lent, state.disks),
    [places, offers, known.lent, state.disks],
  );
  useEffect(() => {
    if (chosen && offers === null && !loaded?.error) void making.ask(chosen.id, []);
  }, [chosen, offers, loaded, making]);

  const jobs = useKnown((state) => state.jobs.value);
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked again when the jobs are others
  useEffect(() => void making.askAddresses(), [making, jobs]);

  /** The places that the form is for, the chosen one first. */
  const placesOf = useCallback(
    (values: Values): readonly CreatePlace[] => {
      if (!chosen) return [];
      const others = places.filter(({ id, provider }) => provider === chosen.provider && id !== chosen.id);
      return isSpread(values) ? [chosen, ...others] : [chosen];
    },
    [places, chosen],
  );
  /** The same with what they offer; null while one has not said it yet. */
  const placedFor = (values: Values): ProviderPlace[] | null => {
    const placed = placesOf(values).flatMap(({ id }) => making.offered(id) ?? []);
    return placed.length > 0 && placed.length === placesOf(values).length ? placed : null;
  };
  /** The form as a file has it. */
  const dataFor = (values: Values, placed: readonly ProviderPlace[]): CreateData | null => {
    const [one] = placed;
    if (!one) return null;
    return { ...dataOf(values, one.offers.provider, one.host), hosts: placed.map(({ host }) => host) };
  };

  /** What is typed wrong; what was typed into a field that is not shown any more says nothing. */
  const typed = useCallback(
    (values: Values): Record<string, string> => {
      const shown = new Set(fields.filter((field) => field.shown?.(values) ?? true).map(({ id }) => id));
      return Object.fromEntries(Object.entries(typedErrors(values)).filter(([id]) => shown.has(id)));
    },
    [fields],
  );

  // biome-ignore lint/correctness/useExhaustiveDependencies: what is drawn from is `known.offers`
  const made = useMemo(() => {
    let last: { key: string; made: Made | null } | null = null;
    const uuids = [...state.uuids];
    return (values: Values): Made | null => {
      const key = JSON.stringify(values);
      if (last?.key === key) return last.made;
      const placed = placedFor(values) ?? [];
      const data = dataFor(values, placed);
      let result: Made | null = null;
      if (data && Object.keys(typed(values)).length === 0) {
        const { batch } = wantedOf(data);
        const own = checkBatch(batch);
        let next = 0;
        const plan =
          own.length > 0
            ? { rows: [] }
            : planCreate(batch, placed, () => {
                uuids[next] ??= randomUUID();
                next += 1;
                return uuids[next - 1] ?? "";
              });
        const found = plan.rows.flatMap(({ host, problems }) =>
          placed.length > 1 ? problems.map(({ field, text }) => ({ field, text: `${host}: ${text}` })) : problems,
        );
        result = { plan, problems: [...own, ...found] };
      }
      last = { key, made: result };
      return result;
    };
  }, [state.uuids, placesOf, known.offers, making, typed]);

  const changeDisks = (what: "add" | "remove", values: Values, field: string): string => {
    const { disks, focus } =
      what === "add" ? addDisk(state.disks, values, field, fields) : removeDisk(state.disks, field);
    change({ disks });
    return focus;
  };
  const leave = state.step === 0 ? null : () => change({ step: (state.step - 1) as StepNumber });
  useKeys("global", { back: { run: leave ?? (() => void navigation.back()) } }, { level: layer.field });

  if (!chosen) return <NoPlaces none="No host that is shown runs anything that can make them." />;
  const errors = (values: Values): Record<string, string> => {
    const wrong = typed(values);
    if (!offers) return wrong;
    for (const problem of made(values)?.problems ?? []) {
      const field = fieldOf(problem, values, offers.provider);
      // What is not typed yet is said when one tries to go on.
      if ((values[field] ?? "") !== "" || state.step === 4) wrong[field] ??= problem.text;
    }
    return wrong;
  };
  const missing = (values: Values) => {
    const silent = placesOf(values).find(({ id }) => !known.offers[id]?.value);
    if (!offers || silent) return `${(silent ?? chosen).label} has not said yet what it offers`;
    const here = new Set(fields.filter(({ step }) => step <= state.step).map(({ id }) => id));
    const result = made(values);
    for (const problem of result?.problems ?? []) {
      const field = fieldOf(problem, values, offers.provider);
      if (here.has(field)) return { field, text: problem.text };
    }
    return null;
  };
  const submit = (values: Values) => {
    if (values["place"] !== chosen.id) {
      change({ place: values["place"] ?? "" });
      return;
    }
    if (state.step < 4) {
      change({ step: (state.step + 1) as StepNumber });
      return;
    }
    const placed = placedFor(values);
    const data = placed && dataFor(values, placed);
    const result = made(values);
    if (!placed || !data || !result) return;
    if (!making.start(result.plan, placed, wantedOf(data).ready)) {
      workspace.notify("warning", "Others are being made: wait for their end, or take them back.");
      return;
    }
    setState(begin);
    navigation.forget("form:create");
    navigation.replace({ screen: "making" });
  };
  return (
    <Box flexDirection="column">
      <Text wrap="truncate">{stepsLine(state.step)}</Text>
      <Form
        name="create"
        fields={fields.map((field) => ({
          ...field,
          shown: (values: Values) => field.step === state.step && (field.shown?.(values) ?? true),
        }))}
        errors={errors}
        meanings={(values) => (offers ? meaningsOf(values, offers) : {})}
        missing={missing}
        {...(state.step === 2 && fields.some(({ part }) => part !== undefined)
          ? { parts: { refuses: refusesDisks, change: changeDisks } }
          : {})}
        onSubmit={submit}
        {...(state.step === 4 && offers
          ? {
              onCopy: (values: Values) => {
                const lines = made(values)?.plan.rows.flatMap(({ commands }) => commands.map(({ line }) => line)) ?? [];
                copy(lines.join("\n"), "the commands");
              },
              onSave: (values: Values) => {
                const data = dataFor(values, placedFor(values) ?? []);
                if (!data) return;
                const text = stringify(data);
                const file = `${(values["name"] || "instance").replaceAll(/[^\w.-]/g, "")}.yaml`;
                navigation.open({ screen: "create-save", text, file });
              },
            }
          : {})}
        footerLines={state.step === 4 ? 10 : 2}
        footer={(values) => (
          <CreateFooter
            values={values}
            step={state.step}
            plan={offers ? (made(values)?.plan ?? null) : null}
            loading={placesOf(values).some(({ id }) => {
              const one = known.offers[id];
              return one?.loading === true || (!one?.value && !one?.error);
            })}
            places={placesOf(values)
              .map(({ id }) => id)
              .join("\n")}
            onPlace={(place) => {
              if (place !== chosen.id) change({ place });
            }}
            onAsk={(ids, files) => {
              for (const id of ids) if (files.length > 0 || id !== chosen.id) void making.ask(id, files);
            }}
            lines={Math.max(3, size.rows - frameLines - 8)}
          />
        )}
      />
      {loaded?.error && <Problem error={loaded.error} />}
    </Box>
  );
}

/** Where one is: `1 System ▸ [2 Memory and CPU] ▸ 3 Storage …`. */
function stepsLine(step: StepNumber): string {
  const parts = stepTitles.map((title, index) =>
    index === step ? paint(`${index + 1} ${title}`, "bold", "inverse") : paint(`${index + 1} ${title}`, "dim"),
  );
  return ` ${parts.join(` ${glyph.crumb} `)}`;
}
