/** What a finished installation is followed by: one instance on what it has made. */
import { Box, Text } from "ink";
import { type ReactNode, useState } from "react";
import type { VirtuError } from "../../errors.ts";
import type { PlanNode, RunView } from "../../journey/plan.ts";
import { readInstance } from "../../journey/up-file.ts";
import type { Making } from "../../journey/up-requests.ts";
import type { UpInstance } from "../../journey/up-types.ts";
import { Busy } from "../components/busy.tsx";
import { Form, type FormField, type Values } from "../components/form.tsx";
import { Problem } from "../components/problem.tsx";
import { useKnown, useUi } from "../hooks.ts";
import type { Place } from "../navigation.ts";
import { goOnward } from "./run.tsx";

/** On what a run of an installation has ended; null: it was for something else. */
export function madeBy({ plan, out }: RunView): { nodes: readonly PlanNode[]; making: Making } | null {
  const nodes = plan.nodes.filter(({ name }) => !out.includes(name));
  const step = (id: string) => plan.steps.find((one) => one.id === id);
  if (plan.kind === "install-libvirt") return { nodes, making: { provider: "libvirt", template: "file", system: "" } };
  if (plan.kind !== "install-ganeti") return null;
  const template = step("volume-group") ? "plain" : step("file-storage") ? "file" : "diskless";
  const masters = nodes.filter(({ name }) => step("init")?.cells[name]);
  return { nodes: masters, making: { provider: "ganeti", template, system: "noop" } };
}

function fieldsOf({ nodes, making }: { nodes: readonly PlanNode[]; making: Making }): FormField[] {
  const ganeti = making.provider === "ganeti";
  return [
    { id: "name", label: "Name", kind: "text", width: 24, initial: "vm1" },
    {
      id: "on",
      label: "On",
      kind: "choice",
      choices: nodes.map(({ name }) => ({ value: name, label: name })),
      shown: () => !ganeti && nodes.length > 1,
    },
    { id: "memory", label: "Memory", kind: "text", width: 8, initial: "512m" },
    { id: "vcpus", label: "CPUs", kind: "text", width: 4, initial: "1" },
    ...(making.template === "diskless"
      ? []
      : [{ id: "disk", label: "Disk", kind: "text" as const, width: 8, initial: "10g", help: "empty: none" }]),
    ganeti
      ? { id: "os", label: "System", kind: "text", width: 24, initial: "noop", help: "an OS definition of the cluster" }
      : { id: "image", label: "Image", kind: "text", width: 34, help: "a file of the host; empty: an empty disk" },
  ];
}

/** The instance, or what is wrong by field. */
export function instanceOf(values: Values): { instance: UpInstance } | { errors: Record<string, string> } {
  const given = Object.entries(values).filter(([id, value]) => value !== "" && id !== "on");
  return readInstance(Object.fromEntries(given));
}

function FirstInstance({ run, made }: { run: RunView; made: NonNullable<ReturnType<typeof madeBy>> }): ReactNode {
  const { workspace, navigation } = useUi();
  const [making, setMaking] = useState<string | null>(null);
  const [error, setError] = useState<VirtuError | null>(null);
  const make = async (values: Values) => {
    const read = instanceOf(values);
    const node = made.nodes.find(({ name }) => name === values["on"]) ?? made.nodes[0];
    if ("errors" in read || !node) return;
    const { instance } = read;
    setError(null);
    setMaking(`making ${instance.name}`);
    const failed = await workspace.runs.makeFirst({ node, making: made.making }, instance, setMaking);
    setMaking(null);
    setError(failed);
    if (failed) return;
    navigation.forget(`form:first:${run.id}`);
    goOnward(run, navigation, workspace);
    navigation.remember("instances:nodes", false, false);
  };
  if (making !== null) return <Busy text={making} />;
  return (
    <Box flexDirection="column">
      <Text bold>{` A first instance: ${run.plan.title.replace(/^install /, "")}`}</Text>
      <Text> </Text>
      <Form
        name={`first:${run.id}`}
        fields={fieldsOf(made)}
        errors={(values) => {
          const read = instanceOf(values);
          return "errors" in read ? read.errors : {};
        }}
        onSubmit={(values) => void make(values)}
      />
      {error && <Problem error={error} lines={4} />}
    </Box>
  );
}

export function FirstInstanceScreen({ place }: { place: Place }): ReactNode {
  const id = place.screen === "first-instance" ? place.run : "";
  const run = useKnown((known) => known.runs.views[id]);
  const made = run && madeBy(run);
  if (!run || !made) return <Text> Nothing that makes instances is known of this run. Esc goes back.</Text>;
  return <FirstInstance run={run} made={made} />;
}
