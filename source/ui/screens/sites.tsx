/** Sites: choose one, add one. */
import { Box, Text } from "ink";
import { type ReactNode, useState } from "react";
import type { Site } from "../../journey/types.ts";
import { Confirm } from "../components/confirm.tsx";
import { Form, type FormField } from "../components/form.tsx";
import { Table, useList } from "../components/table.tsx";
import { useKeys, useKnown, useUi } from "../hooks.ts";
import { cell, paint } from "../theme.ts";

export function SitesScreen(): ReactNode {
  const { size, workspace, navigation } = useUi();
  const sites = useKnown((known) => known.sites);
  const current = useKnown((known) => known.site);
  const [removing, setRemoving] = useState<Site | null>(null);
  const names = sites.map(({ name }) => name);
  const list = useList("sites", names, size.rows - 7);
  const selected = sites[list.index];
  const none = selected ? null : "there is no site yet: a adds one";
  useKeys("site", {
    choose: {
      run: () => {
        if (!selected) return;
        workspace.site.choose(selected);
        navigation.back();
      },
      disabled: none,
    },
    add: { run: () => navigation.open({ screen: "add-site" }) },
    remove: { run: () => selected && setRemoving(selected), disabled: none },
  });
  if (removing) {
    return (
      <Confirm
        title={`Remove the site ${removing.name} from the settings?`}
        losses={[`how to reach it: ${removing.frontend}`]}
        text="Nothing changes on the site: its jobs run on."
        safe="Keep it"
        danger="Remove it"
        onNo={() => setRemoving(null)}
        onYes={() => {
          workspace.site.remove(removing.name);
          setRemoving(null);
        }}
      />
    );
  }
  return (
    <Table
      view={list}
      row={(index) => {
        const site = sites[index] as Site;
        const way = `${site.frontend}${site.gateway ? ` by ${site.gateway}` : ""}`;
        return `${cell(site.name, 20)} ${cell(way, 40)} ${site.name === current?.name ? paint("in use", "green") : ""}`;
      }}
      empty={<Text dimColor> No site yet. a adds one: a name, and the frontend's host as ssh knows it.</Text>}
    />
  );
}

const fields: FormField[] = [
  {
    id: "frontend",
    label: "Frontend",
    kind: "text",
    width: 34,
    help: "host, user@host, or an alias of your ssh config",
  },
  { id: "name", label: "Name", kind: "text", width: 26, help: "empty: the frontend's own name" },
  { id: "gateway", label: "Gateway", kind: "text", width: 26, help: "if your ssh config names none" },
  {
    id: "imageFolder",
    label: "Images",
    kind: "text",
    width: 34,
    help: "another folder with .env files beside ~/image",
  },
];

/** What is wrong with a host's name as ssh takes it, or null. */
export function hostError(text: string): string | null {
  if (text === "") return null;
  if (text.startsWith("-")) return "a host can't begin with -";
  return /^[\w.@:%+[\]-]+$/.test(text) ? null : "that is no host: letters, digits, . - _ @ : only";
}

export function AddSiteScreen(): ReactNode {
  const { workspace, navigation } = useUi();
  return (
    <Box flexDirection="column">
      <Form
        name="add-site"
        fields={fields}
        errors={(values) => ({
          frontend: hostError(values["frontend"] ?? ""),
          gateway: hostError(values["gateway"] ?? ""),
        })}
        missing={(values) => (values["frontend"] ? null : { field: "frontend", text: "the frontend is needed" })}
        onSubmit={(values) => {
          const frontend = values["frontend"] ?? "";
          const name = values["name"] || frontend.replace(/^.*@/, "").split(".")[0] || frontend;
          workspace.site.add({
            name,
            frontend,
            ...(values["gateway"] ? { gateway: values["gateway"] } : {}),
            ...(values["imageFolder"] ? { imageFolder: values["imageFolder"] } : {}),
          });
          navigation.forget("form:add-site");
          navigation.jump({ screen: "home" });
        }}
      />
      <Box marginTop={1} paddingLeft={1}>
        <Text dimColor>virtu connects as ssh does: your ssh config, agent, keys and known hosts are used.</Text>
      </Box>
    </Box>
  );
}
