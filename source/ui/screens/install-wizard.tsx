/** The stages that all forms share which end in a run: nodes, what they say, the form of its own, every command. */
import type { ReactNode } from "react";
import type { NodeStates } from "../../journey/configure-types.ts";
import { askedKey } from "../../store/node-asking.ts";
import type { Targets } from "../../store/targets.ts";
import { useKnown, useRemembered, useUi } from "../hooks.ts";
import { NodesStage } from "./install-nodes.tsx";
import { type Prepared, StartStage } from "./install-start.tsx";

interface WizardState {
  targets: Targets | null;
  /** The nodes have answered and were accepted. */
  ready: boolean;
  prepared: Prepared | null;
}

const begin: WizardState = { targets: null, ready: false, prepared: null };

export interface OptionsProps {
  targets: Targets;
  /** What the nodes that answered say of themselves. */
  states: NodeStates;
  onBack: () => void;
  onPrepared: (prepared: Prepared) => void;
}

export function InstallWizard({
  name,
  options: Options,
}: {
  /** Under which it is remembered; its form is `form:NAME`. */
  name: string;
  options: (props: OptionsProps) => ReactNode;
}): ReactNode {
  const { navigation } = useUi();
  const [state, setState] = useRemembered<WizardState>(`${name}:wizard`, begin);
  const asked = useKnown((known) => known.runs.asked);
  const change = (part: Partial<WizardState>) => setState((before) => ({ ...before, ...part }));
  const { targets, ready, prepared } = state;
  // Another form may have asked other nodes since.
  const known = targets !== null && asked?.over === true && asked.key === askedKey(targets.nodes);
  if (!targets || !ready || !known) {
    return (
      <NodesStage
        targets={targets}
        onTargets={(chosen) => setState({ ...begin, targets: chosen })}
        onReady={() => change({ ready: true })}
      />
    );
  }
  if (!prepared) {
    return (
      <Options
        targets={targets}
        states={asked.answers.states}
        onBack={() => setState(begin)}
        onPrepared={(made) => change({ prepared: made })}
      />
    );
  }
  return (
    <StartStage
      prepared={prepared}
      name={`${name}:preview`}
      onBack={() => change({ prepared: null })}
      onDone={() => {
        setState(begin);
        navigation.forget(`form:${name}`);
      }}
    />
  );
}
