/** Names a host whose instances are shown from now on. */
import { Box, Text } from "ink";
import type { ReactNode } from "react";
import { Form, type FormField } from "../components/form.tsx";
import { useKnown, useUi } from "../hooks.ts";
import { listStart } from "../list.ts";
import { hostsList } from "./hosts-rows.ts";
import { hostError } from "./sites.tsx";

const fields: FormField[] = [
  {
    id: "host",
    label: "Host",
    kind: "text",
    width: 34,
    help: "as you name it to ssh",
  },
];

export function AddHostScreen(): ReactNode {
  const { workspace, navigation } = useUi();
  const hosts = useKnown((known) => known.inventory.hosts);
  return (
    <Box flexDirection="column">
      <Form
        name="add-host"
        fields={fields}
        errors={({ host = "" }) => ({
          host: hosts.some((other) => other.host === host) ? "it is shown already" : hostError(host),
        })}
        missing={({ host }) => (host ? null : "a host is needed")}
        onSubmit={({ host = "" }) => {
          workspace.addHost(host);
          // Where it is looked for: whether it answers, and what is wrong with it.
          navigation.remember(`list:${hostsList}`, { key: host, index: hosts.length, offset: 0 }, listStart);
          navigation.forget("form:add-host");
          navigation.back();
        }}
      />
      <Box marginTop={1} paddingX={1}>
        <Text dimColor>
          virtu connects as ssh does and finds out by itself what runs there: Ganeti (any node of a cluster will do),
          libvirt, Xen or XenServer. Nothing is installed and nothing is changed.
        </Text>
      </Box>
    </Box>
  );
}
