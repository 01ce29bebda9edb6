/** Makes hosts of libvirt: which nodes, what they are, the form, every command, the run. */
import { Box, Text } from "ink";
import type { ReactNode } from "react";
import type { NodeStates } from "../../journey/configure-types.ts";
import { planInstallLibvirt } from "../../journey/install-libvirt.ts";
import type { LibvirtRequest } from "../../journey/install-libvirt-types.ts";
import type { Targets } from "../../store/targets.ts";
import { count } from "../../text.ts";
import { Form, type FormField, type Values } from "../components/form.tsx";
import { useKeys } from "../hooks.ts";
import { layer } from "../router.ts";
import { paint } from "../theme.ts";
import { parseMinimum } from "./deploy-text.ts";
import { InstallWizard, type OptionsProps } from "./install-wizard.tsx";
import { foldNames } from "./node-names.ts";

const fields: FormField[] = [
  { id: "pool", label: "Disk images in", kind: "text", width: 34, initial: "/var/lib/libvirt/images" },
  { id: "users", label: "Users", kind: "text", width: 24 },
  { id: "minimum", label: "Enough when", kind: "text", width: 7, initial: "100%" },
];

const usersOf = (text = "") => text.split(/[\s,]+/).filter(Boolean);

export function libvirtErrors(values: Values, nodes: number): Record<string, string | null> {
  const minimum = parseMinimum(values["minimum"] ?? "", nodes);
  const wrong = usersOf(values["users"]).find((user) => !/^[a-z_][\w-]*\$?$/i.test(user));
  return {
    pool: /^\/\S+$/.test(values["pool"] ?? "") ? null : "an absolute path without blanks",
    users: wrong === undefined ? null : `${wrong} is no account's name`,
    minimum: "error" in minimum ? minimum.error : null,
  };
}

export function libvirtRequest(values: Values, targets: Targets, states: NodeStates): LibvirtRequest {
  const nodes = targets.nodes.filter(({ name }) => states.has(name));
  const minimum = parseMinimum(values["minimum"] ?? "", nodes.length);
  return {
    site: targets.site,
    jobId: targets.jobId,
    nodes,
    minimum: "minimum" in minimum ? minimum.minimum : nodes.length,
    users: usersOf(values["users"]),
    poolDirectory: values["pool"] ?? "",
  };
}

/** What the nodes will run guests with, in a few words. */
function kindText(states: NodeStates): string {
  const all = [...states.values()];
  const kvm = all.filter(({ virtual }) => virtual.kvm).length;
  const xen = all.filter(({ virtual }) => virtual.xen === "dom0").length;
  const slow = all.length - kvm - xen;
  return [
    kvm > 0 ? `KVM on ${count(kvm, "node")}` : "",
    xen > 0 ? `Xen on ${count(xen, "node")}` : "",
    slow > 0 ? `QEMU without KVM, which is slow, on ${count(slow, "node")}` : "",
  ]
    .filter(Boolean)
    .join(" · ");
}

function Options({ targets, states, onBack, onPrepared }: OptionsProps): ReactNode {
  useKeys("global", { back: { run: onBack } }, { level: layer.field });
  return (
    <Box flexDirection="column">
      <Text wrap="truncate">{` ${paint(`libvirt on ${count(states.size, "node")}`, "bold")}: ${foldNames([...states.keys()])}`}</Text>
      <Text wrap="truncate" dimColor>{` ${kindText(states)}`}</Text>
      <Text> </Text>
      <Form
        name="install-libvirt"
        fields={fields}
        errors={(values) => libvirtErrors(values, states.size)}
        meanings={(values) => {
          const minimum = parseMinimum(values["minimum"] ?? "", states.size);
          return {
            pool: "the default storage pool",
            users: "accounts that may use it beside root; empty: none",
            minimum:
              "minimum" in minimum
                ? `goes on alone while ${minimum.minimum} of ${count(states.size, "node")} are in`
                : "",
          };
        }}
        onSubmit={(values) =>
          onPrepared({
            plan: planInstallLibvirt(libvirtRequest(values, targets, states), states),
            secrets: {},
            notes: [],
            erased: [],
            typed: null,
          })
        }
      />
    </Box>
  );
}

export function InstallLibvirtScreen(): ReactNode {
  return <InstallWizard name="install-libvirt" options={Options} />;
}
