/** Configures nodes: which ones, what they are, what is wanted, every command, then the run. */
import { homedir } from "node:os";
import { Box, Text } from "ink";
import { type ReactNode, useMemo, useState } from "react";
import { toVirtuError, type VirtuError } from "../../errors.ts";
import { makeConfigurePlan } from "../../journey/configure-choice.ts";
import { publicKeys } from "../../store/public-keys.ts";
import { count } from "../../text.ts";
import { Form, type Values } from "../components/form.tsx";
import { Problem } from "../components/problem.tsx";
import { useKeys, useUi } from "../hooks.ts";
import { layer } from "../router.ts";
import { paint } from "../theme.ts";
import {
  configureChoice,
  configureErrors,
  configureFields,
  configureMeanings,
  configureMissing,
} from "./configure-text.ts";
import { InstallWizard, type OptionsProps } from "./install-wizard.tsx";
import { foldNames } from "./node-names.ts";

function Options({ targets, states, onBack, onPrepared }: OptionsProps): ReactNode {
  const { workspace } = useUi();
  const keys = useMemo(() => publicKeys(), []);
  const fields = useMemo(() => configureFields(keys, homedir()), [keys]);
  const [error, setError] = useState<VirtuError | null>(null);
  useKeys("global", { back: { run: onBack } }, { level: layer.field });
  const submit = (values: Values) => {
    setError(null);
    makeConfigurePlan(workspace.context, targets, configureChoice(values, states.size, keys), states).then(
      ({ plan, secrets, generated }) => {
        const notes =
          generated === null
            ? []
            : [
                `Root's password, shown only here: ${paint(generated, "bold")}`,
                "Write it down. Nodes that have one made by virtu before keep that one.",
              ];
        onPrepared({ plan, secrets, notes, erased: [], typed: null });
      },
      (thrown: unknown) => setError(toVirtuError(thrown)),
    );
  };
  return (
    <Box flexDirection="column">
      <Text wrap="truncate">{` ${paint(`Configure ${count(states.size, "node")}`, "bold")}: ${foldNames([...states.keys()])}`}</Text>
      <Form
        name="configure"
        fields={fields}
        errors={(values) => configureErrors(values, states.size)}
        meanings={(values) => configureMeanings(values, states)}
        missing={configureMissing}
        onSubmit={submit}
      />
      {error && <Problem error={error} lines={2} />}
    </Box>
  );
}

export function ConfigureScreen(): ReactNode {
  return <InstallWizard name="configure" options={Options} />;
}
