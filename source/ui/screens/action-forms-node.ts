/** The form of what takes all instances away from a node. Pure. */
import type { NodeAction } from "../../instances/types.ts";
import { plainLine } from "../../text.ts";
import type { Values } from "../components/form.tsx";
import type { ActionForm } from "./action-forms.ts";
import { nodeEffect } from "./node-effects.ts";

function requestOf(values: Values): NodeAction {
  const which = values["which"];
  return { do: "evacuate", which: which === "primary" || which === "secondary" ? which : "all" };
}

export const evacuateForm: ActionForm = {
  title: ({ node }) => `Evacuate ${plainLine(node?.name ?? "")}`,
  fields: () => [
    {
      id: "which",
      label: "To leave it",
      kind: "choice",
      choices: [
        { value: "primary", label: "the instances that run on it" },
        { value: "secondary", label: "the copies of disks that it keeps" },
        { value: "all", label: "both" },
      ],
    },
  ],
  errors: () => ({}),
  request: requestOf,
  about: (values, { node, all }) => {
    if (!node) return [];
    const { lines, text } = nodeEffect(requestOf(values), node, all);
    return [...lines, text];
  },
  dangerous: true,
  asks: true,
};
